// SPDX-License-Identifier: Apache-2.0
//
// Chapter 08: a lock with Python's manners, and a counter that survives
// exceptions. Read chapters/08_mutex/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/08_mutex/...

#ifndef EXERCISES_08_MUTEX_LOCK_H_
#define EXERCISES_08_MUTEX_LOCK_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>

namespace workbook {

// A lock that is either free or held. Unlike std::mutex it belongs to nobody:
// any thread may release it, and releasing a free lock is an error that is
// reported. It is not recursive: a thread that acquires it twice waits until
// somebody releases it. (Python's threading.Lock.)
//
// All members may be called by any thread at any time.
class Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Waits until the lock is free and takes it.
  void Acquire() {
    // TODO(1): wait while the lock is held, then hold it.
  }

  // Takes the lock if it is free. Returns whether it did. Never waits.
  bool TryAcquire() {
    // TODO(2): look and take in one step.
    return false;
  }

  // Like Acquire(), but gives up `timeout` after the call. Returns whether the
  // lock was taken. Throws std::invalid_argument if `timeout` is negative.
  bool AcquireFor(std::chrono::nanoseconds timeout) {
    // TODO(3): one deadline for the whole wait, however often you wake up.
    (void)timeout;
    return false;
  }

  // Frees the lock, whoever took it, and lets one waiting thread go on.
  // Throws std::logic_error if the lock is free.
  void Release() {
    // TODO(4): refuse a free lock; otherwise free it and wake one waiter.
  }

 private:
  std::mutex mu_;
  std::condition_variable freed_;
  // True while somebody holds this Lock. Guarded by mu_.
  [[maybe_unused]] bool held_ = false;
};

// Holds a Lock for the length of a scope: Python's `with lock:`.
class Holding {
 public:
  explicit Holding(Lock& lock) : lock_(lock) {
    // TODO(5): take the lock here ...
  }
  ~Holding() {
    // ... and give it back here, however the scope is left.
  }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  [[maybe_unused]] Lock& lock_;
};

// A number that many threads update.
class Counter {
 public:
  // Replaces the value v by change(v), with no update lost in between. An
  // exception from `change` reaches the caller; the value then stays as it
  // was, and the counter stays usable.
  void Update(const std::function<int(int)>& change) {
    // TODO(6): hold mu_ for as long as it takes, and not longer.
    (void)change;
  }

  int Value() const {
    // TODO(7): does reading need the mutex too?
    return 0;
  }

 private:
  mutable std::mutex mu_;
  // Guarded by mu_.
  [[maybe_unused]] int value_ = 0;
};

}  // namespace workbook

#endif  // EXERCISES_08_MUTEX_LOCK_H_
