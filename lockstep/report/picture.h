// SPDX-License-Identifier: Apache-2.0
//
// The picture of a schedule: one column per thread, time runs downwards.

#ifndef LOCKSTEP_REPORT_PICTURE_H_
#define LOCKSTEP_REPORT_PICTURE_H_

#include <cstddef>
#include <string>

#include "lockstep/report/story.h"

namespace lockstep {

struct PictureOptions {
  bool color = false;    // ANSI escape codes
  size_t width = 100;    // columns of text
  size_t max_rows = 20;  // longer schedules are condensed, then cut in the
                         // middle with a line that counts what is missing
};

// Draws the steps of `story`, newline-terminated lines. "" if it has none.
// Display width counts each code point as one column.
std::string DrawPicture(const Story& story, const PictureOptions& options);

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_PICTURE_H_
