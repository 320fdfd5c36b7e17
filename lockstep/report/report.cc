// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/report.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "lockstep/report/picture.h"
#include "lockstep/report/words.h"

namespace lockstep {
namespace {

// 12345 -> "12,345".
std::string Count(uint64_t n) {
  std::string digits = absl::StrCat(n);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

}  // namespace

std::string RenderReport(const Story& story, const ReportContext& context,
                         bool color) {
  const char* const red = color ? "\x1b[1;31m" : "";
  const char* const bold = color ? "\x1b[1m" : "";
  const char* const reset = color ? "\x1b[0m" : "";

  std::string text = absl::StrCat(red, VerdictName(story.verdict), reset);
  if (context.schedule > 0) {
    absl::StrAppend(&text, "   (schedule ", Count(context.schedule));
    if (context.budget > 0) {
      absl::StrAppend(&text, " of ", Count(context.budget));
    }
    if (!context.strategy.empty()) {
      absl::StrAppend(&text, ", ", context.strategy);
    }
    text += ")";
  }
  text += "\n";
  if (!story.message.empty()) {
    absl::StrAppend(&text, "  ", bold,
                    absl::StrReplaceAll(story.message, {{"\n", "\n  "}}), reset,
                    "\n");
  }
  absl::StrAppend(&text, "  ", Rule(story.verdict), "\n");
  for (const std::string& fact : Facts(story)) {
    // GoogleTest's messages have several lines and are in the message already.
    if (absl::StrContains(fact, "\n")) continue;
    absl::StrAppend(&text, "    ", fact, "\n");
  }
  const std::string picture = DrawPicture(story, {.color = color});
  if (!picture.empty()) {
    absl::StrAppend(&text, "\n", picture);
    const char* const ending = Ending(story.verdict);
    if (*ending != '\0') absl::StrAppend(&text, "     ", ending, "\n");
  }
  if (!context.note.empty()) absl::StrAppend(&text, "\n", context.note, "\n");
  if (!context.replay.empty()) {
    absl::StrAppend(&text, "\nTo run exactly this schedule again:\n  ",
                    context.replay_command, context.replay, "\n");
  }
  return text;
}

}  // namespace lockstep
