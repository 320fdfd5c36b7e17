// SPDX-License-Identifier: Apache-2.0

#include "tests/grader/rule_listener.h"

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace grader {
namespace {

std::string FullName(const testing::TestInfo& test) {
  return absl::StrCat(test.test_suite_name(), ".", test.name());
}

// The verdict lockstep recorded for this test, or `otherwise`.
std::string Property(const testing::TestInfo& test, absl::string_view key,
                     absl::string_view otherwise) {
  const testing::TestResult& result = *test.result();
  for (int i = 0; i < result.test_property_count(); ++i) {
    if (key == result.GetTestProperty(i).key()) {
      return result.GetTestProperty(i).value();
    }
  }
  return std::string(otherwise);
}

}  // namespace

void RuleListener::OnTestStart(const testing::TestInfo& test) {
  log_.Write({"start", FullName(test)});
}

void RuleListener::OnTestEnd(const testing::TestInfo& test) {
  const std::string name = FullName(test);
  const bool passed = test.result()->Passed();
  const std::string rule = RuleSentence(name);
  if (test.result()->Skipped()) {
    std::printf("- %s (skipped)\n", rule.c_str());
    log_.Write({"end", name, "passed"});
    return;
  }
  if (passed) {
    std::printf("%s✓%s %s\n", color_ ? "\033[32m" : "", color_ ? "\033[0m" : "",
                rule.c_str());
    log_.Write({"end", name, "passed"});
    std::fflush(stdout);
    return;
  }
  const std::string verdict = Property(test, "verdict", "wrong result");
  std::printf("%s✗ %s%s  [%s]\n", color_ ? "\033[1;31m" : "", rule.c_str(),
              color_ ? "\033[0m" : "", verdict.c_str());
  std::string sentence;
  for (int i = 0; i < test.result()->total_part_count(); ++i) {
    const testing::TestPartResult& part = test.result()->GetTestPartResult(i);
    if (!part.failed()) continue;
    if (sentence.empty()) sentence = part.summary();
    if (part.file_name() != nullptr && part.line_number() > 0) {
      std::printf("    %s:%d\n", part.file_name(), part.line_number());
    }
    for (absl::string_view line : absl::StrSplit(
             absl::StripTrailingAsciiWhitespace(part.message()), '\n')) {
      std::printf("    %.*s\n", static_cast<int>(line.size()), line.data());
    }
  }
  std::fflush(stdout);
  log_.Write({"verdict", name, verdict, sentence});
  log_.Write({"end", name, "failed"});
}

void RuleListener::OnTestProgramEnd(const testing::UnitTest&) {
  log_.Write({"done"});
}

}  // namespace grader
