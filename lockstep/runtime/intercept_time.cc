// SPDX-License-Identifier: Apache-2.0
//
// Clocks, sleeping and yielding, in virtual time. Sleeping for an hour costs
// nothing: when nobody can run, the clock jumps to the nearest deadline.

#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "lockstep/runtime/clocks.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace real {
LOCKSTEP_REAL(clock_gettime)
LOCKSTEP_REAL(gettimeofday)
LOCKSTEP_REAL(time)
LOCKSTEP_REAL(nanosleep)
LOCKSTEP_REAL(clock_nanosleep)
LOCKSTEP_REAL(usleep)
LOCKSTEP_REAL(sleep)
LOCKSTEP_REAL(sched_yield)
LOCKSTEP_REAL(get_nprocs)
}  // namespace real

namespace {

void Sleep(Thread* me, int64_t deadline, CodeAddress pc) {
  if (me->no_preempt != 0) {  // inside lock code: time passes, nobody else runs
    g_scheduler.AdvanceTo(deadline);
    return;
  }
  if (Step* step = g_scheduler.Record(me, Op::kSleep, nullptr, pc)) {
    step->blocked = true;
  }
  if (g_scheduler.options().early_timeouts &&
      g_scheduler.ChooseOneOf(Decision::Kind::kTimeout, 2) == 1) {
    g_scheduler.AdvanceTo(deadline);
    g_scheduler.Point(me, Op::kYield, nullptr, pc);
    return;
  }
  g_scheduler.Block(me, Op::kSleep, nullptr, pc, deadline);
}

timespec ToTimespec(int64_t ns) {
  timespec t;
  t.tv_sec = ns / kSecond;
  t.tv_nsec = ns % kSecond;
  return t;
}

bool IsVirtual(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
      return true;
    default:
      return false;
  }
}

}  // namespace
}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

int clock_gettime(clockid_t clock, timespec* t) noexcept {
  Thread* me = self;
  if (me == nullptr || !IsVirtual(clock)) return real::clock_gettime(clock, t);
  *t = ToTimespec(ClockStart(clock) + g_scheduler.ReadClock(me));
  return 0;
}

int gettimeofday(timeval* tv, void* zone) noexcept {
  Thread* me = self;
  if (me == nullptr) return real::gettimeofday(tv, zone);
  const int64_t ns = kRealtimeStart + g_scheduler.ReadClock(me);
  tv->tv_sec = ns / kSecond;
  tv->tv_usec = ns % kSecond / 1000;
  return 0;
}

time_t time(time_t* result) noexcept {
  Thread* me = self;
  if (me == nullptr) return real::time(result);
  const time_t now = (kRealtimeStart + g_scheduler.ReadClock(me)) / kSecond;
  if (result != nullptr) *result = now;
  return now;
}

int nanosleep(const timespec* duration, timespec* remaining) {
  Thread* me = self;
  if (me == nullptr) return real::nanosleep(duration, remaining);
  Sleep(me, g_scheduler.now() + Nanoseconds(*duration), LOCKSTEP_CALLER());
  if (remaining != nullptr) *remaining = {};
  return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* when,
                    timespec* remaining) {
  Thread* me = self;
  if (me == nullptr) {
    return real::clock_nanosleep(clock, flags, when, remaining);
  }
  const int64_t deadline = (flags & TIMER_ABSTIME) != 0
                               ? DeadlineOf(clock, when)
                               : g_scheduler.now() + Nanoseconds(*when);
  Sleep(me, deadline, LOCKSTEP_CALLER());
  return 0;
}

int usleep(useconds_t microseconds) {
  Thread* me = self;
  if (me == nullptr) return real::usleep(microseconds);
  Sleep(me, g_scheduler.now() + int64_t{microseconds} * 1000,
        LOCKSTEP_CALLER());
  return 0;
}

unsigned sleep(unsigned seconds) {
  Thread* me = self;
  if (me == nullptr) return real::sleep(seconds);
  Sleep(me, g_scheduler.now() + int64_t{seconds} * kSecond, LOCKSTEP_CALLER());
  return 0;
}

int sched_yield() noexcept {
  Thread* me = self;
  if (me == nullptr) return real::sched_yield();
  if (g_scheduler.StutteringYield(me)) {
    ++me->unproductive;
    return 0;
  }
  const CodeAddress pc = LOCKSTEP_CALLER();
  g_scheduler.Point(me, Op::kYield, nullptr, pc, false);
  g_scheduler.Record(me, Op::kYield, nullptr, pc);
  g_scheduler.Unproductive(me);
  return 0;
}

// One processor, on every machine: Abseil then does not spin before it sleeps.
int get_nprocs() noexcept { return self != nullptr ? 1 : real::get_nprocs(); }

}  // extern "C"
