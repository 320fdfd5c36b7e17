// SPDX-License-Identifier: Apache-2.0
//
// The simplest strategy, for the runtime's own tests and benchmark: any
// runnable thread, with equal probability.

#ifndef LOCKSTEP_RUNTIME_RANDOM_WALK_H_
#define LOCKSTEP_RUNTIME_RANDOM_WALK_H_

#include <cstdint>

#include "lockstep/strategy/strategy.h"

namespace lockstep {

class RandomWalk : public Strategy {
 public:
  explicit RandomWalk(uint64_t seed) : seed_(seed) {}
  const char* Name() const override { return "random walk"; }
  bool BeginSchedule() override {
    state_ = seed_++ * 0x9E3779B97F4A7C15u | 1;
    for (int i = 0; i < 4; ++i) Next();
    return true;
  }
  uint32_t Choose(const Choice& choice) override {
    return static_cast<uint32_t>(Next() * uint64_t{choice.runnable.size()} >>
                                 32);
  }
  uint32_t ChooseOneOf(Decision::Kind, uint32_t count) override {
    return static_cast<uint32_t>(Next() * uint64_t{count} >> 32);
  }
  void EndSchedule(const Counters&) override {}

 private:
  uint32_t Next() {  // xorshift64*
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<uint32_t>(state_ * 0x2545F4914F6CDD1Du >> 32);
  }

  uint64_t seed_;
  uint64_t state_ = 1;
};

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIME_RANDOM_WALK_H_
