// SPDX-License-Identifier: Apache-2.0
//
// A random walk whose stickiness changes from schedule to schedule. Switching
// with probability 1/2 at every point finds what needs many switches and
// almost never what needs one thread to run far ahead, and the other way
// round; so some schedules do the one and some the other.

#ifndef LOCKSTEP_STRATEGY_RANDOM_WALK_H_
#define LOCKSTEP_STRATEGY_RANDOM_WALK_H_

#include <cstdint>

#include "lockstep/strategy/choosing.h"
#include "lockstep/strategy/strategy.h"

namespace lockstep {

class RandomWalk : public Strategy {
 public:
  explicit RandomWalk(uint64_t seed) : seed_(seed), rng_(seed, 0) {}

  const char* Name() const override { return "random walk"; }
  bool BeginSchedule() override {
    static constexpr uint32_t kOneIn[] = {2, 4, 8, 16, 32, 64};
    one_in_ = kOneIn[schedule_ % 6];
    rng_ = Rng(seed_, ++schedule_);
    return true;
  }
  uint32_t Choose(const Choice& choice) override {
    const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
    if (!choice.current_runnable) return rng_.Below(n);
    const uint32_t current = CurrentIndex(choice);
    if (n == 1) return 0;
    if (!choice.current_yields && rng_.Below(one_in_) != 0) return current;
    const uint32_t other = rng_.Below(n - 1);
    return other < current ? other : other + 1;
  }
  uint32_t ChooseOneOf(Decision::Kind, uint32_t count) override {
    return rng_.Below(count);
  }
  void EndSchedule(const Counters&) override {}

 private:
  const uint64_t seed_;
  uint64_t schedule_ = 0;
  uint32_t one_in_ = 2;
  Rng rng_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_RANDOM_WALK_H_
