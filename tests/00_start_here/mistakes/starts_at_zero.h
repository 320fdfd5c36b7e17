// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the number is taken before it is raised.
// Verdict: wrong result
// Rule: TicketsAreNumberedFromOne

#ifndef TESTS_00_START_HERE_MISTAKES_STARTS_AT_ZERO_H_
#define TESTS_00_START_HERE_MISTAKES_STARTS_AT_ZERO_H_

#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::lock_guard lock(mu_);
    return last_++;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_STARTS_AT_ZERO_H_
