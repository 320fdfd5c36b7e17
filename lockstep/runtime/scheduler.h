// SPDX-License-Identifier: Apache-2.0
//
// The state of the schedule that is running: its threads, its synchronisation
// objects, its clock, and the functions through which interposed calls ask
// "who goes next?". One thread runs at a time, so nothing here is locked.
//
// A scheduling point comes *before* an operation: the strategy sees what every
// runnable thread is about to do. A thread whose operation cannot succeed (a
// lock that is held) is not runnable, so "nobody is runnable" is a deadlock by
// definition.

#ifndef LOCKSTEP_RUNTIME_SCHEDULER_H_
#define LOCKSTEP_RUNTIME_SCHEDULER_H_

#include <cstddef>
#include <cstdint>

#include "lockstep/runtime/array.h"
#include "lockstep/runtime/execution.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/runtime/vector_clock.h"

namespace lockstep::internal {

struct SyncObject;
struct Thread;

inline constexpr int64_t kNoDeadline = INT64_MAX;

struct HeldLock {
  SyncObject* object;
  uint32_t where;  // it was taken: see RememberPlace
  bool shared;
};

enum class ThreadState : uint8_t {
  kRunnable,
  kBlocked,  // until somebody releases it or its deadline passes
  kParked,   // spins on something that does not change; see Scheduler::Spin
  kDone,
};

// A controlled thread. Objects are reused by the next schedule.
struct Thread {
  ThreadId id = 0;
  ThreadState state = ThreadState::kRunnable;
  Context context;
  uint32_t slot = 0;  // in Scheduler::runnable_, if runnable
  uint64_t last_run = 0;

  // Set while blocked. `wait_op` says in which way.
  SyncObject* waits_on = nullptr;
  SyncObject* wait_mutex = nullptr;  // a condition variable's mutex
  Thread* joins = nullptr;
  Op wait_op = Op::kStart;
  Op resume_op = Op::kStart;  // pending operation once released
  bool timed_out = false;
  int64_t deadline = kNoDeadline;       // while blocked
  int64_t lock_deadline = kNoDeadline;  // of the timed lock it stands before
  Thread* next_waiter = nullptr;
  Thread* previous_waiter = nullptr;
  CodeAddress pc = 0;  // of the operation it stands at

  // Busy-waiting: operations since it last changed or saw something new.
  uint32_t unproductive = 0;
  struct Seen {
    uintptr_t address;
    uint64_t value;
  };
  static constexpr uint32_t kSeen = 4;
  Seen seen[kSeen] = {};
  uint32_t next_seen = 0;
  uint64_t switched_in = 0;  // points when it last got the processor
  uint64_t last_load = 0;    // points at its last atomic load
  bool loads_only = true;    // since it last found something new
  // The atomic it looked at last, and its version when it first did so: see
  // intercept_futex.cc.
  uintptr_t watched = 0;
  uint32_t watched_version = 0;
  bool quiet = false;  // the load being done is no point: see Stutters
  uint32_t accesses_since_point = 0;
  // How often it got a point for its many accesses, since any other point.
  uint32_t rounds_of_accesses = 0;

  // Inside lock code (Abseil's own, say) or a signal handler: no points.
  uint32_t no_preempt = 0;
  // Memory accesses not checked for races (annotations).
  uint32_t ignore_accesses = 0;

  // See tsan_hooks.cc: state of an annotated (Abseil) mutex operation.
  bool annotated = false;
  SyncObject* annotated_object = nullptr;
  uint32_t annotated_base = 0;
  Op annotated_op = Op::kStart;
  uintptr_t waiting_condvar = 0;
  uintptr_t signalled_condvar = 0;
  bool signalled_all = false;
  // What a futex wait stands for, if not for itself: for reports.
  SyncObject* meaning = nullptr;
  Op meaning_op = Op::kFutexWait;

  void* (*function)(void*) = nullptr;
  void* argument = nullptr;
  void* result = nullptr;
  bool detached = false;
  bool joined = false;
  Thread* creator = nullptr;
  CodeAddress created_at = 0;

  // Ends of thread-local lives; see thread_end.cc.
  struct ThreadLocalDestructor* destructors = nullptr;
  void* exit_frame = nullptr;
  void** exit_jump = nullptr;
  uint64_t blocked_signals = 0;
  uint64_t pending_signals = 0;

  VectorClock clock;
  uint64_t epoch = 0;         // id << 32 | the own entry of `clock`
  VectorClock fence_acquire;  // what relaxed loads saw, for acquire fences
  VectorClock fence_release;  // as of the last release fence
  bool has_fence_acquire = false;
  bool has_fence_release = false;

