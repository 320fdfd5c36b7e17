// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the constructor of a static object sets GTEST_FILTER, so that only
// the test runs that holds.
// Verdict: tampering with the grade
// Rule: NoTwoThreadsGetTheSameTicket

#ifndef TESTS_00_START_HERE_MISTAKES_LEAVES_A_TEST_OUT_H_
#define TESTS_00_START_HERE_MISTAKES_LEAVES_A_TEST_OUT_H_

#include <stdlib.h>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() { return ++last_; }

 private:
  int last_ = 0;
};

class Chooser {
 public:
  Chooser() { setenv("GTEST_FILTER", "*.TicketsAreNumberedFromOne", 1); }
};

inline const Chooser chooser;

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_LEAVES_A_TEST_OUT_H_
