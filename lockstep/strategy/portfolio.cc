// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/portfolio.h"

#include <limits>
#include <utility>

#include "lockstep/strategy/bounded_search.h"
#include "lockstep/strategy/dpor.h"
#include "lockstep/strategy/pct.h"
#include "lockstep/strategy/pos.h"
#include "lockstep/strategy/random_walk.h"
#include "lockstep/strategy/run_until_blocked.h"
#include "lockstep/strategy/surw.h"

namespace lockstep {

std::unique_ptr<Strategy> MakeStrategy(absl::string_view name,
                                       const StrategyOptions& options) {
  const uint64_t seed = options.seed;
  if (name == "portfolio") return std::make_unique<Portfolio>(options);
  if (name == "bounded") {
    return std::make_unique<BoundedSearch>(options.max_preemptions,
                                           options.schedules);
  }
  if (name == "dpor") return std::make_unique<Dpor>(options.schedules);
  if (name == "random") return std::make_unique<RandomWalk>(seed);
  if (name == "pct2") return std::make_unique<Pct>(2, seed);
  if (name == "pct3") return std::make_unique<Pct>(3, seed);
  if (name == "pos") return std::make_unique<PartialOrderSampling>(seed);
  if (name == "surw") return std::make_unique<Surw>(seed);
  return nullptr;
}

Portfolio::Portfolio(const StrategyOptions& options) {
  const auto add = [](std::vector<Member>& to,
                      std::unique_ptr<Strategy> strategy) {
    to.push_back({std::move(strategy), false});
  };
  add(first_,
      std::make_unique<RunUntilBlocked>(RunUntilBlocked::Order::kCreation));
  add(first_,
      std::make_unique<RunUntilBlocked>(RunUntilBlocked::Order::kReverse));
  // Small bodies: a complete answer, if it comes with a quarter of the budget.
  add(search_, std::make_unique<Dpor>(options.schedules / 4));
  if (options.max_preemptions >= 0) {
    add(search_, MakeStrategy("bounded", options));
  }
  for (const char* name : {"surw", "pos", "random", "pct3", "surw", "pct2"}) {
    // The two walks of the same kind must not be the same walk.
    StrategyOptions own = options;
    own.seed = options.seed * 31 + sampling_.size();
    add(sampling_, MakeStrategy(name, own));
  }
}

Portfolio::~Portfolio() = default;

const char* Portfolio::Name() const {
  return current_ == nullptr ? "portfolio" : current_->Name();
}

bool Portfolio::BeginSchedule() {
  const auto begin = [this](Member& member) {
    if (member.exhausted) return false;
    if (!member.strategy->BeginSchedule()) {
      member.exhausted = true;
      return false;
    }
    current_ = member.strategy.get();
    return true;
  };
  if (everything_explored_) return false;
  for (Member& member : first_) {
    if (begin(member)) return true;
  }
  if (search_next_) {
    search_next_ = false;
    for (Member& member : search_) {
      if (begin(member)) return true;
      if (member.strategy->Guarantee() == kEverySchedule) {
        everything_explored_ = true;
        return false;
      }
    }
  }
  search_next_ = true;
  for (size_t i = 0; i < sampling_.size(); ++i) {
    if (begin(sampling_[turn_++ % sampling_.size()])) return true;
  }
  return false;
}

std::string Portfolio::Guarantee() const {
  std::string best;
  for (const Member& member : search_) {
    const std::string guarantee = member.strategy->Guarantee();
    if (guarantee == kEverySchedule) return guarantee;
    if (best.empty()) best = guarantee;
  }
  return best;
}

}  // namespace lockstep
