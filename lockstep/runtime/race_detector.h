// SPDX-License-Identifier: Apache-2.0
//
// Finds pairs of conflicting memory accesses that no synchronisation orders,
// with vector clocks (FastTrack: Flanagan and Freund, PLDI 2009). A schedule
// need not be unlucky: the order in which things happened to happen does not
// matter, only whether something forced it.
//
// Memory orders are respected: a relaxed operation orders nothing, an acquire
// load orders what the release it reads from had seen, read-modify-writes
// continue a release sequence, fences work through the atomics around them.

#ifndef LOCKSTEP_RUNTIME_RACE_DETECTOR_H_
#define LOCKSTEP_RUNTIME_RACE_DETECTOR_H_

#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {

extern bool g_detect_races __attribute__((visibility("hidden")));

// Starts from a clean shadow memory; O(1).
void BeginRaceDetection(bool detect, bool record, uint32_t generation);

// --- Synchronisation --------------------------------------------------------

// `me` has learnt all that `clock` knows. `epoch` (0: unknown) is the one
// release that made `clock`: if `me` knows that already, nothing is to do.
inline void AcquireClock(Thread* me, const VectorClock& clock,
                         uint64_t epoch = 0) {
  if (!g_detect_races || clock.empty()) return;
  if (epoch != 0 && me->clock.Get(static_cast<ThreadId>(epoch >> 32)) >=
                        static_cast<uint32_t>(epoch)) {
    return;
  }
  me->clock.Join(clock);
}

inline void Tick(Thread* me) {
  ++me->epoch;
  me->clock.Set(me->id, static_cast<uint32_t>(me->epoch));
}

// Whoever acquires `clock` later learns all that `me` knows.
inline void ReleaseStoreClock(Thread* me, VectorClock* clock,
                              uint64_t* epoch = nullptr) {
  if (!g_detect_races) return;
  clock->Assign(me->clock);
  if (epoch != nullptr) {
    *epoch = me->epoch;
  }
  Tick(me);
}

// The same, beside what it already holds.
inline void ReleaseJoinClock(Thread* me, VectorClock* clock) {
  if (!g_detect_races) return;
  clock->Join(me->clock);
  Tick(me);
}

// --- Accesses
// -----------------------------------------------------------------

// A plain access as the compiler announces it. One copy of the checks for each
// size (1, 2, 4, 8 and 16), because this is what runs most often of all.
template <size_t kSize, bool kWrite>
void CheckAccess(Thread* me, uintptr_t address, CodeAddress pc);
// One of any size.
void CheckRange(Thread* me, uintptr_t address, size_t size, bool write,
                CodeAddress pc);

// Plain accesses against atomic ones and the other way round.
void CheckAtomicAccess(Thread* me, SyncObject* object, size_t size, bool write,
                       CodeAddress pc);

// Memory that nobody has accessed yet: a new block, a new thread's stack.
void ForgetAccesses(uintptr_t address, size_t size);
// The block is gone: accesses from now on are use after free. Checks that
// nobody else may still be using it.
void MarkFreed(Thread* me, uintptr_t address, size_t size, CodeAddress pc);

// A place in the code, small enough to keep with every block of memory.
uint32_t RememberPlace(Thread* me, CodeAddress pc);
void RecallPlace(uint32_t where, std::vector<CodeAddress>* stack);

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_RACE_DETECTOR_H_
