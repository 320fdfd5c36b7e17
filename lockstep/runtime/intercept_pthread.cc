// SPDX-License-Identifier: Apache-2.0
//
// POSIX threads, under control: std::thread, std::mutex and their relatives
// are thin wrappers around these. A definition in the program takes the place
// of libc's, also for calls from libstdc++. Outside an exploration each
// forwards to libc.

#include <pthread.h>
#include <semaphore.h>

#include <cerrno>
#include <climits>

#include "lockstep/runtime/clocks.h"
#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/lock_model.h"
#include "lockstep/runtime/race_detector.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace real {
LOCKSTEP_REAL(pthread_join)
LOCKSTEP_REAL(pthread_detach)
LOCKSTEP_REAL(pthread_mutex_lock)
LOCKSTEP_REAL(pthread_mutex_trylock)
LOCKSTEP_REAL(pthread_mutex_timedlock)
LOCKSTEP_REAL(pthread_mutex_clocklock)
LOCKSTEP_REAL(pthread_mutex_unlock)
LOCKSTEP_REAL(pthread_mutex_init)
LOCKSTEP_REAL(pthread_mutex_destroy)
LOCKSTEP_REAL(pthread_cond_init)
LOCKSTEP_REAL(pthread_cond_destroy)
LOCKSTEP_REAL(pthread_cond_wait)
LOCKSTEP_REAL(pthread_cond_timedwait)
LOCKSTEP_REAL(pthread_cond_clockwait)
LOCKSTEP_REAL(pthread_cond_signal)
LOCKSTEP_REAL(pthread_cond_broadcast)
LOCKSTEP_REAL(pthread_rwlock_init)
LOCKSTEP_REAL(pthread_rwlock_destroy)
LOCKSTEP_REAL(pthread_rwlock_rdlock)
LOCKSTEP_REAL(pthread_rwlock_tryrdlock)
LOCKSTEP_REAL(pthread_rwlock_timedrdlock)
LOCKSTEP_REAL(pthread_rwlock_clockrdlock)
LOCKSTEP_REAL(pthread_rwlock_wrlock)
LOCKSTEP_REAL(pthread_rwlock_trywrlock)
LOCKSTEP_REAL(pthread_rwlock_timedwrlock)
LOCKSTEP_REAL(pthread_rwlock_clockwrlock)
LOCKSTEP_REAL(pthread_rwlock_unlock)
LOCKSTEP_REAL(pthread_once)
LOCKSTEP_REAL(sem_init)
LOCKSTEP_REAL(sem_destroy)
LOCKSTEP_REAL(sem_wait)
LOCKSTEP_REAL(sem_trywait)
LOCKSTEP_REAL(sem_timedwait)
LOCKSTEP_REAL(sem_clockwait)
LOCKSTEP_REAL(sem_post)
LOCKSTEP_REAL(sem_getvalue)
}  // namespace real

