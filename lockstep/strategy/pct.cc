// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/pct.h"

#include <algorithm>

namespace lockstep {

Pct::Pct(int depth, uint64_t seed)
    : depth_(std::clamp(depth, 1, kMaxDepth)),
      seed_(seed),
      name_(depth == 2   ? "PCT, depth 2"
            : depth == 3 ? "PCT, depth 3"
                         : "PCT"),
      rng_(seed, 0) {}

bool Pct::BeginSchedule() {
  rng_ = Rng(seed_, ++schedule_);
  for (Priority& priority : priorities_) priority.value = 0;
  lowest_ = 0;
  point_ = 0;
  for (int i = 0; i + 1 < depth_; ++i) {
    const uint64_t k = std::min<uint64_t>(most_points_, UINT32_MAX);
    changes_[i].at = 1 + rng_.Below(static_cast<uint32_t>(k));
  }
  return true;
}

Pct::Priority& Pct::Of(ThreadId thread) {
  while (priorities_.size() <= thread) priorities_.emplace_back();
  Priority& priority = priorities_[thread];
  if (priority.value == 0) {
    priority.value =
        (int64_t{1} << 32) + static_cast<int64_t>(rng_.Next() >> 2);
  }
  return priority;
}

uint32_t Pct::Choose(const Choice& choice) {
  ++point_;
  if (choice.current_yields && choice.current_runnable) {
    // Fairness: whoever spins lets everybody else go first, or the thread it
    // spins for might never run.
    Of(choice.current).value = --lowest_;
  }
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  const auto highest = [&] {
    uint32_t best = 0;
    int64_t best_priority = INT64_MIN;
    for (uint32_t i = 0; i < n; ++i) {
      const int64_t priority = Of(choice.runnable[i].thread).value;
      if (priority > best_priority) {
        best = i;
        best_priority = priority;
      }
    }
    return best;
  };
  uint32_t best = highest();
  for (int i = 0; i + 1 < depth_; ++i) {
    if (changes_[i].at != point_) continue;
    Of(choice.runnable[best].thread).value = i + 1;
    best = highest();
  }
  return best;
}

uint32_t Pct::ChooseOneOf(Decision::Kind, uint32_t count) {
  return rng_.Below(count);
}

void Pct::EndSchedule(const Counters& counters) {
  most_points_ = std::max(most_points_, point_);
  most_threads_ =
      std::max<uint64_t>(most_threads_, counters.threads_created + 1);
}

std::string Pct::Guarantee() const {
  uint64_t chances = most_threads_;
  for (int i = 0; i + 1 < depth_; ++i) {
    if (chances > UINT64_MAX / most_points_) return "";
    chances *= most_points_;
  }
  return "each schedule found a failure of depth " + std::to_string(depth_) +
         " with probability 1/" + std::to_string(chances) + " or more";
}

}  // namespace lockstep
