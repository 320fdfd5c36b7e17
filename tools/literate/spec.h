// SPDX-License-Identifier: Apache-2.0
//
// What page.bzl tells the tool about one page: a text file with one fact per
// line, its fields separated by tabs. Paths are relative to the working
// directory (the runfiles), which mirrors the source tree.

#ifndef TOOLS_LITERATE_SPEC_H_
#define TOOLS_LITERATE_SPEC_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace literate {

struct Spec {
  std::string page;     // page PATH
  std::string package;  // package PATH
  std::string update;   // update COMMAND: what rewrites the page
  // The chapter's name, "08_mutex": the last part of `package`.
  std::string Chapter() const;
  bool chapter = false;  // chapter: hold the page to the parts of a chapter
  int min_words = 800;   // words MIN MAX
  int max_words = 1500;
  // no_explorer: a build (with a sanitizer, say) in which lockstep explores
  // nothing: pictures cannot be checked.
  bool explorer = true;
  // listing NAME PATH, explored NAME PATH: the program NAME, compiled natively
  // or for the explorer.
  std::map<std::string, std::string> listings;
  std::map<std::string, std::string> explored;
  // grader mistakes/FILE.h PATH: the chapter's tests, with that answer.
  std::map<std::string, std::string> graders;
  // picture mistakes/FILE.h:Suite.Test: what BUILD.bazel says the page shows.
  std::set<std::string> pictures;
  // not_started PATH: the grader of the skeleton; skeleton PATH: that file;
  // exercise PATH: the file of the student that it stands for.
  std::string not_started;
  std::string skeleton;
  std::string exercise;
  std::set<std::string> files;       // file PATH, for excerpts
  std::set<std::string> mistakes;    // mistake PATH
  std::set<std::string> recordings;  // recording PATH
};

absl::StatusOr<Spec> ParseSpec(absl::string_view text);

}  // namespace literate

#endif  // TOOLS_LITERATE_SPEC_H_