  Array<HeldLock> held;
  Array<void*> specific;  // pthread_getspecific, by key

  // Shadow call stack: return addresses, outermost first.
  static constexpr uint32_t kMaxDepth = 1024;
  uint32_t depth = 0;
  CodeAddress calls[kMaxDepth];
};

// The thread that runs on this kernel thread (or borrows it), if controlled;
// null everywhere else and inside the runtime's own code (RuntimeScope).
// initial-exec: one instruction, and safe before constructors run.
extern __thread Thread* self
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

// While one exists, calls from this thread go to libc: for code that the
// runtime itself calls (strategies, building a finding).
class RuntimeScope {
 public:
  RuntimeScope() : saved_(self) { self = nullptr; }
  ~RuntimeScope() { self = saved_; }
  RuntimeScope(const RuntimeScope&) = delete;
  RuntimeScope& operator=(const RuntimeScope&) = delete;

 private:
  Thread* saved_;
};

// Something threads synchronise on, known by its address.
struct SyncObject {
  uintptr_t address = 0;
  ObjectId id = 0;
  ObjectKind kind = ObjectKind::kUnknown;
  uint32_t depth = 0;       // recursive locks
  uint32_t readers = 0;     // shared owners
  Thread* owner = nullptr;  // exclusive owner; or who runs a once-initialiser
  Thread* first_waiter = nullptr;
  Thread* last_waiter = nullptr;
  // Atomics: who changed it last, and who before, for want of an owner.
  Thread* last_writer = nullptr;
  Thread* previous_writer = nullptr;
  void SetWriter(Thread* writer) {
    if (writer == last_writer) return;
    previous_writer = last_writer;
    last_writer = writer;
  }
  // Last notification that found nobody waiting.
  Thread* lost_notifier = nullptr;
  CodeAddress lost_notify_pc = 0;
  // Condition variables: who destroyed it, and where (see RememberPlace).
  Thread* destroyer = nullptr;
  uint32_t destroyed_where = 0;
  uint32_t wakes = 0;  // futexes: wake-ups, whether or not anybody slept
  CodeAddress first_use = 0;
  // Atomics: what the last instrumented operation left or found there.
  uint64_t value = 0;
  bool has_value = false;
  uint32_t version = 0;  // counts changes

  // What an acquire of this object learns.
  VectorClock clock;
  VectorClock reader_clock;  // released by shared owners
  uint64_t release_epoch = 0;
  // Atomics: accesses, to find mixed atomic and plain use.
  VectorClock atomic_reads;
  VectorClock atomic_writes;
  CodeAddress atomic_pc = 0;
  uint32_t atomic_size = 0;
  // By thread: where it did so last (see RememberPlace).
  Array<uint32_t> atomic_read_places;
  Array<uint32_t> atomic_write_places;

  void Reset(uintptr_t new_address, ObjectId new_id, ObjectKind new_kind);
};

class __attribute__((visibility("hidden"))) Scheduler {
 public:
  // --- The controller's side -------------------------------------------
  void Run(const RunOptions& options, Strategy& strategy,
           absl::FunctionRef<void()> body, Trace* trace);
  uint64_t hash() const { return hash_; }
  // Copies decisions and counters so far into the trace.
  void FillTrace();

  // --- Called by controlled threads ------------------------------------

  // `me` is about to perform `op`: let the strategy choose who goes next.
  // Returns when `me` is chosen. No effect while me->no_preempt.
  void Point(Thread* me, Op op, SyncObject* object, CodeAddress pc,
             bool writes = true, SyncObject* second = nullptr) {
    if (me->no_preempt != 0) return;
    runnable_[me->slot] = {me->id, op, TraceId(object), writes,
                           TraceId(second)};
    PassPoint(me, pc);
  }

  // Puts `me` to sleep on `object` (may be null) until Release() or the
  // deadline (virtual time). Returns false if the deadline passed.
  bool Block(Thread* me, Op op, SyncObject* object, CodeAddress pc,
             int64_t deadline = kNoDeadline);

  // Makes a blocked thread runnable; its pending operation is resume_op.
  void Release(Thread* thread);
  // Releases every waiter, or one that the strategy picks; returns how many.
  uint32_t ReleaseAll(SyncObject* object);
  uint32_t ReleaseOne(SyncObject* object);
  // One of the waiters (there must be one), chosen by the strategy.
  Thread* PickWaiter(SyncObject* object);
  // A blocked thread now wants `lock` instead: runnable if that is free.
  void MoveToLock(Thread* thread, SyncObject* lock);
  // Releases every waiter that wants a lock that has just become free.
  void LockFreed(SyncObject* object);
  // Takes threads that stand before a lock which has just been taken off the
  // list of runnable ones.
  void LockTaken(Thread* me, SyncObject* object, bool shared);

