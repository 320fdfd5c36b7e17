// SPDX-License-Identifier: Apache-2.0
//
// Compares a page with what its programs really do.

#ifndef TOOLS_LITERATE_CHECK_H_
#define TOOLS_LITERATE_CHECK_H_

#include "absl/status/statusor.h"
#include "tools/literate/listing.h"
#include "tools/literate/page.h"
#include "tools/literate/problem.h"
#include "tools/literate/spec.h"

namespace literate {

// Reads, runs and compares the page of `spec`. Everything that is wrong with
// it; empty if nothing is.
absl::StatusOr<Problems> Check(const Spec& spec);

// The part of it that needs no program to run: BUILD.bazel lists what the page
// has, and nothing else.
void CheckLists(const Page& page, const Listings& listings, const Spec& spec,
                Problems& problems);

}  // namespace literate

#endif  // TOOLS_LITERATE_CHECK_H_
