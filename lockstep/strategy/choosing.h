// SPDX-License-Identifier: Apache-2.0
//
// What every strategy needs: a small random generator with a fixed sequence,
// and the default choice that the others deviate from.

#ifndef LOCKSTEP_STRATEGY_CHOOSING_H_
#define LOCKSTEP_STRATEGY_CHOOSING_H_

#include <cstdint>

#include "lockstep/strategy/strategy.h"

namespace lockstep {

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). Not <random>: its
// distributions differ between standard libraries, and schedules must not.
class Rng {
 public:
  Rng(uint64_t seed, uint64_t stream)
      : state_(seed * 0x9E3779B97F4A7C15u + stream * 0xD1B54A32D192ED03u) {
    Next();
  }

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, n) for n < 2^32, up to a bias of n / 2^32.
  uint32_t Below(uint32_t n) {
    return static_cast<uint32_t>(((Next() >> 32) * n) >> 32);
  }

 private:
  uint64_t state_;
};

// The number of choice.runnable that is the current thread, or the number of
// runnable threads if it is not among them. O(threads).
inline uint32_t CurrentIndex(const Choice& choice) {
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  if (!choice.current_runnable) return n;
  uint32_t i = 0;
  while (i < n && choice.runnable[i].thread != choice.current) ++i;
  return i;
}

// The next runnable thread after the current one in order of creation, round
// and round, so that nobody waits for ever while others yield to each other.
inline uint32_t NextIndex(const Choice& choice) {
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  for (uint32_t i = 0; i < n; ++i) {
    if (choice.runnable[i].thread > choice.current) return i;
  }
  return 0;
}

// The same in reverse order of creation.
inline uint32_t PreviousIndex(const Choice& choice) {
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  for (uint32_t i = n; i > 0; --i) {
    if (choice.runnable[i - 1].thread < choice.current) return i - 1;
  }
  return n - 1;
}

// Keeps the current thread running until it blocks, ends or yields: the
// schedule with no preemption at all.
inline uint32_t DefaultIndex(const Choice& choice) {
  if (choice.current_runnable && !choice.current_yields) {
    return CurrentIndex(choice);
  }
  return NextIndex(choice);
}

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_CHOOSING_H_
