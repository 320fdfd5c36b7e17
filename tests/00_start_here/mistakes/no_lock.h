// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the line is still missing, only the TODO is gone.
// Verdict: data race
// Rule: NoTwoThreadsGetTheSameTicket

#ifndef TESTS_00_START_HERE_MISTAKES_NO_LOCK_H_
#define TESTS_00_START_HERE_MISTAKES_NO_LOCK_H_

#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() { return ++last_; }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_NO_LOCK_H_
