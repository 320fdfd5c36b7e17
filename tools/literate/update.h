// SPDX-License-Identifier: Apache-2.0
//
// Takes what the programs of a page really do over into the page.

#ifndef TOOLS_LITERATE_UPDATE_H_
#define TOOLS_LITERATE_UPDATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/literate/observe.h"
#include "tools/literate/page.h"
#include "tools/literate/problem.h"
#include "tools/literate/spec.h"

namespace literate {

// The source of `page` with the text of each observed block replaced.
std::string Rewritten(const Page& page, const Observations& observations);

// Runs the page of `spec`, as it stands below `root` (the source tree), and
// writes there what changed: the page and its recordings. Returns a line per
// file written; `problems` gets what cannot be cured by writing.
absl::StatusOr<std::string> Update(const Spec& spec, const std::string& root,
                                   Problems& problems);

}  // namespace literate

#endif  // TOOLS_LITERATE_UPDATE_H_
