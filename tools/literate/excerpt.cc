// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/excerpt.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "tools/literate/page.h"

namespace literate {
namespace {

using Iterator = std::vector<std::string>::const_iterator;

bool IsBlank(absl::string_view line) {
  return absl::StripAsciiWhitespace(line).empty();
}

size_t Indentation(absl::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// The least indentation of the lines that are not blank.
size_t CommonIndentation(Iterator begin, Iterator end) {
  size_t indentation = absl::string_view::npos;
  for (; begin != end; ++begin) {
    if (!IsBlank(*begin)) {
      indentation = std::min(indentation, Indentation(*begin));
    }
  }
  return indentation;
}

// Whether [part, part_end) equals the lines at `at`, indentation aside.
bool MatchesAt(Iterator part, Iterator part_end, Iterator at) {
  const size_t n = part_end - part;
  const size_t part_indentation = CommonIndentation(part, part_end);
  const size_t indentation = CommonIndentation(at, at + n);
  for (; part != part_end; ++part, ++at) {
    if (IsBlank(*part) != IsBlank(*at)) return false;
    if (IsBlank(*part)) continue;
    if (absl::string_view(*part).substr(part_indentation) !=
        absl::string_view(*at).substr(indentation)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool OccursIn(absl::string_view excerpt, absl::string_view text,
              absl::string_view gap, int& missing) {
  const std::vector<std::string> lines = Lines(excerpt);
  const std::vector<std::string> all = Lines(text);
  const auto is_gap = [&](const std::string& line) {
    return absl::StripAsciiWhitespace(line) == gap;
  };
  Iterator from = all.begin();
  for (Iterator part = lines.begin(); part != lines.end();) {
    // Blank lines beside a gap, or around the excerpt, mean nothing.
    if (is_gap(*part) || IsBlank(*part)) {
      ++part;
      continue;
    }
    const Iterator next_gap = std::find_if(part, lines.end(), is_gap);
    Iterator part_end = next_gap;
    while (part_end != part && IsBlank(*(part_end - 1))) --part_end;
    const auto n = part_end - part;
    Iterator at = from;
    while (all.end() - at >= n && !MatchesAt(part, part_end, at)) ++at;
    if (all.end() - at < n) {
      missing = static_cast<int>(part - lines.begin());
      return false;
    }
    from = at + n;
    part = next_gap;
  }
  return true;
}

}  // namespace literate
