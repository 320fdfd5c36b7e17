// SPDX-License-Identifier: Apache-2.0
//
// Waiting until a word in memory changes. syscall(SYS_futex, ...): the one call
// under std::future, Abseil's locks and, up to libstdc++ 15, std::atomic::wait,
// std::counting_semaphore and std::latch; and what libstdc++ 16 has between
// those and the system call. And gettid, by name or number.

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>

#include "lockstep/runtime/clocks.h"
#include "lockstep/runtime/lock_model.h"
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

// What a wait that has timed out returns. Inside absl::Mutex the thread is
// still in the list of those who wait, and Abseil takes it off there: it asks
// again and again until nobody holds the mutex. Between two of those questions
// nobody else runs here, so the mutex has to be free before the first.
int TimedOut(Thread* me, CodeAddress place) {
  SyncObject* lock = me->annotated_object;
  if (lock != nullptr && me->waiting_condvar == 0) {
    while (!LockIsFree(lock, /*shared=*/false)) {
      g_scheduler.Block(me, Op::kWake, lock, place);
    }
  }
  return ETIMEDOUT;
}

// Sleeps until a wake-up at `address`, unless `unchanged()` is false when the
// sleep would begin. Returns 0, EAGAIN or ETIMEDOUT.
template <typename Predicate>
int Wait(Thread* me, uintptr_t address, Predicate unchanged, int64_t deadline,
         CodeAddress pc) {
  SyncObject* futex = g_scheduler.Object(address, ObjectKind::kAtomic, pc);
  g_scheduler.Point(me, Op::kFutexWait, futex, pc);
  if (!unchanged()) return EAGAIN;
  // The word may have changed and changed back since the caller looked at it.
  // A waiter of libstdc++'s semaphore that loses its compare-and-swap then
  // sleeps although a permit is there (GCC bug 104928), which is not the
  // student's mistake. A
  // futex may always return early: the caller looks again.
  const bool changed =
      me->watched == address && me->watched_version != futex->version;
  me->watched = 0;
  if (changed) return EAGAIN;
  const bool timed = deadline != kNoDeadline;
  if (timed && deadline <= g_scheduler.now()) {
    return TimedOut(me, PlaceOf(me, pc));
  }
  const RunOptions& options = g_scheduler.options();
  if (timed && options.early_timeouts && me->no_preempt == 0 &&
      g_scheduler.ChooseOneOf(Decision::Kind::kTimeout, 2) == 1) {
    g_scheduler.AdvanceTo(deadline);
    g_scheduler.Point(me, Op::kTimeout, futex, pc);
    return ETIMEDOUT;
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
  return TimedOut(me, place);
}

// The system call.
long WaitForWord(Thread* me, int* word, int expected, int64_t deadline,
                 CodeAddress pc) {
  const auto unchanged = [=] {
    return __atomic_load_n(word, __ATOMIC_SEQ_CST) == expected;
  };
  const int error =
      Wait(me, reinterpret_cast<uintptr_t>(word), unchanged, deadline, pc);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

long Wake(Thread* me, uintptr_t address, int count, CodeAddress pc) {
  SyncObject* futex = g_scheduler.Object(address, ObjectKind::kAtomic, pc);
  g_scheduler.Point(me, Op::kFutexWake, futex, pc);
  g_scheduler.Progress(me);
  ++futex->wakes;
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

// --- libstdc++ 16 and newer
// ---------------------------------------------------
//
// There the loops between std::atomic::wait and the system call are compiled
// into libstdc++.so, so their loads are not instrumented. These functions take
// the place of the library's; the types are those of its bits/atomic_wait.h,
// whose layout is part of its binary interface.

}  // namespace

struct WaitArguments {
  uint32_t flags;
  int order;
  uint64_t old;  // the value that the caller found
  void* state;   // of a wait by proxy
  const void* object;
  uint8_t size;  // of the object in bytes; 0: it cannot be waited on directly
};

struct WaitResult {
  uint64_t value;
  uint8_t flags;
};

namespace {

constexpr uint32_t kDoSpin = 4, kSpinOnly = 8;
constexpr uint8_t kTimedOut = 2;

// The library's own function.
template <typename Function>
Function Library(const char* name) {
  static Function function;
  if (function == nullptr) {
    function = reinterpret_cast<Function>(real::Next(name));
  }
  return function;
}

// Can be waited on directly, unlike objects whose waiters count wake-ups.
bool IsWord(size_t size) {
  return size == 1 || size == 2 || size == 4 || size == 8;
}

uint64_t LoadWord(const void* word, size_t size) {
  switch (size) {
    case 1:
      return __atomic_load_n(static_cast<const uint8_t*>(word),
                             __ATOMIC_SEQ_CST);
    case 2:
      return __atomic_load_n(static_cast<const uint16_t*>(word),
                             __ATOMIC_SEQ_CST);
    case 4:
      return __atomic_load_n(static_cast<const uint32_t*>(word),
                             __ATOMIC_SEQ_CST);
    default:
      return __atomic_load_n(static_cast<const uint64_t*>(word),
                             __ATOMIC_SEQ_CST);
  }
}

// Returns early whenever that is in doubt: the caller looks again, with an
// instrumented load.
WaitResult WaitForAtomic(Thread* me, const void* address,
                         const WaitArguments& arguments, int64_t deadline,
                         CodeAddress pc) {
  const auto key = reinterpret_cast<uintptr_t>(address);
  const bool proxy = arguments.state != nullptr;
  // A 4-byte value was stored without sign, a wait on int gives one.
  const size_t size = arguments.size;
  const uint64_t mask =
      size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
  const auto unchanged = [&] {
    if (proxy) {
      return static_cast<SyncObject*>(arguments.state)->wakes == arguments.old;
    }
    return ((LoadWord(address, size) ^ arguments.old) & mask) == 0;
  };
  const uint32_t spin_only = kDoSpin | kSpinOnly;
  if ((arguments.flags & spin_only) == spin_only) {
    g_scheduler.Point(me, Op::kYield,
                      g_scheduler.Object(key, ObjectKind::kAtomic, pc), pc);
    if (!unchanged()) return {0, 0};
    g_scheduler.Unproductive(me);
    return {0, kTimedOut};
  }
  const int error = Wait(me, key, unchanged, deadline, pc);
  return {0, error == ETIMEDOUT ? kTimedOut : uint8_t{0}};
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
          return WaitForWord(me, word, static_cast<int>(a[2]), deadline, pc);
        }
        case FUTEX_WAIT_BITSET:
          return WaitForWord(
              me, word, static_cast<int>(a[2]),
              DeadlineOf((a[1] & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME
                                                            : CLOCK_MONOTONIC,
                         when),
              pc);
        case FUTEX_WAKE:
        case FUTEX_WAKE_BITSET:
          return Wake(me, reinterpret_cast<uintptr_t>(word),
                      static_cast<int>(a[2]), pc);
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

// std::__detail::__wait_args::_M_setup_proxy_wait(const void*)
bool _ZNSt8__detail11__wait_args19_M_setup_proxy_waitEPKv(
    WaitArguments* arguments, const void* address) {
  if (self == nullptr) {
    return Library<bool (*)(WaitArguments*, const void*)>(__func__)(arguments,
                                                                    address);
  }
  if (address != nullptr) {
    if (IsWord(arguments->size)) return false;
    arguments->state =
        g_scheduler.Object(reinterpret_cast<uintptr_t>(address),
                           ObjectKind::kAtomic, LOCKSTEP_CALLER());
    arguments->object = arguments->state;
  }
  arguments->old = static_cast<SyncObject*>(arguments->state)->wakes;
  return true;
}

// std::__detail::__wait_impl(const void*, __wait_args_base&)
WaitResult _ZNSt8__detail11__wait_implEPKvRNS_16__wait_args_baseE(
    const void* address, WaitArguments* arguments) {
  if (Thread* me = self) {
    return WaitForAtomic(me, address, *arguments, kNoDeadline,
                         LOCKSTEP_CALLER());
  }
  return Library<WaitResult (*)(const void*, WaitArguments*)>(__func__)(
      address, arguments);
}

// std::__detail::__wait_until_impl(const void*, __wait_args_base&,
//                                  const std::chrono::nanoseconds&): the time
// is one of the steady clock.
WaitResult
_ZNSt8__detail17__wait_until_implEPKvRNS_16__wait_args_baseERKNSt6chrono8durationIlSt5ratioILl1ELl1000000000EEEE(
    const void* address, WaitArguments* arguments, const int64_t* when) {
  if (Thread* me = self) {
    const int64_t deadline = *when - ClockStart(CLOCK_MONOTONIC);
    return WaitForAtomic(me, address, *arguments, deadline < 0 ? 0 : deadline,
                         LOCKSTEP_CALLER());
  }
  return Library<WaitResult (*)(const void*, WaitArguments*, const int64_t*)>(
      __func__)(address, arguments, when);
}

// std::__detail::__notify_impl(const void*, bool, const __wait_args_base&)
void _ZNSt8__detail13__notify_implEPKvbRKNS_16__wait_args_baseE(
    const void* address, bool all, const WaitArguments* arguments) {
  if (Thread* me = self) {
    Wake(me, reinterpret_cast<uintptr_t>(address), all ? INT_MAX : 1,
         LOCKSTEP_CALLER());
    return;
  }
  Library<void (*)(const void*, bool, const WaitArguments*)>(__func__)(
      address, all, arguments);
}

pid_t gettid() noexcept {
  if (Thread* me = self) return VirtualTid(me);
  return static_cast<pid_t>(RawSyscall(SYS_gettid));
}

}  // extern "C"
