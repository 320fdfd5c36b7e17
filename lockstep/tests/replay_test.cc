// SPDX-License-Identifier: Apache-2.0
//
// An execution is its decisions: the same in every repetition, in every
// process, under both executions, whatever addresses are handed out.

#include "lockstep/strategy/replay.h"

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/tests/explored.h"
#include "lockstep/tests/program.h"

ABSL_DECLARE_FLAG(bool, lockstep_os_threads);
ABSL_FLAG(int, replays, 1'000, "Replays of each bug.");
ABSL_FLAG(bool, print_hashes, false,
          "Instead of testing, print one line per program: the child process "
          "of this test.");

namespace lockstep::tests {
namespace {

Report ExploreBriefly(const Program& program, bool use_os_threads) {
  Options options;
  options.schedules = program.expected.contains(Verdict::kNone) ? 100 : 5'000;
  options.use_os_threads = use_os_threads;
  options.explain = false;
  return ExploreProgram(program, options);
}

// What identifies an exploration: where it ended, how, and every step on the
// way there.
std::string Fingerprint(const Report& report) {
  return absl::StrCat(VerdictName(report.verdict), " after ", report.schedules,
                      " schedules and ", report.points, " points, hash ",
                      report.hash, ", replay ", report.replay);
}

std::vector<Program> AllPrograms() {
  std::vector<Program> programs = Bugs();
  const std::vector<Program> controls = Controls();
  programs.insert(programs.end(), controls.begin(), controls.end());
  return programs;
}

TEST(Replay, GivesTheSameExecutionEveryTime) {
  for (const Program& program : Bugs()) {
    SCOPED_TRACE(program.name);
    const Report found = ExploreBriefly(program, false);
    ASSERT_FALSE(found.passed());
    RunOptions options;
    options.forbid_busy_waiting = program.forbid_busy_waiting;
    options.spurious_wakeups = program.spurious_wakeups;
    lockstep::Replay strategy(found.trace.decisions);
    Trace trace;
    std::set<uint64_t> hashes;
    // Explore() looks at the locks as well; a single run does not.
    const Verdict expected =
        IsRace(found.verdict) ? Verdict::kDataRace : found.verdict;
    // A livelock is as long as the step bound lets it be.
    const int replays = found.verdict == Verdict::kLivelock
                            ? absl::GetFlag(FLAGS_replays) / 50
                            : absl::GetFlag(FLAGS_replays);
    for (int i = 0; i < replays; ++i) {
      strategy.BeginSchedule();
      RunOnce(options, strategy, program.body, &trace);
      strategy.EndSchedule(trace.counters);
      ASSERT_EQ(trace.finding.verdict, expected);
      ASSERT_FALSE(strategy.diverged());
      hashes.insert(LastRunHash());
    }
    EXPECT_EQ(hashes.size(), 1u);
  }
}

TEST(Replay, WorksForEveryBug) {
  for (const Program& program : Bugs()) {
    SCOPED_TRACE(program.name);
    const Report found = ExploreBriefly(program, false);
    ASSERT_FALSE(found.passed());
    Options options;
    options.replay = found.replay;
    options.explain = false;
    const Report again = ExploreProgram(program, options);
    EXPECT_EQ(again.verdict, found.verdict) << again.text;
    EXPECT_EQ(again.hash, found.hash);
    EXPECT_EQ(again.trace.decisions, found.trace.decisions);
  }
}

// The lines that another process prints for all programs.
std::vector<std::string> HashesOfAnotherProcess(bool use_os_threads) {
  // popen() runs a shell; the path of this program has no special characters
  // under Bazel.
  const std::string command =
      absl::StrCat("exec /proc/$PPID/exe --print_hashes",
                   use_os_threads ? " --lockstep_os_threads" : "");
  FILE* child = popen(command.c_str(), "r");
  if (child == nullptr) return {};
  std::string output;
  char buffer[4096];
  while (const size_t size = fread(buffer, 1, sizeof(buffer), child)) {
    output.append(buffer, size);
  }
  if (pclose(child) != 0) return {};
  return absl::StrSplit(output, '\n', absl::SkipEmpty());
}

TEST(Process, AnotherOneExploresTheSame) {
  // The last line is where the process has its code and stack.
  std::set<std::string> layouts;
  std::vector<std::string> first;
  for (int i = 0; i < 3; ++i) {
    std::vector<std::string> lines = HashesOfAnotherProcess(false);
    ASSERT_EQ(lines.size(), AllPrograms().size() + 1);
    layouts.insert(lines.back());
    lines.pop_back();
    if (i == 0) first = lines;
    EXPECT_EQ(lines, first);
  }
  // Where the kernel does not randomise, this has shown less.
  if (layouts.size() == 1) {
    std::printf("note: the address space is not randomised here\n");
  }
}

// Compared in new processes: a schedule that fails abandons its threads, and
// what they had counted in libstdc++'s global table of atomic waits stays.
TEST(Execution, UserLevelAndOsThreadsAgree) {
  std::vector<std::string> user_level = HashesOfAnotherProcess(false);
  std::vector<std::string> os_threads = HashesOfAnotherProcess(true);
  ASSERT_EQ(user_level.size(), AllPrograms().size() + 1);
  user_level.pop_back();
  ASSERT_EQ(os_threads.size(), AllPrograms().size() + 1);
  os_threads.pop_back();
  EXPECT_EQ(user_level, os_threads);
}

void PrintHashes() {
  for (const Program& program : AllPrograms()) {
    const Report report =
        ExploreBriefly(program, absl::GetFlag(FLAGS_lockstep_os_threads));
    std::printf("%s: %s\n", program.name, Fingerprint(report).c_str());
  }
  int local = 0;
  std::printf("layout: %p %p\n", reinterpret_cast<void*>(&PrintHashes),
              static_cast<void*>(&local));
}

}  // namespace
}  // namespace lockstep::tests

int main(int argc, char** argv) {
  lockstep::InitGoogleTest(&argc, argv);
  if (absl::GetFlag(FLAGS_print_hashes)) {
    lockstep::tests::PrintHashes();
    return 0;
  }
  return RUN_ALL_TESTS();
}
