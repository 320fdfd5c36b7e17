// SPDX-License-Identifier: Apache-2.0
//
// Runs student code in a child process with bounds, and names what went wrong
// when the child cannot say so itself: a time-out, exit(0), a crash, a flood
// of output, processes left behind.

#ifndef TESTS_GRADER_SUPERVISOR_H_
#define TESTS_GRADER_SUPERVISOR_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "tests/grader/verdict_log.h"

namespace grader {

struct Limits {
  // No test may take longer. Wall time: generous, because it is only a
  // safety net; the explorer finds deadlocks and endless loops by itself.
  absl::Duration per_test = absl::Seconds(20);
  // Bytes of output passed on before the child is stopped.
  size_t output_bytes = size_t{1} << 20;
  // Address space, in bytes; 0 for no limit (sanitizers reserve terabytes).
  size_t memory_bytes = size_t{6} << 30;
};

struct Outcome {
  VerdictLog log;
  // Empty if the child ran its tests to the end and left nothing behind.
  // Otherwise a verdict ("time-out", "exit", "crash", "stack overflow",
  // "too much output", "out of memory", "process leak") ...
  std::string verdict;
  // ... and a sentence for the student.
  std::string message;
  // True if every test ran and passed.
  bool passed() const {
    return verdict.empty() && log.done && !log.tests.empty() &&
           log.Count(/*passed=*/false) == 0;
  }
};

// Forks; runs `child` in the new process, which must record its events in the
// verdict log at `log_path` and returns the exit status; passes its output on
// to standard output; enforces `limits`; kills and reaps every process that is
// left. The verdict for a test that was running when the child ended early is
// entered into the log under that test's name.
//
// Must be called while the process has a single thread.
Outcome Supervise(const Limits& limits, const std::string& log_path,
                  absl::FunctionRef<int()> child);

}  // namespace grader

#endif  // TESTS_GRADER_SUPERVISOR_H_