namespace {

// --- Mutexes -----------------------------------------------------------------
//
// The lock's state is kept in the model and mirrored in the object's memory:
// memory that says "free" although the model says "locked" means that a new
// mutex was made there (std::mutex has neither constructor nor destructor
// calls to watch).

int MutexType(const pthread_mutex_t* m) { return m->__data.__kind & 3; }

void MirrorMutex(pthread_mutex_t* m, const SyncObject* lock) {
  m->__data.__lock = lock->owner != nullptr ? 1 : 0;
  m->__data.__owner =
      lock->owner != nullptr ? static_cast<int>(lock->owner->id) + 1 : 0;
}

SyncObject* MutexObject(Thread* me, pthread_mutex_t* m, CodeAddress pc) {
  const auto address = reinterpret_cast<uintptr_t>(m);
  const ObjectKind kind = MutexType(m) == PTHREAD_MUTEX_RECURSIVE
                              ? ObjectKind::kRecursiveMutex
                              : ObjectKind::kMutex;
  SyncObject* lock = g_scheduler.Object(address, kind, pc);
  if (__builtin_expect(lock->owner != nullptr && m->__data.__lock == 0,
                       false)) {
    CheckDestroyLock(me, lock, pc);
  }
  if (__builtin_expect(lock->kind != kind, false)) {
    if (lock->kind == ObjectKind::kUnknown ||
        lock->kind == ObjectKind::kAtomic) {
      lock->kind = kind;
    } else {
      g_scheduler.DropObject(address);
      lock = g_scheduler.Object(address, kind, pc);
    }
  }
  return lock;
}

int LockMutex(Thread* me, pthread_mutex_t* m, Op op, CodeAddress pc,
              int64_t deadline) {
  SyncObject* lock = MutexObject(me, m, pc);
  if (lock->owner == me) {
    switch (MutexType(m)) {
      case PTHREAD_MUTEX_RECURSIVE:
        g_scheduler.Point(me, op, lock, pc);
        TakeLock(me, lock, op, false, pc);
        return 0;
      case PTHREAD_MUTEX_ERRORCHECK:
        return EDEADLK;
      default:
        g_scheduler.Fail(me, Verdict::kMutexMisuse,
                         "a thread locks a non-recursive mutex that it holds "
                         "already",
                         pc, "locks the mutex it holds", lock);
    }
  }
  if (!AwaitLock(me, lock, op, false, pc, deadline)) return ETIMEDOUT;
  TakeLock(me, lock, op, false, pc);
  MirrorMutex(m, lock);
  return 0;
}

void UnlockMutex(Thread* me, pthread_mutex_t* m, SyncObject* lock,
                 CodeAddress pc) {
  GiveLock(me, lock, false, pc);
  if (lock->owner == nullptr) MirrorMutex(m, lock);
}

int CheckUnlockMutex(Thread* me, pthread_mutex_t* m, SyncObject* lock,
                     CodeAddress pc) {
  if (lock->owner == me) return 0;
  if (MutexType(m) == PTHREAD_MUTEX_ERRORCHECK) return EPERM;
  if (!g_scheduler.has_finding()) {
    g_scheduler.SetFinding(
        Verdict::kMutexMisuse,
        lock->owner == nullptr
            ? "a thread unlocks a mutex that is not locked"
            : "a thread unlocks a mutex that another thread holds");
    g_scheduler.AddSite(me, "unlocks the mutex here", pc, lock);
    if (lock->owner != nullptr) {
      for (const HeldLock& held : lock->owner->held) {
        if (held.object == lock) {
          g_scheduler.AddSite(lock->owner, "holds it", held);
        }
      }
    }
  }
  g_scheduler.EndSchedule(me);
}

// --- Condition variables
// -------------------------------------------------------

// What the memory of a destroyed condition variable says until another object
// is made there. (There is no call to watch that makes a
// std::condition_variable.)
constexpr unsigned kDestroyed = 0xDE57C0DE;

[[noreturn]] void UseAfterDestroy(Thread* me, SyncObject* condition,
                                  CodeAddress pc) {
  if (!g_scheduler.has_finding()) {
    g_scheduler.SetFinding(
        Verdict::kUseAfterFree,
        "a condition variable is used after it was destroyed");
    g_scheduler.AddSite(me, "uses it here", pc, condition);
    g_scheduler.AddSite(condition->destroyer, "destroyed it",
                        HeldLock{condition, condition->destroyed_where, false});
  }
  g_scheduler.EndSchedule(me);
}

SyncObject* CondObject(pthread_cond_t* c, CodeAddress pc) {
  SyncObject* object = g_scheduler.Object(reinterpret_cast<uintptr_t>(c),
                                          ObjectKind::kConditionVariable, pc);
  if (object->destroyer != nullptr) {
    if (c->__data.__wrefs == kDestroyed) UseAfterDestroy(self, object, pc);
    g_scheduler.DropObject(object->address);
    object = g_scheduler.Object(reinterpret_cast<uintptr_t>(c),
                                ObjectKind::kConditionVariable, pc);
  }
  if (object->kind != ObjectKind::kConditionVariable) {
    g_scheduler.DropObject(object->address);
    object = g_scheduler.Object(reinterpret_cast<uintptr_t>(c),
                                ObjectKind::kConditionVariable, pc);
  }
  return object;
}

int WaitCondition(Thread* me, pthread_cond_t* c, pthread_mutex_t* m,
                  CodeAddress pc, int64_t deadline) {
  SyncObject* condition = CondObject(c, pc);
  SyncObject* lock = MutexObject(me, m, pc);
  const Op op = deadline == kNoDeadline ? Op::kWait : Op::kTimedWait;
  g_scheduler.Point(me, op, condition, pc, true, lock);
  if (condition->destroyer != nullptr) UseAfterDestroy(me, condition, pc);
  if (int error = CheckUnlockMutex(me, m, lock, pc)) return error;
  const bool spurious =
      g_scheduler.options().spurious_wakeups &&
      g_scheduler.ChooseOneOf(Decision::Kind::kSpurious, 2) == 1;
  const bool gives_up =
      !spurious && deadline != kNoDeadline &&
      g_scheduler.options().early_timeouts &&
      g_scheduler.ChooseOneOf(Decision::Kind::kTimeout, 2) == 1;
  if (Step* step = g_scheduler.Record(me, op, condition, pc)) {
    step->blocked = true;
    step->mutex = lock->id;
  }
  const uint32_t depth = lock->depth;
  lock->depth = 1;
  UnlockMutex(me, m, lock, pc);
  bool notified = true;
  if (spurious) {
    g_scheduler.Point(me, Op::kWake, lock, pc);
  } else if (gives_up) {
    g_scheduler.AdvanceTo(deadline);
    g_scheduler.Point(me, Op::kTimeout, condition, pc);
    notified = false;
  } else {
    me->wait_mutex = lock;
    notified = g_scheduler.Block(me, op, condition, pc, deadline);
  }
  if (!notified) g_scheduler.Record(me, Op::kTimeout, condition, pc);
  // Take the mutex again, whoever has it now.
  while (!LockIsFree(lock, false)) {
    g_scheduler.Block(me, Op::kWake, lock, pc);
  }
  TakeLock(me, lock, Op::kWake, false, pc);
  --g_scheduler.counters().lock_operations;  // not one the student asked for
  lock->depth = depth;
  MirrorMutex(m, lock);
  return notified ? 0 : ETIMEDOUT;
}

// Moves a waiter from the condition variable to the mutex it gave up.
void WakeFromCondition(Thread* waiter) {
  SyncObject* lock = waiter->wait_mutex;
  waiter->resume_op = Op::kWake;
  g_scheduler.MoveToLock(waiter, lock);
  ++g_scheduler.counters().wakeups;
}

void Notify(Thread* me, pthread_cond_t* c, bool all, CodeAddress pc) {
  SyncObject* condition = CondObject(c, pc);
  const Op op = all ? Op::kNotifyAll : Op::kNotifyOne;
  g_scheduler.Point(me, op, condition, pc);
  if (condition->destroyer != nullptr) UseAfterDestroy(me, condition, pc);
  ++g_scheduler.counters().notifications;
  g_scheduler.Progress(me);
  Step* step = g_scheduler.Record(me, op, condition, pc);
  if (condition->first_waiter == nullptr) {
    condition->lost_notifier = me;
    condition->lost_notify_pc = pc;
    return;
  }
  if (all) {
    uint64_t count = 0;
    if (step != nullptr) step->other = condition->first_waiter->id;
    while (condition->first_waiter != nullptr) {
      WakeFromCondition(condition->first_waiter);
      ++count;
    }
    if (step != nullptr) step->value = count;
    return;
  }
  Thread* waiter = g_scheduler.PickWaiter(condition);
  if (step != nullptr) {
    step->other = waiter->id;
    step->value = 1;
  }
  WakeFromCondition(waiter);
}

// --- Reader-writer locks
// ---------------------------------------------------------

void MirrorRwlock(pthread_rwlock_t* l, const SyncObject* lock) {
  l->__data.__readers = lock->readers << 3;
  l->__data.__cur_writer =
      lock->owner != nullptr ? static_cast<int>(lock->owner->id) + 1 : 0;
}

SyncObject* RwlockObject(Thread* me, pthread_rwlock_t* l, CodeAddress pc) {
  const auto address = reinterpret_cast<uintptr_t>(l);
  SyncObject* lock = g_scheduler.Object(address, ObjectKind::kSharedMutex, pc);
  if ((lock->owner != nullptr && l->__data.__cur_writer == 0) ||
      (lock->readers != 0 && l->__data.__readers == 0)) {
    CheckDestroyLock(me, lock, pc);
  }
  if (lock->kind != ObjectKind::kSharedMutex) {
    g_scheduler.DropObject(address);
    lock = g_scheduler.Object(address, ObjectKind::kSharedMutex, pc);
  }
  return lock;
}

int LockRwlock(Thread* me, pthread_rwlock_t* l, bool shared, CodeAddress pc,
               int64_t deadline) {
  SyncObject* lock = RwlockObject(me, l, pc);
  const bool timed = deadline != kNoDeadline;
  const Op op = shared ? (timed ? Op::kTimedLockShared : Op::kLockShared)
                       : (timed ? Op::kTimedLock : Op::kLock);
  if (lock->owner == me || (!shared && HoldsLock(me, lock))) {
    g_scheduler.Fail(me, Verdict::kMutexMisuse,
                     "a thread locks a shared mutex that it holds already", pc,
                     "locks the mutex it holds", lock);
  }
  if (!AwaitLock(me, lock, op, shared, pc, deadline)) return ETIMEDOUT;
  TakeLock(me, lock, op, shared, pc);
  MirrorRwlock(l, lock);
  return 0;
}

int TryLockRwlock(Thread* me, pthread_rwlock_t* l, bool shared,
                  CodeAddress pc) {
  SyncObject* lock = RwlockObject(me, l, pc);
  const Op op = shared ? Op::kTryLockShared : Op::kTryLock;
  g_scheduler.Point(me, op, lock, pc);
  if (!LockIsFree(lock, shared)) {
    TryLockFailed(me, lock, op, pc);
    return EBUSY;
  }
  TakeLock(me, lock, op, shared, pc);
  MirrorRwlock(l, lock);
  return 0;
}

// --- Semaphores
// --------------------------------------------------------------------

SyncObject* SemaphoreObject(sem_t* s, CodeAddress pc) {
  SyncObject* object = g_scheduler.Object(reinterpret_cast<uintptr_t>(s),
                                          ObjectKind::kSemaphore, pc);
  if (object->kind != ObjectKind::kSemaphore) {
    g_scheduler.DropObject(object->address);
    object = g_scheduler.Object(reinterpret_cast<uintptr_t>(s),
                                ObjectKind::kSemaphore, pc);
  }
  return object;
}

// glibc keeps the value in the low half of the first word; so do we.
uint32_t* SemaphoreValue(sem_t* s) { return reinterpret_cast<uint32_t*>(s); }

bool TakeSemaphore(Thread* me, SyncObject* object, sem_t* s, CodeAddress pc) {
  if (*SemaphoreValue(s) == 0) return false;
  --*SemaphoreValue(s);
  object->last_writer = me;
  AcquireClock(me, object->clock);
  g_scheduler.Progress(me);
  g_scheduler.Record(me, Op::kSemaphoreWait, object, pc);
  return true;
}

int WaitSemaphore(Thread* me, sem_t* s, CodeAddress pc, int64_t deadline) {
  SyncObject* object = SemaphoreObject(s, pc);
  g_scheduler.Point(me, Op::kSemaphoreWait, object, pc);
  while (!TakeSemaphore(me, object, s, pc)) {
    if (Step* step = g_scheduler.Record(me, Op::kSemaphoreWait, object, pc)) {
      step->blocked = true;
    }
    if (!g_scheduler.Block(me, Op::kSemaphoreWait, object, pc, deadline)) {
      g_scheduler.Record(me, Op::kTimeout, object, pc);
      errno = ETIMEDOUT;
      return -1;
    }
  }
  return 0;
}

}  // namespace

