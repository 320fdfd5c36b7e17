// SPDX-License-Identifier: Apache-2.0
//
// absl::Mutex and absl::CondVar, the real ones: compiled with
// -fsanitize=thread they announce every lock operation
// (absl/base/internal/tsan_mutex_interface.h).
//
// Between "pre" and "post" the code is Abseil's own: nothing there is a
// scheduling point or checked for races. Before "pre_lock" the model decides
// when the lock may be taken, so Abseil finds it free and never sleeps; its
// futex sleeps only for conditions and condition variables.

#include <cstdint>

#include "absl/base/config.h"
#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/lock_model.h"
#include "lockstep/runtime/race_detector.h"
#include "lockstep/runtime/scheduler.h"

// Abseil announces nothing where it does not find this header of the compiler's
// sanitizers, and clang comes without it on some systems.
#if !__has_include(<sanitizer/tsan_interface.h>)
#error \
    "sanitizer/tsan_interface.h is missing: without it lockstep cannot see \
what absl::Mutex does. With clang on Debian or Ubuntu: \
apt-get install libclang-rt-dev"
#endif

// Abseil's, if it is linked in (declared here: only used if they are there).
namespace absl {
ABSL_NAMESPACE_BEGIN
enum class OnDeadlockCycle;
__attribute__((weak)) void RegisterCondVarTracer(void (*)(const char*,
                                                          const void*));
__attribute__((weak)) void SetMutexDeadlockDetectionMode(OnDeadlockCycle);
ABSL_NAMESPACE_END
}  // namespace absl

namespace lockstep::internal {
namespace {

// <sanitizer/tsan_interface.h>
constexpr unsigned kReadLock = 1 << 3;
constexpr unsigned kTryLock = 1 << 4;
constexpr unsigned kTryLockFailed = 1 << 5;
constexpr unsigned kReadLockAndTry = kReadLock | kTryLock;

SyncObject* MutexObject(void* mutex, CodeAddress pc) {
  SyncObject* lock = g_scheduler.Object(reinterpret_cast<uintptr_t>(mutex),
                                        ObjectKind::kAbslMutex, pc);
  if (lock->kind != ObjectKind::kAbslMutex) {
    if (lock->first_waiter == nullptr && lock->owner == nullptr) {
      lock->kind = ObjectKind::kAbslMutex;
    }
  }
  return lock;
}

Op LockOp(unsigned flags) {
  switch (flags & kReadLockAndTry) {
    case kReadLock:
      return Op::kLockShared;
    case kTryLock:
      return Op::kTryLock;
    case kReadLockAndTry:
      return Op::kTryLockShared;
    default:
      return Op::kLock;
  }
}

void Enter(Thread* me, SyncObject* lock, Op op) {
  me->annotated = true;
  me->annotated_object = lock;
  me->annotated_base = me->depth;
  me->annotated_op = op;
  ++me->no_preempt;
  ++me->ignore_accesses;
}

void Leave(Thread* me) {
  me->annotated = false;
  me->annotated_object = nullptr;
  --me->no_preempt;
  --me->ignore_accesses;
}

// Inside a lock operation Abseil evaluates the student's condition, and
// announces that as if the operation had been interrupted. It is recognised by
// the deeper call stack. No points then, but accesses count again.
bool Nested(const Thread* me) {
  return me->annotated && me->depth > me->annotated_base;
}

void TraceCondVar(const char* message, const void* condvar) {
  Thread* me = self;
  if (me == nullptr) return;
  if (message[0] == 'W') {
    me->waiting_condvar = reinterpret_cast<uintptr_t>(condvar);
  } else if (message[0] == 'U') {
    me->waiting_condvar = 0;
  } else {
    me->signalled_condvar = reinterpret_cast<uintptr_t>(condvar);
    me->signalled_all = message[6] == 'A';
  }
}

}  // namespace

void InstallAbseilHooks() {
  if (&absl::RegisterCondVarTracer != nullptr) {
    absl::RegisterCondVarTracer(&TraceCondVar);
  }
}

// In debug builds Abseil aborts on lock orders that might deadlock one day.
// While exploring, lockstep's own verdict counts, the same in every build.
void SwitchAbseilDeadlockDetector(bool on) {
  constexpr int kIgnore = 0, kAbort = 2;  // absl::OnDeadlockCycle
  if (&absl::SetMutexDeadlockDetectionMode != nullptr) {
    absl::SetMutexDeadlockDetectionMode(
        static_cast<absl::OnDeadlockCycle>(on ? kAbort : kIgnore));
  }
}

}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

void __tsan_mutex_create(void* mutex, unsigned) {
  if (self != nullptr) {
    g_scheduler.DropObject(reinterpret_cast<uintptr_t>(mutex));
    MutexObject(mutex, LOCKSTEP_CALLER());
  }
}

