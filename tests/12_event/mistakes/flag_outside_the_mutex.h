// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the flag is atomic, and Set changes it without the mutex. It can do
// so between the look and the sleep of a waiting thread.
// Verdict: lost wake-up
// Rule: WaitWaitsUntilTheEventIsSet

#ifndef TESTS_12_EVENT_MISTAKES_FLAG_OUTSIDE_THE_MUTEX_H_
#define TESTS_12_EVENT_MISTAKES_FLAG_OUTSIDE_THE_MUTEX_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace workbook {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set() {
    is_set_ = true;
    changed_.notify_all();
  }

  void Clear() { is_set_ = false; }

  bool IsSet() const { return is_set_; }

  void Wait() {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this] { return is_set_.load(); });
  }

  bool WaitFor(std::chrono::nanoseconds timeout) {
    const auto deadline = DeadlineAfter(timeout);
    std::unique_lock lock(mu_);
    return changed_.wait_until(lock, deadline,
                               [this] { return is_set_.load(); });
  }

 private:
  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  static std::chrono::steady_clock::time_point DeadlineAfter(
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
  std::atomic<bool> is_set_ = false;
};

class Countdown {
 public:
  explicit Countdown(int tasks) : left_(tasks) {
    if (tasks < 0) throw std::invalid_argument("Countdown: negative number");
    if (tasks == 0) all_done_.Set();
  }

  void TaskDone() {
    // Taking away and looking at the result is one step, so exactly one thread
    // learns that it is the last. The others must not touch *this any more.
    const int before = left_.fetch_sub(1);
    if (before < 1) throw std::logic_error("TaskDone: all tasks are done");
    if (before == 1) all_done_.Set();
  }

  void Wait() { all_done_.Wait(); }

  bool WaitFor(std::chrono::nanoseconds timeout) {
    return all_done_.WaitFor(timeout);
  }

 private:
  std::atomic<int> left_;
  Event all_done_;
};

}  // namespace workbook

#endif  // TESTS_12_EVENT_MISTAKES_FLAG_OUTSIDE_THE_MUTEX_H_
