// SPDX-License-Identifier: Apache-2.0
//
// Whether the lines a page shows really stand in the file it names.

#ifndef TOOLS_LITERATE_EXCERPT_H_
#define TOOLS_LITERATE_EXCERPT_H_

#include "absl/strings/string_view.h"

namespace literate {

// True if the lines of `excerpt` occur in `text`, in order and contiguously,
// but for gaps: a line of `excerpt` that is `gap` (indented or not) stands for
// any number of lines. Between two gaps the indentation may be less than in
// `text`, by the same amount in every line. On failure sets `missing` to the
// index of the first line of the part of `excerpt` that was not found.
bool OccursIn(absl::string_view excerpt, absl::string_view text,
              absl::string_view gap, int& missing);

}  // namespace literate

#endif  // TOOLS_LITERATE_EXCERPT_H_
