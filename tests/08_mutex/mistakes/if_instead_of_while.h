// SPDX-License-Identifier: Apache-2.0
//
// Mistake: Acquire looks once, waits once and then takes the lock without
// looking again; somebody else may have taken it since the notification. Then
// two threads hold it, and the second Release finds it free.
// Verdict: wrong result
// Rule: FiveWaitingThreadsAllGetThrough

#ifndef TESTS_08_MUTEX_MISTAKES_IF_INSTEAD_OF_WHILE_H_
#define TESTS_08_MUTEX_MISTAKES_IF_INSTEAD_OF_WHILE_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>

namespace workbook {

class Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void Acquire() {
    std::unique_lock lock(mu_);
    if (held_) freed_.wait(lock);
    held_ = true;
  }

  bool TryAcquire() {
    std::lock_guard lock(mu_);
    if (held_) return false;
    held_ = true;
    return true;
  }

  bool AcquireFor(std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("AcquireFor: negative timeout");
    }
    std::unique_lock lock(mu_);
    // A deadline beyond the end of the clock is its end: the sum of now() and
    // a huge timeout would overflow.
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    const auto deadline = timeout < Clock::time_point::max() - now
                              ? now + timeout
                              : Clock::time_point::max();
    if (!freed_.wait_until(lock, deadline, [this] { return !held_; })) {
      return false;
    }
    held_ = true;
    return true;
  }

  void Release() {
    std::lock_guard lock(mu_);
    if (!held_) throw std::logic_error("Release: the lock is free");
    held_ = false;
    // One is enough: only one waiter can have the lock. Still under mu_, so
    // that the next holder cannot destroy freed_ before we have used it.
    freed_.notify_one();
  }

 private:
  std::mutex mu_;
  std::condition_variable freed_;
  bool held_ = false;  // Guarded by mu_.
};

class Holding {
 public:
  explicit Holding(Lock& lock) : lock_(lock) { lock_.Acquire(); }
  ~Holding() { lock_.Release(); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  Lock& lock_;
};

class Counter {
 public:
  void Update(const std::function<int(int)>& change) {
    std::lock_guard lock(mu_);
    value_ = change(value_);
  }

  int Value() const {
    std::lock_guard lock(mu_);
    return value_;
  }

 private:
  mutable std::mutex mu_;
  int value_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_08_MUTEX_MISTAKES_IF_INSTEAD_OF_WHILE_H_