void ReleaseStaticLocks() {
  for (ObjectId id = 1; id <= g_scheduler.object_count(); ++id) {
    SyncObject* lock = g_scheduler.object(id);
    if (lock->owner == nullptr && lock->readers == 0) continue;
    if (!IsStaticStorage(lock->address)) continue;
    switch (lock->kind) {
      case ObjectKind::kMutex:
      case ObjectKind::kRecursiveMutex: {
        auto* m = reinterpret_cast<pthread_mutex_t*>(lock->address);
        m->__data.__lock = 0;
        m->__data.__owner = 0;
        break;
      }
      case ObjectKind::kSharedMutex: {
        auto* l = reinterpret_cast<pthread_rwlock_t*>(lock->address);
        l->__data.__readers = 0;
        l->__data.__cur_writer = 0;
        break;
      }
      case ObjectKind::kAbslMutex:
        *reinterpret_cast<intptr_t*>(lock->address) = 0;
        break;
      case ObjectKind::kOnceFlag:
        *reinterpret_cast<int*>(lock->address) = 0;
        break;
      default:
        break;
    }
  }
}

}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

int pthread_create(pthread_t* id, const pthread_attr_t* attributes,
                   void* (*function)(void*), void* argument) {
  Thread* me = self;
  if (me == nullptr) {
    return real::pthread_create(id, attributes, function, argument);
  }
  const CodeAddress pc = LOCKSTEP_CALLER();
  g_scheduler.Point(me, Op::kSpawn, nullptr, pc);
  size_t stack_size = 0;
  int detach_state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) {
    pthread_attr_getdetachstate(attributes, &detach_state);
    pthread_attr_getstacksize(attributes, &stack_size);
    stack_size = (stack_size + 65535) & ~size_t{65535};
  }
  Thread* t = g_scheduler.Spawn(me, function, argument, stack_size, pc);
  if (t == nullptr) return EAGAIN;
  t->detached = detach_state == PTHREAD_CREATE_DETACHED;
  *id = ContextPthread(t->context);
  g_scheduler.Progress(me);
  if (Step* step = g_scheduler.Record(me, Op::kSpawn, nullptr, pc)) {
    step->other = t->id;
  }
  return 0;
}

