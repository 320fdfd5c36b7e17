// SPDX-License-Identifier: Apache-2.0
//
// Included before everything else in each file of the runtime when g++ compiles
// it: memcpy and its like, also where the compiler makes the call, then mean
// libc's functions. The linker sends everybody else's calls to the checked ones
// in tsan_hooks.cc (--wrap), because g++, unlike clang, does not announce these
// accesses.

#ifndef LOCKSTEP_RUNTIME_PLAIN_MEMORY_H_
#define LOCKSTEP_RUNTIME_PLAIN_MEMORY_H_

#include <string.h>

extern "C" {
void* memcpy(void* to, const void* from, size_t size) noexcept
    __asm__("__real_memcpy");
void* memmove(void* to, const void* from, size_t size) noexcept
    __asm__("__real_memmove");
void* memset(void* to, int value, size_t size) noexcept
    __asm__("__real_memset");
}

#endif  // LOCKSTEP_RUNTIME_PLAIN_MEMORY_H_
