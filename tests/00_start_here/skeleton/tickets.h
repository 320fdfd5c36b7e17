// SPDX-License-Identifier: Apache-2.0
//
// Chapter 00: your first exercise is one line long.
// Read chapters/00_start_here/README.md, then fill in the TODO.
//
// Grade it with:  bazel test //chapters/00_start_here/...

#ifndef EXERCISES_00_START_HERE_TICKETS_H_
#define EXERCISES_00_START_HERE_TICKETS_H_

#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    // TODO(1): one line is missing here:  std::lock_guard lock(mu_);
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;
};

}  // namespace workbook

#endif  // EXERCISES_00_START_HERE_TICKETS_H_