int pthread_join(pthread_t id, void** result) {
  Thread* me = self;
  Thread* t = me != nullptr ? g_scheduler.FindThread(id) : nullptr;
  if (t == nullptr) return real::pthread_join(id, result);
  if (t == me) return EDEADLK;
  if (t->detached) return EINVAL;
  const CodeAddress pc = LOCKSTEP_CALLER();
  for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
    if (g_scheduler.thread(i)->joins != t) continue;
    g_scheduler.Fail(me, Verdict::kThreadMisuse,
                     "two threads join the same thread at the same time", pc,
                     "joins a thread that another thread is joining");
  }
  if (t->state == ThreadState::kDone) {
    g_scheduler.Point(me, Op::kJoin, nullptr, pc);
  } else {
    if (Step* step = g_scheduler.Record(me, Op::kJoin, nullptr, pc)) {
      step->blocked = true;
      step->other = t->id;
    }
    me->joins = t;
    g_scheduler.Block(me, Op::kJoin, nullptr, pc);
  }
  me->joins = nullptr;
  t->joined = true;
  AcquireClock(me, t->clock);
  if (result != nullptr) *result = t->result;
  if (Step* step = g_scheduler.Record(me, Op::kJoin, nullptr, pc)) {
    step->other = t->id;
  }
  g_scheduler.Reap(t);
  return 0;
}

