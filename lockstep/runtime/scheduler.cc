// SPDX-License-Identifier: Apache-2.0
//
// Threads, points, choosing, blocking and the virtual clock. See scheduler.h.

#include "lockstep/runtime/scheduler.h"

#include <unwind.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "lockstep/runtime/findings.h"
#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/race_detector.h"

namespace lockstep::internal {

__thread Thread* self __attribute__((tls_model("initial-exec"))) = nullptr;
constinit Scheduler g_scheduler;

namespace {

// Unproductive operations in a row after which a thread asks to be switched
// away from, and after which it is taken off the list until somebody else
// makes progress.
constexpr uint32_t kYieldAfter = 3;
constexpr uint32_t kParkAfter = 40;
// A runnable thread that has not run for this many points is run next,
// whatever the strategy prefers: priorities must not starve anybody for ever.
constexpr uint64_t kStarvationCheck = 512;
constexpr uint64_t kStarvation = 2048;
// How long a fair schedule is tried, per thread, before livelock is the word.
constexpr uint64_t kFairPointsPerThread = 2'000;
// Threads of a schedule that get a stack nobody used before in it.
constexpr ThreadId kOwnStacks = 64;

bool NeedsLock(Op op, bool* shared) {
  switch (op) {
    case Op::kLock:
    case Op::kTimedLock:
    case Op::kWake:
      *shared = false;
      return true;
    case Op::kLockShared:
    case Op::kTimedLockShared:
      *shared = true;
      return true;
    default:
      return false;
  }
}

}  // namespace

void SyncObject::Reset(uintptr_t new_address, ObjectId new_id,
                       ObjectKind new_kind) {
  address = new_address;
  id = new_id;
  kind = new_kind;
  depth = readers = 0;
  owner = nullptr;
  first_waiter = last_waiter = nullptr;
  last_writer = previous_writer = nullptr;
  lost_notifier = nullptr;
  lost_notify_pc = 0;
  destroyer = nullptr;
  destroyed_where = 0;
  wakes = 0;
  first_use = 0;
  value = 0;
  has_value = false;
  version = 0;
  clock.Clear();
  reader_clock.Clear();
  release_epoch = 0;
  atomic_reads.Clear();
  atomic_writes.Clear();
  atomic_pc = 0;
  atomic_size = 0;
  atomic_read_places.reset();
  atomic_write_places.reset();
}

// --- Objects ---------------------------------------------------------------

void Scheduler::DropObject(uintptr_t address) {
  Slot* slot = FindSlot(address);
  if (slot->generation == generation_) slot->id = 0;
}

SyncObject* Scheduler::MakeObject(uintptr_t address, ObjectKind kind,
                                  CodeAddress pc) {
  if (object_count_ == objects_.size()) {
    objects_.push_back(new (RawAllocate(sizeof(SyncObject))) SyncObject);
  }
  SyncObject* object = objects_[object_count_++];
  object->Reset(address, object_count_, kind);
  object->first_use = pc;
  if (object_count_ * 2 > table_.size()) GrowTable();
  *FindSlot(address) = {address, generation_, object->id};
  if (__builtin_expect(options_.record_steps, false)) {
    RuntimeScope scope;
    lockstep::Object& entry = trace_->objects.emplace_back();
    entry.kind = kind;
    entry.address = address;
    if (running_ != nullptr) CaptureStack(running_, pc, &entry.first_use);
    HeapBlock block;
    if (FindHeapBlock(address, &block)) {
      entry.offset_in_block = address - block.address;
      entry.block_size = block.size;
      RecallPlace(block.allocated_where, &entry.allocated_at);
    }
  }
  return object;
}

void Scheduler::GrowTable() {
  const size_t size = table_.size() * 2;
  Array<Slot> old;
  for (const Slot& slot : table_) old.push_back(slot);
  table_.reset();
  table_.resize(size);
  for (const Slot& slot : old) {
    if (slot.generation == generation_) *FindSlot(slot.address) = slot;
  }
  old.clear();
}

// --- The list of runnable threads --------------------------------------------

namespace {

// Member by member: the compiler would copy it with one wide load, which waits
// until the narrow stores that have just been made there have reached the
// cache.
inline void CopyPending(const Pending& from, Pending* to) {
  to->thread = from.thread;
  to->op = from.op;
  to->object = from.object;
  to->writes = from.writes;
  to->second = from.second;
}

}  // namespace

// `object`: what its next operation is on, 0 if nothing.
void Scheduler::AddRunnable(Thread* thread, ObjectId object) {
  runnable_.push_back({});
  Pending* slots = runnable_.data();
  size_t at = runnable_.size() - 1;
  for (; at > 0 && slots[at - 1].thread > thread->id; --at) {
    CopyPending(slots[at - 1], &slots[at]);
    ++threads_[slots[at].thread]->slot;
  }
  slots[at] = {thread->id, thread->resume_op, object, true, 0};
  thread->slot = static_cast<uint32_t>(at);
  thread->state = ThreadState::kRunnable;
}

void Scheduler::RemoveRunnable(Thread* thread) {
  Pending* slots = runnable_.data();
  const size_t size = runnable_.size() - 1;
  for (size_t i = thread->slot; i < size; ++i) {
    CopyPending(slots[i + 1], &slots[i]);
    --threads_[slots[i].thread]->slot;
  }
  runnable_.pop_back();
}

void Scheduler::Enqueue(Thread* thread, SyncObject* object, int64_t deadline) {
  thread->state = ThreadState::kBlocked;
  thread->waits_on = object;
  thread->next_waiter = thread->previous_waiter = nullptr;
  if (object != nullptr) {
    thread->previous_waiter = object->last_waiter;
    (object->last_waiter != nullptr ? object->last_waiter->next_waiter
                                    : object->first_waiter) = thread;
    object->last_waiter = thread;
  }
  thread->deadline = deadline;
  if (deadline != kNoDeadline) ++timed_count_;
}

// Takes a blocked thread out of its object's waiting list.
void Scheduler::Unlink(Thread* thread) {
  SyncObject* object = thread->waits_on;
  if (object != nullptr) {
    if (thread->previous_waiter != nullptr) {
      thread->previous_waiter->next_waiter = thread->next_waiter;
    } else {
      object->first_waiter = thread->next_waiter;
    }
    if (thread->next_waiter != nullptr) {
      thread->next_waiter->previous_waiter = thread->previous_waiter;
    } else {
      object->last_waiter = thread->previous_waiter;
    }
  }
  thread->next_waiter = thread->previous_waiter = nullptr;
  if (thread->deadline != kNoDeadline) {
    thread->deadline = kNoDeadline;
    --timed_count_;
  }
}

void Scheduler::Release(Thread* thread) {
  Unlink(thread);
  AddRunnable(thread, TraceId(thread->waits_on));
}

uint32_t Scheduler::ReleaseAll(SyncObject* object) {
  uint32_t released = 0;
  while (object->first_waiter != nullptr) {
    Release(object->first_waiter);
    ++released;
  }
  return released;
}

Thread* Scheduler::PickWaiter(SyncObject* object) {
  Thread* waiter = object->first_waiter;
  if (waiter->next_waiter == nullptr) return waiter;
  uint32_t count = 0;
  for (Thread* t = waiter; t != nullptr; t = t->next_waiter) ++count;
  uint32_t chosen = ChooseOneOf(Decision::Kind::kWaiter, count);
  while (chosen-- > 0) waiter = waiter->next_waiter;
  return waiter;
}

uint32_t Scheduler::ReleaseOne(SyncObject* object) {
  if (object->first_waiter == nullptr) return 0;
  Release(PickWaiter(object));
  return 1;
}

void Scheduler::MoveToLock(Thread* thread, SyncObject* lock) {
  Unlink(thread);
  if (lock->owner == nullptr && lock->readers == 0) {
    thread->waits_on = lock;
    AddRunnable(thread, lock->id);
  } else {
    Enqueue(thread, lock, kNoDeadline);
  }
}

void Scheduler::LockFreed(SyncObject* object) {
  Thread* next;
  for (Thread* t = object->first_waiter; t != nullptr; t = next) {
    next = t->next_waiter;
    bool shared = false;
    if (!NeedsLock(t->resume_op, &shared)) continue;
    if (shared ? object->owner == nullptr
               : object->owner == nullptr && object->readers == 0) {
      Release(t);
    }
  }
}

void Scheduler::LockTaken(Thread* me, SyncObject* object, bool shared) {
  const ObjectId id = object->id;
  Pending* slots = runnable_.data();
  uint32_t kept = 0;
  for (uint32_t i = 0; i < runnable_.size(); ++i) {
    const Pending& pending = slots[i];
    Thread* t = threads_[pending.thread];
    bool wants_shared = false;
    if (pending.object != id || t == me ||
        !NeedsLock(pending.op, &wants_shared) || (shared && wants_shared)) {
      if (kept != i) CopyPending(pending, &slots[kept]);
      t->slot = kept++;
      continue;
    }
    t->resume_op = t->wait_op = pending.op;
    Enqueue(t, object, t->lock_deadline);
    if (Step* step = Record(t, t->resume_op, object, t->pc)) {
      step->blocked = true;
      step->other = me->id;
    }
  }
  runnable_.resize(kept);
}

// --- Choosing ----------------------------------------------------------------

uint32_t Scheduler::ChooseOneOf(Decision::Kind kind, uint32_t count) {
  if (count < 2) return 0;
  uint32_t chosen;
  {
    RuntimeScope scope;
    chosen = strategy_->ChooseOneOf(kind, count);
  }
  if (chosen >= count) chosen = 0;
  decisions_.push_back({kind, chosen});
  Mix(chosen + 0x1000);
  return chosen;
}

inline Thread* Scheduler::AskStrategy(Thread* me, bool me_runnable) {
  Choice choice;
  choice.runnable =
      absl::Span<const Pending>(runnable_.data(), runnable_.size());
  choice.current = me->id;
  choice.current_runnable = me_runnable;
  // Loads up to kStutterEnd may be a short spin before sleeping.
  choice.current_yields =
      me_runnable &&
      (me->unproductive >= (me->loads_only ? kStutterEnd : kYieldAfter) ||
       runnable_[me->slot].op == Op::kYield);
  uint32_t index;
  {
    RuntimeScope scope;
    index = strategy_->Choose(choice);
  }
  if (index >= runnable_.size()) index = 0;
  const ThreadId chosen = runnable_[index].thread;
  if (runnable_.size() == 1) return threads_[chosen];
  decisions_.push_back({Decision::Kind::kThread, chosen});
  Thread* next = threads_[chosen];
  if (next != me && me_runnable && !choice.current_yields) {
    ++counters_.preemptions;
  }
  return next;
}

Thread* Scheduler::LongestWaiting() {
  Thread* oldest = nullptr;
  for (const Pending& pending : runnable_) {
    Thread* t = threads_[pending.thread];
    if (oldest == nullptr || t->last_run < oldest->last_run) oldest = t;
  }
  return oldest;
}

Thread* Scheduler::ChooseNext(Thread* me, bool me_runnable) {
  while (runnable_.empty()) WakeSomebody(me);
  if (runnable_.size() == 1) {
    if (!every_point_) return threads_[runnable_[0].thread];
  } else if (__builtin_expect(fair_phase_, false)) {
    return LongestWaiting();
  } else if (__builtin_expect(points_ >= next_check_, false)) {
    next_check_ = points_ + kStarvationCheck;
    Thread* oldest = LongestWaiting();
    if (oldest != me && oldest->last_run + kStarvation < points_) {
      return oldest;
    }
  }
  return AskStrategy(me, me_runnable);
}

// Nobody is runnable: spinning threads get another chance, else time passes.
void Scheduler::WakeSomebody(Thread* me) {
  if (parked_count_ != 0) {
    Unpark(nullptr);
    return;
  }
  if (timed_count_ == 0) Stuck(me);
  int64_t nearest = kNoDeadline;
  for (uint32_t i = 0; i < thread_count_; ++i) {
    const Thread* t = threads_[i];
    if (t->state == ThreadState::kBlocked && t->deadline < nearest) {
      nearest = t->deadline;
    }
  }
  if (nearest > now_) now_ = nearest;
  for (uint32_t i = 0; i < thread_count_; ++i) {
    Thread* t = threads_[i];
    if (t->state != ThreadState::kBlocked || t->deadline > now_) continue;
    t->timed_out = true;
    t->resume_op = Op::kTimeout;
    Release(t);
  }
}

void Scheduler::SwitchTo(Thread* me, Thread* next) {
  ++counters_.context_switches;
  next->last_run = points_;
  next->switched_in = points_;
  running_ = next;
  SwitchContext(&me->context, &next->context);
}

// What `me` is about to do is in its slot of runnable_.
void Scheduler::PassPoint(Thread* me, CodeAddress pc) {
  ++points_;
  me->pc = pc;
  me->accesses_since_point = me->rounds_of_accesses = 0;
  const Pending& pending = runnable_[me->slot];
  Mix(uint64_t{me->id} << 40 | uint64_t(pending.op) << 32 | pending.object);
  if (__builtin_expect(points_ >= options_.max_steps, false)) LongRun(me);
  me->last_run = points_;
  if (runnable_.size() == 1 && !every_point_) return;
  Thread* next = ChooseNext(me, true);
  if (next != me) {
    SwitchTo(me, next);
    DeliverSignals(me);
  }
}

bool Scheduler::Stutters(const Thread* me, uintptr_t address) const {
  if (me->unproductive < kStutterLoads || me->unproductive >= kStutterEnd ||
      !me->loads_only || me->switched_in >= me->last_load) {
    return false;
  }
  for (const Thread::Seen& seen : me->seen) {
    if (seen.address == address) return true;
  }
  return false;
}

bool Scheduler::Block(Thread* me, Op op, SyncObject* object, CodeAddress pc,
                      int64_t deadline) {
  ++points_;
  me->pc = pc;
  me->wait_op = op;
  me->resume_op = op;
  me->timed_out = false;
  RemoveRunnable(me);
  Enqueue(me, object, deadline);
  Mix(uint64_t{me->id} << 40 | uint64_t(op) << 32 | 0x80000000u |
      TraceId(object));
  if (__builtin_expect(points_ >= options_.max_steps, false)) LongRun(me);
  me->last_run = points_;
  Thread* next = ChooseNext(me, false);
  if (next != me) SwitchTo(me, next);
  me->waits_on = nullptr;
  me->wait_mutex = nullptr;
  me->joins = nullptr;
  DeliverSignals(me);
  return !me->timed_out;
}

// --- Spinning and livelock
// -----------------------------------------------------

void Scheduler::Unproductive(Thread* me) {
  if (me->no_preempt != 0) return;
  ++me->unproductive;
  // From here on every strategy lets others run, so a longer wait may never
  // come together; shorter ones may be a spin that ends in sleep.
  if (options_.forbid_busy_waiting &&
      me->unproductive >= (me->loads_only ? kStutterEnd : kYieldAfter)) {
    Fail(me, Verdict::kLivelock,
         "a thread waits by asking again and again instead of sleeping", me->pc,
         "asks again and again without any change");
  }
  if (me->unproductive < kParkAfter) return;
  if (runnable_.size() < 2) {
    // Nobody else can run: only time, or this thread, can change anything.
    if (timed_count_ != 0) {
      me->unproductive = 0;
      me->resume_op = Op::kYield;
      Block(me, Op::kYield, nullptr, me->pc, now_ + 1'000);
    } else if (parked_count_ != 0) {
      Unpark(nullptr);
    }
    return;
  }
  me->unproductive = 0;
  me->resume_op = Op::kYield;
  me->waits_on = nullptr;
  RemoveRunnable(me);
  me->state = ThreadState::kParked;
  ++parked_count_;
  Thread* next = ChooseNext(me, false);
  if (next != me) SwitchTo(me, next);
  DeliverSignals(me);
}

void Scheduler::Unpark(Thread*) {
  for (uint32_t i = 0; i < thread_count_; ++i) {
    Thread* t = threads_[i];
    if (t->state == ThreadState::kParked) AddRunnable(t, 0);
  }
  parked_count_ = 0;
}

void Scheduler::TooManyAccesses(Thread* me, CodeAddress pc) {
  me->accesses_since_point = 0;
  const uint32_t rounds = me->rounds_of_accesses + 1;
  if (rounds >= kRoundsOfAccesses) {
    Fail(me, Verdict::kLivelock,
         "a thread runs on and on, without a lock, a wait or an end", pc,
         "still runs here");
  }
  Point(me, Op::kYield, nullptr, pc);
  me->rounds_of_accesses = rounds;
}

// The schedule is longer than it may be. Before calling that a livelock, make
// sure that it was not just unfair: run everybody in turn for a while.
void Scheduler::LongRun(Thread* me) {
  if (!fair_phase_) {
    fair_phase_ = true;
    fair_until_ = points_ + kFairPointsPerThread * (alive_count_ + 1);
    if (fair_until_ < 2 * options_.max_steps) {
      fair_until_ = 2 * options_.max_steps;
    }
    return;
  }
  if (points_ < fair_until_) return;
  ReportLivelock(me);
}

void Scheduler::Stuck(Thread* me) { ReportStuck(me, body_done_); }

// --- Threads
// -------------------------------------------------------------------

Thread* Scheduler::NewThread() {
  if (thread_count_ == threads_.size()) {
    threads_.push_back(new (RawAllocate(sizeof(Thread))) Thread);
    threads_.back()->id = thread_count_;
  }
  Thread* t = threads_[thread_count_++];
  t->last_run = points_;
  t->waits_on = t->wait_mutex = nullptr;
  t->joins = nullptr;
  t->wait_op = t->resume_op = Op::kStart;
  t->timed_out = false;
  t->deadline = kNoDeadline;
  t->lock_deadline = kNoDeadline;
  t->next_waiter = t->previous_waiter = nullptr;
  t->pc = 0;
  t->unproductive = 0;
  t->loads_only = true;
  t->quiet = false;
  t->switched_in = points_;
  t->last_load = 0;
  t->watched = 0;
  for (Thread::Seen& seen : t->seen) seen = {};
  t->next_seen = 0;
  t->accesses_since_point = t->rounds_of_accesses = 0;
  t->no_preempt = t->ignore_accesses = 0;
  t->annotated = false;
  t->annotated_object = nullptr;
  t->waiting_condvar = 0;
  t->meaning = nullptr;
  t->result = nullptr;
  t->detached = t->joined = false;
  t->creator = nullptr;
  t->destructors = nullptr;
  t->exit_frame = nullptr;
  t->exit_jump = nullptr;
  t->blocked_signals = t->pending_signals = 0;
  t->clock.Clear();
  t->has_fence_acquire = t->has_fence_release = false;
  t->held.reset();
  for (void*& value : t->specific) value = nullptr;
  t->depth = 0;
  t->clock.Set(t->id, 1);
  t->epoch = uint64_t{t->id} << 32 | 1;
  ++alive_count_;
  return t;
}

Thread* Scheduler::Spawn(Thread* me, void* (*function)(void*), void* argument,
                         size_t stack_size, CodeAddress pc) {
  for (Thread* ended : ended_detached_) Reap(ended);
  ended_detached_.reset();
  Thread* t = NewThread();
  t->function = function;
  t->argument = argument;
  if (!SpawnContext(&t->context, stack_size, &ThreadMain, t)) {
    --thread_count_;
    --alive_count_;
    return nullptr;
  }
  if (me != nullptr) {
    if (t->id >= kOwnStacks) {
      uintptr_t low, high;
      ContextStack(t->context, &low, &high);
      ForgetAccesses(low, high - low);
    }
    t->creator = me;
    t->created_at = pc;
    t->blocked_signals = me->blocked_signals;
    t->clock.Join(me->clock);
    Tick(me);
    ++counters_.threads_created;
  }
  AddRunnable(t, 0);
  return t;
}

Thread* Scheduler::FindThread(pthread_t id) {
  // Ids are reused once a thread is joined: the newest has it.
  for (uint32_t i = thread_count_; i-- > 0;) {
    Thread* t = threads_[i];
    if (t->context.donor != nullptr && !t->joined &&
        pthread_equal(ContextPthread(t->context), id)) {
      return t;
    }
  }
  return nullptr;
}

void Scheduler::Reap(Thread* thread) {
  // The first threads of a schedule do not share stacks (or ids).
  if (thread->id >= kOwnStacks) ReclaimContext(&thread->context);
}

void Scheduler::ThreadMain(void* arg) {
  auto* me = static_cast<Thread*>(arg);
  self = me;
  if (me->id == 0) {
    RunBody(
        me,
        [](void* body) {
          (*static_cast<const absl::FunctionRef<void()>*>(body))();
        },
        const_cast<absl::FunctionRef<void()>*>(g_scheduler.body_));
  } else {
    RunThreadFunction(me);
  }
  g_scheduler.ThreadEnds(me);
}

void Scheduler::ThreadEnds(Thread* me) {
  ++points_;
  CheckLocksAtThreadEnd(me);
  Record(me, Op::kEnd, nullptr, 0);
  Mix(uint64_t{me->id} << 40 | uint64_t(Op::kEnd) << 32);
  RemoveRunnable(me);
  me->state = ThreadState::kDone;
  --alive_count_;
  if (me->id == 0) body_done_ = true;
  Progress(me);
  for (uint32_t i = 0; i < thread_count_; ++i) {
    Thread* t = threads_[i];
    if (t->state == ThreadState::kBlocked && t->joins == me) Release(t);
  }
  if (me->detached) ended_detached_.push_back(me);
  self = nullptr;
  if (alive_count_ == 0) FinishContext(&me->context, &controller_);
  self = me;
  Thread* next = ChooseNext(me, false);
  self = nullptr;
  ++counters_.context_switches;
  next->last_run = points_;
  running_ = next;
  FinishContext(&me->context, &next->context);
}

// --- Findings
// --------------------------------------------------------------------

void Scheduler::SetFinding(Verdict verdict, const char* message) {
  RuntimeScope scope;
  has_finding_ = true;
  trace_->finding.verdict = verdict;
  trace_->finding.message = message;
  trace_->finding.sites.clear();
}

void Scheduler::AddSite(Thread* thread, const char* what, CodeAddress pc,
                        SyncObject* object) {
  RuntimeScope scope;
  Site& site = trace_->finding.sites.emplace_back();
  site.thread = thread->id;
  site.what = what;
  site.object = TraceId(object);
  CaptureStack(thread, pc, &site.stack);
  for (const HeldLock& lock : thread->held) {
    site.locks_held.push_back(lock.object->id);
  }
}

void Scheduler::AddSite(Thread* thread, const char* what,
                        const HeldLock& lock) {
  AddSite(thread, what, 0, lock.object);
  RuntimeScope scope;
  RecallPlace(lock.where, &trace_->finding.sites.back().stack);
}

void Scheduler::Fail(Thread* me, Verdict verdict, const char* message,
                     CodeAddress pc, const char* what, SyncObject* object) {
  if (!has_finding_) {
    SetFinding(verdict, message);
    AddSite(me, what != nullptr ? what : message, pc, object);
  }
  EndSchedule(me);
}

void Scheduler::EndSchedule(Thread* me) {
  self = nullptr;
  FinishContext(&me->context, &controller_);
}

Step* Scheduler::RecordStep(Thread* me, Op op, SyncObject* object,
                            CodeAddress pc) {
  RuntimeScope scope;
  Step& step = trace_->steps.emplace_back();
  step.thread = me->id;
  step.op = op;
  step.object = TraceId(object);
  step.time_ns = now_;
  if (pc != 0) CaptureStack(me, pc, &step.stack);
  return &step;
}

namespace {

struct CallerSearch {
  CodeAddress from;  // the return address of the interposed function
  bool reached = false;
  CodeAddress found = 0;
};

_Unwind_Reason_Code LookAtFrame(_Unwind_Context* context, void* data) {
  auto* search = static_cast<CallerSearch*>(data);
  const CodeAddress pc = _Unwind_GetIP(context);
  if (pc == search->from) {
    search->reached = true;
  } else if (search->reached && IsProgramCode(pc)) {
    search->found = pc;
    return _URC_END_OF_STACK;
  }
  return _URC_NO_REASON;
}

}  // namespace

CodeAddress ProgramCaller(CodeAddress pc) {
  return IsProgramCode(pc) ? 0 : CallerOf(pc);
}

CodeAddress CallerOf(CodeAddress pc) {
  RuntimeScope scope;  // the unwinder may lock
  CallerSearch search{.from = pc};
  _Unwind_Backtrace(LookAtFrame, &search);
  return search.found;
}

void CaptureStack(const Thread* thread, CodeAddress pc,
                  std::vector<CodeAddress>* stack) {
  stack->clear();
  if (pc != 0) stack->push_back(pc);
  if (pc != 0 && thread == g_scheduler.running()) {
    const CodeAddress caller = ProgramCaller(pc);
    if (caller != 0) stack->push_back(caller);
  }
  uint32_t depth = thread->depth;
  if (depth > Thread::kMaxDepth) depth = Thread::kMaxDepth;
  while (depth-- > 0) stack->push_back(thread->calls[depth]);
}

// --- The controller
// ----------------------------------------------------------------

int64_t Scheduler::ReadClock(Thread* me) {
  // Reading the clock takes time, and more so in a loop that does nothing
  // else: a thread that waits for a moment to come gets there.
  if (clock_read_at_ == points_ && running_ == me) {
    if (clock_step_ < 1'000'000'000) clock_step_ *= 2;
  } else {
    clock_step_ = 50;
  }
  clock_read_at_ = points_;
  now_ += clock_step_;
  return now_;
}

void Scheduler::Run(const RunOptions& options, Strategy& strategy,
                    absl::FunctionRef<void()> body, Trace* trace) {
  InstallOnce();
  options_ = options;
  strategy_ = &strategy;
  trace_ = trace;
  body_ = &body;
  trace->decisions.clear();
  trace->steps.clear();
  trace->objects.clear();
  counters_ = Counters();
  if (trace->finding.verdict != Verdict::kNone) trace->finding = Finding();
  has_finding_ = fair_phase_ = body_done_ = false;
  thread_count_ = alive_count_ = parked_count_ = timed_count_ = 0;
  runnable_.reset();
  decisions_.reset();
  exit_clock_.Clear();
  ended_detached_.reset();
  object_count_ = 0;
  if (table_.empty()) table_.resize(256);
  if (++generation_ == 0) {
    for (Slot& slot : table_) slot.generation = 0;
    generation_ = 1;
  }
  {
    RuntimeScope scope;
    every_point_ = strategy.WantsEveryPoint();
  }
  now_ = 0;
  clock_step_ = 0;
  clock_read_at_ = 0;
  hash_ = 0xCBF29CE484222325u;
  points_ = 0;
  next_check_ = kStarvationCheck;
  BeginRaceDetection(options.detect_races, options.record_steps, generation_);
  BeginHeap();

  BeginExecution(options.execution, &controller_);
  Thread* main = Spawn(nullptr, nullptr, nullptr, 0, 0);
  if (main == nullptr) {
    std::fprintf(stderr, "lockstep: cannot create a thread\n");
    std::abort();
  }
  running_ = main;
  active_ = true;
  BeginProcessHooks();
  SwitchContext(&controller_, &main->context);
  EndProcessHooks();
  active_ = false;
  running_ = nullptr;
  CleanUp();
  FillTrace();
}

void Scheduler::CleanUp() {
  bool abandoned = false;
  for (uint32_t i = 0; i < thread_count_; ++i) {
    Thread* t = threads_[i];
    if (t->state != ThreadState::kDone) abandoned = true;
    ReclaimContext(&t->context);
  }
  if (abandoned) ReleaseStaticLocks();
  EndHeap();
}

void Scheduler::FillTrace() {
  trace_->decisions.assign(decisions_.begin(), decisions_.end());
  trace_->threads = thread_count_;
  counters_.points = points_;
  trace_->counters = counters_;
}

}  // namespace lockstep::internal
