// SPDX-License-Identifier: Apache-2.0
//
// Pages held against programs: every way in which a page can be wrong. The
// programs are shell scripts that this test writes.

#include "tools/literate/check.h"

#include <sys/stat.h>

#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/literate/difference.h"
#include "tools/literate/excerpt.h"
#include "tools/literate/files.h"
#include "tools/literate/json.h"
#include "tools/literate/subprocess.h"
#include "tools/literate/update.h"

namespace literate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    spec_.page = folder_.path() + "/p.md";
    spec_.package = folder_.path();
    spec_.update = "bazel run //p:update";
  }

  std::string Script(const std::string& name, const std::string& body) {
    const std::string path = folder_.path() + "/" + name + ".sh";
    EXPECT_TRUE(WriteFile(path, "#!/bin/sh\n" + body + "\n").ok());
    chmod(path.c_str(), 0755);
    return path;
  }

  // What is wrong with `source`, the folder's name left out.
  std::string ProblemsOf(const std::string& source) {
    EXPECT_TRUE(WriteFile(spec_.page, source).ok());
    const auto problems = Check(spec_);
    EXPECT_TRUE(problems.ok()) << problems.status();
    std::string text = problems.ok() ? ToString(*problems) : "";
    for (size_t at; (at = text.find(folder_.path())) != std::string::npos;) {
      text.erase(at, folder_.path().size() + 1);
    }
    return text;
  }

  const TempFolder folder_;
  Spec spec_;
};

constexpr char kProgram[] = "```cpp run=a\nint main() {}\n```\n\n";

TEST_F(CheckTest, APageThatSaysWhatIsSoIsFine) {
  spec_.listings["a"] = Script("a", "echo hi; echo ' there'");
  EXPECT_EQ(
      ProblemsOf(std::string(kProgram) + "```text output=a\nhi\n there\n```\n"),
      "");
}

TEST_F(CheckTest, ShowsHowAnOutputDiffers) {
  spec_.listings["a"] = Script("a", "echo hi; echo there");
  EXPECT_EQ(
      ProblemsOf(std::string(kProgram) + "```text output=a\nho\nthere\n```\n"),
      "p.md:5: This is not what the program \"a\" shows (- page, + run):\n"
      "- ho\n+ hi\n  there\n"
      "Fix: correct the program, or run `bazel run //p:update` to take "
      "the output over.\n");
}

TEST_F(CheckTest, ATrailingSpaceIsADifference) {
  spec_.listings["a"] = Script("a", "echo 'hi '");
  EXPECT_THAT(ProblemsOf(std::string(kProgram) + "```text output=a\nhi\n```\n"),
              HasSubstr("This is not what"));
}

TEST_F(CheckTest, AProgramThatPrintsNeedsAnOutputBlock) {
  spec_.listings["a"] = Script("a", "echo hi");
  EXPECT_THAT(ProblemsOf(kProgram),
              AllOf(HasSubstr("p.md:1: The program \"a\" prints, but the page "
                              "does not show what:\n  hi\n"),
                    HasSubstr("Fix: add a block `text output=a` below it.")));
}

TEST_F(CheckTest, AnOutputNeedsALineEnd) {
  spec_.listings["a"] = Script("a", "printf hi");
  EXPECT_THAT(ProblemsOf(std::string(kProgram) + "```text output=a\nhi\n```\n"),
              HasSubstr("has no line end"));
}

TEST_F(CheckTest, TheExitStatusIsTheStatedOne) {
  spec_.listings["a"] = Script("a", "echo hi; echo oops >&2; exit 3");
  EXPECT_THAT(
      ProblemsOf(std::string(kProgram) + "```text output=a\nhi\n```\n"),
      HasSubstr("p.md:5: The program \"a\" exits with status 3, not 0. It "
                "printed:\n  hi\n  oops\n"));
  EXPECT_EQ(
      ProblemsOf(std::string(kProgram) + "```text output=a exit=3\nhi\n```\n"),
      "");
}

TEST_F(CheckTest, DeathByASignalCountsAsInAShell) {
  spec_.listings["a"] = Script("a", "kill -9 $$");
  EXPECT_EQ(
      ProblemsOf(std::string(kProgram) + "```text output=a exit=137\n```\n"),
      "");
}

