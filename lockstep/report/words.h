// SPDX-License-Identifier: Apache-2.0
//
// What went wrong, in words: the rule that was broken, and where to look.

#ifndef LOCKSTEP_REPORT_WORDS_H_
#define LOCKSTEP_REPORT_WORDS_H_

#include <string>
#include <vector>

#include "lockstep/report/story.h"

namespace lockstep {

// The rule behind a verdict, in one sentence that is true of every program.
const char* Rule(Verdict verdict);

// The last line below the picture: what the final state means.
const char* Ending(Verdict verdict);

// The facts of this failure, one per line, without newlines: who waits for
// what, held by whom, at which line; both sides of a race; and so on.
std::vector<std::string> Facts(const Story& story);

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_WORDS_H_
