// SPDX-License-Identifier: Apache-2.0
//
// Partial-order sampling (Yuan, Yang and Gu, CAV 2018): every pending
// operation has a random priority, the highest runs, and whatever conflicted
// with it draws anew. Unlike a random walk it samples the *orders of
// conflicting operations* rather evenly, however many others lie between.

#ifndef LOCKSTEP_STRATEGY_POS_H_
#define LOCKSTEP_STRATEGY_POS_H_

#include <cstdint>
#include <vector>

#include "lockstep/strategy/choosing.h"
#include "lockstep/strategy/strategy.h"

namespace lockstep {

// True if the order of the two operations can matter: both touch the same
// object, and at least one of them changes it.
inline bool Conflict(const Pending& a, const Pending& b) {
  if (!a.writes && !b.writes) return false;
  const auto touches = [](const Pending& p, ObjectId object) {
    return object != 0 && (p.object == object || p.second == object);
  };
  return touches(a, b.object) || touches(a, b.second);
}

class PartialOrderSampling : public Strategy {
 public:
  explicit PartialOrderSampling(uint64_t seed) : seed_(seed), rng_(seed, 0) {}

  const char* Name() const override { return "partial-order sampling"; }
  bool BeginSchedule() override {
    rng_ = Rng(seed_, ++schedule_);
    for (Priority& priority : priorities_) priority.value = 0;
    return true;
  }
  uint32_t Choose(const Choice& choice) override {
    const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
    uint32_t best = 0;
    uint64_t best_priority = 0;
    for (uint32_t i = 0; i < n; ++i) {
      const ThreadId thread = choice.runnable[i].thread;
      uint64_t priority = Of(thread).value;
      // Fairness: a spinning thread runs only if nobody else can.
      if (choice.current_yields && thread == choice.current) priority = 1;
      if (priority > best_priority) {
        best = i;
        best_priority = priority;
      }
    }
    const Pending& chosen = choice.runnable[best];
    Of(chosen.thread).value = 0;
    for (uint32_t i = 0; i < n; ++i) {
      if (i != best && Conflict(choice.runnable[i], chosen)) {
        Of(choice.runnable[i].thread).value = 0;
      }
    }
    return best;
  }
  uint32_t ChooseOneOf(Decision::Kind, uint32_t count) override {
    return rng_.Below(count);
  }
  void EndSchedule(const Counters&) override {}

 private:
  struct Priority {
    uint64_t value = 0;  // 0: to be drawn
  };

  Priority& Of(ThreadId thread) {
    while (priorities_.size() <= thread) priorities_.emplace_back();
    Priority& priority = priorities_[thread];
    if (priority.value == 0) priority.value = rng_.Next() | 2;
    return priority;
  }

  const uint64_t seed_;
  uint64_t schedule_ = 0;
  Rng rng_;
  std::vector<Priority> priorities_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_POS_H_
