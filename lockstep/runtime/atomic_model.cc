// SPDX-License-Identifier: Apache-2.0
//
// See atomic_model.h.

#include "lockstep/runtime/atomic_model.h"

#include "lockstep/runtime/race_detector.h"
#include "lockstep/runtime/raw_syscall.h"

namespace lockstep::internal {
namespace {

char g_wide_atomic_lock;

bool Acquires(int order) {
  order &= 0x7FFF;
  return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME ||
         order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

bool Releases(int order) {
  order &= 0x7FFF;
  return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
         order == __ATOMIC_SEQ_CST;
}

// `value` is what was found. If no instrumented operation left it there,
// uninstrumented code did: see Scheduler::exit_clock.
void LearnFromLoad(Thread* me, SyncObject* object, int order, uint64_t value) {
  if (!g_detect_races) return;
  if (__builtin_expect(!g_scheduler.exit_clock().empty(), false) &&
      (!object->has_value || object->value != value)) {
    AcquireClock(me, g_scheduler.exit_clock());
  }
  if (object->clock.empty()) return;
  if (Acquires(order)) {
    AcquireClock(me, object->clock, object->release_epoch);
  } else {
    // A later acquire fence turns this into an acquire.
    if (!me->has_fence_acquire) {
      me->fence_acquire.Clear();
      me->has_fence_acquire = true;
    }
    me->fence_acquire.Join(object->clock);
  }
}

// Reading the same values again and again is spinning.
void NoteValue(Thread* me, uintptr_t address, uint64_t value) {
  for (Thread::Seen& seen : me->seen) {
    if (seen.address != address) continue;
    if (seen.value == value) {
      g_scheduler.Unproductive(me);
    } else {
      seen.value = value;
      me->unproductive = 0;
      me->loads_only = true;
    }
    return;
  }
  me->seen[me->next_seen++ % Thread::kSeen] = {address, value};
  me->unproductive = 0;
  me->loads_only = true;
}

}  // namespace

WideAtomicLock::WideAtomicLock() {
  while (__atomic_test_and_set(&g_wide_atomic_lock, __ATOMIC_ACQUIRE)) {
    RawSyscall(SYS_sched_yield);
  }
}

WideAtomicLock::~WideAtomicLock() {
  __atomic_clear(&g_wide_atomic_lock, __ATOMIC_RELEASE);
}

SyncObject* BeforeControlledAtomic(Thread* me, uintptr_t address, size_t size,
                                   Op op, CodeAddress pc) {
  SyncObject* object = g_scheduler.Object(address, ObjectKind::kAtomic, pc);
  // A lock looking at its own word is not the student's subject.
  if (object->kind == ObjectKind::kAbslMutex ||
      object->kind == ObjectKind::kAbslCondVar) {
    return nullptr;
  }
  if (object->kind == ObjectKind::kOnceFlag) {  // a static local's guard
    AcquireClock(me, object->clock);
    return nullptr;
  }
  const bool writes = op != Op::kAtomicLoad;
  if (writes) {
    me->loads_only = false;
  } else if (g_scheduler.Stutters(me, object->address)) {
    me->quiet = true;
    return object;
  }
  g_scheduler.Point(me, op, object, pc, writes);
  me->last_load = g_scheduler.points() + 1;
  ++g_scheduler.counters().atomic_operations;
  if (g_detect_races && me->ignore_accesses == 0) {
    CheckAtomicAccess(me, object, size, writes, pc);
  }
  return object;
}

void AfterLoad(SyncObject* object, int order, uint64_t value, size_t size,
               CodeAddress pc) {
  Thread* me = self;
  LearnFromLoad(me, object, order, value);
  object->value = value;
  object->has_value = true;
  if (me->watched != object->address) {
    me->watched = object->address;
    me->watched_version = object->version;
  }
  if (me->quiet) {
    me->quiet = false;
    ++me->unproductive;
    return;
  }
  if (Step* step = g_scheduler.Record(me, Op::kAtomicLoad, object, pc)) {
    step->value = value;
    step->size = static_cast<uint8_t>(size);
  }
  NoteValue(me, object->address, value);
}

void AfterStore(SyncObject* object, int order, uint64_t old_value,
                uint64_t value, size_t size, CodeAddress pc) {
  Thread* me = self;
  if (g_detect_races) {
    if (Releases(order)) {
      ReleaseStoreClock(me, &object->clock, &object->release_epoch);
    } else {
      object->release_epoch = 0;
      if (me->has_fence_release) {
        object->clock.Assign(me->fence_release);
      } else {
        object->clock.Clear();
      }
    }
  }
  object->value = value;
  object->has_value = true;
  if (value != old_value) {
    ++object->version;
    object->SetWriter(me);
    g_scheduler.Progress(me);
  }
  if (Step* step = g_scheduler.Record(me, Op::kAtomicStore, object, pc)) {
    step->value = value;
    step->size = static_cast<uint8_t>(size);
  }
}

void AfterUpdate(SyncObject* object, int order, uint64_t old_value,
                 uint64_t value, size_t size, CodeAddress pc) {
  Thread* me = self;
  if (g_detect_races) {
    LearnFromLoad(me, object, order, old_value);
    object->release_epoch = 0;
    if (Releases(order)) {
      ReleaseJoinClock(me, &object->clock);
    } else if (me->has_fence_release) {
      object->clock.Join(me->fence_release);
    }
  }
  if (Step* step =
          g_scheduler.Record(me, Op::kAtomicReadModifyWrite, object, pc)) {
    step->value = value;
    step->size = static_cast<uint8_t>(size);
  }
  object->value = value;
  object->has_value = true;
  if (value != old_value) {
    ++object->version;
    object->SetWriter(me);
    g_scheduler.Progress(me);
  } else {
    NoteValue(me, object->address, value);
  }
}

void AtomicFence(int order, CodeAddress pc) {
  Thread* me = self;
  if (me == nullptr || me->no_preempt != 0) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return;
  }
  g_scheduler.Point(me, Op::kFence, nullptr, pc);
  if (g_detect_races) {
    if (Acquires(order) && me->has_fence_acquire) {
      me->clock.Join(me->fence_acquire);
    }
    if (Releases(order)) {
      me->fence_release.Assign(me->clock);
      me->has_fence_release = true;
      Tick(me);
    }
  }
  g_scheduler.Record(me, Op::kFence, nullptr, pc);
}

}  // namespace lockstep::internal
