// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the lock is a std::mutex under another name, which only its owner
// may unlock.
// Verdict: mutex misuse
// Rule: AnotherThreadMayRelease

#ifndef TESTS_08_MUTEX_MISTAKES_PLAIN_MUTEX_H_
#define TESTS_08_MUTEX_MISTAKES_PLAIN_MUTEX_H_

#include <atomic>
#include <chrono>
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
    mu_.lock();
    held_ = true;
  }

  bool TryAcquire() {
    if (!mu_.try_lock()) return false;
    held_ = true;
    return true;
  }

  bool AcquireFor(std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("AcquireFor: negative timeout");
    }
    // A deadline beyond the end of the clock is its end: the sum of now() and
    // a huge timeout would overflow.
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    const auto deadline = timeout < Clock::time_point::max() - now
                              ? now + timeout
                              : Clock::time_point::max();
    if (!mu_.try_lock_until(deadline)) return false;
    held_ = true;
    return true;
  }

  void Release() {
    if (!held_) throw std::logic_error("Release: the lock is free");
    held_ = false;
    mu_.unlock();
  }

 private:
  std::timed_mutex mu_;
  std::atomic<bool> held_{false};
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

#endif  // TESTS_08_MUTEX_MISTAKES_PLAIN_MUTEX_H_
