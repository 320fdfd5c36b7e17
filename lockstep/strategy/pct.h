// SPDX-License-Identifier: Apache-2.0
//
// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and
// Nagarakatti, ASPLOS 2010): threads have random priorities, the highest runs,
// and at d-1 random points the running thread drops to the bottom. A bug that
// needs d ordering constraints among n threads and k points is found with
// probability at least 1 / (n * k^(d-1)) in every schedule.

#ifndef LOCKSTEP_STRATEGY_PCT_H_
#define LOCKSTEP_STRATEGY_PCT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/strategy/choosing.h"
#include "lockstep/strategy/strategy.h"

namespace lockstep {

class Pct : public Strategy {
 public:
  // REQUIRES: 1 <= depth <= 8.
  Pct(int depth, uint64_t seed);

  const char* Name() const override { return name_; }
  bool BeginSchedule() override;
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters& counters) override;
  // The bound above, with the n and k that were seen.
  std::string Guarantee() const override;

 private:
  struct Priority {
    // 0: not seen yet. Random ones are above 2^32, those of change points
    // between 1 and depth, those of threads that yielded below 0.
    int64_t value = 0;
  };
  struct ChangePoint {
    uint64_t at = 0;
  };
  static constexpr int kMaxDepth = 8;

  Priority& Of(ThreadId thread);

  const int depth_;
  const uint64_t seed_;
  const char* name_;
  Rng rng_;
  uint64_t schedule_ = 0;
  std::vector<Priority> priorities_;
  ChangePoint changes_[kMaxDepth];
  int64_t lowest_ = 0;  // of the threads that yielded
  uint64_t point_ = 0;
  uint64_t most_points_ = 1;  // k, learnt from the schedules so far
  uint64_t most_threads_ = 1;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_PCT_H_
