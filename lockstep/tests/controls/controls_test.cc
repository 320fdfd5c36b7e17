// SPDX-License-Identifier: Apache-2.0
//
// No strategy raises an alarm on a correct program.

#include <ostream>
#include <string>
#include <tuple>

#include "absl/flags/flag.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "lockstep/tests/explored.h"
#include "lockstep/tests/program.h"

ABSL_FLAG(uint64_t, schedules, 300, "Schedules per program and strategy.");
ABSL_FLAG(uint64_t, seed, 1, "The seed of every strategy.");
ABSL_FLAG(bool, os_threads, false, "One kernel thread per thread.");

namespace lockstep::tests {

void PrintTo(const Program& program, std::ostream* out) {
  *out << program.name;
}

namespace {

class ControlTest
    : public testing::TestWithParam<std::tuple<Program, const char*>> {};

TEST_P(ControlTest, RaisesNoAlarm) {
  const auto& [program, strategy] = GetParam();
  Options options;
  options.schedules = absl::GetFlag(FLAGS_schedules);
  options.strategy = strategy;
  options.seed = absl::GetFlag(FLAGS_seed);
  options.use_os_threads = absl::GetFlag(FLAGS_os_threads);
  const Report report = ExploreProgram(program, options);
  EXPECT_TRUE(report.passed()) << report.text;
  // An exhaustive strategy may need fewer schedules, but then it says so.
  EXPECT_TRUE(report.schedules == options.schedules ||
              !report.guarantee.empty())
      << report.schedules << " schedules, and no guarantee";
}

INSTANTIATE_TEST_SUITE_P(
    Corpus, ControlTest,
    testing::Combine(testing::ValuesIn(Controls()),
                     testing::Values("portfolio", "bounded", "random", "pct2",
                                     "pct3", "pos", "surw")),
    [](const testing::TestParamInfo<std::tuple<Program, const char*>>& info) {
      return std::string(std::get<0>(info.param).name) + "_" +
             std::get<1>(info.param);
    });

}  // namespace
}  // namespace lockstep::tests
