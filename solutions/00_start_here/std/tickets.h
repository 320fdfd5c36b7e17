// SPDX-License-Identifier: Apache-2.0
//
// Chapter 00, reference answer.

#ifndef SOLUTIONS_00_START_HERE_STD_TICKETS_H_
#define SOLUTIONS_00_START_HERE_STD_TICKETS_H_

#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::lock_guard lock(mu_);
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // SOLUTIONS_00_START_HERE_STD_TICKETS_H_
