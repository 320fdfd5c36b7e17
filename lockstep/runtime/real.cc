// SPDX-License-Identifier: Apache-2.0
//
// See real.h.

#include "lockstep/runtime/real.h"

#include <dlfcn.h>
#include <string.h>

#include "lockstep/runtime/raw_syscall.h"

namespace lockstep::internal::real {

void* Next(const char* name) {
  void* symbol = dlsym(RTLD_NEXT, name);
  if (symbol != nullptr) return symbol;
  constexpr char kText[] = "lockstep: libc has no function named ";
  RawSyscall(SYS_write, 2, reinterpret_cast<long>(kText), sizeof(kText) - 1);
  RawSyscall(SYS_write, 2, reinterpret_cast<long>(name),
             static_cast<long>(strlen(name)));
  RawSyscall(SYS_write, 2, reinterpret_cast<long>("\n"), 1);
  RawSyscall(SYS_exit_group, 70);
  __builtin_unreachable();
}

}  // namespace lockstep::internal::real
