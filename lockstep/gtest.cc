// SPDX-License-Identifier: Apache-2.0
//
// Runs explored bodies as GoogleTest tests: flags, failures of expectations
// inside schedules, and where reports go.

#include "lockstep/gtest.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest-spi.h"
#include "lockstep/report/json.h"
#include "lockstep/report/story.h"
#include "lockstep/runtime/runtime.h"

ABSL_FLAG(std::string, lockstep_replay, "",
          "Run exactly this schedule, as printed by a failing test. Combine "
          "with --gtest_filter.");
ABSL_FLAG(uint64_t, lockstep_schedules, 0,
          "Schedules per test, whatever the test asks for; 0: as it asks.");
ABSL_FLAG(uint64_t, lockstep_schedules_factor, 1,
          "Multiplies the number of schedules that tests ask for.");
ABSL_FLAG(uint64_t, lockstep_seed, 0, "Seed; 0: as the test says.");
ABSL_FLAG(std::string, lockstep_strategy, "",
          "portfolio, bounded, random, pct2, pct3, pos, surw or dpor.");
ABSL_FLAG(bool, lockstep_os_threads, false,
          "One kernel thread per thread: slower, friendlier to debuggers.");
ABSL_FLAG(std::string, lockstep_color, "auto", "yes, no or auto.");
ABSL_FLAG(std::string, lockstep_json_dir, "",
          "Directory for one JSON file per failing test.");
ABSL_FLAG(std::string, lockstep_verdicts, "",
          "File to which one line per failing test is appended.");

namespace lockstep {
namespace {

// "Suite.Name" of the running test.
std::string TestName() {
  const ::testing::TestInfo* const info =
      ::testing::UnitTest::GetInstance()->current_test_info();
  if (info == nullptr) return "unknown";
  return absl::StrCat(info->test_suite_name(), ".", info->name());
}

std::string ReplayCommand(const std::string& test) {
  const char* const target = std::getenv("TEST_TARGET");
  if (target == nullptr) {
    return absl::StrCat(program_invocation_name, " --gtest_filter=", test,
                        " --lockstep_replay=");
  }
  return absl::StrCat("bazel test ", target,
                      " --test_arg=--gtest_filter=", test,
                      " --test_arg=--lockstep_replay=");
}

// The names of files and of the verdict line must not depend on what the
// reporter of the moment does, so these use plain streams only.
void WriteVerdict(const std::string& test, const Report& report) {
  const std::string path = absl::GetFlag(FLAGS_lockstep_verdicts);
  if (path.empty() || report.passed()) return;
  std::string message = RenameMain(report.trace.finding.message);
  for (char& c : message) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  std::ofstream file(path, std::ios::app);
  file << "verdict\t" << test << "\t" << VerdictName(report.verdict) << "\t"
       << message << "\n";
  if (!file.flush()) {
    std::cerr << "cannot write --lockstep_verdicts=" << path << "\n";
  }
}

void WriteJson(const std::string& test, const Report& report) {
  const std::string directory = absl::GetFlag(FLAGS_lockstep_json_dir);
  if (directory.empty() || report.json.empty()) return;
  std::string name = test;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.') c = '_';
  }
  const std::string path = absl::StrCat(directory, "/", name, ".json");
  std::ofstream file(path);
  if (!(file << report.json).flush()) {
    std::cerr << "cannot write " << path << "\n";
  }
}

bool UseColor() {
  const std::string color = absl::GetFlag(FLAGS_lockstep_color);
  if (color == "yes") return true;
  return color == "auto" && isatty(STDOUT_FILENO) != 0;
}

// Takes every result of an assertion while schedules run, in any thread: a
// failure ends the schedule instead of being printed once per schedule.
class ScheduleReporter : public ::testing::ScopedFakeTestPartResultReporter {
 public:
  ScheduleReporter()
      : ScopedFakeTestPartResultReporter(INTERCEPT_ALL_THREADS, &unused_) {}

  void ReportTestPartResult(const ::testing::TestPartResult& result) override {
    if (result.skipped()) {
      skipped_ = true;
      skip_message_ = result.message();
      return;
    }
    if (!result.failed()) return;
    std::string message;
    if (result.file_name() != nullptr) {
      message =
          absl::StrCat(result.file_name(), ":", result.line_number(), ": ");
    }
    absl::StrAppend(&message, result.message());
    // A thread that lockstep does not control: keep the failure.
    if (!FailSchedule(message)) uncontrolled_ = message;
  }

  bool skipped() const { return skipped_; }
  const std::string& skip_message() const { return skip_message_; }
  const std::string& uncontrolled() const { return uncontrolled_; }

