// SPDX-License-Identifier: Apache-2.0
//
// The grader itself, where no chapter's hostile answers reach: log parsing,
// mistake headers, and children that end in every way.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/grader/mistake.h"
#include "tests/grader/supervisor.h"
#include "tests/grader/test_names.h"
#include "tests/grader/verdict_log.h"

namespace grader {
namespace {

constexpr char kKey[] = "a key";

// A log with these lines, sealed, and then `rest` as it is.
VerdictLog Parse(const std::vector<std::string>& lines,
                 const std::string& rest = "") {
  std::string text;
  for (const std::string& line : lines) {
    text += LogLine(absl::StrSplit(line, '\t'), kKey);
  }
  return ParseVerdictLog(text + rest, kKey);
}

TEST(RuleSentence, SplitsWordsAndDropsTheSuite) {
  EXPECT_EQ(RuleSentence("Queue.EveryItemIsDeliveredOnce"),
            "Every item is delivered once");
  EXPECT_EQ(RuleSentence("Run.Has64KiBytes"), "Has 64 ki bytes");
}

TEST(TestNames, FindsEveryKindOfTest) {
  EXPECT_EQ(
      TestNames("TEST(A, One) {\n}\n"
                "// TEST(A, InAComment)\n"
                "LOCKSTEP_TEST(A, Two) {\n"
                "LOCKSTEP_TEST_WITH(B, Three,\n  {.schedules = 1}) {\n"
                "TEST_F(BTest,\n       Four) {\n"
                "TESTING(C, None)\n"),
      (std::vector<std::string>{"A.One", "A.Two", "B.Three", "BTest.Four"}));
}

TEST(ParseVerdictLog, IgnoresTheLineThatTheWriterCouldNotFinish) {
  const VerdictLog log = Parse({"start\tA.B", "end\tA.B\tpassed", "start\tA.C"},
                               "verdict\tA.C\tdead");
  ASSERT_EQ(log.tests.size(), 2u);
  EXPECT_EQ(log.tests[0].verdict, "passed");
  ASSERT_NE(log.Running(), nullptr);
  EXPECT_EQ(log.Running()->name, "A.C");
  EXPECT_EQ(log.Running()->verdict, "");
  EXPECT_FALSE(log.done);
}

TEST(ParseVerdictLog, AFailedTestWithoutAVerdictIsAWrongResult) {
  const VerdictLog log = Parse({"start\tA.B", "end\tA.B\tfailed", "done"});
  EXPECT_EQ(log.tests[0].verdict, "wrong result");
  EXPECT_TRUE(log.done);
  EXPECT_FALSE(log.forged);
}

TEST(ParseVerdictLog, ALineWithoutTheSealOfTheRunIsForgedAndDoesNotCount) {
  for (const std::string& line :
       {std::string("end\tA.B\tpassed\n"), std::string("done\n"),
        std::string("end\tA.B\tpassed\t0\n"),
        LogLine({"end", "A.B", "passed"}, "a key of another run"),
        LogLine({"end", "A.B", "passed"}, "")}) {
    SCOPED_TRACE(line);
    const VerdictLog log = Parse({"start\tA.B"}, line);
    EXPECT_TRUE(log.forged);
    EXPECT_FALSE(log.done);
    EXPECT_EQ(log.Count(/*passed=*/true), 0);
  }
}

TEST(ParseVerdictLog, WhatIsNotSealedCannotMakeAGradeBetter) {
  const VerdictLog log =
      Parse({"start\tA.B", "end\tA.B\tfailed"}, "verdict\tA.B\tpassed\t.\n");
  EXPECT_EQ(log.Count(/*passed=*/true), 0);
}

TEST(ParseVerdictLog, FailedIsTheLastWord) {
  const std::string passed = "end\tA.B\tpassed", failed = "end\tA.B\tfailed";
  EXPECT_EQ(Parse({"start\tA.B", passed, failed}).Count(/*passed=*/true), 0);
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
  const auto check = [&](const std::vector<std::string>& lines) {
    return CheckRejected(mistake, Parse(lines)).ok();
  };
  EXPECT_TRUE(check({"verdict\tA.It\tdeadlock\t.", "end\tA.It\tfailed"}));
  EXPECT_FALSE(check({"verdict\tA.It\tcrash\t.", "end\tA.It\tfailed"}));
  EXPECT_FALSE(
      check({"verdict\tA.Other\tdeadlock\t.", "end\tA.Other\tfailed"}));
  EXPECT_FALSE(check({"start\tA.It", "end\tA.It\tpassed"}));
}

class SuperviseTest : public testing::Test {
 protected:
  std::string log_path_ = testing::TempDir() + "/supervise_test.tsv";
  Limits limits_;

