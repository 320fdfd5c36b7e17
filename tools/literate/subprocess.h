// SPDX-License-Identifier: Apache-2.0
//
// Runs a program to its end, or to a deadline, and returns what it wrote.

#ifndef TOOLS_LITERATE_SUBPROCESS_H_
#define TOOLS_LITERATE_SUBPROCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace literate {

struct Finished {
  std::string out;
  std::string err;
  // As a shell reports it: 128 + N if signal N ended the program.
  int status = 0;
};

// Runs `argv` (argv[0] is a path) in `folder`, or here if that is empty, with
// an empty standard input. argv[0] is relative to here, in any case. The
// program is the leader of a process group of its own, which is killed when the
// deadline passes (then the status is DEADLINE_EXCEEDED) and after the program
// ended, so that no child outlives the call.
absl::StatusOr<Finished> Run(const std::vector<std::string>& argv,
                             absl::Duration deadline,
                             const std::string& folder = "");

}  // namespace literate

#endif  // TOOLS_LITERATE_SUBPROCESS_H_
