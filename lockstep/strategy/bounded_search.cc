// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/bounded_search.h"

#include "lockstep/strategy/choosing.h"

namespace lockstep {

BoundedSearch::BoundedSearch(int max_preemptions, uint64_t max_schedules)
    : max_schedules_(max_schedules),
      name_(max_preemptions <= 0   ? "search without preemption"
            : max_preemptions == 1 ? "search, at most 1 preemption"
            : max_preemptions == 2 ? "search, at most 2 preemptions"
                                   : "search by preemptions"),
      levels_(static_cast<size_t>(max_preemptions < 0 ? 0 : max_preemptions) +
              1) {}

bool BoundedSearch::BeginSchedule() {
  path_.clear();
  depth_ = 0;
  node_ = kRoot;
  if (!root_begun_) {
    root_begun_ = true;
    level_ = 0;
  } else {
    while (level_ < levels_.size() &&
           levels_[level_].next == levels_[level_].waiting.size()) {
      if (levels_[level_].dropped) return false;  // beyond the announced number
      levels_[level_].waiting = std::vector<Entry>();  // give the memory back
      levels_[level_].next = 0;
      ++level_;
    }
    if (level_ == levels_.size()) return false;
    node_ = levels_[level_].waiting[levels_[level_].next++].node;
    for (uint32_t n = node_; n != kRoot; n = nodes_[n].parent) {
      path_.push_back(nodes_[n]);
    }
  }
  running_ = true;
  ++schedules_;
  return true;
}

void BoundedSearch::EndSchedule(const Counters&) {
  running_ = false;
  // A deviation that was never reached: the same choices led elsewhere.
  if (!path_.empty()) diverged_ = true;
}

void BoundedSearch::Add(uint32_t depth, uint32_t option, uint32_t options,
                        bool free) {
  const size_t level = level_ + (free ? 0 : 1);
  if (level >= levels_.size()) {
    pruned_ = true;
    return;
  }
  Level& to = levels_[level];
  if (to.waiting.size() - to.next >= max_schedules_) {
    to.dropped = true;
    return;
  }
  to.waiting.push_back({static_cast<uint32_t>(nodes_.size())});
  nodes_.push_back({node_, depth, static_cast<uint16_t>(option),
                    static_cast<uint16_t>(options)});
}

uint32_t BoundedSearch::Decide(uint32_t options, bool free) {
  const uint32_t depth = depth_++;
  if (path_.empty()) {
    for (uint32_t i = 1; i < options; ++i) Add(depth, i, options, free);
    return 0;
  }
  if (path_.back().depth != depth) return 0;
  const Node deviation = path_.back();
  path_.pop_back();
  if (deviation.options != options) diverged_ = true;
  return deviation.option < options ? deviation.option : 0;
}

uint32_t BoundedSearch::Choose(const Choice& choice) {
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  // Without a runnable current thread somebody else must run: no preemption.
  // A thread that yields makes room for the next in line. All else, letting it
  // spin on included, counts as a preemption, or the search would never end.
  yielded_ |= choice.current_yields;
  const uint32_t option = Decide(n, /*free=*/!choice.current_runnable);
  const uint32_t index = DefaultIndex(choice) + option;
  return index < n ? index : index - n;
}

uint32_t BoundedSearch::ChooseOneOf(Decision::Kind kind, uint32_t count) {
  return Decide(count, /*free=*/kind == Decision::Kind::kWaiter);
}

int BoundedSearch::CompletedBound() const {
  if (diverged_ || running_ || !root_begun_) return -1;
  int bound = -1;
  for (size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i].dropped || levels_[i].next != levels_[i].waiting.size()) {
      break;
    }
    bound = static_cast<int>(i);
  }
  return bound;
}

bool BoundedSearch::Complete() const {
  return CompletedBound() + 1 == static_cast<int>(levels_.size()) && !pruned_;
}

std::string BoundedSearch::Guarantee() const {
  if (Complete()) return kEverySchedule;
  const int bound = CompletedBound();
  if (bound < 0) return "";
  std::string text = bound == 0   ? "no failure without preemptions"
                     : bound == 1 ? "no failure with at most 1 preemption"
                                  : "no failure with at most " +
                                        std::to_string(bound) + " preemptions";
  if (yielded_) text += ", spinning threads scheduled fairly";
  return text;
}

}  // namespace lockstep
