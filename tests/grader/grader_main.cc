// SPDX-License-Identifier: Apache-2.0
//
// The grader: runs a test program, which holds an answer and the tests of its
// chapter, and says what came of it. Three uses:
//
//   (default)                  grade an answer
//   --self_check=mistake       succeed if the answer, a mistake file, is
//                              rejected for its stated reason
//   --self_check=skeleton      succeed if the answer, the pristine skeleton,
//                              is reported as not started and fails cleanly
//
// No code of the answer is part of this program, so nothing that the answer
// does, not even before main(), ends or outlives the grader. tools/chapter.bzl
// passes the flags; all others go to the test program.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/grader/mistake.h"
#include "tests/grader/supervisor.h"
#include "tests/grader/test_names.h"

ABSL_FLAG(std::string, chapter, "", "the chapter's name, as 08_mutex");
ABSL_FLAG(std::string, answer, "",
          "the file under test, from the workspace root");
ABSL_FLAG(std::string, skeleton, "",
          "the pristine skeleton the answer started as");
ABSL_FLAG(std::string, program, "",
          "the test program; by default this one's own name with _program");
ABSL_FLAG(std::string, self_check, "", "'mistake' or 'skeleton'");
ABSL_FLAG(int, seconds_per_test, 20, "the deadline of a single test");

