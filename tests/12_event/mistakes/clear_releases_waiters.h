// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the generation counts the calls of Clear, so a thread that waits
// takes a Clear for a Set.
// Verdict: wrong result
// Rule: ClearReleasesNobody

#ifndef TESTS_12_EVENT_MISTAKES_CLEAR_RELEASES_WAITERS_H_
#define TESTS_12_EVENT_MISTAKES_CLEAR_RELEASES_WAITERS_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stdexcept>

namespace workbook {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set() {
    std::lock_guard lock(mu_);
    is_set_ = true;
    // Still under mu_: a thread that saw the event may destroy it.
    changed_.notify_all();
  }

  void Clear() {
    std::lock_guard lock(mu_);
    is_set_ = false;
    ++generation_;
    changed_.notify_all();
  }

  bool IsSet() const {
    std::lock_guard lock(mu_);
    return is_set_;
  }

  void Wait() {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this, now = generation_] { return SetSince(now); });
  }

  bool WaitFor(std::chrono::nanoseconds timeout) {
    const auto deadline = DeadlineAfter(timeout);
    std::unique_lock lock(mu_);
    return changed_.wait_until(
        lock, deadline, [this, now = generation_] { return SetSince(now); });
  }

 private:
  // What a waiter waits for. The flag alone would not do: it may be cleared
  // before a thread that was woken looks at it. The generation is still another
  // one then. REQUIRES: mu_ is held.
  bool SetSince(std::uint64_t generation) const {
    return is_set_ || generation_ != generation;
  }

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
  // Guarded by mu_.
  bool is_set_ = false;
  std::uint64_t generation_ = 0;  // How often Clear() was called.
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

#endif  // TESTS_12_EVENT_MISTAKES_CLEAR_RELEASES_WAITERS_H_
