// SPDX-License-Identifier: Apache-2.0
//
// What the scheduler asks of the files that stand between the program and
// libc: thread ends, signals, the heap, the process.

#ifndef LOCKSTEP_RUNTIME_HOOKS_H_
#define LOCKSTEP_RUNTIME_HOOKS_H_

#include <csignal>

#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {

// thread_end.cc: runs the body of a thread, then the ends of its thread-local
// variables and pthread keys, all under control.
void RunThreadFunction(Thread* me);
void RunBody(Thread* me, void (*function)(void*), void* argument);
// pthread_exit().
[[noreturn]] void ExitThread(Thread* me, void* result);

// intercept_signal.cc: handlers of signals that other threads sent to `me`.
void DeliverPendingSignals(Thread* me);
inline void DeliverSignals(Thread* me) {
  if (__builtin_expect((me->pending_signals & ~me->blocked_signals) != 0,
                       false)) {
    DeliverPendingSignals(me);
  }
}

// intercept_process.cc: crashes, exits and std::terminate under control.
void InstallOnce();
void BeginProcessHooks();
void EndProcessHooks();

// heap.cc.
void BeginHeap();
void EndHeap();
struct HeapBlock {
  uintptr_t address;
  size_t size;
  bool freed;
  uint32_t allocated_where;
};
// The block of this schedule's heap that contains `address`, if any.
bool FindHeapBlock(uintptr_t address, HeapBlock* block);

// lock_model.cc: a block that is being freed must not contain a locked mutex.
void CheckNoLockInside(Thread* me, uintptr_t address, size_t size,
                       CodeAddress pc);

// intercept_pthread.cc: after a schedule that was cut short, makes static
// locks that its threads held free again.
void ReleaseStaticLocks();

// watchdog.cc.
void StartWatchdog();
// What the watchdog has against the thread that it sends kStuckSignal, which
// then must report it; null if that signal is not the watchdog's.
inline constexpr int kStuckSignal = SIGILL;  // one that OnFatalSignal handles
const char* TakeStuckMessage();

// annotated_locks.cc.
void InstallAbseilHooks();
void SwitchAbseilDeadlockDetector(bool on);

// True if `pc` is in the program itself, not in a shared library.
bool IsProgramCode(CodeAddress pc);

// True if `address` is a global variable of the program or a library.
bool IsStaticStorage(uintptr_t address);

// runtime.cc: the handler for a process that is about to end, and how to end.
// `caller`, if not 0, is the frame after `pc`.
[[noreturn]] void DieWithFinding(Thread* me, Verdict verdict,
                                 const char* message, CodeAddress pc,
                                 CodeAddress caller = 0);

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_HOOKS_H_