int pthread_detach(pthread_t id) {
  Thread* me = self;
  Thread* t = me != nullptr ? g_scheduler.FindThread(id) : nullptr;
  if (t == nullptr) return real::pthread_detach(id);
  t->detached = true;
  if (Step* step =
          g_scheduler.Record(me, Op::kDetach, nullptr, LOCKSTEP_CALLER())) {
    step->other = t->id;
  }
  return 0;
}

__attribute__((noreturn)) void pthread_exit(void* result) {
  Thread* me = self;
  if (me == nullptr) {
    reinterpret_cast<void (*)(void*)>(real::Next("pthread_exit"))(result);
    __builtin_unreachable();
  }
  ExitThread(me, result);
}

int pthread_mutex_init(pthread_mutex_t* m, const pthread_mutexattr_t* a) {
  if (self != nullptr) {
    g_scheduler.DropObject(reinterpret_cast<uintptr_t>(m));
  }
  return real::pthread_mutex_init(m, a);
}

int pthread_mutex_destroy(pthread_mutex_t* m) {
  if (Thread* me = self) {
    const auto address = reinterpret_cast<uintptr_t>(m);
    if (SyncObject* lock = g_scheduler.FindObject(address)) {
      CheckDestroyLock(me, lock, LOCKSTEP_CALLER());
      g_scheduler.DropObject(address);
    }
    return 0;
  }
  return real::pthread_mutex_destroy(m);
}

