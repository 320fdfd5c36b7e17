// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a promise carries the event. A promise can be kept only once.
// Verdict: wrong result
// Rule: SetAndClearMayBeRepeated

#ifndef TESTS_12_EVENT_MISTAKES_ONE_SHOT_H_
#define TESTS_12_EVENT_MISTAKES_ONE_SHOT_H_

#include <atomic>
#include <chrono>
#include <future>
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
    happened_.set_value();
  }

  void Clear() {
    std::lock_guard lock(mu_);
    happened_ = std::promise<void>();
    future_ = happened_.get_future().share();
  }

  bool IsSet() const {
    return Future().wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }

  void Wait() { Future().wait(); }

  bool WaitFor(std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("Event: negative timeout");
    }
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    const auto deadline = timeout < Clock::time_point::max() - now
                              ? now + timeout
                              : Clock::time_point::max();
    return Future().wait_until(deadline) == std::future_status::ready;
  }

 private:
  std::shared_future<void> Future() const {
    std::lock_guard lock(mu_);
    return future_;
  }

  mutable std::mutex mu_;
  // Guarded by mu_.
  std::promise<void> happened_;
  std::shared_future<void> future_ = happened_.get_future().share();
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

#endif  // TESTS_12_EVENT_MISTAKES_ONE_SHOT_H_
