// SPDX-License-Identifier: Apache-2.0
//
// Every bug of the corpus is found, with the right verdict, whatever the seed;
// what always fails is found by the first schedule. Prints what it took.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <string>

#include "absl/flags/flag.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "lockstep/tests/explored.h"
#include "lockstep/tests/program.h"

ABSL_FLAG(int, seeds, 20, "Seeds to try per bug.");
ABSL_FLAG(uint64_t, budget, 10'000, "Schedules per seed.");
ABSL_FLAG(std::string, strategy, "portfolio", "The strategy to use.");
ABSL_FLAG(bool, os_threads, false, "One kernel thread per thread.");

namespace lockstep::tests {

void PrintTo(const Program& program, std::ostream* out) {
  *out << program.name;
}

namespace {

// What finding a bug, shrinking and recording it may cost.
constexpr double kMostCpuSeconds = 2;

// CPU time of this process: unlike the time of day, it does not depend on what
// else the machine does.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

class BugTest : public testing::TestWithParam<Program> {};

TEST_P(BugTest, IsFoundWithEverySeed) {
  const Program& program = GetParam();
  const int seeds = absl::GetFlag(FLAGS_seeds);
  uint64_t most = 0, sum = 0;
  double longest = 0, spent = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    Options options;
    options.schedules = absl::GetFlag(FLAGS_budget);
    options.strategy = absl::GetFlag(FLAGS_strategy);
    options.use_os_threads = absl::GetFlag(FLAGS_os_threads);
    options.seed = seed;
    options.explain = seed == 1;
    const double start = CpuSeconds();
    const Report report = ExploreProgram(program, options);
    const double took = CpuSeconds() - start;
    ASSERT_TRUE(program.expected.contains(report.verdict))
        << "seed " << seed << ": verdict \"" << VerdictName(report.verdict)
        << "\" after " << report.schedules << " schedules\n"
        << report.text;
    ASSERT_EQ(report.text.empty(), !options.explain);
    ASSERT_FALSE(report.replay.empty());
    if (program.shows == Shows::kAlways) {
      ASSERT_EQ(report.schedules, 1u) << report.text;
    }
    ASSERT_LE(took, kMostCpuSeconds) << "seed " << seed;
    most = std::max(most, report.schedules);
    sum += report.schedules;
    longest = std::max(longest, took);
    spent += took;
  }
  std::printf(
      "%-36s mean %8.1f, most %5llu schedules, %7.1f ms of CPU in all, %7.1f "
      "at most\n",
      program.name, static_cast<double>(sum) / seeds,
      static_cast<unsigned long long>(most), 1e3 * spent, 1e3 * longest);
  RecordProperty("most_schedules", static_cast<int>(most));
}

INSTANTIATE_TEST_SUITE_P(Corpus, BugTest, testing::ValuesIn(Bugs()),
                         [](const testing::TestParamInfo<Program>& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace lockstep::tests
