// SPDX-License-Identifier: Apache-2.0
//
// main() of every test program, which holds an answer and the tests of its
// chapter: runs the tests and writes down how far it came, for the grader
// (grader_main.cc), which runs this program. Run by hand, for instance in a
// debugger, it prints the same and writes nothing down.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "tests/grader/rule_listener.h"
#include "tests/grader/verdict_log.h"

ABSL_FLAG(std::string, grader_log, "", "the verdict log to write to");
ABSL_FLAG(
    std::string, grader_seen, "",
    "tests to leave out, separated by ':'; they ran in an earlier process");
ABSL_DECLARE_FLAG(std::string, lockstep_verdicts);

namespace {

char key[grader::kKeyBytes];
ssize_t key_size = 0;

// Takes the key that seals the log before any static object of the answer can:
// functions with a priority run before constructors without one.
__attribute__((constructor(101))) void TakeKey() {
  key_size = read(grader::kKeyDescriptor, key, sizeof(key));
  close(grader::kKeyDescriptor);
}

}  // namespace

int main(int argc, char** argv) {
  lockstep::InitGoogleTest(&argc, argv);
  const std::string log = absl::GetFlag(FLAGS_grader_log);
  // Before a crash ends the process, lockstep says there what it was.
  if (!log.empty()) absl::SetFlag(&FLAGS_lockstep_verdicts, log);
  const std::string seen = absl::GetFlag(FLAGS_grader_seen);
  if (!seen.empty()) {
    std::string filter = GTEST_FLAG_GET(filter);
    absl::StrAppend(&filter, absl::StrContains(filter, '-') ? ":" : "-", seen);
    GTEST_FLAG_SET(filter, filter);
  }
  testing::TestEventListeners& listeners =
      testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  const char* color = std::getenv("LOCKSTEP_COLOR");
  listeners.Append(new grader::RuleListener(
      grader::VerdictLogWriter(log,
                               std::string(key, key_size > 0 ? key_size : 0)),
      color != nullptr && absl::string_view(color) == "1"));
  const int status = RUN_ALL_TESTS();
  std::fflush(nullptr);
  // Not exit(): destructors of statics in the answer are not graded.
  std::_Exit(status);
}
