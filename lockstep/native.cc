// SPDX-License-Identifier: Apache-2.0
//
// Explore() where schedules cannot be explored: in builds with a sanitizer or
// without instrumentation, and on other platforms. The body runs as it is.

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "lockstep/lockstep.h"

namespace lockstep {

bool Supported() { return false; }

bool FailSchedule(const std::string&) { return false; }

void SetFatalReportHandler(FatalReportHandler) {}

Report Explore(const Options&, absl::FunctionRef<void()> body) {
  constexpr int kRuns = 50;
  Report report;
  for (int i = 0; i < kRuns; ++i) body();
  report.schedules = kRuns;
  report.strategy = "native";
  report.text =
      absl::StrCat("Schedules cannot be explored in this build: the body ran ",
                   kRuns, " times as it is, which finds little.\n");
  return report;
}

}  // namespace lockstep
