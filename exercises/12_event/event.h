// SPDX-License-Identifier: Apache-2.0
//
// Chapter 12: an event that threads wait for, and a countdown to it. Read
// chapters/12_event/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/12_event/...

#ifndef EXERCISES_12_EVENT_EVENT_H_
#define EXERCISES_12_EVENT_EVENT_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace workbook {

// Something that has happened or not: a flag that threads can wait for. It
// begins clear, and may be set and cleared any number of times. (Python's
// threading.Event.)
//
// Set() happens-before the return of every wait that it ends. All members may
// be called by any thread at any time. Each locks one mutex once; only Wait()
// and WaitFor() wait for more, and then they sleep. A thread that knows that
// its wait is the last use may destroy the event when it returns, even if the
// Set() that let it through has not yet returned.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Sets the event, if it is not set already, and releases every thread that
  // waits for it, even if Clear() follows at once.
  void Set() {
    // TODO(1)
  }

  // Clears the event, if it is not clear already. Threads that begin to wait
  // now wait for the next Set().
  void Clear() {
    // TODO(2)
  }

  bool IsSet() const {
    // TODO(3)
    return false;
  }

  // Waits until the event is set. Returns at once if it is.
  void Wait() {
    // TODO(4): what if Clear() comes before you look at the flag again?
  }

  // Like Wait(), but gives up `timeout` after the call; 0 means: look once.
  // Returns whether the event was set before or meanwhile. Throws
  // std::invalid_argument if `timeout` is negative.
  bool WaitFor(std::chrono::nanoseconds timeout) {
    // TODO(5)
    (void)timeout;
    return false;
  }

 private:
  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  [[maybe_unused]] static std::chrono::steady_clock::time_point DeadlineAfter(
      std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("Event: negative timeout");
    }
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    return timeout < Clock::time_point::max() - now ? now + timeout
                                                    : Clock::time_point::max();
  }

  mutable std::mutex mu_;
  std::condition_variable changed_;
  // Guarded by mu_.
  [[maybe_unused]] bool is_set_ = false;
  // TODO(6): a waiter needs to know more than the flag.
};

// Waits until a number of tasks are done. (absl::BlockingCounter, std::latch.)
//
// TaskDone() happens-before the return of every wait. All members may be called
// by any thread at any time. A thread may destroy the countdown when its wait
// returns, even if some TaskDone() has not yet returned.
class Countdown {
 public:
  // Throws std::invalid_argument if `tasks` is negative.
  explicit Countdown(int tasks) : left_(tasks) {
    // TODO(7): what if there is nothing to wait for?
  }

  // Reports that one task is done. Throws std::logic_error if all were.
  void TaskDone() {
    // TODO(8): which thread is the last, and how does it know?
  }

  // Waits until all tasks are done.
  void Wait() { all_done_.Wait(); }

  // Like Event::WaitFor().
  bool WaitFor(std::chrono::nanoseconds timeout) {
    return all_done_.WaitFor(timeout);
  }

 private:
  std::atomic<int> left_;
  Event all_done_;
};

}  // namespace workbook

#endif  // EXERCISES_12_EVENT_EVENT_H_
