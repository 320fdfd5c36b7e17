// SPDX-License-Identifier: Apache-2.0
//
// What the fenced blocks of a page claim: which are pieces of programs, which
// is the output of which, which picture comes from which schedule. The markup
// is described for authors in README.md beside this file.

#ifndef TOOLS_LITERATE_LISTING_H_
#define TOOLS_LITERATE_LISTING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/literate/page.h"
#include "tools/literate/problem.h"

namespace literate {

// All blocks with one `run=NAME`. The pointers point into the Page.
struct Program {
  std::string name;
  std::vector<const CodeBlock*> blocks;
  // Its `output=NAME` block, or null.
  const CodeBlock* output = nullptr;
  // Its `schedule=NAME` blocks: the picture may be shown more than once.
  std::vector<const CodeBlock*> schedules;
  // The one of them that asks for all schedules (`graph`), or null.
  const CodeBlock* graph = nullptr;
  // The exit status that the page states for it.
  int exit_status = 0;

  int line() const { return blocks.front()->line; }
  // A program shown only for its schedules may have a racy output, and is not
  // run natively.
  bool explored_only() const { return output == nullptr && !schedules.empty(); }
};

// A `schedule=mistakes/FILE.h:Suite.Test` block.
struct MistakePicture {
  const CodeBlock* block = nullptr;
  std::string file;  // "mistakes/FILE.h"
  std::string test;  // "Suite.Test"
};

struct Listings {
  std::vector<Program> programs;  // in the order of the page
  std::vector<MistakePicture> mistakes;
  std::vector<const CodeBlock*> excerpts;     // file=PATH
  std::vector<const CodeBlock*> not_started;  // what a fresh checkout prints

  const Program* Find(absl::string_view name) const;
};

// Reads the blocks of `page`, which must outlive the result. A block that
// breaks a rule is left out and gets an entry in `problems`.
Listings ReadListings(const Page& page, Problems& problems);

// Where the compiler says that a line of a program comes from: the page, for
// the author who fixes a compile error, or the listing ("counter.cc:7"), for a
// picture that must not change when the prose above it does.
enum class Positions { kPage, kListing };

// The source of `program`: its blocks, in order, with #line directives.
std::string Tangle(const Page& page, const Program& program,
                   Positions positions);

// Where the recording of `schedule` (NAME, or mistakes/FILE.h:Suite.Test) of a
// page in `package` is kept for the book's player: PACKAGE/schedules/NAME.json,
// PACKAGE/schedules/mistakes/FILE/Suite.Test.json.
std::string RecordingPath(absl::string_view package,
                          absl::string_view schedule);

// Where all schedules of the program `name` are kept: PACKAGE/graphs/NAME.json.
std::string GraphPath(absl::string_view package, absl::string_view name);

}  // namespace literate

#endif  // TOOLS_LITERATE_LISTING_H_
