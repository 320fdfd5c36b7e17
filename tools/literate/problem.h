// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a page, in the form an author reads it:
//
//   chapters/08_mutex/README.md:31: The program "counter" ... Fix: ...

#ifndef TOOLS_LITERATE_PROBLEM_H_
#define TOOLS_LITERATE_PROBLEM_H_

#include <string>
#include <vector>

namespace literate {

struct Problem {
  std::string file;
  int line = 1;
  // One or more full sentences, with their full stops. May go on over further
  // lines, to quote a program's output.
  std::string what;
  // What to do about it, as a sentence that completes "Fix: ".
  std::string fix;
};

using Problems = std::vector<Problem>;

// "FILE:LINE: WHAT Fix: FIX", with the fix on a line of its own if `what` has
// more than one.
std::string ToString(const Problem& problem);

// All problems in order of file and line, one per paragraph.
std::string ToString(const Problems& problems);

}  // namespace literate

#endif  // TOOLS_LITERATE_PROBLEM_H_
