// SPDX-License-Identifier: Apache-2.0
//
// Runs student code in a child process with bounds, and names what went wrong
// when the child cannot say so itself: a time-out, exit(0), a crash, a flood
// of output, processes left behind.

#ifndef TESTS_GRADER_SUPERVISOR_H_
#define TESTS_GRADER_SUPERVISOR_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "tests/grader/verdict_log.h"

namespace grader {

// The verdict on an answer that reaches for its grade in place of the rules.
inline constexpr char kTampering[] = "tampering with the grade";

struct Limits {
  // No test may take longer. Wall time: generous, because it is only a
  // safety net; the explorer finds deadlocks and endless loops by itself.
  absl::Duration per_test = absl::Seconds(20);
  // After an early end (a crash, a time-out) the remaining tests are run in a
  // new child, but not once this much time has passed.
  absl::Duration start_no_more_after = absl::Seconds(60);
  // Bytes of output passed on before the child is stopped.
  size_t output_bytes = size_t{1} << 20;
  // Address space, in bytes; 0 for no limit (sanitizers reserve terabytes).
  size_t memory_bytes = size_t{8} << 30;
};

struct Outcome {
  VerdictLog log;
  // Empty if the child ran its tests to the end and left nothing behind.
  // Otherwise the first verdict of the supervisor ("time-out", "exit", "crash",
  // "too much output", "process leak", kTampering) ...
  std::string verdict;
  // ... and a sentence for the student.
  std::string message;
  // True if every test ran and passed.
  bool passed() const {
    return verdict.empty() && log.done && !log.tests.empty() &&
           log.Count(/*passed=*/false) == 0;
  }
};

// Forks; runs `child(seen)` in the new process, which must record its events in
// the verdict log at `log_path`, sealed with the key that it reads from
// kKeyDescriptor, skip the tests named in `seen`, and return the exit status;
// passes its output on to standard output; enforces `limits`; kills and reaps
// every process that is left. When the child ends early, the test that was
// running gets the verdict, and the rest is run in a new child.
//
// Must be called while the process has a single thread.
Outcome Supervise(
    const Limits& limits, const std::string& log_path,
    absl::FunctionRef<int(const std::vector<std::string>& seen)> child);

// Fails each of `tests` that the log of a finished program does not have, as
// tampering: tests do not vanish by a mistake.
void NameTestsThatDidNotRun(const std::vector<std::string>& tests,
                            Outcome& outcome);

}  // namespace grader

#endif  // TESTS_GRADER_SUPERVISOR_H_
