// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/spec.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace literate {

absl::StatusOr<Spec> ParseSpec(absl::string_view text) {
  Spec spec;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::vector<std::string> field = absl::StrSplit(line, '\t');
    const std::string key = field[0];
    field.resize(3);
    if (key == "page") {
      spec.page = field[1];
    } else if (key == "package") {
      spec.package = field[1];
    } else if (key == "update") {
      spec.update = field[1];
    } else if (key == "chapter") {
      spec.chapter = true;
    } else if (key == "no_explorer") {
      spec.explorer = false;
    } else if (key == "words") {
      if (!absl::SimpleAtoi(field[1], &spec.min_words) ||
          !absl::SimpleAtoi(field[2], &spec.max_words)) {
        return absl::InvalidArgumentError(absl::StrCat("no numbers: ", line));
      }
    } else if (key == "listing") {
      spec.listings[field[1]] = field[2];
    } else if (key == "explored") {
      spec.explored[field[1]] = field[2];
    } else if (key == "grader") {
      spec.graders[field[1]] = field[2];
    } else if (key == "picture") {
      spec.pictures.insert(field[1]);
    } else if (key == "not_started") {
      spec.not_started = field[1];
    } else if (key == "skeleton") {
      spec.skeleton = field[1];
    } else if (key == "exercise") {
      spec.exercise = field[1];
    } else if (key == "file") {
      spec.files.insert(field[1]);
    } else if (key == "mistake") {
      spec.mistakes.insert(field[1]);
    } else if (key == "recording") {
      spec.recordings.insert(field[1]);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("unknown line: ", line));
    }
  }
  if (spec.page.empty()) return absl::InvalidArgumentError("no page");
  return spec;
}

std::string Spec::Chapter() const {
  return package.substr(package.rfind('/') + 1);
}

}  // namespace literate
