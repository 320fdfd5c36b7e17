// SPDX-License-Identifier: Apache-2.0
//
// How a logical thread gets a stack, thread-local storage and the processor.
// The scheduler decides who runs; this file only carries it out.
//
// Every logical thread borrows a *donor*: a kernel thread that is kept from
// schedule to schedule. In OS execution the donor runs the logical thread
// itself. In user-level execution donors stay parked in the kernel for ever,
// and the one kernel thread that called RunOnce jumps onto a donor's stack
// with the donor's thread pointer (FS base) loaded: thread_local, errno,
// pthread_self() and exceptions in flight are then right by construction.
//
// Donors live at fixed addresses and the lowest free one is always taken, so
// pthread_self() has the same value on every replay.

#ifndef LOCKSTEP_RUNTIME_EXECUTION_H_
#define LOCKSTEP_RUNTIME_EXECUTION_H_

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "lockstep/runtime/runtime.h"

namespace lockstep::internal {

struct Donor;

// Where a logical thread continues when it gets the processor back.
struct Context {
  Donor* donor = nullptr;
  void* stack_pointer = nullptr;  // user-level: saved by the switch
  uintptr_t thread_pointer = 0;   // user-level: FS base
  int go = 0;                     // OS execution: the token, a futex
};

// True if this processor, kernel and libc allow user-level execution.
bool UserLevelSupported();

// Called by the controller (the thread in RunOnce) before the first spawn.
void BeginExecution(Execution execution, Context* controller);

// Prepares a context that will call entry(arg) when first switched to.
// `stack_size` 0 means the default (8 MiB, committed on use). Returns false if
// the system is out of threads.
bool SpawnContext(Context* context, size_t stack_size, void (*entry)(void*),
                  void* arg);

// Gives the processor to `to`; returns when somebody gives it back.
void SwitchContext(Context* from, Context* to);

// Like SwitchContext, but `from` never runs again.
[[noreturn]] void FinishContext(Context* from, Context* to);

// Ends `context` wherever it stands, without unwinding it, and makes its donor
// available again. Called by the controller when nobody else runs.
void ReclaimContext(Context* context);

// What pthread_self() answers inside `context`.
pthread_t ContextPthread(const Context& context);
// Lowest and one past the highest address of its stack, guard not included.
void ContextStack(const Context& context, uintptr_t* low, uintptr_t* high);
// True if `address` is in a guard area below a donor's stack.
bool IsStackGuard(uintptr_t address);

// In a child process after fork(): donors are gone.
void ForgetDonors();

// Number of donors ever made (to measure that abandoned ones come back).
uint64_t DonorsMade();

// Runs function(arg) with the kernel thread's own thread pointer: for libc
// calls that look their caller up by it (set*id and the like).
void CallOnKernelThread(void (*function)(void*), void* arg);

// --- Provided by execution_user_*.cc -------------------------------------

namespace user_level {
// Prepares sp so that the first Switch to it calls entry(arg).
void* PrepareStack(char* top, void (*entry)(void*), void* arg);
void Switch(void** save_stack_pointer, void* stack_pointer,
            uintptr_t thread_pointer);
uintptr_t CurrentThreadPointer();
void SetThreadPointer(uintptr_t value);
bool Available();
}  // namespace user_level

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_EXECUTION_H_
