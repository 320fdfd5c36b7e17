// SPDX-License-Identifier: Apache-2.0
//
// Chapter 08, reference answer with Abseil. The annotations let clang check at
// compile time what the comments of the std flavour only say.

#ifndef SOLUTIONS_08_MUTEX_ABSL_LOCK_H_
#define SOLUTIONS_08_MUTEX_ABSL_LOCK_H_

#include <chrono>
#include <functional>
#include <stdexcept>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace workbook {

class ABSL_LOCKABLE Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void Acquire() ABSL_EXCLUSIVE_LOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    // A condition instead of a loop: nobody has to remember to notify.
    absl::MutexLock lock(&mu_, absl::Condition(this, &Lock::IsFree));
    held_ = true;
  }

  bool TryAcquire()
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::MutexLock lock(&mu_);
    if (held_) return false;
    held_ = true;
    return true;
  }

  bool AcquireFor(std::chrono::nanoseconds timeout)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("AcquireFor: negative timeout");
    }
    absl::MutexLock lock(&mu_);
    if (!mu_.AwaitWithTimeout(absl::Condition(this, &Lock::IsFree),
                              absl::FromChrono(timeout))) {
      return false;
    }
    held_ = true;
    return true;
  }

  void Release() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::MutexLock lock(&mu_);
    if (!held_) throw std::logic_error("Release: the lock is free");
    held_ = false;
  }

 private:
  bool IsFree() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return !held_; }

  absl::Mutex mu_;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
};

class ABSL_SCOPED_LOCKABLE Holding {
 public:
  explicit Holding(Lock& lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock)
      : lock_(lock) {
    lock_.Acquire();
  }
  ~Holding() ABSL_UNLOCK_FUNCTION() { lock_.Release(); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  Lock& lock_;
};

class Counter {
 public:
  void Update(const std::function<int(int)>& change) {
    absl::MutexLock lock(&mu_);
    value_ = change(value_);
  }

  int Value() const {
    absl::MutexLock lock(&mu_);
    return value_;
  }

 private:
  mutable absl::Mutex mu_;
  int value_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace workbook

#endif  // SOLUTIONS_08_MUTEX_ABSL_LOCK_H_
