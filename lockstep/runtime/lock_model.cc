// SPDX-License-Identifier: Apache-2.0
//
// See lock_model.h.

#include "lockstep/runtime/lock_model.h"

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/race_detector.h"

namespace lockstep::internal {

bool HoldsLock(const Thread* me, const SyncObject* lock) {
  for (const HeldLock& held : me->held) {
    if (held.object == lock) return true;
  }
  return false;
}

namespace {

// A reader that locks again while a writer waits: nobody promises that the
// writer does not go first (and then neither of them goes on).
bool BehindWriter(const Thread* me, const SyncObject* lock) {
  if (lock->readers == 0 || !HoldsLock(me, lock)) return false;
  for (const Thread* t = lock->first_waiter; t; t = t->next_waiter) {
    if (t->resume_op == Op::kLock || t->resume_op == Op::kTimedLock) {
      return true;
    }
  }
  return false;
}

bool MayTake(const Thread* me, const SyncObject* lock, bool shared) {
  return LockIsFree(lock, shared) && !(shared && BehindWriter(me, lock));
}

}  // namespace

bool AwaitLock(Thread* me, SyncObject* lock, Op op, bool shared, CodeAddress pc,
               int64_t deadline) {
  me->lock_deadline = deadline;
  me->timed_out = false;
  bool waited = false;
  if (MayTake(me, lock, shared)) g_scheduler.Point(me, op, lock, pc);
  while (!MayTake(me, lock, shared) && !me->timed_out) {
    if (deadline != kNoDeadline && deadline <= g_scheduler.now()) {
      me->timed_out = true;
      break;
    }
    if (Step* step = g_scheduler.Record(me, op, lock, pc)) {
      step->blocked = true;
      if (lock->owner != nullptr) step->other = lock->owner->id;
    }
    waited = true;
    g_scheduler.Block(me, op, lock, pc, deadline);
  }
  me->lock_deadline = kNoDeadline;
  if (waited) ++g_scheduler.counters().contended_locks;
  if (!me->timed_out) return true;
  me->timed_out = false;
  g_scheduler.Record(me, Op::kTimeout, lock, pc);
  return false;
}

void TakeLock(Thread* me, SyncObject* lock, Op op, bool shared,
              CodeAddress pc) {
  ++g_scheduler.counters().lock_operations;
  if (shared) {
    ++lock->readers;
  } else {
    lock->owner = me;
    ++lock->depth;
  }
  me->held.push_back({lock, RememberPlace(me, pc), shared});
  // Before the steps of those who must wait from now on.
  if (Step* step = g_scheduler.Record(me, op, lock, pc)) step->value = 1;
  if (lock->depth <= 1) {
    AcquireClock(me, lock->clock, lock->release_epoch);
    if (!shared) AcquireClock(me, lock->reader_clock);
    g_scheduler.LockTaken(me, lock, shared);
  }
  g_scheduler.Progress(me);
}

void GiveLock(Thread* me, SyncObject* lock, bool shared, CodeAddress pc) {
  for (size_t i = me->held.size(); i-- > 0;) {
    if (me->held[i].object == lock) {
      me->held.erase(i);
      break;
    }
  }
  g_scheduler.Record(me, shared ? Op::kUnlockShared : Op::kUnlock, lock, pc);
  if (shared) {
    if (lock->readers != 0) --lock->readers;
    ReleaseJoinClock(me, &lock->reader_clock);
    if (lock->readers != 0) return;
  } else {
    if (lock->depth > 1) {
      --lock->depth;
      return;
    }
    lock->depth = 0;
    lock->owner = nullptr;
    ReleaseStoreClock(me, &lock->clock, &lock->release_epoch);
  }
  if (lock->first_waiter != nullptr) g_scheduler.LockFreed(lock);
  g_scheduler.Progress(me);
}

void TryLockFailed(Thread* me, SyncObject* lock, Op op, CodeAddress pc) {
  if (Step* step = g_scheduler.Record(me, op, lock, pc)) {
    step->value = 0;
    if (lock->owner != nullptr) step->other = lock->owner->id;
  }
  g_scheduler.Unproductive(me);
}

void CheckDestroyLock(Thread* me, SyncObject* lock, CodeAddress pc) {
  if (lock->owner == nullptr && lock->readers == 0) return;
  if (!g_scheduler.has_finding()) {
    g_scheduler.SetFinding(Verdict::kMutexMisuse,
                           "a mutex is destroyed while it is locked");
    g_scheduler.AddSite(me, "destroys the mutex here", pc, lock);
    for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
      Thread* holder = g_scheduler.thread(i);
      for (const HeldLock& held : holder->held) {
        if (held.object == lock) {
          g_scheduler.AddSite(holder, "holds it", held);
        }
      }
    }
  }
  g_scheduler.EndSchedule(me);
}

void CheckNoLockInside(Thread* me, uintptr_t address, size_t size,
                       CodeAddress pc) {
  for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
    for (const HeldLock& held : g_scheduler.thread(i)->held) {
      if (held.object->address - address < size) {
        CheckDestroyLock(me, held.object, pc);
      }
    }
  }
}

}  // namespace lockstep::internal
