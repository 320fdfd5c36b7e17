// SPDX-License-Identifier: Apache-2.0
//
// Dynamic partial-order reduction: one schedule of each class of schedules
// that differ only in the order of independent operations. Where the classes
// are few it explores them all and can say that nothing is left.
//
// Flanagan and Godefroid (POPL 2005), with sleep sets (Godefroid, 1996). Two
// operations are independent if they touch different objects or only read.
// Whenever two dependent operations of a schedule could have come in the other
// order, the other thread is put on the list to be tried before the first.
// Where the original asks for the last such operation, all are taken: more to
// try, and less to get wrong.
//
// It knows locks, try-locks, atomics, once flags, and threads that start, end
// and join. As soon as a body does anything else (condition variables, time,
// choices between waiters, spinning) or has too many operations or threads, it
// gives up and claims nothing.

#ifndef LOCKSTEP_STRATEGY_DPOR_H_
#define LOCKSTEP_STRATEGY_DPOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/strategy/strategy.h"

namespace lockstep {

class Dpor : public Strategy {
 public:
  // Gives up after `max_schedules`.
  explicit Dpor(uint64_t max_schedules) : max_schedules_(max_schedules) {}

  const char* Name() const override { return "partial-order reduction"; }
  bool BeginSchedule() override;
  uint32_t Choose(const Choice& choice) override;
  uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) override;
  void EndSchedule(const Counters& counters) override;
  bool WantsEveryPoint() const override { return true; }
  std::string Guarantee() const override {
    return complete_ ? kEverySchedule : "";
  }

  bool gave_up() const { return gave_up_; }
  // Schedules that were not cut short because they repeat another.
  uint64_t classes() const { return classes_; }

 private:
  static constexpr size_t kMaxEvents = 200;
  static constexpr size_t kMaxThreads = 16;
  using Threads = uint32_t;  // a set, one bit each

  // When in the schedule an event's causes happened: for each thread, one more
  // than the number of its last event that comes before.
  struct Clock {
    uint16_t at[kMaxThreads] = {};
    void Join(const Clock& other) {
      for (size_t i = 0; i < kMaxThreads; ++i) {
        if (other.at[i] > at[i]) at[i] = other.at[i];
      }
    }
  };

  // A state of the schedule, and the event that leaves it.
  struct Node {
    std::vector<Pending> runnable;
    Pending event;          // what runs next
    Threads backtrack = 0;  // to be tried
    Threads done = 0;       // tried before, or being tried
    Threads sleep = 0;      // trying would repeat a schedule
  };

  static bool Known(Op op);
  static bool Dependent(const Pending& a, const Pending& b);
  // True unless one can only run after the other has.
  static bool MayBeEnabledTogether(const Pending& a, const Pending& b);

  void Push(const Choice& choice);
  void FindRaces();

  const uint64_t max_schedules_;
  uint64_t schedules_ = 0;
  uint64_t classes_ = 0;
  bool gave_up_ = false;
  bool complete_ = false;
  std::vector<Node> nodes_;
  size_t prefix_ = 0;     // nodes whose event is fixed
  size_t depth_ = 0;      // events run in this schedule
  bool repeats_ = false;  // the rest of the schedule is known already
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_DPOR_H_
