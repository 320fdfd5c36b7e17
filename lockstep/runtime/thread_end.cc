// SPDX-License-Identifier: Apache-2.0
//
// How a controlled thread begins and ends: its function, pthread_exit(), the
// destructors of its thread_local variables, then those of its pthread keys,
// in glibc's order. All of that runs under control, before the thread counts
// as ended.

#include <dlfcn.h>
#include <pthread.h>
#include <unwind.h>

#include <cerrno>
#include <cstring>
#include <exception>

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/race_detector.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {

struct ThreadLocalDestructor {
  void (*function)(void*);
  void* object;
  ThreadLocalDestructor* next;
};

namespace real {
LOCKSTEP_REAL(pthread_key_create)
LOCKSTEP_REAL(pthread_key_delete)
LOCKSTEP_REAL(pthread_getspecific)
LOCKSTEP_REAL(pthread_setspecific)
}  // namespace real

namespace {

struct Key {
  bool used;
  void (*destructor)(void*);
};

constexpr unsigned kMaxKeys = 1024;  // PTHREAD_KEYS_MAX
Key g_keys[kMaxKeys];
unsigned g_key_count;

void RunThreadLocalDestructors(Thread* me) {
  while (ThreadLocalDestructor* entry = me->destructors) {
    me->destructors = entry->next;
    entry->function(entry->object);
    RawFree(entry);
  }
}

void RunKeyDestructors(Thread* me) {
  for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; ++round) {
    bool any = false;
    for (unsigned key = 0; key < g_key_count; ++key) {
      if (key >= me->specific.size() || me->specific[key] == nullptr) continue;
      void* value = me->specific[key];
      me->specific[key] = nullptr;
      if (!g_keys[key].used || g_keys[key].destructor == nullptr) continue;
      any = true;
      g_keys[key].destructor(value);
    }
    if (!any) return;
  }
}

// Unwinds up to the frame that called the thread's function.
_Unwind_Reason_Code StopAtThreadStart(int, _Unwind_Action actions,
                                      _Unwind_Exception_Class,
                                      _Unwind_Exception*,
                                      _Unwind_Context* context, void* arg) {
  auto* me = static_cast<Thread*>(arg);
  if ((actions & _UA_END_OF_STACK) != 0 ||
      _Unwind_GetCFA(context) >= reinterpret_cast<uintptr_t>(me->exit_frame)) {
    __builtin_longjmp(me->exit_jump, 1);
  }
  return _URC_NO_REASON;
}

__attribute__((noinline)) void CallWithExit(Thread* me, void (*function)(void*),
                                            void* argument) {
  void* jump[5];
  me->exit_jump = jump;
  me->exit_frame = __builtin_frame_address(0);
  if (__builtin_setjmp(jump) == 0) function(argument);
}

}  // namespace

void RunBody(Thread*, void (*function)(void*), void* argument) {
  CallWithExit(self, function, argument);
  Thread* me = self;  // not kept across the jump
  me->depth = 0;
  if (me->destructors != nullptr || !me->specific.empty()) {
    ReleaseJoinClock(me, &g_scheduler.exit_clock());
  }
  RunThreadLocalDestructors(me);
  RunKeyDestructors(me);
}

void RunThreadFunction(Thread* me) {
  RunBody(
      me,
      [](void* arg) {
        auto* thread = static_cast<Thread*>(arg);
        thread->result = thread->function(thread->argument);
      },
      me);
}

void ExitThread(Thread* me, void* result) {
  me->result = result;
  // Not on the stack: unwinding passes over every frame of it.
  static __thread _Unwind_Exception exception;
  std::memset(&exception, 0, sizeof(exception));
  _Unwind_ForcedUnwind(&exception, StopAtThreadStart, me);
  std::terminate();
}

}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

// Where the compiler registers the destructor of a thread_local variable.
int __cxa_thread_atexit_impl(void (*function)(void*), void* object, void* dso) {
  Thread* me = self;
  if (me == nullptr) {
    static int (*real_function)(void (*)(void*), void*, void*);
    if (real_function == nullptr) {
      real_function = reinterpret_cast<decltype(real_function)>(
          real::Next("__cxa_thread_atexit_impl"));
    }
    return real_function(function, object, dso);
  }
  auto* entry = static_cast<ThreadLocalDestructor*>(
      RawAllocate(sizeof(ThreadLocalDestructor)));
  *entry = {function, object, me->destructors};
  me->destructors = entry;
  return 0;
}

int pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
  const int error = real::pthread_key_create(key, destructor);
  if (error == 0 && *key < kMaxKeys) {
    g_keys[*key] = {true, destructor};
    if (*key >= g_key_count) g_key_count = *key + 1;
  }
  return error;
}

int pthread_key_delete(pthread_key_t key) {
  if (key < kMaxKeys) g_keys[key] = {false, nullptr};
  return real::pthread_key_delete(key);
}

void* pthread_getspecific(pthread_key_t key) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_getspecific(key);
  return key < me->specific.size() ? me->specific[key] : nullptr;
}

int pthread_setspecific(pthread_key_t key, const void* value) {
  Thread* me = self;
  if (me == nullptr) return real::pthread_setspecific(key, value);
  if (key >= kMaxKeys || !g_keys[key].used) return EINVAL;
  if (key >= me->specific.size()) me->specific.resize(key + 1);
  me->specific[key] = const_cast<void*>(value);
  return 0;
}

}  // extern "C"
