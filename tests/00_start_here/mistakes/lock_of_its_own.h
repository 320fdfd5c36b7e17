// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the lock is a local variable: every call locks another mutex.
// Verdict: wrong lock
// Rule: NoTwoThreadsGetTheSameTicket

#ifndef TESTS_00_START_HERE_MISTAKES_LOCK_OF_ITS_OWN_H_
#define TESTS_00_START_HERE_MISTAKES_LOCK_OF_ITS_OWN_H_

#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::mutex mu;
    std::lock_guard lock(mu);
    return ++last_;
  }

 private:
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_LOCK_OF_ITS_OWN_H_
