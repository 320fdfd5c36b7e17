// SPDX-License-Identifier: Apache-2.0
//
// Prints a test run the way a student reads it: one line per rule, and for a
// broken rule why. Writes the same to the verdict log.

#ifndef TESTS_GRADER_RULE_LISTENER_H_
#define TESTS_GRADER_RULE_LISTENER_H_

#include <string>

#include "gtest/gtest.h"
#include "tests/grader/verdict_log.h"

namespace grader {

class RuleListener : public testing::EmptyTestEventListener {
 public:
  // Writes to standard output and to `log`.
  RuleListener(VerdictLogWriter log, bool color)
      : log_(std::move(log)), color_(color) {}

  void OnTestStart(const testing::TestInfo& test) override;
  void OnTestEnd(const testing::TestInfo& test) override;
  void OnTestProgramEnd(const testing::UnitTest& unit_test) override;

 private:
  VerdictLogWriter log_;
  const bool color_;
};

}  // namespace grader

#endif  // TESTS_GRADER_RULE_LISTENER_H_
