// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/shrink.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "lockstep/strategy/bounded_search.h"
#include "lockstep/strategy/replay.h"

namespace lockstep {
namespace {

// A schedule that fails, and how bad it is to look at.
struct Candidate {
  std::vector<Decision> decisions;
  std::vector<Block> blocks;
  std::vector<Decision> answers;  // the decisions that are not about threads
  uint64_t preemptions = 0;
  uint64_t switches = 0;
  uint64_t points = 0;

  bool Better(const Candidate& other) const {
    const auto key = [](const Candidate& c) {
      return std::tuple(c.preemptions, c.switches, c.points,
                        c.decisions.size());
    };
    return key(*this) < key(other);
  }
};

class Shrinker {
 public:
  Shrinker(uint64_t max_runs, absl::FunctionRef<bool(Strategy&)> fails)
      : runs_left_(max_runs), fails_(fails) {}

  bool Exhausted() const { return runs_left_ == 0; }
  // True if the strategy tried last had no schedule left to offer.
  bool NothingLeft() const { return nothing_left_; }

  // Runs what `strategy` decides; true if it fails, then with *result set.
  bool Try(Strategy& strategy, Candidate* result) {
    nothing_left_ = false;
    if (runs_left_ == 0) return false;
    Recorder recorder(strategy, /*every_point=*/true);
    if (!recorder.BeginSchedule()) {
      nothing_left_ = true;
      return false;
    }
    --runs_left_;
    const bool failed = fails_(recorder);
    recorder.EndSchedule(Counters());
    if (!failed) return false;
    result->decisions = recorder.Decisions();
    result->blocks = recorder.blocks();
    result->answers.clear();
    for (const Recorder::Entry& entry : recorder.entries()) {
      if (entry.decision.kind != Decision::Kind::kThread) {
        result->answers.push_back(entry.decision);
      }
    }
    result->preemptions = recorder.Preemptions();
    result->switches = recorder.Switches();
    result->points = 0;
    for (const Block& block : result->blocks) result->points += block.points;
    return true;
  }

  // Tries `blocks`; adopts the outcome if it fails and is better.
  bool Improve(const std::vector<Block>& blocks, Candidate* best) {
    Guide guide(blocks, best->answers);
    Candidate candidate;
    if (!Try(guide, &candidate) || !candidate.Better(*best)) return false;
    *best = std::move(candidate);
    return true;
  }

 private:
  uint64_t runs_left_;
  bool nothing_left_ = false;
  absl::FunctionRef<bool(Strategy&)> fails_;
};

// The ways to make the schedule simpler around block i; each is tried on its
// own. Blocks that vanish are made up for at the end, where threads run until
// they block.
std::vector<std::vector<Block>> Variants(const std::vector<Block>& blocks,
                                         size_t i) {
  std::vector<std::vector<Block>> variants;
  const auto without = [](std::vector<Block> b, size_t j) {
    b.erase(b.begin() + static_cast<ptrdiff_t>(j));
    return b;
  };
  // Stop deciding here: threads run until they block.
  variants.emplace_back(blocks.begin(),
                        blocks.begin() + static_cast<ptrdiff_t>(i));
  variants.push_back(without(blocks, i));
  for (size_t j = i + 1; j < blocks.size(); ++j) {
    if (blocks[j].thread != blocks[i].thread) continue;
    // Run the thread's next block at once, or this one only later.
    std::vector<Block> earlier = blocks;
    earlier[i].points += blocks[j].points;
    variants.push_back(without(std::move(earlier), j));
    std::vector<Block> later = blocks;
    later[j].points += blocks[i].points;
    variants.push_back(without(std::move(later), i));
    break;
  }
  // Let the thread run on as far as it gets.
  std::vector<Block> longer = blocks;
  longer[i].points = UINT64_MAX / 2;
  variants.push_back(std::move(longer));
  return variants;
}

}  // namespace

std::vector<Decision> Shrink(std::vector<Decision> decisions,
                             bool search_preemptions, uint64_t max_runs,
                             absl::FunctionRef<bool(Strategy&)> fails) {
  Shrinker shrinker(max_runs, fails);
  Candidate best;
  {
    Replay replay(decisions);
    if (!shrinker.Try(replay, &best)) return decisions;
  }
  if (search_preemptions && best.preemptions > 0) {
    const uint64_t runs = max_runs / 3;
    BoundedSearch search(
        static_cast<int>(std::min<uint64_t>(best.preemptions - 1, 2)), runs);
    Candidate candidate;
    for (uint64_t i = 0; i < runs; ++i) {
      if (shrinker.Try(search, &candidate)) {
        best = candidate;
        break;
      }
      if (shrinker.NothingLeft() || shrinker.Exhausted()) break;
    }
    // The search gave up or found the least; either way go on from `best`.
  }
  bool improved = true;
  while (improved && !shrinker.Exhausted()) {
    improved = false;
    for (size_t i = 0; i < best.blocks.size() && !shrinker.Exhausted(); ++i) {
      for (const std::vector<Block>& variant : Variants(best.blocks, i)) {
        if (shrinker.Improve(variant, &best)) {
          improved = true;
          break;  // best.blocks has changed
        }
      }
    }
  }
  return best.decisions;
}

}  // namespace lockstep
