// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a home-made lock from an atomic flag with relaxed order: it
// excludes, but it does not pass on what the last holder wrote.
// Verdict: data race
// Rule: TheNextHolderSeesWhatTheLastOneWrote

#ifndef TESTS_08_MUTEX_MISTAKES_RELAXED_SPIN_H_
#define TESTS_08_MUTEX_MISTAKES_RELAXED_SPIN_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace workbook {

class Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void Acquire() {
    while (held_.exchange(true, std::memory_order_relaxed)) {
      std::this_thread::yield();
    }
  }

  bool TryAcquire() { return !held_.exchange(true, std::memory_order_relaxed); }

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
    while (!TryAcquire()) {
      if (Clock::now() >= deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  void Release() {
    if (!held_.exchange(false, std::memory_order_relaxed)) {
      throw std::logic_error("Release: the lock is free");
    }
  }

 private:
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

#endif  // TESTS_08_MUTEX_MISTAKES_RELAXED_SPIN_H_
