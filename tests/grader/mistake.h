// SPDX-License-Identifier: Apache-2.0
//
// Reads the first lines of a mistake file: what is wrong with it and how the
// grader must say so.
//
//   // Mistake: the lock is released before the counter is written.
//   // Verdict: data race
//   // Rule: EveryIncrementIsCounted

#ifndef TESTS_GRADER_MISTAKE_H_
#define TESTS_GRADER_MISTAKE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/grader/verdict_log.h"

namespace grader {

struct Mistake {
  std::string sentence;  // what the student did
  std::string verdict;   // the intended verdict
  std::string rule;      // the test that must give it, without its suite
};

// InvalidArgument if one of the three lines is missing.
absl::StatusOr<Mistake> ParseMistake(absl::string_view header_text);

// Ok if `log` rejects the mistake for its stated reason; otherwise an error
// whose message says what happened instead.
absl::Status CheckRejected(const Mistake& mistake, const VerdictLog& log);

}  // namespace grader

#endif  // TESTS_GRADER_MISTAKE_H_