void __tsan_mutex_destroy(void* mutex, unsigned) {
  Thread* me = self;
  if (me == nullptr) return;
  const auto address = reinterpret_cast<uintptr_t>(mutex);
  if (SyncObject* lock = g_scheduler.FindObject(address)) {
    CheckDestroyLock(me, lock, LOCKSTEP_CALLER());
    g_scheduler.DropObject(address);
  }
}

void __tsan_mutex_pre_lock(void* mutex, unsigned flags) {
  Thread* me = self;
  if (me == nullptr) return;
  if (Nested(me)) {
    ++me->ignore_accesses;
    return;
  }
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* lock = MutexObject(mutex, pc);
  const Op op = LockOp(flags);
  const bool shared = (flags & kReadLock) != 0;
  if ((flags & kTryLock) != 0) {
    g_scheduler.Point(me, op, lock, pc);
  } else {
    if (lock->owner == me || (!shared && HoldsLock(me, lock))) {
      g_scheduler.Fail(me, Verdict::kMutexMisuse,
                       "a thread locks an absl::Mutex that it holds already",
                       pc, "locks the mutex it holds", lock);
    }
    AwaitLock(me, lock, op, shared, pc);
  }
  me->pc = pc;
  Enter(me, lock, op);
}

void __tsan_mutex_post_lock(void* mutex, unsigned flags, int) {
  Thread* me = self;
  if (me == nullptr) return;
  if (Nested(me)) {
    --me->ignore_accesses;
    if (me->annotated_object != nullptr) {
      AcquireClock(me, me->annotated_object->clock);
      AcquireClock(me, me->annotated_object->reader_clock);
    }
    return;
  }
  const CodeAddress pc = LOCKSTEP_CALLER();
  Leave(me);
  SyncObject* lock = MutexObject(mutex, pc);
  const Op op = LockOp(flags);
  if ((flags & kTryLockFailed) != 0) {
    TryLockFailed(me, lock, op, pc);
    return;
  }
  TakeLock(me, lock, op, (flags & kReadLock) != 0, pc);
}

int __tsan_mutex_pre_unlock(void* mutex, unsigned flags) {
  Thread* me = self;
  if (me == nullptr) return 0;
  if (Nested(me)) {
    if (SyncObject* lock = me->annotated_object) {
      // Storing loses nothing: post_lock has just acquired what was there.
      // And it marks the release as new, or the next owner would skip it.
      if ((flags & kReadLock) != 0) {
        ReleaseJoinClock(me, &lock->reader_clock);
      } else {
        ReleaseStoreClock(me, &lock->clock, &lock->release_epoch);
      }
    }
    ++me->ignore_accesses;
    return 0;
  }
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* lock = MutexObject(mutex, pc);
  const bool shared = (flags & kReadLock) != 0;
  g_scheduler.Point(me, shared ? Op::kUnlockShared : Op::kUnlock, lock, pc);
  if (!HoldsLock(me, lock)) {
    g_scheduler.Fail(me, Verdict::kMutexMisuse,
                     "a thread unlocks an absl::Mutex that it does not hold",
                     pc, "unlocks the mutex here", lock);
  }
  if (shared != (lock->owner != me)) {
    g_scheduler.Fail(me, Verdict::kMutexMisuse,
                     shared ? "a thread that holds an absl::Mutex exclusively "
                              "calls ReaderUnlock()"
                            : "a thread that holds an absl::Mutex as a reader "
                              "calls Unlock()",
                     pc, "unlocks the mutex here", lock);
  }
  me->pc = pc;
  GiveLock(me, lock, shared, pc);
  Enter(me, lock, shared ? Op::kUnlockShared : Op::kUnlock);
  return 0;
}

void __tsan_mutex_post_unlock(void*, unsigned) {
  Thread* me = self;
  if (me == nullptr) return;
  if (Nested(me)) {
    --me->ignore_accesses;
    return;
  }
  Leave(me);
}

void __tsan_mutex_pre_signal(void*, unsigned) {
  Thread* me = self;
  if (me == nullptr || Nested(me)) return;
  const CodeAddress pc = LOCKSTEP_CALLER();
  g_scheduler.Point(me, Op::kNotifyOne, nullptr, pc);
  ++g_scheduler.counters().notifications;
  me->pc = pc;
  me->signalled_condvar = 0;
  me->signalled_all = false;
  Enter(me, nullptr, Op::kNotifyOne);
}

void __tsan_mutex_post_signal(void*, unsigned) {
  Thread* me = self;
  if (me == nullptr || Nested(me)) return;
  Leave(me);
  SyncObject* condvar = nullptr;
  if (me->signalled_condvar != 0) {
    condvar = g_scheduler.Object(me->signalled_condvar,
                                 ObjectKind::kAbslCondVar, me->pc);
  }
  g_scheduler.Progress(me);
  g_scheduler.Record(me, me->signalled_all ? Op::kNotifyAll : Op::kNotifyOne,
                     condvar, me->pc);
}

void __tsan_mutex_pre_divert(void*, unsigned) {}
void __tsan_mutex_post_divert(void*, unsigned) {}

}  // extern "C"