namespace grader {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Equal but for white space: opening and saving a file is not an answer.
bool SameText(absl::string_view a, absl::string_view b) {
  std::string x(a), y(b);
  const auto squeeze = [](std::string& s) {
    std::erase_if(s, [](char c) { return absl::ascii_isspace(c); });
  };
  squeeze(x);
  squeeze(y);
  return x == y;
}

int CountTodos(absl::string_view text) {
  int count = 0;
  for (size_t at = text.find("TODO("); at != absl::string_view::npos;
       at = text.find("TODO(", at + 1)) {
    ++count;
  }
  return count;
}

std::string NotStartedText(const std::string& chapter,
                           const std::string& answer, int todos) {
  return absl::StrCat(chapter, ": not started.\n",                    //
                      "  read   chapters/", chapter, "/README.md\n",  //
                      "  edit   ", answer, "  (", todos, " TODO",     //
                      todos == 1 ? "" : "s", ")\n",                   //
                      "  grade  bazel test //chapters/", chapter, "/...\n");
}

// Parses the flags that are the grader's own, and returns the others.
std::vector<std::string> ParseOwnFlags(int argc, char** argv) {
  std::vector<char*> own = {argv[0]};
  std::vector<std::string> others;
  for (int i = 1; i < argc; ++i) {
    absl::string_view name = argv[i];
    const bool is_flag = absl::ConsumePrefix(&name, "--");
    name = name.substr(0, name.find('='));
    if (is_flag && absl::FindCommandLineFlag(name) != nullptr) {
      own.push_back(argv[i]);
    } else {
      others.push_back(argv[i]);
    }
  }
  absl::ParseCommandLine(static_cast<int>(own.size()), own.data());
  return others;
}

// The tests that the sources of the chapter define, and so must run. Read from
// there, because an answer can change what the test program runs, for instance
// through GTEST_FILTER in its environment.
std::vector<std::string> TestsOf(const std::string& chapter) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(
           absl::StrCat("tests/", chapter), ignored)) {
    if (file.path().extension() != ".cc") continue;
    for (std::string& name : TestNames(ReadFile(file.path().string()))) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

// True if whoever started the grader asked for some of the tests.
bool SomeTestsOnly(const std::vector<std::string>& program_flags) {
  for (const char* variable : {"TESTBRIDGE_TEST_ONLY", "GTEST_FILTER",
                               "GTEST_TOTAL_SHARDS", "TEST_TOTAL_SHARDS"}) {
    if (std::getenv(variable) != nullptr) return true;
  }
  return std::any_of(program_flags.begin(), program_flags.end(),
                     [](const std::string& flag) {
                       return absl::StrContains(flag, "gtest_filter");
                     });
}

// Becomes the test program. Returns only if there is none.
int RunProgram(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  std::perror(argv[0]);
  return 126;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> program_flags = ParseOwnFlags(argc, argv);
  std::string program = absl::GetFlag(FLAGS_program);
  if (program.empty()) program = absl::StrCat(argv[0], "_program");
  const std::string chapter = absl::GetFlag(FLAGS_chapter);
  const std::string answer = absl::GetFlag(FLAGS_answer);
  const std::string self_check = absl::GetFlag(FLAGS_self_check);
  const std::string answer_text = ReadFile(answer);
  const std::string skeleton_text = ReadFile(absl::GetFlag(FLAGS_skeleton));

  const bool not_started =
      !skeleton_text.empty() && SameText(answer_text, skeleton_text);
  const std::string message =
      NotStartedText(chapter, answer, CountTodos(skeleton_text));
  if (not_started && self_check.empty()) {
    std::printf("%s", message.c_str());
    return 1;
  }

  if (absl::StartsWith(answer, "solutions/") && CountTodos(answer_text) > 0) {
    std::printf("%s: a reference answer has no TODO(n)\n", answer.c_str());
    return 1;
  }

  const char* tmp = std::getenv("TEST_TMPDIR");
  const std::string log_path =
      absl::StrCat(tmp != nullptr ? tmp : "/tmp", "/verdicts.tsv");
  Limits limits;
  limits.per_test = absl::Seconds(absl::GetFlag(FLAGS_seconds_per_test));
#ifdef GRADER_WITH_SANITIZER  // They reserve terabytes.
  limits.memory_bytes = 0;
#endif
  if (access(program.c_str(), X_OK) != 0) {
    std::printf("%s: cannot run the test program %s\n", chapter.c_str(),
                program.c_str());
    return 1;
  }
  const std::vector<std::string> tests = TestsOf(chapter);
  const bool some_tests_only = SomeTestsOnly(program_flags);
  if (tests.empty()) {
    std::printf("%s: cannot read its tests in tests/%s/\n", chapter.c_str(),
                chapter.c_str());
    return 1;
  }
  Outcome outcome =
      Supervise(limits, log_path, [&](const std::vector<std::string>& seen) {
        std::vector<std::string> arguments = {program};
        arguments.insert(arguments.end(), program_flags.begin(),
                         program_flags.end());
        arguments.push_back("--grader_log=" + log_path);
        arguments.push_back("--grader_seen=" + absl::StrJoin(seen, ":"));
        return RunProgram(std::move(arguments));
      });

  if (outcome.log.done && !some_tests_only)
    NameTestsThatDidNotRun(tests, outcome);

  const bool named = outcome.log.Count(/*passed=*/false) > 0;
  if (!outcome.verdict.empty() && !named) {
    std::printf("✗ The whole program  [%s]\n    %s\n", outcome.verdict.c_str(),
                outcome.message.c_str());
  }

  if (self_check == "mistake") {
    const absl::StatusOr<Mistake> mistake = ParseMistake(answer_text);
    const absl::Status rejected =
        mistake.ok() ? CheckRejected(*mistake, outcome.log) : mistake.status();
    if (!rejected.ok()) {
      std::printf("%s: %s\n", answer.c_str(),
                  std::string(rejected.message()).c_str());
      return 1;
    }
    std::printf("rejected as stated: %s, by %s\n", mistake->verdict.c_str(),
                mistake->rule.c_str());
    return 0;
  }
  if (self_check == "skeleton") {
    std::string fault;
    const std::vector<std::string> lines = absl::StrSplit(message, '\n');
    if (!not_started) fault = "it does not count as not started";
    if (lines.size() > 8) fault = "the message has more than 8 lines";
    if (message.find(answer) == std::string::npos) {
      fault = "the message does not name the file to open";
    }
    if (CountTodos(skeleton_text) == 0) fault = "it has no TODO(n)";
    if (absl::StrContains(skeleton_text, "WRITE ")) {
      fault = "a WRITE of tools/new_chapter is still to be written";
    }
    if (!outcome.verdict.empty()) {
      fault = absl::StrCat("its tests end in: ", outcome.verdict, ": ",
                           outcome.message);
    } else if (outcome.log.Count(/*passed=*/false) == 0) {
      fault = "its tests pass";
    }
    if (!fault.empty()) {
      std::printf("%s: a skeleton must fail cleanly, but %s\n", answer.c_str(),
                  fault.c_str());
      return 1;
    }
    std::printf("%s", message.c_str());
    return 0;
  }

  const int rules = static_cast<int>(outcome.log.tests.size());
  const int held = outcome.log.Count(/*passed=*/true);
  if (outcome.passed() && some_tests_only) {
    std::printf("\n%s: the rules that were asked for hold: %d of %d.\n",
                chapter.c_str(), rules, static_cast<int>(tests.size()));
    return 0;
  }
  if (outcome.passed()) {
    std::printf("\n%s: all %d rules hold.\n", chapter.c_str(), rules);
    return 0;
  }
  if (rules == 0 && outcome.verdict.empty()) {
    std::printf("%s: no test ran; is --gtest_filter right?\n", chapter.c_str());
    return 1;
  }
  const int todos = CountTodos(answer_text);
  std::printf(
      "\n%s: %d of %d rules hold%s. Edit %s%s and grade again:\n"
      "  bazel test //chapters/%s/...\n",
      chapter.c_str(), held, rules,
      outcome.log.done ? "" : " (the rest did not run)", answer.c_str(),
      todos == 0   ? ""
      : todos == 1 ? " (1 TODO is left)"
                   : absl::StrCat(" (", todos, " TODOs are left)").c_str(),
      chapter.c_str());
  return 1;
}

}  // namespace
}  // namespace grader

int main(int argc, char** argv) { return grader::Main(argc, argv); }
