// SPDX-License-Identifier: Apache-2.0
//
// Parts of the C++ runtime library that synchronise inside libstdc++.so,
// which is not instrumented: static local variables and exception_ptr.

#include <cstdint>

#include "lockstep/runtime/race_detector.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace {

// The first byte of a guard says "initialised" (Itanium C++ ABI, 3.3.3).
bool IsInitialised(const int64_t* guard) {
  return __atomic_load_n(reinterpret_cast<const char*>(guard),
                         __ATOMIC_ACQUIRE) != 0;
}

SyncObject* GuardObject(int64_t* guard, CodeAddress pc) {
  SyncObject* object = g_scheduler.Object(reinterpret_cast<uintptr_t>(guard),
                                          ObjectKind::kOnceFlag, pc);
  object->kind = ObjectKind::kOnceFlag;
  return object;
}

void LeaveInitialiser(Thread* me, SyncObject* object) {
  object->owner = nullptr;
  ReleaseStoreClock(me, &object->clock);
  g_scheduler.ReleaseAll(object);
  g_scheduler.Progress(me);
}

template <typename Function>
Function Real(const char* name, Function* cache) {
  if (*cache == nullptr) {
    *cache = reinterpret_cast<Function>(real::Next(name));
  }
  return *cache;
}

// Exception objects are counted by libstdc++.so. All uses of exception_ptr in
// a schedule count as synchronising with each other: some races between code
// that passes exceptions around may hide, none is invented.
SyncObject* ExceptionObject() {
  static char address;
  return g_scheduler.Object(reinterpret_cast<uintptr_t>(&address),
                            ObjectKind::kUnknown, 0);
}

void SynchroniseExceptions(Thread* me) {
  if (!g_detect_races) return;
  SyncObject* object = ExceptionObject();
  AcquireClock(me, object->clock);
  ReleaseJoinClock(me, &object->clock);
  object->value = 1;
}

void SynchroniseExceptionsIfShared(Thread* me) {
  if (g_detect_races && ExceptionObject()->value != 0) {
    SynchroniseExceptions(me);
  }
}

}  // namespace
}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

int __cxa_guard_acquire(int64_t* guard) {
  Thread* me = self;
  if (me == nullptr) {
    static int (*function)(int64_t*);
    return Real("__cxa_guard_acquire", &function)(guard);
  }
  const CodeAddress pc = LOCKSTEP_CALLER();
  SyncObject* object = GuardObject(guard, pc);
  if (!IsInitialised(guard)) g_scheduler.Point(me, Op::kOnce, object, pc);
  while (!IsInitialised(guard)) {
    if (object->owner == nullptr) {
      AcquireClock(me, object->clock);  // of an initialiser that threw
      object->owner = me;
      g_scheduler.Record(me, Op::kOnce, object, pc);
      return 1;
    }
    if (object->owner == me) {
      g_scheduler.Fail(me, Verdict::kDeadlock,
                       "the initialiser of a static variable needs the "
                       "variable itself",
                       pc, "waits for its own initialiser", object);
    }
    if (Step* step = g_scheduler.Record(me, Op::kOnce, object, pc)) {
      step->blocked = true;
      step->other = object->owner->id;
    }
    g_scheduler.Block(me, Op::kOnce, object, pc);
  }
  AcquireClock(me, object->clock);
  return 0;
}

void __cxa_guard_release(int64_t* guard) noexcept {
  Thread* me = self;
  if (me == nullptr) {
    static void (*function)(int64_t*);
    return Real("__cxa_guard_release", &function)(guard);
  }
  __atomic_store_n(reinterpret_cast<char*>(guard), 1, __ATOMIC_RELEASE);
  LeaveInitialiser(me, GuardObject(guard, LOCKSTEP_CALLER()));
}

void __cxa_guard_abort(int64_t* guard) noexcept {
  Thread* me = self;
  if (me == nullptr) {
    static void (*function)(int64_t*);
    return Real("__cxa_guard_abort", &function)(guard);
  }
  LeaveInitialiser(me, GuardObject(guard, LOCKSTEP_CALLER()));
}

// std::exception_ptr::_M_addref(), _M_release().
void _ZNSt15__exception_ptr13exception_ptr9_M_addrefEv(void* pointer) {
  if (Thread* me = self) SynchroniseExceptions(me);
  static void (*function)(void*);
  Real("_ZNSt15__exception_ptr13exception_ptr9_M_addrefEv", &function)(pointer);
}

void _ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void* pointer) {
  if (Thread* me = self) SynchroniseExceptions(me);
  static void (*function)(void*);
  Real("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv",
       &function)(pointer);
}

void __cxa_end_catch() {
  if (Thread* me = self) SynchroniseExceptionsIfShared(me);
  static void (*function)();
  Real("__cxa_end_catch", &function)();
}

}  // extern "C"
