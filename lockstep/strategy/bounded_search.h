// SPDX-License-Identifier: Apache-2.0
//
// Exhaustive search by number of preemptions: every schedule with none, then
// every schedule with one, and so on. The only strategy that can say what it
// has ruled out.
//
// The idea is CHESS's (Musuvathi and Qadeer, PLDI 2007): most concurrency bugs
// need very few preemptions, and with a fixed number of them the schedules are
// polynomially many. A schedule is stored as its deviations from the default
// one, which runs each thread until it blocks: three words per schedule.

#ifndef LOCKSTEP_STRATEGY_BOUNDED_SEARCH_H_
#define LOCKSTEP_STRATEGY_BOUNDED_SEARCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/strategy/strategy.h"

namespace lockstep {

class BoundedSearch : public Strategy {
 public:
  // Explores schedules with at most `max_preemptions` preemptions. At most
  // `max_schedules` of them will be asked for: a bound on memory (about 12
  // bytes per schedule and level), not a promise to stop.
  BoundedSearch(int max_preemptions, uint64_t max_schedules);

  const char* Name() const override { return name_; }
  bool BeginSchedule() override;
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters& counters) override;
  std::string Guarantee() const override;

  // The largest number of preemptions that is completely explored, or -1.
  int CompletedBound() const;
  // True if every schedule was explored, whatever its preemptions.
  bool Complete() const;
  // Schedules run so far.
  uint64_t schedules() const { return schedules_; }

 private:
  static constexpr uint32_t kRoot = UINT32_MAX;
  // A schedule: the schedule `parent`, but taking `option` at decision `depth`,
  // which is later than all deviations of the parent.
  struct Node {
    uint32_t parent;
    uint32_t depth;
    uint16_t option;
    uint16_t options;  // how many there were: another number is a divergence
  };
  struct Entry {
    uint32_t node;
  };
  // Schedules waiting to be run that have the same number of preemptions.
  struct Level {
    std::vector<Entry> waiting;
    size_t next = 0;
    bool dropped = false;  // some did not fit
  };

  // Takes the next decision: which of `options`, of which number 0 is the
  // default and costs nothing. Others cost one preemption unless `free`.
  uint32_t Decide(uint32_t options, bool free);
  void Add(uint32_t depth, uint32_t option, uint32_t options, bool free);

  const uint64_t max_schedules_;
  const char* name_;
  std::vector<Node> nodes_;
  std::vector<Level> levels_;
  bool root_begun_ = false;
  bool running_ = false;
  bool pruned_ = false;    // some schedule needs more preemptions than allowed
  bool yielded_ = false;   // some thread yielded: fairness limited the search
  bool diverged_ = false;  // the body is not deterministic: no claims
  uint64_t schedules_ = 0;
  size_t level_ = 0;

  // The schedule being run: its deviations, last one first.
  std::vector<Node> path_;
  uint32_t node_ = kRoot;
  uint32_t depth_ = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_BOUNDED_SEARCH_H_
