// SPDX-License-Identifier: Apache-2.0
//
// The grader itself, where no chapter's hostile answers reach: log parsing,
// mistake headers, and children that end in every way.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/grader/mistake.h"
#include "tests/grader/supervisor.h"
#include "tests/grader/verdict_log.h"

namespace grader {
namespace {

TEST(RuleSentence, SplitsWordsAndDropsTheSuite) {
  EXPECT_EQ(RuleSentence("Queue.EveryItemIsDeliveredOnce"),
            "Every item is delivered once");
  EXPECT_EQ(RuleSentence("Run.Has64KiBytes"), "Has 64 ki bytes");
}

TEST(ParseVerdictLog, IgnoresTheLineThatTheWriterCouldNotFinish) {
  const VerdictLog log = ParseVerdictLog(
      "start\tA.B\nend\tA.B\tpassed\nstart\tA.C\nverdict\tA.C\tdead");
  ASSERT_EQ(log.tests.size(), 2u);
  EXPECT_EQ(log.tests[0].verdict, "passed");
  ASSERT_NE(log.Running(), nullptr);
  EXPECT_EQ(log.Running()->name, "A.C");
  EXPECT_EQ(log.Running()->verdict, "");
  EXPECT_FALSE(log.done);
}

TEST(ParseVerdictLog, AFailedTestWithoutAVerdictIsAWrongResult) {
  const VerdictLog log =
      ParseVerdictLog("start\tA.B\nend\tA.B\tfailed\ndone\n");
  EXPECT_EQ(log.tests[0].verdict, "wrong result");
  EXPECT_TRUE(log.done);
}

TEST(ParseMistake, ReadsSentencesOverSeveralLines) {
  const auto mistake = ParseMistake(
      "// SPDX-License-Identifier: Apache-2.0\n//\n"
      "// Mistake: one\n// two\n// Verdict: deadlock\n// Rule: It\n\nint x;");
  ASSERT_TRUE(mistake.ok()) << mistake.status();
  EXPECT_EQ(mistake->sentence, "one two");
  EXPECT_EQ(mistake->verdict, "deadlock");
  EXPECT_EQ(mistake->rule, "It");
}

TEST(ParseMistake, AsksForAMissingLine) {
  EXPECT_FALSE(ParseMistake("// Mistake: one\n// Rule: It\n").ok());
}

TEST(CheckRejected, WantsTheStatedVerdictFromTheStatedRule) {
  const Mistake mistake = {"m", "deadlock", "It"};
  const auto check = [&](const char* text) {
    return CheckRejected(mistake, ParseVerdictLog(text)).ok();
  };
  EXPECT_TRUE(check("verdict\tA.It\tdeadlock\t.\nend\tA.It\tfailed\n"));
  EXPECT_FALSE(check("verdict\tA.It\tcrash\t.\nend\tA.It\tfailed\n"));
  EXPECT_FALSE(check("verdict\tA.Other\tdeadlock\t.\nend\tA.Other\tfailed\n"));
  EXPECT_FALSE(check("start\tA.It\nend\tA.It\tpassed\n"));
}

class SuperviseTest : public testing::Test {
 protected:
  std::string log_path_ = testing::TempDir() + "/supervise_test.tsv";
  VerdictLogWriter log_{log_path_};
  Limits limits_;
};

TEST_F(SuperviseTest, AChildThatFinishesHasNoVerdict) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        log_.Write({"start", "A.B"});
        log_.Write({"end", "A.B", "passed"});
        log_.Write({"done"});
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "");
  EXPECT_TRUE(outcome.passed());
}

TEST_F(SuperviseTest, NoTestAtAllIsNotAPass) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        log_.Write({"done"});
        return 0;
      });
  EXPECT_FALSE(outcome.passed());
}

TEST_F(SuperviseTest, AfterACrashTheOtherTestsStillRun) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>& seen) {
        if (seen.empty()) {
          log_.Write({"start", "A.B"});
          raise(SIGKILL);
        }
        EXPECT_EQ(seen, std::vector<std::string>{"A.B"});
        log_.Write({"start", "A.C"});
        log_.Write({"end", "A.C", "passed"});
        log_.Write({"done"});
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "crash");
  ASSERT_EQ(outcome.log.tests.size(), 2u);
  EXPECT_EQ(outcome.log.tests[0].verdict, "crash");
  EXPECT_EQ(outcome.log.tests[1].verdict, "passed");
  EXPECT_FALSE(outcome.passed());
}

TEST_F(SuperviseTest, AnEndlessWaitIsEndedAndNamed) {
  limits_.per_test = absl::Seconds(1);
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>& seen) {
        if (!seen.empty()) {
          log_.Write({"done"});
          return 0;
        }
        log_.Write({"start", "A.B"});
        for (;;) pause();
      });
  EXPECT_EQ(outcome.verdict, "time-out");
  EXPECT_EQ(outcome.log.tests.at(0).verdict, "time-out");
}

TEST_F(SuperviseTest, ExitWithZeroIsNotAPass) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        log_.Write({"start", "A.B"});
        _exit(0);
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "exit");
  EXPECT_FALSE(outcome.passed());
}

TEST_F(SuperviseTest, ExitBeforeTheFirstTestIsAFailedTest) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        _exit(0);
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "exit");
  ASSERT_EQ(outcome.log.tests.size(), 1u);
  EXPECT_EQ(outcome.log.tests[0].verdict, "exit");
  EXPECT_FALSE(outcome.passed());
}

TEST_F(SuperviseTest, AProcessLeftBehindIsNamedAndEnded) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        if (fork() == 0) {
          setsid();  // Out of the process group, and still found.
          pause();
          _exit(0);
        }
        log_.Write({"start", "A.B"});
        log_.Write({"end", "A.B", "passed"});
        log_.Write({"done"});
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "process leak");
  EXPECT_FALSE(outcome.passed());
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "nothing is left to reap";
}

}  // namespace
}  // namespace grader
