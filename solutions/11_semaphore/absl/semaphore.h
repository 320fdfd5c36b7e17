// SPDX-License-Identifier: Apache-2.0
//
// Chapter 11, reference answer with Abseil, which has no semaphore: a number,
// its mutex, and a condition.

#ifndef SOLUTIONS_11_SEMAPHORE_ABSL_SEMAPHORE_H_
#define SOLUTIONS_11_SEMAPHORE_ABSL_SEMAPHORE_H_

#include <chrono>
#include <functional>
#include <limits>
#include <stdexcept>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

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
    absl::MutexLock lock(&mu_, absl::Condition(this, &Semaphore::HasPermit));
    --permits_;
  }

  bool TryAcquire() {
    absl::MutexLock lock(&mu_);
    if (!HasPermit()) return false;
    --permits_;
    return true;
  }

  bool AcquireFor(std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("AcquireFor: negative timeout");
    }
    absl::MutexLock lock(&mu_);
    if (!mu_.AwaitWithTimeout(absl::Condition(this, &Semaphore::HasPermit),
                              absl::FromChrono(timeout))) {
      return false;
    }
    --permits_;
    return true;
  }

  void Release(int permits = 1) {
    if (permits < 1) {
      throw std::invalid_argument("Release: fewer than one permit");
    }
    absl::MutexLock lock(&mu_);
    // Not permits_ + permits > limit_: that sum can overflow.
    if (permits_ > limit_ - permits) {
      throw std::logic_error("Release: more permits than the limit");
    }
    permits_ += permits;
  }

 private:
  bool HasPermit() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return permits_ > 0;
  }

  const int limit_;
  absl::Mutex mu_;
  int permits_ ABSL_GUARDED_BY(mu_);
};

class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(int permits = 1) : Semaphore(permits, permits) {}
};

inline void WithPermit(Semaphore& semaphore,
                       const std::function<void()>& work) {
  semaphore.Acquire();
  const absl::Cleanup release = [&semaphore] { semaphore.Release(); };
  work();
}

}  // namespace workbook

#endif  // SOLUTIONS_11_SEMAPHORE_ABSL_SEMAPHORE_H_
