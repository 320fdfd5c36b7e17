// SPDX-License-Identifier: Apache-2.0
//
// What a lock is, for every kind of lock: who owns it, who may take it, who
// waits for it. std, POSIX and Abseil locks all end up here.

#ifndef LOCKSTEP_RUNTIME_LOCK_MODEL_H_
#define LOCKSTEP_RUNTIME_LOCK_MODEL_H_

#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {

inline bool LockIsFree(const SyncObject* lock, bool shared) {
  return lock->owner == nullptr && (shared || lock->readers == 0);
}

bool HoldsLock(const Thread* me, const SyncObject* lock);

// The scheduling point of a lock operation; returns when `lock` is free, or
// false when the deadline has passed. Does not take the lock.
bool AwaitLock(Thread* me, SyncObject* lock, Op op, bool shared, CodeAddress pc,
               int64_t deadline = kNoDeadline);

// Takes a free lock.
void TakeLock(Thread* me, SyncObject* lock, Op op, bool shared, CodeAddress pc);

// Gives a lock back (recursion included: call once per TakeLock).
void GiveLock(Thread* me, SyncObject* lock, bool shared, CodeAddress pc);

// After a failed try_lock.
void TryLockFailed(Thread* me, SyncObject* lock, Op op, CodeAddress pc);

// Something with waiters is being destroyed: is that allowed?
void CheckDestroyLock(Thread* me, SyncObject* lock, CodeAddress pc);

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_LOCK_MODEL_H_
