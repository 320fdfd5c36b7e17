// SPDX-License-Identifier: Apache-2.0

#include "tests/grader/test_names.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace grader {
namespace {

// The test that is defined at the very beginning of `text`, or "". Its name may
// stand on the next line.
std::string TestName(absl::string_view text) {
  absl::ConsumePrefix(&text, "LOCKSTEP_");
  if (!absl::ConsumePrefix(&text, "TEST")) return "";
  if (!absl::ConsumePrefix(&text, "_F")) absl::ConsumePrefix(&text, "_WITH");
  if (!absl::ConsumePrefix(&text, "(")) return "";
  const std::vector<absl::string_view> arguments =
      absl::StrSplit(text.substr(0, text.find(')')), absl::MaxSplits(',', 2));
  if (arguments.size() < 2) return "";
  return absl::StrCat(absl::StripAsciiWhitespace(arguments[0]), ".",
                      absl::StripAsciiWhitespace(arguments[1]));
}

}  // namespace

std::vector<std::string> TestNames(absl::string_view text) {
  std::vector<std::string> names;
  for (;;) {
    if (std::string name = TestName(text); !name.empty()) {
      names.push_back(std::move(name));
    }
    const size_t end = text.find('\n');
    if (end == absl::string_view::npos) return names;
    text.remove_prefix(end + 1);
  }
}

}  // namespace grader
