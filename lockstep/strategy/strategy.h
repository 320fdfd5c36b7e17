// SPDX-License-Identifier: Apache-2.0
//
// The one question exploration turns on: given who can run, who runs next?
//
// A Strategy knows nothing of how threads are executed; the runtime knows
// nothing of why a thread was chosen. (The idea of this narrow door is AWS
// Shuttle's; PCT, POS, SURW and bounded search all fit behind it.)

#ifndef LOCKSTEP_STRATEGY_STRATEGY_H_
#define LOCKSTEP_STRATEGY_STRATEGY_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "lockstep/trace.h"

namespace lockstep {

// The operation a runnable thread will perform when it runs next.
struct Pending {
  ThreadId thread = 0;
  Op op = Op::kStart;
  // Stable within a schedule: two pending operations touch the same object if
  // and only if these are equal and non-zero.
  ObjectId object = 0;
  // True for operations that change the object (everything but loads).
  bool writes = true;
  // A second object that the operation changes: the mutex that a wait on a
  // condition variable releases. 0 if there is none.
  ObjectId second = 0;
};

struct Choice {
  // Ascending by thread; never empty.
  absl::Span<const Pending> runnable;
  // The thread that reached this point. `current_runnable` says whether it is
  // one of `runnable`: choosing another thread is then a preemption.
  ThreadId current = 0;
  bool current_runnable = false;
  // True if the current thread is yielding, or spinning by the runtime's
  // estimate: a fair strategy should run somebody else.
  bool current_yields = false;
};

// What Strategy::Guarantee says when there is nothing left to explore.
inline constexpr char kEverySchedule[] = "every schedule was explored";

// Decides schedules, one after another. Not thread-safe; called from one
// controlled thread at a time. Must be deterministic: the same constructor
// arguments and the same choices offered give the same answers.
class Strategy {
 public:
  virtual ~Strategy() = default;

  // For reports: "random walk", "PCT, depth 3", ...
  virtual const char* Name() const = 0;

  // Begins the next schedule. Returns false when the strategy has nothing
  // left to explore (exhaustive strategies); no schedule is then run.
  virtual bool BeginSchedule() = 0;

  // Returns the index into choice.runnable of the thread to run. Called at
  // every point where at least two threads can run (never with one).
  virtual uint32_t Choose(const Choice& choice) = 0;

  // Returns a number below `count`: which of several sleeping threads a
  // notify_one or a semaphore post releases, and other small choices. For
  // kTimeout and kSpurious, 0 means that nothing unusual happens.
  virtual uint32_t ChooseOneOf(Decision::Kind kind, uint32_t count) = 0;

  // The schedule begun last has ended.
  virtual void EndSchedule(const Counters& counters) = 0;

  // True if Choose is to be called also where only one thread can run. Asked
  // once per schedule, after BeginSchedule. Such calls are no decisions: they
  // do not appear in Trace::decisions.
  virtual bool WantsEveryPoint() const { return false; }

  // What may be said about the body if every schedule so far has passed, such
  // as "no failure with at most 2 preemptions". Empty if nothing may be.
  virtual std::string Guarantee() const { return ""; }
};

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_STRATEGY_H_