  // A number below count, from the strategy (kind is recorded).
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count);

  // True while `me` does no more than look at `object` for the third time or
  // more, and nobody else has run since the second: what it finds is known.
  // Such loads are neither points nor steps. (std::atomic::wait looks 16 times
  // and yields 4 times before it sleeps.) Really endless loops get their
  // points again later.
  bool Stutters(const Thread* me, uintptr_t address) const;
  bool StutteringYield(const Thread* me) const {
    return me->unproductive >= kStutterYields &&
           me->unproductive < kStutterEnd && me->loads_only;
  }
  // What threads knew when they ran the ends of thread-local variables, if
  // they had any. promise::set_value_at_thread_exit stores its result there,
  // inside libstdc++.so, which is not instrumented.
  VectorClock& exit_clock() { return exit_clock_; }
  uint64_t points() const { return points_; }

  // `me` found nothing new (a failed try_lock, a load that returned the same
  // value again). Threads that do only that are parked until somebody else
  // makes progress.
  void Unproductive(Thread* me);
  void Progress(Thread* me) {
    me->unproductive = 0;
    me->loads_only = true;
    if (__builtin_expect(parked_count_ != 0, false)) Unpark(me);
  }
  // After very many plain accesses without a point: let others run.
  void TooManyAccesses(Thread* me, CodeAddress pc);

  // The object at an address; made on first use.
  SyncObject* Object(uintptr_t address, ObjectKind kind, CodeAddress pc) {
    SyncObject* object = FindObject(address);
    return __builtin_expect(object != nullptr, true)
               ? object
               : MakeObject(address, kind, pc);
  }
  // Null if nothing is known of that address in this schedule.
  SyncObject* FindObject(uintptr_t address) {
    const Slot& slot = *FindSlot(address);
    return slot.generation == generation_ && slot.id != 0
               ? objects_[slot.id - 1]
               : nullptr;
  }
  // Forgets the object there (destroyed); a new one gets a new id.
  void DropObject(uintptr_t address);

  // Threads.
  Thread* Spawn(Thread* me, void* (*function)(void*), void* argument,
                size_t stack_size, CodeAddress pc);
  Thread* FindThread(pthread_t id);
  [[noreturn]] void ThreadEnds(Thread* me);
  void Reap(Thread* thread);

  // Records that something went wrong and ends the schedule, unless it has a
  // finding already (then the second also ends the schedule). Does not return.
  [[noreturn]] void Fail(Thread* me, Verdict verdict, const char* message,
                         CodeAddress pc, const char* what = nullptr,
                         SyncObject* object = nullptr);
  // The same with more sites: fill in *finding(), then EndSchedule.
  Finding* finding() { return &trace_->finding; }
  bool has_finding() const { return has_finding_; }
  void SetFinding(Verdict verdict, const char* message);
  void AddSite(Thread* thread, const char* what, CodeAddress pc,
               SyncObject* object);
  // The place where `thread` took a lock that it holds.
  void AddSite(Thread* thread, const char* what, const HeldLock& lock);
  [[noreturn]] void EndSchedule(Thread* me);

  // A step of the recorded trace; returns null unless recording. Valid until
  // the next call.
  Step* Record(Thread* me, Op op, SyncObject* object, CodeAddress pc) {
    if (__builtin_expect(!options_.record_steps, true)) return nullptr;
    return RecordStep(me, op, object, pc);
  }

  int64_t now() const { return now_; }
  void AdvanceTo(int64_t time) {
    if (time > now_) now_ = time;
  }
  // The clock as a program reads it: it moves a little on every reading.
  int64_t ReadClock(Thread* me);

  bool active() const { return active_; }
  bool body_done() const { return body_done_; }
  const RunOptions& options() const { return options_; }
  Counters& counters() { return counters_; }
  Trace* trace() { return trace_; }
  uint32_t thread_count() const { return thread_count_; }
  Thread* thread(ThreadId id) { return threads_[id]; }
  uint32_t generation() const { return generation_; }
  uint32_t object_count() const { return object_count_; }
  SyncObject* object(ObjectId id) { return objects_[id - 1]; }
  Thread* running() { return running_; }
  // Changes whenever anything happens; read by the watchdog.
  uint64_t ProgressMark() const {
    return __atomic_load_n(&points_, __ATOMIC_RELAXED) +
           (uint64_t{__atomic_load_n(&generation_, __ATOMIC_RELAXED)} << 32);
  }

