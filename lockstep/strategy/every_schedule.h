// SPDX-License-Identifier: Apache-2.0
//
// Every schedule of a small body, one after another, depth first: what the
// graphs of the book's "Try it" are made from.

#ifndef LOCKSTEP_STRATEGY_EVERY_SCHEDULE_H_
#define LOCKSTEP_STRATEGY_EVERY_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lockstep/strategy/strategy.h"

namespace lockstep {

// Steps that no other thread can notice (a thread starts another, begins, joins
// one that has ended) are taken as soon as they can be, without trying other
// orders: those differ in nothing (such a step alone is a persistent set in the
// sense of Godefroid, 1996). All else is tried in every order.
class EverySchedule : public Strategy {
 public:
  // One answer.
  struct Branch {
    // kThread: which of several threads ran; else which small choice was taken.
    Decision::Kind kind = Decision::Kind::kThread;
    ThreadId thread = 0;  // who ran
    uint32_t options = 1;
    uint32_t chosen = 0;
    // How many steps `trace` had.
    size_t steps = 0;
  };

  // `trace` is the one that schedules are recorded in, and must outlive this.
  // A schedule with more than `max_branches` answers ends the exploration, and
  // so does a thread that spins: a loop that asks again and again has as many
  // schedules as one likes.
  EverySchedule(const Trace& trace, size_t max_branches)
      : trace_(trace), max_branches_(max_branches) {}

  const char* Name() const override { return "every schedule"; }
  bool BeginSchedule() override;
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters&) override;
  // Where only one thread can run, too: then it is known who ran.
  bool WantsEveryPoint() const override { return true; }

  // The answers of the last schedule, in order.
  const std::vector<Branch>& path() const { return path_; }
  // True if a schedule was longer than max_branches, or a thread spun.
  bool endless() const { return endless_; }
  // True if the same answers led to another choice than before.
  bool diverged() const { return diverged_; }

  // Whether other threads can notice when `op` happens.
  static bool IsNoticed(Op op);

 private:
  Branch& Decide(Decision::Kind kind, uint32_t options);

  const Trace& trace_;
  const size_t max_branches_;
  std::vector<Branch> path_;
  size_t depth_ = 0;
  bool begun_ = false;
  bool endless_ = false;
  bool diverged_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_EVERY_SCHEDULE_H_
