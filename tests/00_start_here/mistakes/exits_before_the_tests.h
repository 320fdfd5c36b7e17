// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the constructor of a static object ends the program with status 0
// before the first test can run.
// Verdict: exit
// Rule: TheProgramReachesItsTests

#ifndef TESTS_00_START_HERE_MISTAKES_EXITS_BEFORE_THE_TESTS_H_
#define TESTS_00_START_HERE_MISTAKES_EXITS_BEFORE_THE_TESTS_H_

#include <cstdio>
#include <cstdlib>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() { return 1; }
};

class AllIsWell {
 public:
  AllIsWell() {
    std::puts("00_start_here: all 2 rules hold.");
    std::_Exit(0);
  }
};

inline const AllIsWell all_is_well;

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_EXITS_BEFORE_THE_TESTS_H_
