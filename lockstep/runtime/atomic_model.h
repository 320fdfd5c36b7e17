// SPDX-License-Identifier: Apache-2.0
//
// Atomic operations under control: a scheduling point, the operation itself
// (sequentially consistent: one thread runs at a time), and what its memory
// order makes ordered for the race detector.

#ifndef LOCKSTEP_RUNTIME_ATOMIC_MODEL_H_
#define LOCKSTEP_RUNTIME_ATOMIC_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {

SyncObject* BeforeControlledAtomic(Thread* me, uintptr_t address, size_t size,
                                   Op op, CodeAddress pc);
// The point before an atomic operation. Null: not controlled here (not a
// controlled thread, or inside lock code), just do it.
inline SyncObject* BeforeAtomic(const volatile void* address, size_t size,
                                Op op, CodeAddress pc) {
  Thread* me = self;
  if (me == nullptr || me->no_preempt != 0) return nullptr;
  return BeforeControlledAtomic(me, reinterpret_cast<uintptr_t>(address), size,
                                op, pc);
}
void AfterLoad(SyncObject* object, int order, uint64_t value, size_t size,
               CodeAddress pc);
void AfterStore(SyncObject* object, int order, uint64_t old_value,
                uint64_t value, size_t size, CodeAddress pc);
void AfterUpdate(SyncObject* object, int order, uint64_t old_value,
                 uint64_t value, size_t size, CodeAddress pc);
void AtomicFence(int order, CodeAddress pc);

// There is no 16-byte atomic instruction to rely on everywhere: outside
// controlled threads these hold a lock.
class WideAtomicLock {
 public:
  WideAtomicLock();
  ~WideAtomicLock();
};

template <typename T, typename Function>
T PlainUpdate(volatile T* p, Function function) {
  if constexpr (sizeof(T) == 16) {
    WideAtomicLock lock;
    const T old = *p;
    *p = function(old);
    return old;
  } else {
    T old = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(p, &old, function(old), true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
    return old;
  }
}

template <typename T>
T PlainLoad(const volatile T* p) {
  if constexpr (sizeof(T) == 16) {
    WideAtomicLock lock;
    return *p;
  } else {
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
  }
}

template <typename T>
T AtomicLoad(const volatile T* p, int order, CodeAddress pc) {
  SyncObject* object = BeforeAtomic(p, sizeof(T), Op::kAtomicLoad, pc);
  const T value = PlainLoad(p);
  if (object != nullptr) {
    AfterLoad(object, order, static_cast<uint64_t>(value), sizeof(T), pc);
  }
  return value;
}

template <typename T>
void AtomicStore(volatile T* p, T value, int order, CodeAddress pc) {
  SyncObject* object = BeforeAtomic(p, sizeof(T), Op::kAtomicStore, pc);
  if (object == nullptr && sizeof(T) != 16) {
    if constexpr (sizeof(T) != 16) __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
    return;
  }
  const T old = PlainUpdate(p, [value](T) { return value; });
  if (object != nullptr) {
    AfterStore(object, order, static_cast<uint64_t>(old),
               static_cast<uint64_t>(value), sizeof(T), pc);
  }
}

template <typename T, typename Function>
T AtomicUpdate(volatile T* p, int order, CodeAddress pc, Function function) {
  SyncObject* object =
      BeforeAtomic(p, sizeof(T), Op::kAtomicReadModifyWrite, pc);
  const T old = PlainUpdate(p, function);
  if (object != nullptr) {
    AfterUpdate(object, order, static_cast<uint64_t>(old),
                static_cast<uint64_t>(function(old)), sizeof(T), pc);
  }
  return old;
}

template <typename T>
bool AtomicCompareExchange(volatile T* p, T* expected, T desired, int order,
                           int failure_order, CodeAddress pc) {
  SyncObject* object =
      BeforeAtomic(p, sizeof(T), Op::kAtomicReadModifyWrite, pc);
  const T wanted = *expected;
  const T old = PlainUpdate(
      p, [wanted, desired](T now) { return now == wanted ? desired : now; });
  const bool done = old == wanted;
  if (!done) *expected = old;
  if (object != nullptr) {
    if (done) {
      AfterUpdate(object, order, static_cast<uint64_t>(old),
                  static_cast<uint64_t>(desired), sizeof(T), pc);
    } else {
      AfterLoad(object, failure_order, static_cast<uint64_t>(old), sizeof(T),
                pc);
    }
  }
  return done;
}

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_ATOMIC_MODEL_H_
