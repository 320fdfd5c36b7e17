// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/difference.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/literate/page.h"

namespace literate {

std::string Difference(absl::string_view page, absl::string_view run) {
  if (page == run) return "";
  const std::vector<std::string> a = Lines(page);
  const std::vector<std::string> b = Lines(run);
  // common[i][j]: length of a longest common subsequence of a[i..] and b[j..].
  std::vector<std::vector<int>> common(a.size() + 1,
                                       std::vector<int>(b.size() + 1));
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      common[i][j] = a[i] == b[j]
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::string text;
  bool different = false;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      absl::StrAppend(&text, "  ", a[i++], "\n");
      ++j;
    } else if (j == b.size() ||
               (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
      absl::StrAppend(&text, "- ", a[i++], "\n");
      different = true;
    } else {
      absl::StrAppend(&text, "+ ", b[j++], "\n");
      different = true;
    }
  }
  if (!different) absl::StrAppend(&text, "(The last line end differs.)\n");
  return text;
}

}  // namespace literate
