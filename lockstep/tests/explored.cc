// SPDX-License-Identifier: Apache-2.0

#include "lockstep/tests/explored.h"

#include "lockstep/runtime/runtime.h"

namespace lockstep::tests {
namespace {

void FailSchedule(const char* message) {
  ReportFinding(Verdict::kWrongResult, message);
}

const char* ExecutionName(bool use_os_threads) {
  return use_os_threads ? "OS threads" : "user-level";
}

}  // namespace

Report ExploreProgram(const Program& program, Options options) {
  SetExpectHandler(FailSchedule);
  options.forbid_busy_waiting |= program.forbid_busy_waiting;
  options.spurious_wakeups |= program.spurious_wakeups;
  return Explore(options, program.body);
}

testing::AssertionResult Passes(absl::FunctionRef<void()> body,
                                const Options& options) {
  SetExpectHandler(FailSchedule);
  for (const bool use_os_threads : {false, true}) {
    Options with = options;
    with.use_os_threads = use_os_threads;
    const Report report = Explore(with, body);
    if (!report.passed()) {
      return testing::AssertionFailure()
             << "unexpected verdict (" << ExecutionName(use_os_threads)
             << "):\n"
             << report.text;
    }
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult FailsWith(VerdictSet expected,
                                   absl::FunctionRef<void()> body,
                                   const Options& options) {
  SetExpectHandler(FailSchedule);
  for (const bool use_os_threads : {false, true}) {
    Options with = options;
    with.use_os_threads = use_os_threads;
    const Report report = Explore(with, body);
    if (!expected.contains(report.verdict)) {
      return testing::AssertionFailure()
             << "verdict \"" << VerdictName(report.verdict) << "\" ("
             << ExecutionName(use_os_threads) << ") after " << report.schedules
             << " schedules:\n"
             << report.text;
    }
    if (report.replay.empty() || report.text.empty()) {
      return testing::AssertionFailure()
             << "a failure without a picture or without a replay";
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace lockstep::tests
