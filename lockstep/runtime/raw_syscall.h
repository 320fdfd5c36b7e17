// SPDX-License-Identifier: Apache-2.0
//
// System calls that no interposed function can see: the runtime's own.

#ifndef LOCKSTEP_RUNTIME_RAW_SYSCALL_H_
#define LOCKSTEP_RUNTIME_RAW_SYSCALL_H_

#include <linux/futex.h>
#include <sys/syscall.h>

namespace lockstep::internal {

// Returns the kernel's answer: -errno on failure. Does not touch errno.
inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0,
                       long d = 0, long e = 0, long f = 0) {
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "lockstep explores on x86-64 and aarch64 only; see native.cc"
#endif
}

// Sleeps until *word differs from `value` or somebody wakes it.
inline void FutexWait(int* word, int value) {
  RawSyscall(SYS_futex, reinterpret_cast<long>(word), FUTEX_WAIT_PRIVATE,
             value);
}

inline void FutexWake(int* word) {
  RawSyscall(SYS_futex, reinterpret_cast<long>(word), FUTEX_WAKE_PRIVATE, 1);
}

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_RAW_SYSCALL_H_