TEST_F(CheckTest, BuildFileAndPageListTheSamePrograms) {
  EXPECT_THAT(ProblemsOf(kProgram),
              HasSubstr("BUILD.bazel does not list the program \"a\". Fix: add "
                        "\"a\" to `listings`"));
  spec_.listings["b"] = "b";
  EXPECT_THAT(ProblemsOf("text\n"),
              HasSubstr("lists the program \"b\", which is not on the page"));
}

TEST_F(CheckTest, BuildFileAndPageListTheSameSchedules) {
  spec_.explored["b"] = "b";
  spec_.pictures = {"mistakes/c.h:A.B"};
  EXPECT_THAT(
      ProblemsOf(std::string(kProgram) +
                 "```text schedule=a\n```\n\n"
                 "```text schedule=mistakes/m.h:A.B\n```\n"),
      AllOf(HasSubstr("BUILD.bazel does not list the schedule of \"a\"."),
            HasSubstr("does not list the schedule of mistakes/m.h."),
            HasSubstr("lists the schedule mistakes/c.h:A.B, which"),
            HasSubstr("lists a schedule of \"b\", which the page does not")));
}

TEST_F(CheckTest, AProgramShownOnlyForItsScheduleIsNotRun) {
  spec_.listings["a"] = Script("a", "exit 1");
  EXPECT_THAT(ProblemsOf(std::string(kProgram) + "```text schedule=a\n```\n"),
              HasSubstr("move \"a\" from `listings` to `schedules`"));
}

constexpr char kReport[] =
    R"(echo '{"verdict":"deadlock","message":"all \"wait\"",)"
    R"("steps":[{"picture":"no"}],"picture":"1 locks a\n","ending":"the end"}')";

TEST_F(CheckTest, APictureComesFromTheExploration) {
  spec_.explored["a"] = Script("a", kReport);
  const std::string page = std::string(kProgram) +
                           "```text schedule=a verdict=deadlock\n"
                           "deadlock: all \"wait\"\n\n1 locks a\n     the end\n"
                           "```\n";
  EXPECT_EQ(ProblemsOf(page),
            "p.md:5: The recording schedules/a.json for the book's player is "
            "missing. Fix: run `bazel run //p:update`.\n");
  spec_.recordings = {folder_.path() + "/schedules/a.json"};
  ASSERT_TRUE(WriteFile(folder_.path() + "/schedules/a.json", "{}").ok());
  EXPECT_THAT(ProblemsOf(page), HasSubstr("is out of date"));
}

TEST_F(CheckTest, TheExplorationFindsTheLinesItQuotes) {
  // Line 1 of the program is line 1 of the file: no #line comes before it.
  spec_.explored["a"] = Script("a", "cat -n a.cc >&2; exit 1");
  EXPECT_THAT(
      ProblemsOf(std::string(kProgram) + "```text schedule=a\n```\n"),
      AllOf(HasSubstr("ends with status 1"), HasSubstr("1\tint main() {}\n")));
}

TEST_F(CheckTest, AGraphIsRecordedWhereThePageAsksForIt) {
  const std::string report = kReport;
  spec_.explored["a"] =
      Script("a", "case $1 in --graph) cat -n a.cc;; *) " + report + ";; esac");
  const std::string picture =
      "deadlock: all \"wait\"\n\n1 locks a\n     the end\n```\n";
  spec_.recordings = {folder_.path() + "/schedules/a.json"};
  const std::string without =
      std::string(kProgram) + "```text schedule=a\n" + picture;
  EXPECT_THAT(ProblemsOf(without), Not(HasSubstr("graphs/")));
  const std::string with =
      std::string(kProgram) + "```text schedule=a graph\n" + picture;
  EXPECT_THAT(ProblemsOf(with), HasSubstr("graphs/a.json for the book's player "
                                          "is missing"));
  const std::string file = folder_.path() + "/graphs/a.json";
  spec_.recordings.insert(file);
  ASSERT_TRUE(WriteFile(file, "{}").ok());
  EXPECT_THAT(ProblemsOf(with),
              HasSubstr("graphs/a.json for the book's player is out of date"));
  ASSERT_TRUE(WriteFile(file, "     1\tint main() {}\n").ok());
  EXPECT_THAT(ProblemsOf(with), Not(HasSubstr("graphs/")));
  EXPECT_THAT(ProblemsOf(without), HasSubstr("graphs/a.json:1: No `schedule="));
}

