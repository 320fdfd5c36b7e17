// SPDX-License-Identifier: Apache-2.0
//
// Runs what a page shows: its programs, natively and explored, and the tests
// that reject its mistakes. What comes out is what the page must say.

#ifndef TOOLS_LITERATE_OBSERVE_H_
#define TOOLS_LITERATE_OBSERVE_H_

#include <string>
#include <vector>

#include "tools/literate/listing.h"
#include "tools/literate/page.h"
#include "tools/literate/problem.h"
#include "tools/literate/spec.h"

namespace literate {

// The text that must stand in `block`, and where it comes from: "the program
// "counter"", "the exploration of "counter"".
struct Observation {
  const CodeBlock* block = nullptr;
  std::string text;
  std::string origin;
};

// An explored schedule, or all of a program, for the book's player, and the
// file for it: the text that must be in chapters/NN_topic/schedules/NAME.json,
// or graphs/NAME.json.
struct Recording {
  const CodeBlock* block = nullptr;
  std::string path;
  std::string json;
};

struct Observations {
  std::vector<Observation> blocks;
  std::vector<Recording> recordings;
};

// Runs everything once. What cannot be run, or ends otherwise than the page
// states, becomes a problem and no observation.
Observations Observe(const Page& page, const Listings& listings,
                     const Spec& spec, Problems& problems);

}  // namespace literate

#endif  // TOOLS_LITERATE_OBSERVE_H_
