// SPDX-License-Identifier: Apache-2.0
//
// Mistake: lock() without unlock(): the second caller waits for ever.
// Verdict: mutex misuse
// Rule: TicketsAreNumberedFromOne

#ifndef TESTS_00_START_HERE_MISTAKES_NEVER_UNLOCKED_H_
#define TESTS_00_START_HERE_MISTAKES_NEVER_UNLOCKED_H_

#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    mu_.lock();
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_NEVER_UNLOCKED_H_