TEST_F(CheckTest, AGraphThatCannotBeRecordedIsExplained) {
  const std::string report = kReport;
  spec_.explored["a"] = Script(
      "a", "case $1 in --graph) echo too large >&2; exit 1;; esac; " + report);
  EXPECT_THAT(
      ProblemsOf(std::string(kProgram) + "```text schedule=a graph\n```\n"),
      HasSubstr("The schedules of \"a\" could not all be recorded:\n"
                "  too large\n"));
}

TEST_F(CheckTest, TheVerdictIsTheStatedOne) {
  spec_.explored["a"] = Script("a", kReport);
  EXPECT_THAT(ProblemsOf(std::string(kProgram) +
                         "```text schedule=a verdict=\"data race\"\n```\n"),
              HasSubstr("The verdict of the exploration of \"a\" is "
                        "\"deadlock\", not \"data race\"."));
}

TEST_F(CheckTest, AScheduleThatDoesNotFailIsNoPicture) {
  spec_.explored["a"] = Script("a", "echo '{\"verdict\":\"none\"}'");
  EXPECT_THAT(ProblemsOf(std::string(kProgram) + "```text schedule=a\n```\n"),
              HasSubstr("No schedule fails"));
}

TEST_F(CheckTest, AMistakesPictureComesFromItsTest) {
  spec_.graders["mistakes/m.h"] =
      Script("m",
             "for a in \"$@\"; do case $a in --lockstep_json_dir=*) "
             "d=${a#*=};; --gtest_filter=*) f=${a#*=};; esac; done\n"
             "echo \"{\\\"verdict\\\":\\\"v\\\",\\\"message\\\":\\\"$f\\\","
             "\\\"picture\\\":\\\"p\\\\n\\\"}\" > $d/x.json; exit 1");
  EXPECT_THAT(ProblemsOf("```text schedule=mistakes/m.h:A.B\nx\n```\n"),
              AllOf(HasSubstr("not what A.B with mistakes/m.h shows"),
                    HasSubstr("+ v: A.B\n+ \n+ p\n"),
                    HasSubstr("schedules/mistakes/m/A.B.json")));
}

TEST_F(CheckTest, ATestThatAcceptsTheMistakeIsNoPicture) {
  spec_.graders["mistakes/m.h"] = Script("m", "echo all green");
  EXPECT_THAT(ProblemsOf("```text schedule=mistakes/m.h:A.B\nx\n```\n"),
              HasSubstr("The test A.B does not fail under lockstep with "
                        "mistakes/m.h:\n  all green\n"));
}

TEST_F(CheckTest, ARecordingOfNothingIsRubbish) {
  spec_.recordings = {"schedules/old.json"};
  EXPECT_THAT(
      ProblemsOf("text\n"),
      HasSubstr("schedules/old.json:1: No `schedule=` block of the page "
                "belongs to this recording. Fix: delete the file."));
}

TEST_F(CheckTest, AFreshCheckoutPrintsWhatTheGraderOfTheSkeletonPrints) {
  spec_.not_started = Script("g", "cat ${2#--answer=}; exit 1");
  spec_.skeleton = Script("skeleton", "echo TODO");
  spec_.exercise = "exercises/x/lock.h";
  EXPECT_EQ(ProblemsOf("```text not_started\n#!/bin/sh\necho TODO\n```\n"), "");
  EXPECT_THAT(ProblemsOf("```text not_started\n```\n"),
              HasSubstr("This is not what a fresh checkout shows"));
  spec_.skeleton = "";
  EXPECT_THAT(ProblemsOf("```text not_started\n```\n"),
              HasSubstr("there is no skeleton"));
}