 private:
  ::testing::TestPartResultArray unused_;
  bool skipped_ = false;
  std::string skip_message_;
  std::string uncontrolled_;
};

void RunNatively(absl::FunctionRef<void()> body) {
  constexpr int kRuns = 50;
  static bool said = false;
  if (!said) {
    said = true;
    std::cout << "[ LOCKSTEP ] Schedules cannot be explored in this build: "
                 "each body runs "
              << kRuns << " times as it is, which finds little.\n";
  }
  for (int i = 0; i < kRuns; ++i) {
    body();
    if (::testing::Test::HasFailure() || ::testing::Test::IsSkipped()) return;
  }
}

// The test that runs now, for OnFatal.
std::string* current_test = nullptr;

// Set in the process that ReplayInChild starts.
constexpr char kChildVariable[] = "LOCKSTEP_REPLAY_CHILD";
// How it says that it has written a report.
constexpr int kChildReported = 77;

// The process is about to end, and the schedule was run without recording its
// steps. A new process of the same program replays it, with recording, and
// reports instead. Returns false if that did not work.
bool ReplayInChild(const std::string& test, const Report& report) {
  if (!report.trace.steps.empty() || std::getenv(kChildVariable) != nullptr) {
    return false;
  }
  std::vector<std::string> arguments = {
      program_invocation_name,
      absl::StrCat("--gtest_filter=", test),
      absl::StrCat("--lockstep_replay=", report.replay),
      absl::StrCat("--lockstep_color=", UseColor() ? "yes" : "no"),
      absl::StrCat("--lockstep_os_threads=",
                   absl::GetFlag(FLAGS_lockstep_os_threads)),
      absl::StrCat("--lockstep_json_dir=",
                   absl::GetFlag(FLAGS_lockstep_json_dir)),
      absl::StrCat("--lockstep_verdicts=",
                   absl::GetFlag(FLAGS_lockstep_verdicts))};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // Only this test, and none of this run's other outputs.
  for (const char* variable :
       {"GTEST_OUTPUT", "XML_OUTPUT_FILE", "GTEST_TOTAL_SHARDS",
        "TEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "TEST_SHARD_INDEX",
        "GTEST_SHARD_STATUS_FILE", "TEST_SHARD_STATUS_FILE"}) {
    unsetenv(variable);
  }
  setenv(kChildVariable, "1", 1);
  fflush(nullptr);
  // This runs in a handler, with the signal blocked; the child must get it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child;
  const int error = posix_spawn(&child, "/proc/self/exe", nullptr, &attributes,
                                argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return false;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == kChildReported;
}

void OnFatal(const Report& report) {
  const std::string test = current_test == nullptr ? "?" : *current_test;
  if (ReplayInChild(test, report)) return;
  fprintf(stdout, "%s\n[  FAILED  ] %s\n",
          (UseColor() ? report.colored_text : report.text).c_str(),
          test.c_str());
  fflush(stdout);
  WriteVerdict(test, report);
  WriteJson(test, report);
  if (std::getenv(kChildVariable) != nullptr) _exit(kChildReported);
}

}  // namespace

void InitGoogleTest(int* argc, char** argv) {
  ::testing::InitGoogleTest(argc, argv);
  absl::ParseCommandLine(*argc, argv);
}

namespace internal {

void RunLockstepTest(const Options& test_options, const char* file, int line,
                     absl::FunctionRef<void()> body) {
  if (!Supported()) {
    RunNatively(body);
    return;
  }
  if (!Instrumented()) {
    ADD_FAILURE_AT(file, line)
        << "This program is not instrumented, so lockstep does not see what it "
           "does.\nBuild and run the test itself, not its _program: the test "
           "compiles everything as lockstep needs it (lockstep/README.md).";
    return;
  }
  std::string test = TestName();
  Options options = test_options;
  options.schedules *=
      std::max<uint64_t>(absl::GetFlag(FLAGS_lockstep_schedules_factor), 1);
  if (const uint64_t n = absl::GetFlag(FLAGS_lockstep_schedules); n > 0) {
    options.schedules = n;
  }
  if (const uint64_t seed = absl::GetFlag(FLAGS_lockstep_seed); seed > 0) {
    options.seed = seed;
  }
  if (const std::string name = absl::GetFlag(FLAGS_lockstep_strategy);
      !name.empty()) {
    options.strategy = name;
  }
  if (const std::string replay = absl::GetFlag(FLAGS_lockstep_replay);
      !replay.empty()) {
    options.replay = replay;
  }
  options.use_os_threads |= absl::GetFlag(FLAGS_lockstep_os_threads);
  if (options.replay_command.empty()) {
    options.replay_command = ReplayCommand(test);
  }

  Report report;
  std::string failure;
  std::string skip;
  {
    ScheduleReporter reporter;
    current_test = &test;
    SetFatalReportHandler(&OnFatal);
    report = Explore(options, body);
    SetFatalReportHandler(nullptr);
    current_test = nullptr;
    failure = reporter.uncontrolled();
    if (reporter.skipped() && report.passed()) {
      skip = absl::StrCat("skipped: ", reporter.skip_message());
    }
  }
  WriteVerdict(test, report);
  ::testing::Test::RecordProperty("verdict", VerdictName(report.verdict));
  ::testing::Test::RecordProperty("schedules", absl::StrCat(report.schedules));
  if (!report.guarantee.empty()) {
    ::testing::Test::RecordProperty("guarantee", report.guarantee);
  }
  if (!report.passed()) {
    WriteJson(test, report);
    ::testing::Test::RecordProperty("replay", report.replay);
    ADD_FAILURE_AT(file, line)
        << (UseColor() ? report.colored_text : report.text);
  }
  if (!failure.empty()) {
    ADD_FAILURE_AT(file, line)
        << "An expectation failed in a thread that lockstep does not control:\n"
        << failure;
  }
  if (!skip.empty()) GTEST_SKIP() << skip;
}

}  // namespace internal
}  // namespace lockstep
