// SPDX-License-Identifier: Apache-2.0
//
// syscall(SYS_futex, ...): the one call under std::atomic::wait,
// std::counting_semaphore, std::latch, std::future and Abseil's locks. And
// gettid, by name or number.

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>

#include "lockstep/runtime/clocks.h"
#include "lockstep/runtime/raw_syscall.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace {

// What a reader of the trace should see a futex wait as: inside Abseil's lock
// code it is the lock, condition variable or condition.
struct Meaning {
  SyncObject* object;
  Op op;
};

Meaning MeaningOf(Thread* me, uintptr_t address, bool timed, CodeAddress pc) {
  if (me->annotated_object != nullptr) {
    if (me->waiting_condvar != 0) {
      return {
          g_scheduler.Object(me->waiting_condvar, ObjectKind::kAbslCondVar, pc),
          timed ? Op::kTimedWait : Op::kWait};
    }
    SyncObject* lock = me->annotated_object;
    if (lock->owner == nullptr && lock->readers == 0) {
      return {lock, timed ? Op::kTimedAwait : Op::kAwait};
    }
    return {lock, me->annotated_op};
  }
  return {g_scheduler.Object(address, ObjectKind::kAtomic, pc), Op::kFutexWait};
}

// The place in the student's code, if Abseil stands in between.
CodeAddress PlaceOf(const Thread* me, CodeAddress pc) {
  return me->annotated_object != nullptr ? me->pc : pc;
}

int Wait(Thread* me, int* word, int expected, int64_t deadline,
         CodeAddress pc) {
  const auto address = reinterpret_cast<uintptr_t>(word);
  SyncObject* futex = g_scheduler.Object(address, ObjectKind::kAtomic, pc);
  g_scheduler.Point(me, Op::kFutexWait, futex, pc);
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected) {
    errno = EAGAIN;
    return -1;
  }
  // The word may have changed and changed back since the caller looked at it.
  // libstdc++ 12's counting_semaphore then sleeps although a permit is there
  // (GCC bug 104928), which is not the student's mistake. A futex may always
  // return early: the caller looks again.
  const bool changed =
      me->watched == address && me->watched_version != futex->version;
  me->watched = 0;
  if (changed) {
    errno = EAGAIN;
    return -1;
  }
  const bool timed = deadline != kNoDeadline;
  if (timed && deadline <= g_scheduler.now()) {
    errno = ETIMEDOUT;
    return -1;
  }
  const RunOptions& options = g_scheduler.options();
  if (timed && options.early_timeouts && me->no_preempt == 0 &&
      g_scheduler.ChooseOneOf(Decision::Kind::kTimeout, 2) == 1) {
    g_scheduler.AdvanceTo(deadline);
    g_scheduler.Point(me, Op::kTimeout, futex, pc);
    errno = ETIMEDOUT;
    return -1;
  }
  const Meaning meaning = MeaningOf(me, address, timed, pc);
  const CodeAddress place = PlaceOf(me, pc);
  if (Step* step = g_scheduler.Record(me, meaning.op, meaning.object, place)) {
    step->blocked = true;
    if (me->waiting_condvar != 0) step->mutex = me->annotated_object->id;
  }
  me->meaning = meaning.object;
  me->meaning_op = meaning.op;
  const bool woken =
      g_scheduler.Block(me, Op::kFutexWait, futex, place, deadline);
  me->meaning = nullptr;
  if (woken) return 0;
  g_scheduler.Record(me, Op::kTimeout, meaning.object, place);
  errno = ETIMEDOUT;
  return -1;
}

long Wake(Thread* me, int* word, int count, CodeAddress pc) {
  SyncObject* futex = g_scheduler.Object(reinterpret_cast<uintptr_t>(word),
                                         ObjectKind::kAtomic, pc);
  g_scheduler.Point(me, Op::kFutexWake, futex, pc);
  g_scheduler.Progress(me);
  const bool internal = me->annotated_object != nullptr;
  if (!internal) ++g_scheduler.counters().notifications;
  Step* step =
      internal ? nullptr : g_scheduler.Record(me, Op::kFutexWake, futex, pc);
  if (futex->first_waiter == nullptr) {
    futex->lost_notifier = me;
    futex->lost_notify_pc = pc;
    return 0;
  }
  if (step != nullptr) step->other = futex->first_waiter->id;
  long woken = 0;
  while (woken < count && futex->first_waiter != nullptr) {
    Thread* waiter =
        count == INT_MAX ? futex->first_waiter : g_scheduler.PickWaiter(futex);
    if (step != nullptr) step->other = waiter->id;
    g_scheduler.Release(waiter);
    ++woken;
  }
  if (step != nullptr) step->value = static_cast<uint64_t>(woken);
  g_scheduler.counters().wakeups += static_cast<uint64_t>(woken);
  return woken;
}

}  // namespace
}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (Thread* me = self) {
    if (number == SYS_gettid) return VirtualTid(me);
    if (number == SYS_sched_yield) return sched_yield();
    if (number == SYS_futex) {
      const CodeAddress pc = LOCKSTEP_CALLER();
      auto* word = reinterpret_cast<int*>(a[0]);
      const auto* when = reinterpret_cast<const timespec*>(a[3]);
      switch (a[1] & FUTEX_CMD_MASK) {
        case FUTEX_WAIT: {
          int64_t deadline = kNoDeadline;
          if (when != nullptr) {
            deadline = g_scheduler.now() + Nanoseconds(*when);
            if (deadline < 0) deadline = 0;
          }
          return Wait(me, word, static_cast<int>(a[2]), deadline, pc);
        }
        case FUTEX_WAIT_BITSET:
          return Wait(
              me, word, static_cast<int>(a[2]),
              DeadlineOf((a[1] & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME
                                                            : CLOCK_MONOTONIC,
                         when),
              pc);
        case FUTEX_WAKE:
        case FUTEX_WAKE_BITSET:
          return Wake(me, word, static_cast<int>(a[2]), pc);
        default:
          break;
      }
    }
  }
  const long result = RawSyscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (result < 0 && result > -4096) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

pid_t gettid() noexcept {
  if (Thread* me = self) return VirtualTid(me);
  return static_cast<pid_t>(RawSyscall(SYS_gettid));
}

}  // extern "C"
