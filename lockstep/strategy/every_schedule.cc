// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/every_schedule.h"

namespace lockstep {

bool EverySchedule::IsNoticed(Op op) {
  return op != Op::kStart && op != Op::kSpawn && op != Op::kJoin;
}

bool EverySchedule::BeginSchedule() {
  depth_ = 0;
  if (!begun_) {
    begun_ = true;
    return true;
  }
  if (endless_ || diverged_) return false;
  // The next schedule differs from the last one as late as possible.
  while (!path_.empty() && path_.back().chosen + 1 == path_.back().options) {
    path_.pop_back();
  }
  if (path_.empty()) return false;
  ++path_.back().chosen;
  return true;
}

void EverySchedule::EndSchedule(const Counters&) {
  if (depth_ < path_.size()) diverged_ = true;
}

EverySchedule::Branch& EverySchedule::Decide(Decision::Kind kind,
                                             uint32_t options) {
  if (depth_ == path_.size()) {
    path_.push_back({kind, 0, options, 0, 0});
    if (path_.size() > max_branches_) {
      endless_ = true;
      path_.back().options = 1;  // straight to the end
    }
  }
  Branch& branch = path_[depth_++];
  if (branch.kind != kind || (branch.options != options && !endless_)) {
    diverged_ = true;
  }
  if (branch.chosen >= options) branch.chosen = 0;
  branch.steps = trace_.steps.size();
  return branch;
}

uint32_t EverySchedule::Choose(const Choice& choice) {
  const auto n = static_cast<uint32_t>(choice.runnable.size());
  if (choice.current_yields) endless_ = true;
  uint32_t index = 0;
  while (index < n && IsNoticed(choice.runnable[index].op)) ++index;
  if (index < n) {
    Decide(Decision::Kind::kThread, 1).thread = choice.runnable[index].thread;
    return index;
  }
  Branch& branch = Decide(Decision::Kind::kThread, n);
  branch.thread = choice.runnable[branch.chosen].thread;
  return branch.chosen;
}

uint32_t EverySchedule::ChooseOneOf(Decision::Kind kind, uint32_t count) {
  return Decide(kind, count).chosen;
}

}  // namespace lockstep
