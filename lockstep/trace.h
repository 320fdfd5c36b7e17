// SPDX-License-Identifier: Apache-2.0
//
// The vocabulary of one explored execution: threads, operations, steps, and
// the finding that ended it. The runtime writes it; strategies, shrinking and
// reports read it. Nothing here executes anything.

#ifndef LOCKSTEP_TRACE_H_
#define LOCKSTEP_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {

// Threads are numbered in order of creation; 0 is the thread that runs the
// body under test.
using ThreadId = uint32_t;
inline constexpr ThreadId kNoThread = UINT32_MAX;

// What a thread does, or is about to do, at a scheduling point.
enum class Op : uint8_t {
  kStart,
  kEnd,
  kSpawn,
  kJoin,
  kDetach,
  // Mutexes of every kind: std, POSIX, Abseil; exclusive and shared.
  kLock,
  kTryLock,
  kTimedLock,
  kUnlock,
  kLockShared,
  kTryLockShared,
  kTimedLockShared,
  kUnlockShared,
  // Condition variables. kWait covers releasing the mutex and going to sleep;
  // kWake is the return from the wait, with the mutex held again.
  kWait,
  kTimedWait,
  kWake,
  kNotifyOne,
  kNotifyAll,
  // absl::Mutex::Await and its relatives.
  kAwait,
  kTimedAwait,
  kSemaphoreWait,
  kSemaphorePost,
  kOnce,
  kAtomicLoad,
  kAtomicStore,
  kAtomicReadModifyWrite,
  kFence,
  // std::atomic::wait / notify and everything else that rests on a futex.
  kFutexWait,
  kFutexWake,
  kSleep,
  kYield,
  // Plain memory accesses: only in fully recorded traces, never scheduling
  // points of their own.
  kRead,
  kWrite,
  kFree,
  // A timed operation gave up because the virtual clock reached its deadline.
  kTimeout,
};

// "lock", "notify_all", ...: the name a reader of the book would use.
const char* OpName(Op op);

// Identifies a synchronisation object or memory block within one schedule:
// numbered in order of first use, so it is the same on every replay whatever
// addresses the allocator hands out. 0 means "none".
using ObjectId = uint32_t;

// A source position, as an unresolved code address inside the test binary.
// report/symbolizer.h turns it into file:line.
using CodeAddress = uintptr_t;

// One step of a recorded schedule.
struct Step {
  ThreadId thread = 0;
  Op op = Op::kStart;
  ObjectId object = 0;
  // The mutex a condition-variable wait releases, when op is kWait.
  ObjectId mutex = 0;
  // True if the operation could not finish and the thread went to sleep.
  bool blocked = false;
  // For a blocked step: who holds the object, if anybody; for kSpawn and
  // kJoin: the other thread; for a wake-up: the thread that is released.
  ThreadId other = kNoThread;
  // Result where it matters: value loaded or stored, try_lock's outcome.
  uint64_t value = 0;
  // Bytes accessed, for memory operations.
  uint8_t size = 0;
  // Where: innermost frame of the code under test first (frames inside the
  // standard library's and Abseil's lock code are skipped by the symbolizer).
  std::vector<CodeAddress> stack;
  // Virtual time since the start of the schedule, in nanoseconds.
  int64_t time_ns = 0;
};

// What kind of object an ObjectId stands for.
enum class ObjectKind : uint8_t {
  kUnknown,
  kMutex,  // std::mutex, pthread_mutex_t
  kRecursiveMutex,
  kSharedMutex,  // std::shared_mutex, pthread_rwlock_t
  kAbslMutex,
  kConditionVariable,
  kAbslCondVar,
  kSemaphore,
  kOnceFlag,
  kAtomic,
  kMemory,
  kThread,
};

struct Object {
  ObjectKind kind = ObjectKind::kUnknown;
  uintptr_t address = 0;
  // First use, to tell the reader which of several locks this is.
  std::vector<CodeAddress> first_use;
  // For heap memory: where the block was allocated (empty for globals/stack).
  std::vector<CodeAddress> allocated_at;
  uint64_t offset_in_block = 0;
  uint64_t block_size = 0;
};

// Why a schedule failed. The names are the verdicts a student reads.
enum class Verdict : uint8_t {
  kNone,         // the schedule ended normally
  kWrongResult,  // a GoogleTest expectation or an assert() failed
  kDeadlock,
  kLostWakeup,
  kDataRace,
  kWrongLock,  // a data race whose two sides hold locks, but none in common
  kLivelock,
  kMutexMisuse,
  kThreadMisuse,  // a std::thread destroyed unjoined, or joined twice at once
  kUseAfterFree,
  kTooMuchSynchronisation,
  kUncaughtException,
  kCrash,  // a fatal signal
  kStackOverflow,
  kExit,        // exit(), _exit(), quick_exit() in the code under test
  kThreadLeak,  // the body returned and left threads running
  kUncontrolledBlocking,  // a blocking call lockstep does not control
  kNondeterminism,        // the same choices led to another execution
};

// "deadlock", "lost wake-up", "data race", ...: exactly the words used on
// pages, in mistake files and in test.xml.
const char* VerdictName(Verdict verdict);

// True for both kinds of data race.
inline bool IsRace(Verdict verdict) {
  return verdict == Verdict::kDataRace || verdict == Verdict::kWrongLock;
}

// One place in the program that a finding points at.
struct Site {
  ThreadId thread = kNoThread;
  // What happened there, in the simple past or present: "writes 4 bytes",
  // "locks mutex", "waits for mutex held by T2".
  std::string what;
  ObjectId object = 0;
  std::vector<CodeAddress> stack;
  // Locks the thread held there.
  std::vector<ObjectId> locks_held;
  // How many of Trace::steps came before it; UINT32_MAX: not known.
  uint32_t step = UINT32_MAX;
};

// What is wrong with a schedule.
struct Finding {
  Verdict verdict = Verdict::kNone;
  // One sentence, no newline: the rule that was broken.
  std::string message;
  std::vector<Site> sites;
};

// Costs of one schedule, for operation budgets.
struct Counters {
  uint64_t points = 0;            // scheduling points passed
  uint64_t lock_operations = 0;   // acquisitions, shared and timed included
  uint64_t contended_locks = 0;   // acquisitions that had to wait
  uint64_t wakeups = 0;           // threads released by notify, post or wake
  uint64_t notifications = 0;     // notify calls, whether or not one waits
  uint64_t context_switches = 0;  // the next thread differs from the last
  uint64_t preemptions = 0;       // switches away from a thread that could run
  uint64_t threads_created = 0;
  uint64_t atomic_operations = 0;
  uint64_t allocations = 0;  // operator new in controlled threads
};

// One decision of a schedule: which thread ran next (or which waiter a notify
// released, whether a timed wait gave up, ...). A schedule is its decisions;
// replaying them gives the same execution. There is one for every answer of
// the strategy (Choose with at least two threads, ChooseOneOf), in order.
struct Decision {
  enum class Kind : uint8_t { kThread, kWaiter, kTimeout, kSpurious };
  Kind kind = Kind::kThread;
  // The ThreadId that runs next for kThread, else the strategy's answer.
  uint32_t chosen = 0;
  friend bool operator==(const Decision&, const Decision&) = default;
};

// A complete recorded execution.
struct Trace {
  std::vector<Decision> decisions;
  std::vector<Step> steps;
  std::vector<Object> objects;  // objects[id - 1]
  uint32_t threads = 0;
  Counters counters;
  Finding finding;
};

}  // namespace lockstep

#endif  // LOCKSTEP_TRACE_H_
