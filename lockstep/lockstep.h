// SPDX-License-Identifier: Apache-2.0
//
// lockstep: runs a piece of concurrent C++ under many schedules and says, in
// words and in a picture, why one of them fails.
//
//   lockstep::Report report = lockstep::Explore({}, [] {
//     int count = 0;
//     std::thread other([&] { ++count; });
//     ++count;
//     other.join();
//   });
//   // report.verdict == lockstep::Verdict::kDataRace
//
// The body is ordinary C++: std::thread, std::mutex, absl::Mutex, atomics, ...
// It is run from scratch in every schedule and must not depend on anything
// but its own state (no real time, no random device, no addresses).
// Its translation unit, and all it links but this library, must be compiled
// with -fsanitize=thread and linked without it: see tools/instrumented.bzl.

#ifndef LOCKSTEP_LOCKSTEP_H_
#define LOCKSTEP_LOCKSTEP_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/functional/function_ref.h"
#include "lockstep/trace.h"

namespace lockstep {

// Upper bounds on what one schedule may cost; exceeding one is the verdict
// "too much synchronisation".
struct CostBudget {
  uint64_t lock_operations = std::numeric_limits<uint64_t>::max();
  uint64_t wakeups = std::numeric_limits<uint64_t>::max();
  uint64_t notifications = std::numeric_limits<uint64_t>::max();
  uint64_t context_switches = std::numeric_limits<uint64_t>::max();
  uint64_t atomic_operations = std::numeric_limits<uint64_t>::max();
  uint64_t threads_created = std::numeric_limits<uint64_t>::max();
};

struct Options {
  // Schedules to explore before the body counts as correct. A count, never a
  // time, so the verdict is the same on every machine.
  uint64_t schedules = 2'000;
  uint64_t seed = 1;
  // "portfolio" (default) or the name of one strategy: "bounded", "random",
  // "pct2", "pct3", "pos", "surw", "dpor".
  std::string strategy = "portfolio";
  // Bound of the exhaustive phase of the portfolio.
  int max_preemptions = 2;
  uint64_t max_steps = 20'000;
  bool detect_races = true;
  bool forbid_busy_waiting = false;
  bool spurious_wakeups = false;
  bool early_timeouts = false;
  // Accept a body that returns while threads it started still run.
  bool allow_running_threads = false;
  // One kernel thread per controlled thread: slower, friendlier to debuggers.
  bool use_os_threads = false;
  CostBudget cost_budget = {};
  // Printed in front of Report::replay where the report says how to run the
  // schedule again: the command of which the replay is the last argument.
  std::string replay_command = {};
  // false: a failing schedule is not shrunk, drawn or put in words, and the
  // report has only verdict, counts, trace and replay. For tests of lockstep,
  // which explore thousands of failing programs.
  bool explain = true;
  // Runs exactly this schedule (the text of Report::replay) and no other.
  std::string replay = {};
};

struct Report {
  Verdict verdict = Verdict::kNone;
  bool passed() const { return verdict == Verdict::kNone; }
  // Schedules run, the failing one included, shrinking not.
  uint64_t schedules = 0;
  uint64_t points = 0;
  // The name of the strategy that found the failure.
  std::string strategy;
  // "no failure with at most 2 preemptions" or "every schedule was explored":
  // empty unless true.
  std::string guarantee;
  // The shrunk failing schedule and its finding. Empty if passed().
  Trace trace;
  // Text for Options::replay: survives address randomisation and rebuilds
  // that do not change the code.
  std::string replay;
  // What the student reads: verdict, rule, picture, replay. No colour codes.
  std::string text;
  // The same with ANSI colours.
  std::string colored_text;
  // The same for the book's player; schema in lockstep/report/JSON.md.
  std::string json;
  // Hash of the failing (or, if passed, of all) executions.
  uint64_t hash = 0;
};

// Explores `body`. Never throws. On a platform that lockstep does not control
// (see Supported()) runs the body natively, many times, and says so in
// Report::text.
Report Explore(const Options& options, absl::FunctionRef<void()> body);

// Called if code under test is about to end the process (a fatal signal,
// exit(), a full stack) with a report on the schedule so far; unless it ends
// the process itself, `handler` returns and the process ends with status 1.
// Without a handler the report is written to stderr. Replaces the previous
// handler; null restores the default. Not thread-safe.
using FatalReportHandler = void (*)(const Report& report);
void SetFatalReportHandler(FatalReportHandler handler);

// Ends the running schedule with the verdict "wrong result", if the calling
// thread belongs to one: then it does not return, unless the schedule has
// failed already. Returns false in any other thread.
bool FailSchedule(const std::string& message);

// True where schedules are explored: Linux on x86-64 and aarch64 in an
// instrumented build. Elsewhere bodies run natively as a stress loop.
bool Supported();

}  // namespace lockstep

#endif  // LOCKSTEP_LOCKSTEP_H_