 private:
  // 50 million accesses: half a second, more than any schedule can afford.
  static constexpr uint32_t kRoundsOfAccesses = 250;
  static constexpr uint32_t kStutterLoads = 2;
  static constexpr uint32_t kStutterYields = 10;
  static constexpr uint32_t kStutterEnd = 24;

  struct Slot {
    uintptr_t address;
    uint32_t generation;
    ObjectId id;
  };

  // The slot of `address`, or the free one where it belongs (its generation is
  // then an earlier schedule's).
  Slot* FindSlot(uintptr_t address) {
    const size_t mask = table_.size() - 1;
    size_t i = (address * 0x9E3779B97F4A7C15u >> 32) & mask;
    while (table_[i].generation == generation_ &&
           table_[i].address != address) {
      i = (i + 1) & mask;
    }
    return &table_[i];
  }

  Thread* NewThread();
  SyncObject* MakeObject(uintptr_t address, ObjectKind kind, CodeAddress pc);
  void GrowTable();
  void AddRunnable(Thread* thread, ObjectId object);
  void RemoveRunnable(Thread* thread);
  void Unlink(Thread* thread);
  void PassPoint(Thread* me, CodeAddress pc);
  Thread* ChooseNext(Thread* me, bool me_runnable);
  Thread* AskStrategy(Thread* me, bool me_runnable);
  Thread* LongestWaiting();
  void WakeSomebody(Thread* me);
  void SwitchTo(Thread* me, Thread* next);
  void Unpark(Thread* me);
  void LongRun(Thread* me);
  [[noreturn]] void Stuck(Thread* me);
  Step* RecordStep(Thread* me, Op op, SyncObject* object, CodeAddress pc);
  void CleanUp();
  void Enqueue(Thread* thread, SyncObject* object, int64_t deadline);
  static ObjectId TraceId(const SyncObject* object) {
    return object != nullptr ? object->id : 0;
  }
  void Mix(uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9E3779B97F4A7C15u;
    hash_ ^= hash_ >> 29;
  }
  static void ThreadMain(void* thread);

  RunOptions options_{.execution = Execution::kOsThreads};
  Strategy* strategy_ = nullptr;
  Trace* trace_ = nullptr;
  const absl::FunctionRef<void()>* body_ = nullptr;
  bool active_ = false;
  bool has_finding_ = false;
  bool every_point_ = false;
  bool fair_phase_ = false;
  bool body_done_ = false;
  Context controller_;

  Array<Thread*> threads_;  // pool; the first thread_count_ are in use
  uint32_t thread_count_ = 0;
  uint32_t alive_count_ = 0;
  uint32_t parked_count_ = 0;
  uint32_t timed_count_ = 0;
  Array<Pending> runnable_;  // ascending by thread
  Array<Decision> decisions_;
  Counters counters_;
  VectorClock exit_clock_;
  Array<Thread*> ended_detached_;  // their donors can be used again

  Array<SyncObject*> objects_;
  uint32_t object_count_ = 0;
  Array<Slot> table_;  // open addressing; never full
  uint32_t generation_ = 0;

  int64_t now_ = 0;
  int64_t clock_step_ = 0;
  uint64_t clock_read_at_ = 0;
  uint64_t hash_ = 0;
  uint64_t points_ = 0;
  uint64_t next_check_ = 0;
  uint64_t fair_until_ = 0;
  Thread* running_ = nullptr;
};

extern Scheduler g_scheduler __attribute__((visibility("hidden")));

// The same in every process, unlike the kernel's.
inline int VirtualTid(const Thread* thread) {
  return 1'000'000 + static_cast<int>(thread->id);
}

// For recorded runs: `pc` is the return address of the interposed function that
// runs now. If it is in a shared library, returns the address in the program
// that the library was called from, else (or if none is found) 0. Shared
// libraries are not instrumented, so no shadow stack knows that place.
CodeAddress ProgramCaller(CodeAddress pc);
// The address in the program that the frame at `pc`, one of the current stack,
// was called from, or 0.
CodeAddress CallerOf(CodeAddress pc);

// The frames of `thread`, innermost first, starting at pc. If `thread` is
// running, ProgramCaller(pc) is the next.
void CaptureStack(const Thread* thread, CodeAddress pc,
                  std::vector<CodeAddress>* stack);

inline CodeAddress ReturnAddress(void* address) {
  return reinterpret_cast<CodeAddress>(address);
}
// Where the interposed function was called from.
#define LOCKSTEP_CALLER() \
  ::lockstep::internal::ReturnAddress(__builtin_return_address(0))

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_SCHEDULER_H_
