// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "tools/literate/difference.h"
#include "tools/literate/excerpt.h"
#include "tools/literate/files.h"
#include "tools/literate/observe.h"
#include "tools/literate/structure.h"

namespace literate {
namespace {

void CheckExcerpt(const Page& page, const CodeBlock& block, const Spec& spec,
                  Problems& problems) {
  const std::string path(block.Attribute("file"));
  if (absl::StartsWith(path, "solutions/")) {
    problems.push_back(
        {page.path, block.line,
         absl::StrFormat("A page must do without solutions/, but this block "
                         "shows %s.",
                         path),
         "show a program of the page, or link to the solution."});
    return;
  }
  if (spec.files.count(path) == 0) {
    problems.push_back(
        {page.path, block.line,
         absl::StrFormat("BUILD.bazel does not list the file %s.", path),
         absl::StrFormat("correct the path (from the root of the tree), or add "
                         "the file to `files` in %s/BUILD.bazel.",
                         spec.package)});
    return;
  }
  const absl::StatusOr<std::string> text = ReadFile(path);
  int missing = 0;
  if (text.ok() && OccursIn(block.text, *text, "// ...", missing)) return;
  problems.push_back(
      {page.path, text.ok() ? block.line + 1 + missing : block.line,
       text.ok()
           ? absl::StrFormat("The lines from here on do not stand in %s, one "
                             "after the other.",
                             path)
           : std::string(text.status().message()),
       absl::StrFormat("copy them from %s; a line `// ...` stands for lines "
                       "left out.",
                       path)});
}

}  // namespace

void CheckLists(const Page& page, const Listings& listings, const Spec& spec,
                Problems& problems) {
  const std::string build = spec.package + "/BUILD.bazel";
  for (const auto& [name, binary] : spec.listings) {
    const Program* program = listings.Find(name);
    if (program == nullptr) {
      problems.push_back(
          {page.path, 1,
           absl::StrFormat("%s lists the program \"%s\", which is not on the "
                           "page.",
                           build, name),
           absl::StrFormat(
               "mark its blocks with `cpp run=%s`, or remove \"%s\" "
               "from `listings`.",
               name, name)});
    } else if (program->explored_only()) {
      problems.push_back(
          {page.path, program->line(),
           absl::StrFormat("The program \"%s\" has a schedule and no output, "
                           "so it is not run natively, but %s lists it.",
                           name, build),
           absl::StrFormat("move \"%s\" from `listings` to `schedules`, or add "
                           "a block `text output=%s`.",
                           name, name)});
    }
  }
  for (const std::string& picture : spec.pictures) {
    if (std::any_of(listings.mistakes.begin(), listings.mistakes.end(),
                    [&](const MistakePicture& mistake) {
                      return mistake.block->Attribute("schedule") == picture;
                    })) {
      continue;
    }
    problems.push_back(
        {page.path, 1,
         absl::StrFormat("%s lists the schedule %s, which the page does not "
                         "show.",
                         build, picture),
         absl::StrFormat("add a block `text schedule=%s`, or remove it from "
                         "`schedules`.",
                         picture)});
  }
  for (const auto& [name, binary] : spec.explored) {
    const Program* program = listings.Find(name);
    if (program != nullptr && !program->schedules.empty()) continue;
    problems.push_back(
        {page.path, program == nullptr ? 1 : program->line(),
         absl::StrFormat("%s lists a schedule of \"%s\", which the page does "
                         "not show.",
                         build, name),
         absl::StrFormat("add a block `text schedule=%s`, or remove \"%s\" "
                         "from `schedules`.",
                         name, name)});
  }
}

absl::StatusOr<Problems> Check(const Spec& spec) {
  const absl::StatusOr<std::string> source = ReadFile(spec.page);
  if (!source.ok()) return source.status();
  const Page page = ParsePage(spec.page, *source);
  Problems problems;
  const Listings listings = ReadListings(page, problems);
  CheckLists(page, listings, spec, problems);
  if (spec.chapter) CheckStructure(page, spec, problems);
  for (const CodeBlock* block : listings.excerpts) {
    CheckExcerpt(page, *block, spec, problems);
  }
  const Observations seen = Observe(page, listings, spec, problems);
  for (const Observation& observation : seen.blocks) {
    if (observation.block->text == observation.text) continue;
    problems.push_back(
        {page.path, observation.block->line,
         absl::StrFormat("This is not what %s shows (- page, + run):\n%s",
                         observation.origin,
                         Difference(observation.block->text, observation.text)),
         absl::StrFormat("correct the program, or run `%s` to take the output "
                         "over.",
                         spec.update)});
  }
  for (const Recording& recording : seen.recordings) {
    if (spec.recordings.count(recording.path) > 0) {
      const absl::StatusOr<std::string> old = ReadFile(recording.path);
      if (old.ok() && *old == recording.json) continue;
    }
    problems.push_back(
        {page.path, recording.block->line,
         absl::StrFormat(
             "The recording %s for the book's player is %s.", recording.path,
             spec.recordings.count(recording.path) > 0 ? "out of date"
                                                       : "missing"),
         absl::StrFormat("run `%s`.", spec.update)});
  }
  for (const std::string& path : spec.recordings) {
    if (spec.explorer &&
        std::none_of(seen.recordings.begin(), seen.recordings.end(),
                     [&](const Recording& recording) {
                       return recording.path == path;
                     })) {
      problems.push_back({path, 1,
                          "No `schedule=` block of the page belongs to this "
                          "recording.",
                          "delete the file."});
    }
  }
  return problems;
}

}  // namespace literate
