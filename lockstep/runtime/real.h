// SPDX-License-Identifier: Apache-2.0
//
// libc's own version of every function that lockstep defines in its place:
// real::pthread_create(...) and so on.

#ifndef LOCKSTEP_RUNTIME_REAL_H_
#define LOCKSTEP_RUNTIME_REAL_H_

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

namespace lockstep::internal::real {

// The next definition of `name` after the program's own. Ends the process if
// there is none.
void* Next(const char* name);

// No guarded static here: the guard's functions are interposed as well.
#define LOCKSTEP_REAL(name)                                        \
  template <typename... Args>                                      \
  inline decltype(auto) name(Args... args) {                       \
    static decltype(&::name) function;                             \
    if (__builtin_expect(function == nullptr, false)) {            \
      function = reinterpret_cast<decltype(&::name)>(Next(#name)); \
    }                                                              \
    return function(args...);                                      \
  }

LOCKSTEP_REAL(pthread_create)
LOCKSTEP_REAL(pthread_sigmask)

}  // namespace lockstep::internal::real

#endif  // LOCKSTEP_RUNTIME_REAL_H_
