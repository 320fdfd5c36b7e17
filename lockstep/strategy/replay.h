// SPDX-License-Identifier: Apache-2.0
//
// Runs a recorded schedule again, and writes schedules down as text.
//
// The text is "v1:" and a comma-separated list: "0x12" lets thread 0 run at
// twelve decisions in a row, "3" thread 3 at one; "w1" lets a notify release
// the second waiter, "t1" lets a timed wait give up early, "s1" makes a wait
// return without a notification. After the end of the list threads run until
// they block, so trailing decisions that say the same are left out.

#ifndef LOCKSTEP_STRATEGY_REPLAY_H_
#define LOCKSTEP_STRATEGY_REPLAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lockstep/strategy/strategy.h"

namespace lockstep {

// Follows `decisions`, then runs threads until they block. Offers one
// schedule as often as it is asked to.
class Replay : public Strategy {
 public:
  explicit Replay(std::vector<Decision> decisions)
      : decisions_(std::move(decisions)) {}

  const char* Name() const override { return "replay"; }
  bool BeginSchedule() override {
    next_ = 0;
    diverged_ = false;
    return true;
  }
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters&) override {
    if (next_ < decisions_.size()) diverged_ = true;
  }

  // True if the last schedule could not follow the decisions: a thread was
  // not there or could not run, or the schedule ended before they did.
  bool diverged() const { return diverged_; }

 private:
  const std::vector<Decision> decisions_;
  size_t next_ = 0;
  bool diverged_ = false;
};

// One thread running for a number of scheduling points.
struct Block {
  ThreadId thread = 0;
  uint64_t points = 0;
};

// Writes down what another strategy answers.
class Recorder : public Strategy {
 public:
  struct Entry {
    Decision decision;
    bool is_default = false;     // what Replay does after its list anyway
    bool is_preemption = false;  // away from a thread that could run on
    bool is_switch = false;      // another thread than before
  };

  // `strategy` must outlive the recorder. With `every_point` the recorder also
  // notes how far threads run where nobody else can: see blocks().
  explicit Recorder(Strategy& strategy, bool every_point = false)
      : strategy_(strategy), every_point_(every_point) {}

  const char* Name() const override { return strategy_.Name(); }
  bool BeginSchedule() override {
    entries_.clear();
    blocks_.clear();
    return strategy_.BeginSchedule();
  }
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters& counters) override {
    strategy_.EndSchedule(counters);
  }
  bool WantsEveryPoint() const override {
    return every_point_ || strategy_.WantsEveryPoint();
  }

  // The last schedule.
  const std::vector<Entry>& entries() const { return entries_; }
  // Its decisions, without trailing default ones.
  std::vector<Decision> Decisions() const;
  uint64_t Preemptions() const;
  uint64_t Switches() const;
  // Who ran for how many points, one after another.
  const std::vector<Block>& blocks() const { return blocks_; }

 private:
  Strategy& strategy_;
  const bool every_point_;
  std::vector<Entry> entries_;
  std::vector<Block> blocks_;
};

// Follows `blocks` as far as it can: a thread that cannot run loses the rest
// of its block. This is how shrinking tries a schedule that nobody has run
// yet. Small choices are taken from `answers`, then 0.
class Guide : public Strategy {
 public:
  Guide(std::vector<Block> blocks, std::vector<Decision> answers)
      : blocks_(std::move(blocks)), answers_(std::move(answers)) {}

  const char* Name() const override { return "guide"; }
  bool BeginSchedule() override {
    block_ = 0;
    used_ = 0;
    answer_ = 0;
    return true;
  }
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters&) override {}
  bool WantsEveryPoint() const override { return true; }

 private:
  const std::vector<Block> blocks_;
  const std::vector<Decision> answers_;
  size_t block_ = 0;
  uint64_t used_ = 0;
  size_t answer_ = 0;
};

// The text above.
std::string FormatReplay(const std::vector<Decision>& decisions);

// Reads it. Returns false and sets *error to a sentence if it is malformed.
bool ParseReplay(absl::string_view text, std::vector<Decision>* decisions,
                 std::string* error);

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_REPLAY_H_
