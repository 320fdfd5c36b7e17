// SPDX-License-Identifier: Apache-2.0
//
// Mistake: exit(0) ends the program before the tests can fail.
// Verdict: exit
// Rule: TicketsAreNumberedFromOne

#ifndef TESTS_00_START_HERE_MISTAKES_EXITS_WITH_ZERO_H_
#define TESTS_00_START_HERE_MISTAKES_EXITS_WITH_ZERO_H_

#include <cstdlib>
#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::lock_guard lock(mu_);
    std::exit(0);
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_EXITS_WITH_ZERO_H_
