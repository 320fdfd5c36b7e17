// SPDX-License-Identifier: Apache-2.0
//
// Two texts side by side in a message: what the page says and what was seen.

#ifndef TOOLS_LITERATE_DIFFERENCE_H_
#define TOOLS_LITERATE_DIFFERENCE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace literate {

// The lines of both texts in the order of a longest common subsequence:
// "  both", "- page only", "+ run only", each with a line end. "" if the texts
// are equal; if they differ only in their last line end, says so. Time and
// space are the product of the line counts.
std::string Difference(absl::string_view page, absl::string_view run);

}  // namespace literate

#endif  // TOOLS_LITERATE_DIFFERENCE_H_
