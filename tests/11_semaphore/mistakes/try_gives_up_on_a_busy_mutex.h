// SPDX-License-Identifier: Apache-2.0
//
// Mistake: TryAcquire does not wait for the mutex either. Then it fails though
// there are permits, only because somebody else is looking.
// Verdict: wrong result
// Rule: TwoTriesTakeTwoPermits

#ifndef TESTS_11_SEMAPHORE_MISTAKES_TRY_GIVES_UP_ON_A_BUSY_MUTEX_H_
#define TESTS_11_SEMAPHORE_MISTAKES_TRY_GIVES_UP_ON_A_BUSY_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <stdexcept>

namespace workbook {

class Semaphore {
 public:
  static constexpr int kNoLimit = std::numeric_limits<int>::max();

  explicit Semaphore(int permits = 1, int limit = kNoLimit)
      : limit_(limit), permits_(permits) {
    if (permits < 0 || permits > limit) {
      throw std::invalid_argument("Semaphore: permits not in 0..limit");
    }
  }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void Acquire() {
    std::unique_lock lock(mu_);
    released_.wait(lock, [this] { return permits_ > 0; });
    --permits_;
  }

  bool TryAcquire() {
    std::unique_lock lock(mu_, std::try_to_lock);
    if (!lock.owns_lock() || permits_ == 0) return false;
    --permits_;
    return true;
  }

  bool AcquireFor(std::chrono::nanoseconds timeout) {
    const auto deadline = DeadlineAfter(timeout);
    std::unique_lock lock(mu_);
    if (!released_.wait_until(lock, deadline,
                              [this] { return permits_ > 0; })) {
      return false;
    }
    --permits_;
    return true;
  }

  void Release(int permits = 1) {
    if (permits < 1) {
      throw std::invalid_argument("Release: fewer than one permit");
    }
    std::lock_guard lock(mu_);
    // Not permits_ + permits > limit_: that sum can overflow.
    if (permits_ > limit_ - permits) {
      throw std::logic_error("Release: more permits than the limit");
    }
    permits_ += permits;
    // Still under mu_: whoever takes the permit may destroy the semaphore.
    if (permits == 1) {
      released_.notify_one();
    } else {
      released_.notify_all();
    }
  }

 private:
  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  static std::chrono::steady_clock::time_point DeadlineAfter(
      std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("Semaphore: negative timeout");
    }
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    return timeout < Clock::time_point::max() - now ? now + timeout
                                                    : Clock::time_point::max();
  }

  const int limit_;
  std::mutex mu_;
  std::condition_variable released_;
  int permits_;  // Guarded by mu_.
};

class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(int permits = 1) : Semaphore(permits, permits) {}
};

inline void WithPermit(Semaphore& semaphore,
                       const std::function<void()>& work) {
  struct Permit {
    explicit Permit(Semaphore& s) : semaphore(s) { semaphore.Acquire(); }
    ~Permit() { semaphore.Release(); }
    Semaphore& semaphore;
  };
  const Permit permit(semaphore);
  work();
}

}  // namespace workbook

#endif  // TESTS_11_SEMAPHORE_MISTAKES_TRY_GIVES_UP_ON_A_BUSY_MUTEX_H_
