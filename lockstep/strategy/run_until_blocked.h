// SPDX-License-Identifier: Apache-2.0
//
// Two schedules without preemption: a thread runs until it blocks, ends or
// yields; then the next one in order of creation runs, or in reverse order.
// A bug that always fires is found here, with the shortest picture.

#ifndef LOCKSTEP_STRATEGY_RUN_UNTIL_BLOCKED_H_
#define LOCKSTEP_STRATEGY_RUN_UNTIL_BLOCKED_H_

#include "lockstep/strategy/choosing.h"
#include "lockstep/strategy/strategy.h"

namespace lockstep {

class RunUntilBlocked : public Strategy {
 public:
  enum class Order { kCreation, kReverse };

  // Offers its one schedule `schedules` times.
  explicit RunUntilBlocked(Order order, uint64_t schedules = 1)
      : order_(order), left_(schedules) {}

  const char* Name() const override {
    return order_ == Order::kCreation ? "run until blocked"
                                      : "run until blocked, in reverse";
  }
  bool BeginSchedule() override { return left_ > 0 && left_-- > 0; }
  uint32_t Choose(const Choice& choice) override {
    if (order_ == Order::kCreation) return DefaultIndex(choice);
    if (choice.current_runnable && !choice.current_yields) {
      // A thread that has just been created runs at once, before its parent
      // goes on: otherwise both orders often give the same schedule.
      const Pending& last = choice.runnable[choice.runnable.size() - 1];
      if (last.op == Op::kStart && last.thread > choice.current) {
        return static_cast<uint32_t>(choice.runnable.size()) - 1;
      }
      return CurrentIndex(choice);
    }
    return PreviousIndex(choice);
  }
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override {
    return order_ == Order::kReverse && kind == Decision::Kind::kWaiter
               ? count - 1
               : 0;
  }
  void EndSchedule(const Counters&) override {}

 private:
  const Order order_;
  uint64_t left_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_RUN_UNTIL_BLOCKED_H_
