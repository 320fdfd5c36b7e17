// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/problem.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace literate {

std::string ToString(const Problem& problem) {
  const bool long_text = absl::StrContains(problem.what, '\n');
  std::string text =
      absl::StrCat(problem.file, ":", problem.line, ": ", problem.what);
  if (problem.fix.empty()) return text;
  if (!long_text) {
    text += ' ';
  } else if (!absl::EndsWith(text, "\n")) {
    text += '\n';
  }
  absl::StrAppend(&text, "Fix: ", problem.fix);
  return text;
}

std::string ToString(const Problems& problems) {
  Problems sorted = problems;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) {
                     return std::tie(a.file, a.line) < std::tie(b.file, b.line);
                   });
  std::string text;
  for (const Problem& problem : sorted) {
    absl::StrAppend(&text, ToString(problem), "\n");
  }
  return text;
}

}  // namespace literate
