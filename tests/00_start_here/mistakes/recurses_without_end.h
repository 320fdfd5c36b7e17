// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the function calls itself and never stops: the stack overflows.
// Verdict: stack overflow
// Rule: TicketsAreNumberedFromOne

#ifndef TESTS_00_START_HERE_MISTAKES_RECURSES_WITHOUT_END_H_
#define TESTS_00_START_HERE_MISTAKES_RECURSES_WITHOUT_END_H_

#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() { return Take() + 1; }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_RECURSES_WITHOUT_END_H_