TEST_F(CheckTest, ExcerptsStandInTheirFiles) {
  const std::string file = Script("f", "one\n  two\n  three\nfour");
  const auto excerpt = [&](const std::string& text) {
    return ProblemsOf("```cpp file=" + file + "\n" + text + "```\n");
  };
  EXPECT_THAT(excerpt("one\n"), HasSubstr("does not list the file"));
  spec_.files = {file};
  EXPECT_EQ(excerpt("two\nthree\n"), "");
  EXPECT_EQ(excerpt("one\n  // ...\nfour\n"), "");
  EXPECT_THAT(excerpt("one\n// ...\nfive\n"),
              HasSubstr("p.md:4: The lines from here on do not stand in f.sh"));
  EXPECT_EQ(ProblemsOf("```text file=" + file + "\none\n```\n"), "");
  EXPECT_THAT(ProblemsOf("```text file=" + file + "\nfive\n```\n"),
              HasSubstr("do not stand in f.sh"));
  EXPECT_THAT(ProblemsOf("```cpp file=solutions/x.h\n```\n"),
              HasSubstr("A page must do without solutions/"));
}

TEST_F(CheckTest, UpdateWritesOutputsAndRecordings) {
  const std::string page = std::string(kProgram) +
                           "```text output=a\nold\n```\n\nprose\n\n"
                           "```text schedule=a\n```\nend\n";
  ASSERT_TRUE(WriteFile(folder_.path() + "/root/p.md", page).ok());
  spec_.listings["a"] = Script("a", "echo new; echo newer");
  spec_.explored["a"] = Script("b", kReport);
  spec_.page = "p.md";
  spec_.package = "x";
  Problems problems;
  const auto report = Update(spec_, folder_.path() + "/root", problems);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(ToString(problems), "");
  EXPECT_EQ(*report, "wrote p.md\nwrote x/schedules/a.json\n");
  EXPECT_EQ(*ReadFile(folder_.path() + "/root/p.md"),
            std::string(kProgram) +
                "```text output=a\nnew\nnewer\n```\n\nprose\n\n"
                "```text schedule=a\ndeadlock: all \"wait\"\n\n1 locks a\n"
                "     the end\n```\nend\n");
  const auto again = Update(spec_, folder_.path() + "/root", problems);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, "");
}

TEST(RunTest, EndsAProgramThatDoesNotEnd) {
  const auto finished =
      literate::Run({"/bin/sleep", "1000"}, absl::Milliseconds(50));
  EXPECT_EQ(finished.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(finished.status().message(), "did not end within 50ms");
}

TEST(RunTest, AProgramThatCannotBeRunSaysSo) {
  const auto finished = literate::Run({"/no/such/program"}, absl::Seconds(5));
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->status, 127);
  EXPECT_THAT(finished->err, HasSubstr("/no/such/program: No such file"));
}

TEST(DifferenceTest, KeepsWhatBothHave) {
  EXPECT_EQ(Difference("a\nb\nc\n", "a\nx\nc\nd\n"),
            "  a\n- b\n+ x\n  c\n+ d\n");
  EXPECT_EQ(Difference("a\n", "a\n"), "");
  EXPECT_EQ(Difference("a", "a\n"), "  a\n(The last line end differs.)\n");
}

TEST(OccursInTest, KnowsIndentationAndOrder) {
  int missing = -1;
  EXPECT_TRUE(OccursIn("b\n  c\n", "a\n  b\n    c\n", "...", missing));
  EXPECT_FALSE(OccursIn("b\nc\n", "a\n  b\n    c\n", "...", missing));
  EXPECT_FALSE(OccursIn("c\n...\nb\n", "a\nb\nc\n", "...", missing));
  EXPECT_EQ(missing, 2);
}

TEST(TopLevelStringsTest, SkipsWhatIsNested) {
  const auto fields = TopLevelStrings(
      R"({"a":"x\n\"é\u2500","b":[{"a":"no"},"no"],"c":1,"d":"y"})");
  ASSERT_TRUE(fields.ok());
  EXPECT_EQ(fields->size(), 2u);
  EXPECT_EQ(fields->at("a"), "x\n\"é─");
  EXPECT_EQ(fields->at("d"), "y");
  EXPECT_FALSE(TopLevelStrings("{\"a").ok());
  EXPECT_FALSE(TopLevelStrings("{").ok());
}

}  // namespace
}  // namespace literate
