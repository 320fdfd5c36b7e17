// SPDX-License-Identifier: Apache-2.0
//
// Runs a body once, one thread at a time, asking a Strategy at every
// scheduling point who goes next. Detects what goes wrong on the way.

#ifndef LOCKSTEP_RUNTIME_RUNTIME_H_
#define LOCKSTEP_RUNTIME_RUNTIME_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "lockstep/strategy/strategy.h"
#include "lockstep/trace.h"

namespace lockstep {

// How controlled threads are executed.
enum class Execution : uint8_t {
  kUserLevel,  // all on one kernel thread: fast; x86-64 Linux with glibc
  kOsThreads,  // one kernel thread each, handed a token: works everywhere
};

// The fastest execution this platform and this process support.
Execution DefaultExecution();

struct RunOptions {
  Execution execution = DefaultExecution();
  bool detect_races = true;
  // Steps after which a schedule counts as a livelock. The runtime first makes
  // sure that the schedule was fair to every runnable thread.
  uint64_t max_steps = 20'000;
  // Report busy-waiting (a thread re-reading the same atomic with nothing
  // changed) as a livelock even if it would end.
  bool forbid_busy_waiting = false;
  // Let condition-variable waits return without a notification.
  bool spurious_wakeups = false;
  // false: virtual time advances only when no thread can run. true: a timed
  // wait may also give up while others can run.
  bool early_timeouts = false;
  // Fill in Trace::steps and Trace::objects (slower). Decisions, counters and
  // the finding are always recorded.
  bool record_steps = false;
};

// True if some of this program's code is instrumented, so that its accesses are
// seen. Exploring other code gives wrong verdicts.
bool Instrumented();

// The result of a schedule is `trace->finding` (verdict kNone: it passed).
// `trace` is overwritten; its buffers are reused from run to run.
//
// REQUIRES: strategy.BeginSchedule() has returned true. The caller also calls
// strategy.EndSchedule(trace->counters) afterwards; RunOnce calls only
// WantsEveryPoint, Choose and ChooseOneOf.
//
// Process-wide: at most one RunOnce at a time. Threads that existed before are
// not controlled and must not touch what the body touches.
void RunOnce(const RunOptions& options, Strategy& strategy,
             absl::FunctionRef<void()> body, Trace* trace);

// A hash of all decisions and scheduling points of the last run, equal for
// equal executions in any process, whatever addresses it used.
uint64_t LastRunHash();

// True in a thread that a running RunOnce controls.
bool InControlledThread();

// Ends the current schedule with `finding` (thread and stack of the caller are
// added as its first site). Called by GoogleTest integration when an
// expectation fails. Returns normally if the schedule has a finding already.
void ReportFinding(Verdict verdict, const char* message);

// Virtual time since the start of the schedule, in nanoseconds.
int64_t VirtualNow();

// Called in the failing process just before it must end because of a crash,
// an exit() or an unrecoverable finding inside the body, with the schedule so
// far. Async-signal context is not guaranteed to be safe: the handler runs on
// an alternate stack of 1 MiB and may allocate. Set once by explore.cc.
using FatalHandler = void (*)(const Trace& trace);
void SetFatalHandler(FatalHandler handler);

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIME_RUNTIME_H_
