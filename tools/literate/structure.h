// SPDX-License-Identifier: Apache-2.0
//
// The parts that every chapter page has, in the same order: 22 pages that read
// as one book. README.md beside this file tells authors the same.

#ifndef TOOLS_LITERATE_STRUCTURE_H_
#define TOOLS_LITERATE_STRUCTURE_H_

#include <string>

#include "tools/literate/page.h"
#include "tools/literate/problem.h"
#include "tools/literate/spec.h"

namespace literate {

// The level-2 headings of a chapter page, in order.
inline constexpr const char* kSections[] = {
    "The bug first",      "Mental model",
    "The tools",          "Tempting wrong versions",
    "The exercise",       "Hints",
    "Checkpoint",         "When not to use it",
    "Solution and notes",
};

// Adds to `problems` what `page`, the page of the chapter in `spec.package`,
// lacks, and which of `spec.mistakes` it does not link to.
void CheckStructure(const Page& page, const Spec& spec, Problems& problems);

}  // namespace literate

#endif  // TOOLS_LITERATE_STRUCTURE_H_
