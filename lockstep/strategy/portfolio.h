// SPDX-License-Identifier: Apache-2.0
//
// Several strategies sharing one budget of schedules, because none finds
// everything: bugs that always fire, bugs that need one preemption at one
// place, bugs that need many.

#ifndef LOCKSTEP_STRATEGY_PORTFOLIO_H_
#define LOCKSTEP_STRATEGY_PORTFOLIO_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lockstep/strategy/strategy.h"

namespace lockstep {

struct StrategyOptions {
  uint64_t schedules = 2'000;
  uint64_t seed = 1;
  int max_preemptions = 2;
};

// Makes the strategy called `name`: "portfolio", "bounded", "random", "pct2",
// "pct3", "pos", "surw" or "dpor"; null if there is none of that name.
std::unique_ptr<Strategy> MakeStrategy(absl::string_view name,
                                       const StrategyOptions& options);

// First both orders of running until blocked. Then every second schedule
// belongs to an exhaustive search, first by partial-order reduction if the body
// is small, then by preemptions. The sampling strategies take turns in the
// others. Ends early only when every schedule has
// been explored.
class Portfolio : public Strategy {
 public:
  explicit Portfolio(const StrategyOptions& options);
  ~Portfolio() override;

  // The name of the strategy that runs the current schedule.
  const char* Name() const override;
  bool BeginSchedule() override;
  uint32_t Choose(const Choice& choice) override {
    return current_->Choose(choice);
  }
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override {
    return current_->ChooseOneOf(kind, count);
  }
  void EndSchedule(const Counters& counters) override {
    current_->EndSchedule(counters);
  }
  bool WantsEveryPoint() const override { return current_->WantsEveryPoint(); }
  std::string Guarantee() const override;

 private:
  struct Member {
    std::unique_ptr<Strategy> strategy;
    bool exhausted = false;
  };

  std::vector<Member> first_;     // one after another
  std::vector<Member> search_;    // exhaustive, one after another
  std::vector<Member> sampling_;  // in turns
  size_t turn_ = 0;
  bool search_next_ = true;
  bool everything_explored_ = false;
  Strategy* current_ = nullptr;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_PORTFOLIO_H_
