// SPDX-License-Identifier: Apache-2.0
//
// Selectively uniform random walk (Zhao et al., ASPLOS 2025). In every
// schedule one shared object is of interest. A thread is drawn with a weight
// of how many operations on that object it still has before it; until it has
// performed the next one, other threads may move, but not past theirs. The
// orders of the interesting operations are thus sampled nearly uniformly,
// which no walk that ignores how much work is left can do.
//
// The counts come from the first schedule, a profiling run. They may be wrong
// for others (a loop runs more often, an object is new): only the evenness of
// the sampling suffers then.

#ifndef LOCKSTEP_STRATEGY_SURW_H_
#define LOCKSTEP_STRATEGY_SURW_H_

#include <cstdint>
#include <vector>

#include "lockstep/strategy/choosing.h"
#include "lockstep/strategy/strategy.h"

namespace lockstep {

class Surw : public Strategy {
 public:
  explicit Surw(uint64_t seed) : seed_(seed), rng_(seed, 0) {}

  const char* Name() const override {
    return "selectively uniform random walk";
  }
  bool BeginSchedule() override;
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters& counters) override;
  bool WantsEveryPoint() const override { return profiling_; }

 private:
  struct Thread {
    bool seen = false;
    ThreadId parent = 0;  // whoever ran when this thread first appeared
    uint32_t weight = 0;  // interesting operations left, its own
    uint32_t credit = 0;  // the same of threads it has yet to create
  };
  // One row of the profile: how often `thread` touched `object`.
  struct Count {
    ThreadId thread;
    ObjectId object;
    uint32_t times;
  };
  struct Candidate {
    ObjectId object;
  };

  Thread& Of(ThreadId thread);
  void See(const Choice& choice);
  uint32_t Profile(const Choice& choice);
  bool Interesting(const Pending& pending) const {
    return pending.object == object_ || pending.second == object_;
  }

  const uint64_t seed_;
  uint64_t schedule_ = 0;
  Rng rng_;
  bool profiling_ = true;
  std::vector<Thread> threads_;
  std::vector<Count> counts_;
  std::vector<Candidate> candidates_;  // objects that two threads touch
  ObjectId object_ = 0;
  ThreadId intended_ = kNoThread;
  ThreadId last_ = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_SURW_H_