  // In the child: the log, with the key that was left for it.
  VerdictLogWriter Log() const {
    std::string key(kKeyBytes, '\0');
    EXPECT_EQ(read(kKeyDescriptor, key.data(), key.size()), kKeyBytes);
    return VerdictLogWriter(log_path_, key);
  }
};

TEST_F(SuperviseTest, AChildThatFinishesHasNoVerdict) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        const VerdictLogWriter log = Log();
        log.Write({"start", "A.B"});
        log.Write({"end", "A.B", "passed"});
        log.Write({"done"});
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "");
  EXPECT_TRUE(outcome.passed());
}

TEST_F(SuperviseTest, NoTestAtAllIsNotAPass) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        const VerdictLogWriter log = Log();
        log.Write({"done"});
        return 0;
      });
  EXPECT_FALSE(outcome.passed());
}

TEST_F(SuperviseTest, AfterACrashTheOtherTestsStillRun) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>& seen) {
        const VerdictLogWriter log = Log();
        if (seen.empty()) {
          log.Write({"start", "A.B"});
          raise(SIGKILL);
        }
        EXPECT_EQ(seen, std::vector<std::string>{"A.B"});
        log.Write({"start", "A.C"});
        log.Write({"end", "A.C", "passed"});
        log.Write({"done"});
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
        const VerdictLogWriter log = Log();
        if (!seen.empty()) {
          log.Write({"done"});
          return 0;
        }
        log.Write({"start", "A.B"});
        for (;;) pause();
      });
  EXPECT_EQ(outcome.verdict, "time-out");
  EXPECT_EQ(outcome.log.tests.at(0).verdict, "time-out");
}

TEST_F(SuperviseTest, ExitWithZeroIsNotAPass) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        const VerdictLogWriter log = Log();
        log.Write({"start", "A.B"});
        _exit(0);
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "exit");
  EXPECT_FALSE(outcome.passed());
}

TEST_F(SuperviseTest, AForgedLogIsTampering) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        std::ofstream(log_path_) << "start\tA.B\nend\tA.B\tpassed\ndone\n";
        _exit(0);
        return 0;
      });
  EXPECT_EQ(outcome.verdict, kTampering);
  EXPECT_EQ(outcome.log.Count(/*passed=*/false), 1);
  EXPECT_FALSE(outcome.passed());
}

TEST_F(SuperviseTest, ATestThatDidNotRunIsTampering) {
  Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        const VerdictLogWriter log = Log();
        log.Write({"start", "A.B"});
        log.Write({"end", "A.B", "passed"});
        log.Write({"done"});
        return 0;
      });
  NameTestsThatDidNotRun({"A.B"}, outcome);
  EXPECT_TRUE(outcome.passed());
  NameTestsThatDidNotRun({"A.B", "A.C"}, outcome);
  EXPECT_EQ(outcome.verdict, kTampering);
  EXPECT_EQ(outcome.log.tests.back().name, "A.C");
  EXPECT_FALSE(outcome.passed());
}

#ifdef __linux__
TEST_F(SuperviseTest, TheChildCannotReachIntoTheSupervisor) {
  // As a program of its own: only an exec makes a child an ordinary process.
  const std::string attack =
      "exec 2>&1; grep ^CapEff /proc/self/status; "
      "grep '^Max processes.* 8192 ' /proc/self/limits; "
      "if true 3<>/proc/$PPID/mem; then echo reached; else echo closed; fi";
  testing::internal::CaptureStdout();
  Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
    return execl("/bin/sh", "sh", "-c", attack.c_str(), nullptr);
  });
  std::fflush(stdout);
  const std::string output = testing::internal::GetCapturedStdout();
  EXPECT_NE(output.find("CapEff:\t0000000000000000"), std::string::npos)
      << output;
  EXPECT_NE(output.find("Max processes"), std::string::npos) << output;
  EXPECT_NE(output.find("closed"), std::string::npos) << output;
}
#endif

TEST_F(SuperviseTest, ExitBeforeTheFirstTestIsAFailedTest) {
  const Outcome outcome =
      Supervise(limits_, log_path_, [&](const std::vector<std::string>&) {
        const VerdictLogWriter log = Log();
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
        const VerdictLogWriter log = Log();
        if (fork() == 0) {
          setsid();  // Out of the process group, and still found.
          pause();
          _exit(0);
        }
        log.Write({"start", "A.B"});
        log.Write({"end", "A.B", "passed"});
        log.Write({"done"});
        return 0;
      });
  EXPECT_EQ(outcome.verdict, "process leak");
  EXPECT_FALSE(outcome.passed());
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "nothing is left to reap";
}

}  // namespace
}  // namespace grader
