// SPDX-License-Identifier: Apache-2.0
//
// How many schedules each strategy needs to find each bug of the corpus: the
// mean over the seeds. Prints a Markdown table. No clock is involved, so the
// table is the same on every machine.

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_format.h"
#include "lockstep/lockstep.h"
#include "lockstep/tests/explored.h"
#include "lockstep/tests/program.h"

ABSL_FLAG(int, seeds, 20, "Seeds per bug and strategy.");
ABSL_FLAG(uint64_t, budget, 10'000, "Schedules per seed.");
ABSL_FLAG(std::string, only, "", "The name of the one bug to measure.");

namespace lockstep::tests {
namespace {

constexpr const char* kStrategies[] = {"portfolio", "bounded", "random", "pct2",
                                       "pct3",      "pos",     "surw"};

// "12.5", or "3/20" if only some of the seeds find the bug.
std::string MeanToFirstFailure(const Program& program, const char* strategy) {
  const int seeds = absl::GetFlag(FLAGS_seeds);
  uint64_t schedules = 0;
  int found = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    Options options;
    options.schedules = absl::GetFlag(FLAGS_budget);
    options.strategy = strategy;
    options.seed = seed;
    const Report report = ExploreProgram(program, options);
    if (!program.expected.contains(report.verdict)) continue;
    ++found;
    schedules += report.schedules;
  }
  if (found < seeds) return absl::StrFormat("%d/%d", found, seeds);
  return absl::StrFormat("%.1f", static_cast<double>(schedules) / seeds);
}

int Main() {
  if (!Supported()) {
    std::fprintf(stderr, "schedules cannot be explored in this build\n");
    return 1;
  }
  std::printf("| bug | verdict |");
  for (const char* strategy : kStrategies) std::printf(" %s |", strategy);
  std::printf("\n|---|---|");
  for (size_t i = 0; i < std::size(kStrategies); ++i) std::printf("---:|");
  std::printf("\n");
  for (const Program& program : Bugs()) {
    const std::string only = absl::GetFlag(FLAGS_only);
    if (!only.empty() && only != program.name) continue;
    const Report report = ExploreProgram(program, {.schedules = 10'000});
    std::printf("| %s | %s |", program.name, VerdictName(report.verdict));
    for (const char* strategy : kStrategies) {
      std::printf(" %s |", MeanToFirstFailure(program, strategy).c_str());
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace lockstep::tests

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return lockstep::tests::Main();
}
