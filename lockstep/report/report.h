// SPDX-License-Identifier: Apache-2.0
//
// Puts words and picture together: what a student reads when a test fails.

#ifndef LOCKSTEP_REPORT_REPORT_H_
#define LOCKSTEP_REPORT_REPORT_H_

#include <cstdint>
#include <string>

#include "lockstep/report/story.h"

namespace lockstep {

struct ReportContext {
  uint64_t schedule = 0;  // the number of the schedule that failed, from 1
  uint64_t budget = 0;    // how many there would have been; 0: not known
  std::string strategy;
  std::string replay_command;  // precedes the replay
  std::string replay;
  // Sentences to add at the end: why there is no picture, and so on.
  std::string note;
};

// The whole report, newline-terminated.
std::string RenderReport(const Story& story, const ReportContext& context,
                         bool color);

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_REPORT_H_
