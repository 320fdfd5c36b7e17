// SPDX-License-Identifier: Apache-2.0
//
// The words for operations and verdicts.

#include "lockstep/trace.h"

namespace lockstep {

const char* OpName(Op op) {
  switch (op) {
    case Op::kStart:
      return "start";
    case Op::kEnd:
      return "end";
    case Op::kSpawn:
      return "spawn";
    case Op::kJoin:
      return "join";
    case Op::kDetach:
      return "detach";
    case Op::kLock:
      return "lock";
    case Op::kTryLock:
      return "try_lock";
    case Op::kTimedLock:
      return "timed_lock";
    case Op::kUnlock:
      return "unlock";
    case Op::kLockShared:
      return "lock_shared";
    case Op::kTryLockShared:
      return "try_lock_shared";
    case Op::kTimedLockShared:
      return "timed_lock_shared";
    case Op::kUnlockShared:
      return "unlock_shared";
    case Op::kWait:
      return "wait";
    case Op::kTimedWait:
      return "timed_wait";
    case Op::kWake:
      return "wake";
    case Op::kNotifyOne:
      return "notify_one";
    case Op::kNotifyAll:
      return "notify_all";
    case Op::kAwait:
      return "await";
    case Op::kTimedAwait:
      return "timed_await";
    case Op::kSemaphoreWait:
      return "semaphore_wait";
    case Op::kSemaphorePost:
      return "semaphore_post";
    case Op::kOnce:
      return "once";
    case Op::kAtomicLoad:
      return "load";
    case Op::kAtomicStore:
      return "store";
    case Op::kAtomicReadModifyWrite:
      return "read_modify_write";
    case Op::kFence:
      return "fence";
    case Op::kFutexWait:
      return "futex_wait";
    case Op::kFutexWake:
      return "futex_wake";
    case Op::kSleep:
      return "sleep";
    case Op::kYield:
      return "yield";
    case Op::kRead:
      return "read";
    case Op::kWrite:
      return "write";
    case Op::kFree:
      return "free";
    case Op::kTimeout:
      return "timeout";
  }
  return "unknown";
}

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone:
      return "passed";
    case Verdict::kWrongResult:
      return "wrong result";
    case Verdict::kDeadlock:
      return "deadlock";
    case Verdict::kLostWakeup:
      return "lost wake-up";
    case Verdict::kDataRace:
      return "data race";
    case Verdict::kWrongLock:
      return "wrong lock";
    case Verdict::kLivelock:
      return "livelock";
    case Verdict::kMutexMisuse:
      return "mutex misuse";
    case Verdict::kThreadMisuse:
      return "thread misuse";
    case Verdict::kUseAfterFree:
      return "use after free";
    case Verdict::kTooMuchSynchronisation:
      return "too much synchronisation";
    case Verdict::kUncaughtException:
      return "uncaught exception";
    case Verdict::kCrash:
      return "crash";
    case Verdict::kStackOverflow:
      return "stack overflow";
    case Verdict::kExit:
      return "exit";
    case Verdict::kThreadLeak:
      return "thread leak";
    case Verdict::kUncontrolledBlocking:
      return "uncontrolled blocking";
    case Verdict::kNondeterminism:
      return "nondeterminism";
  }
  return "unknown";
}

}  // namespace lockstep
