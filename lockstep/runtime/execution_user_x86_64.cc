// SPDX-License-Identifier: Apache-2.0
//
// The user-level switch for x86-64: 12 instructions that save the registers a
// function call must preserve, load another stack pointer and FS base, and
// return on the other side. On other processors: not available.

#include "lockstep/runtime/execution.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)

#include <asm/prctl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "lockstep/runtime/raw_syscall.h"

// lockstep_switch_fsgsbase(void** save, void* sp, uintptr_t fs)
// lockstep_switch_prctl: the same where the kernel forbids wrfsbase.
asm(R"(
.text
.p2align 4
.globl lockstep_switch_fsgsbase
.hidden lockstep_switch_fsgsbase
.type lockstep_switch_fsgsbase,@function
lockstep_switch_fsgsbase:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp,0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx,0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12,0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13,0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14,0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15,0
  subq $8,%rsp
  .cfi_adjust_cfa_offset 8
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp,(%rdi)
  wrfsbase %rdx
  movq %rsi,%rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8,%rsp
  .cfi_adjust_cfa_offset -8
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  ret
  .cfi_endproc
.size lockstep_switch_fsgsbase,.-lockstep_switch_fsgsbase

.globl lockstep_switch_prctl
.hidden lockstep_switch_prctl
.type lockstep_switch_prctl,@function
lockstep_switch_prctl:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8,%rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp,(%rdi)
  movq %rsi,%r12
  movl $158,%eax
  movl $0x1002,%edi
  movq %rdx,%rsi
  syscall
  movq %r12,%rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size lockstep_switch_prctl,.-lockstep_switch_prctl

.globl lockstep_first_frame
.hidden lockstep_first_frame
.type lockstep_first_frame,@function
lockstep_first_frame:
  .cfi_startproc
  .cfi_undefined rip
  xorl %ebp,%ebp
  movq %r12,%rdi
  call *%r13
  ud2
  .cfi_endproc
.size lockstep_first_frame,.-lockstep_first_frame
)");

extern "C" {
void lockstep_switch_fsgsbase(void**, void*, uintptr_t);
void lockstep_switch_prctl(void**, void*, uintptr_t);
void lockstep_first_frame();
}

namespace lockstep::internal::user_level {
namespace {

bool HasFsgsbase() {
  constexpr unsigned long kHwcap2Fsgsbase = 2;
  return (getauxval(AT_HWCAP2) & kHwcap2Fsgsbase) != 0;
}

// Per-thread shadow stacks (CET) would have to be switched as well.
bool ShadowStackOn() {
  constexpr long kArchShstkStatus = 0x5005;
  unsigned long features = 0;
  return RawSyscall(SYS_arch_prctl, kArchShstkStatus,
                    reinterpret_cast<long>(&features)) == 0 &&
         (features & 1) != 0;
}

const bool g_fsgsbase = HasFsgsbase();

}  // namespace

bool Available() {
  static const bool available = !ShadowStackOn();
  return available;
}

void* PrepareStack(char* top, void (*entry)(void*), void* arg) {
  auto* sp = reinterpret_cast<uintptr_t*>(top);
  *--sp = 0;
  *--sp = 0;
  *--sp = reinterpret_cast<uintptr_t>(&lockstep_first_frame);
  *--sp = 0;                                   // rbp
  *--sp = 0;                                   // rbx
  *--sp = reinterpret_cast<uintptr_t>(arg);    // r12
  *--sp = reinterpret_cast<uintptr_t>(entry);  // r13
  *--sp = 0;                                   // r14
  *--sp = 0;                                   // r15
  uint32_t mxcsr;
  uint16_t x87_control;
  asm volatile("stmxcsr %0" : "=m"(mxcsr));
  asm volatile("fnstcw %0" : "=m"(x87_control));
  *--sp = uintptr_t{x87_control} << 32 | mxcsr;
  return sp;
}

void Switch(void** save, void* stack_pointer, uintptr_t thread_pointer) {
  if (__builtin_expect(g_fsgsbase, true)) {
    lockstep_switch_fsgsbase(save, stack_pointer, thread_pointer);
  } else {
    lockstep_switch_prctl(save, stack_pointer, thread_pointer);
  }
}

uintptr_t CurrentThreadPointer() {
  uintptr_t value;  // the thread control block starts with its own address
  asm("movq %%fs:0,%0" : "=r"(value));
  return value;
}

void SetThreadPointer(uintptr_t value) {
  if (g_fsgsbase) {
    asm volatile("wrfsbase %0" ::"r"(value) : "memory");
  } else {
    RawSyscall(SYS_arch_prctl, ARCH_SET_FS, static_cast<long>(value));
  }
}

}  // namespace lockstep::internal::user_level

#else

namespace lockstep::internal::user_level {

bool Available() { return false; }
void* PrepareStack(char*, void (*)(void*), void*) { return nullptr; }
void Switch(void**, void*, uintptr_t) { __builtin_trap(); }
uintptr_t CurrentThreadPointer() { return 0; }
void SetThreadPointer(uintptr_t) {}

}  // namespace lockstep::internal::user_level

#endif