int pthread_mutex_lock(pthread_mutex_t* m) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_mutex_lock(m);
  return LockMutex(me, m, Op::kLock, LOCKSTEP_CALLER(), kNoDeadline);
}

int pthread_mutex_timedlock(pthread_mutex_t* m, const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_mutex_timedlock(m, when);
  return LockMutex(me, m, Op::kTimedLock, LOCKSTEP_CALLER(),
                   DeadlineOf(CLOCK_REALTIME, when));
}

int pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t clock,
                            const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_mutex_clocklock(m, clock, when);
  return LockMutex(me, m, Op::kTimedLock, LOCKSTEP_CALLER(),
                   DeadlineOf(clock, when));
}

int pthread_mutex_trylock(pthread_mutex_t* m) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_mutex_trylock(m);
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* lock = MutexObject(me, m, pc);
  g_scheduler.Point(me, Op::kTryLock, lock, pc);
  if (lock->owner == nullptr ||
      (lock->owner == me && MutexType(m) == PTHREAD_MUTEX_RECURSIVE)) {
    TakeLock(me, lock, Op::kTryLock, false, pc);
    MirrorMutex(m, lock);
    return 0;
  }
  TryLockFailed(me, lock, Op::kTryLock, pc);
  return EBUSY;
}

int pthread_mutex_unlock(pthread_mutex_t* m) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_mutex_unlock(m);
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* lock = MutexObject(me, m, pc);
  g_scheduler.Point(me, Op::kUnlock, lock, pc);
  if (int error = CheckUnlockMutex(me, m, lock, pc)) return error;
  UnlockMutex(me, m, lock, pc);
  return 0;
}

int pthread_cond_init(pthread_cond_t* c, const pthread_condattr_t* a) {
  if (self != nullptr) {
    g_scheduler.DropObject(reinterpret_cast<uintptr_t>(c));
  }
  return real::pthread_cond_init(c, a);
}

int pthread_cond_destroy(pthread_cond_t* c) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_cond_destroy(c);
  SyncObject* object = CondObject(c, LOCKSTEP_CALLER());
  if (object->first_waiter != nullptr && !g_scheduler.has_finding()) {
    g_scheduler.SetFinding(
        Verdict::kMutexMisuse,
        "a condition variable is destroyed while a thread waits on it");
    g_scheduler.AddSite(me, "destroys it here", LOCKSTEP_CALLER(), object);
    for (Thread* t = object->first_waiter; t; t = t->next_waiter) {
      g_scheduler.AddSite(t, "waits on it", t->pc, object);
    }
    g_scheduler.EndSchedule(me);
  }
  object->destroyer = me;
  object->destroyed_where = RememberPlace(me, LOCKSTEP_CALLER());
  c->__data.__wrefs = kDestroyed;
  return 0;
}

