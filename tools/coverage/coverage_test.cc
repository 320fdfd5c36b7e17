// SPDX-License-Identifier: Apache-2.0
//
// How the table is read from a workbook; and that the workbook's own is
// current.

#include "tools/coverage/coverage.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/literate/files.h"

namespace coverage {
namespace {

using testing::HasSubstr;

class CoverageTest : public testing::Test {
 protected:
  void SetUp() override {
    Write("chapters/BUILD.bazel", "");
    Write("chapters/08_mutex/README.md", "# 08 · Mutex — 互斥锁\n");
    Write("tests/08_mutex/lock_test.cc",
          "LOCKSTEP_TEST(Lock, OnlyOneHoldsIt) {\n}\n"
          "TEST(Lock, ItStartsFree) {}\n");
    Write("tests/08_mutex/mistakes/no_lock.h",
          "// Mistake: No lock.\n// Verdict: data race\n"
          "// Rule: OnlyOneHoldsIt\n\nclass Lock {};\n");
  }

  void Write(const std::string& file, const std::string& text) {
    ASSERT_TRUE(literate::WriteFile(folder_.path() + "/" + file, text).ok());
  }

  std::string Page() {
    const absl::StatusOr<std::string> page = CoveragePage(folder_.path());
    return page.ok() ? *page : page.status().ToString();
  }

  const literate::TempFolder folder_;
};

TEST_F(CoverageTest, GoesFromTheSectionToTheMistake) {
  EXPECT_THAT(Page(),
              HasSubstr("| 互斥锁 | [08 · Mutex](#08--mutex) | 2 | 1 |"));
  EXPECT_THAT(
      Page(),
      HasSubstr(
          "| Lock: Only one holds it | "
          "[no_lock](../tests/08_mutex/mistakes/no_lock.h), data race |"));
  EXPECT_THAT(Page(), HasSubstr("| Lock: It starts free |  |"));
}

TEST_F(CoverageTest, AddsUpAndFindsNewChaptersByItself) {
  Write("chapters/23_barrier/README.md", "# 23 · Barrier\n");
  Write("tests/23_barrier/barrier_test.cc", "TEST(Barrier, Opens) {}\n");
  EXPECT_THAT(Page(), HasSubstr("|  | [23 · Barrier](#23--barrier) | 1 | 0 |"));
  EXPECT_THAT(Page(), HasSubstr("| | all | 3 | 1 |"));
}

TEST_F(CoverageTest, RejectsAChapterWithoutTests) {
  Write("chapters/23_barrier/README.md", "# 23 · Barrier\n");
  EXPECT_THAT(Page(), HasSubstr("chapter 23_barrier has no tests. Write "));
}

TEST_F(CoverageTest, RejectsAMistakeWithoutItsLines) {
  Write("tests/08_mutex/mistakes/other.h", "class Lock {};\n");
  EXPECT_THAT(Page(), HasSubstr("tests/08_mutex/mistakes/other.h: a mistake"));
}

TEST_F(CoverageTest, RejectsAMistakeOfNoRule) {
  Write("tests/08_mutex/mistakes/other.h",
        "// Mistake: x\n// Verdict: deadlock\n// Rule: HoldsIt\n");
  EXPECT_THAT(Page(), HasSubstr("no test of the chapter is named HoldsIt."));
}

TEST_F(CoverageTest, KnowsTheGradersOwnRule) {
  Write(
      "tests/08_mutex/mistakes/other.h",
      "// Mistake: x\n// Verdict: exit\n// Rule: TheProgramReachesItsTests\n");
  EXPECT_THAT(Page(), HasSubstr("| Program: The program reaches its tests | "
                                "[other](../tests/08_mutex/mistakes/other.h)"));
}

TEST(WorkbookTest, TheTableIsCurrent) {
  const std::string root = literate::WorkbookRoot();
  const absl::StatusOr<std::string> page = CoveragePage(root);
  ASSERT_TRUE(page.ok()) << page.status();
  const absl::StatusOr<std::string> written =
      literate::ReadFile(root + "/docs/COVERAGE.md");
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_TRUE(*written == *page)
      << "docs/COVERAGE.md is not what the chapters say. Fix: "
         "bazel run //tools/coverage:update";
}

}  // namespace
}  // namespace coverage
