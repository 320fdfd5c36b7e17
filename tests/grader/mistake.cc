// SPDX-License-Identifier: Apache-2.0

#include "tests/grader/mistake.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace grader {

absl::StatusOr<Mistake> ParseMistake(absl::string_view header_text) {
  Mistake mistake;
  std::string* last = nullptr;
  for (absl::string_view line : absl::StrSplit(header_text, '\n')) {
    if (!absl::ConsumePrefix(&line, "//")) break;
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "Mistake:")) {
      last = &mistake.sentence;
    } else if (absl::ConsumePrefix(&line, "Verdict:")) {
      last = &mistake.verdict;
    } else if (absl::ConsumePrefix(&line, "Rule:")) {
      last = &mistake.rule;
    } else if (line.empty() || absl::StartsWith(line, "SPDX-")) {
      last = nullptr;
    }
    if (last == nullptr) continue;
    // A sentence may run over several lines.
    line = absl::StripAsciiWhitespace(line);
    absl::StrAppend(last, last->empty() ? "" : " ", line);
  }
  if (mistake.sentence.empty() || mistake.verdict.empty() ||
      mistake.rule.empty()) {
    return absl::InvalidArgumentError(
        "a mistake file starts with three comment lines: '// Mistake: <what "
        "the student did>', '// Verdict: <wrong result, deadlock, data race, "
        "...>' and '// Rule: <name of the test that says so, without its "
        "suite>'");
  }
  return mistake;
}

absl::Status CheckRejected(const Mistake& mistake, const VerdictLog& log) {
  std::string seen;
  for (const TestOutcome& test : log.tests) {
    if (test.verdict == "passed") continue;
    absl::StrAppend(&seen, "\n  ", test.name, ": ",
                    test.verdict.empty() ? "no verdict" : test.verdict);
    const size_t dot = test.name.find('.');
    if (test.verdict == mistake.verdict &&
        absl::string_view(test.name).substr(dot + 1) == mistake.rule) {
      return absl::OkStatus();
    }
  }
  if (seen.empty()) {
    return absl::FailedPreconditionError(
        "the mistake survived: every test passed");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the mistake was rejected, but not for its stated reason. "
                   "Stated: ",
                   mistake.rule, ": ", mistake.verdict, ". Seen:", seen));
}

}  // namespace grader