int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_cond_wait(c, m);
  return WaitCondition(me, c, m, LOCKSTEP_CALLER(), kNoDeadline);
}

int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m,
                           const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_cond_timedwait(c, m, when);
  // glibc keeps the clock chosen by pthread_condattr_setclock in this bit.
  const clockid_t clock =
      (c->__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  return WaitCondition(me, c, m, LOCKSTEP_CALLER(), DeadlineOf(clock, when));
}

int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m,
                           clockid_t clock, const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_cond_clockwait(c, m, clock, when);
  return WaitCondition(me, c, m, LOCKSTEP_CALLER(), DeadlineOf(clock, when));
}

int pthread_cond_signal(pthread_cond_t* c) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_cond_signal(c);
  Notify(me, c, false, LOCKSTEP_CALLER());
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* c) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_cond_broadcast(c);
  Notify(me, c, true, LOCKSTEP_CALLER());
  return 0;
}

int pthread_rwlock_init(pthread_rwlock_t* l, const pthread_rwlockattr_t* a) {
  if (self != nullptr) {
    g_scheduler.DropObject(reinterpret_cast<uintptr_t>(l));
  }
  return real::pthread_rwlock_init(l, a);
}

int pthread_rwlock_destroy(pthread_rwlock_t* l) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_destroy(l);
  const auto address = reinterpret_cast<uintptr_t>(l);
  if (SyncObject* lock = g_scheduler.FindObject(address)) {
    CheckDestroyLock(me, lock, LOCKSTEP_CALLER());
    g_scheduler.DropObject(address);
  }
  return 0;
}

int pthread_rwlock_rdlock(pthread_rwlock_t* l) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_rdlock(l);
  return LockRwlock(me, l, true, LOCKSTEP_CALLER(), kNoDeadline);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* l, const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_timedrdlock(l, when);
  return LockRwlock(me, l, true, LOCKSTEP_CALLER(),
                    DeadlineOf(CLOCK_REALTIME, when));
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t* l, clockid_t clock,
                               const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_clockrdlock(l, clock, when);
  return LockRwlock(me, l, true, LOCKSTEP_CALLER(), DeadlineOf(clock, when));
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* l) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_tryrdlock(l);
  return TryLockRwlock(me, l, true, LOCKSTEP_CALLER());
}

int pthread_rwlock_wrlock(pthread_rwlock_t* l) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_wrlock(l);
  return LockRwlock(me, l, false, LOCKSTEP_CALLER(), kNoDeadline);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t* l, const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_timedwrlock(l, when);
  return LockRwlock(me, l, false, LOCKSTEP_CALLER(),
                    DeadlineOf(CLOCK_REALTIME, when));
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t* l, clockid_t clock,
                               const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_clockwrlock(l, clock, when);
  return LockRwlock(me, l, false, LOCKSTEP_CALLER(), DeadlineOf(clock, when));
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* l) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_trywrlock(l);
  return TryLockRwlock(me, l, false, LOCKSTEP_CALLER());
}

int pthread_rwlock_unlock(pthread_rwlock_t* l) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_rwlock_unlock(l);
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* lock = RwlockObject(me, l, pc);
  const bool shared = lock->owner == nullptr;
  g_scheduler.Point(me, shared ? Op::kUnlockShared : Op::kUnlock, lock, pc);
  if (!HoldsLock(me, lock)) {
    g_scheduler.Fail(me, Verdict::kMutexMisuse,
                     "a thread unlocks a shared mutex that it does not hold",
                     pc, "unlocks the mutex here", lock);
  }
  GiveLock(me, lock, shared, pc);
  MirrorRwlock(l, lock);
  return 0;
}

int pthread_once(pthread_once_t* once, void (*function)()) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_once(once, function);
  // glibc's states: bit 0: running, bit 1: done.
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* object = g_scheduler.Object(reinterpret_cast<uintptr_t>(once),
                                          ObjectKind::kOnceFlag, pc);
  g_scheduler.Point(me, Op::kOnce, object, pc);
  while (true) {
    if ((*once & 2) != 0) {
      AcquireClock(me, object->clock);
      g_scheduler.Record(me, Op::kOnce, object, pc);
      return 0;
    }
    if (object->owner == nullptr) break;
    if (object->owner == me) {
      g_scheduler.Fail(
          me, Verdict::kDeadlock, "an initialiser waits for itself", pc,
          "calls call_once on the flag it is initialising", object);
    }
    g_scheduler.Block(me, Op::kOnce, object, pc);
  }
  AcquireClock(me, object->clock);  // of an initialiser that threw
  object->owner = me;
  *once = 1;
  g_scheduler.Record(me, Op::kOnce, object, pc);
  // Runs at the end, by return or exception.
  struct Finish {
    Thread* me;
    SyncObject* object;
    pthread_once_t* once;
    int state = 0;
    ~Finish() {
      *once = state;
      object->owner = nullptr;
      ReleaseStoreClock(me, &object->clock);
      g_scheduler.ReleaseAll(object);
      g_scheduler.Progress(me);
    }
  } finish{me, object, once};
  function();
  finish.state = 2;
  return 0;
}

int sem_init(sem_t* s, int shared, unsigned value) {
  if (self == nullptr) return real::sem_init(s, shared, value);
  g_scheduler.DropObject(reinterpret_cast<uintptr_t>(s));
  const int result = real::sem_init(s, shared, 0);
  *SemaphoreValue(s) = value;
  return result;
}

int sem_destroy(sem_t* s) {
  Thread* me = self;
  if (me == nullptr) return real::sem_destroy(s);
  g_scheduler.DropObject(reinterpret_cast<uintptr_t>(s));
  return 0;
}

int sem_wait(sem_t* s) {
  Thread* me = self;
  if (me == nullptr) return real::sem_wait(s);
  return WaitSemaphore(me, s, LOCKSTEP_CALLER(), kNoDeadline);
}

int sem_timedwait(sem_t* s, const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::sem_timedwait(s, when);
  return WaitSemaphore(me, s, LOCKSTEP_CALLER(),
                       DeadlineOf(CLOCK_REALTIME, when));
}

int sem_clockwait(sem_t* s, clockid_t clock, const timespec* when) {
  Thread* me = self;
  if (me == nullptr) return real::sem_clockwait(s, clock, when);
  return WaitSemaphore(me, s, LOCKSTEP_CALLER(), DeadlineOf(clock, when));
}

int sem_trywait(sem_t* s) {
  Thread* me = self;
  if (me == nullptr) return real::sem_trywait(s);
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* object = SemaphoreObject(s, pc);
  g_scheduler.Point(me, Op::kSemaphoreWait, object, pc);
  if (TakeSemaphore(me, object, s, pc)) return 0;
  g_scheduler.Unproductive(me);
  errno = EAGAIN;
  return -1;
}

int sem_post(sem_t* s) {
  Thread* me = self;
  if (me == nullptr) return real::sem_post(s);
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* object = SemaphoreObject(s, pc);
  g_scheduler.Point(me, Op::kSemaphorePost, object, pc);
  ++*SemaphoreValue(s);
  ++g_scheduler.counters().notifications;
  ReleaseJoinClock(me, &object->clock);
  if (object->last_writer == me) object->last_writer = nullptr;
  g_scheduler.Progress(me);
  if (g_scheduler.ReleaseOne(object) != 0) ++g_scheduler.counters().wakeups;
  g_scheduler.Record(me, Op::kSemaphorePost, object, pc);
  return 0;
}

int sem_getvalue(sem_t* s, int* value) {
  if (self == nullptr) return real::sem_getvalue(s, value);
  *value = static_cast<int>(*SemaphoreValue(s));
  return 0;
}

}  // extern "C"
