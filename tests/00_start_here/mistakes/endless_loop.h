// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a loop that never ends.
// Verdict: livelock
// Rule: TicketsAreNumberedFromOne

#ifndef TESTS_00_START_HERE_MISTAKES_ENDLESS_LOOP_H_
#define TESTS_00_START_HERE_MISTAKES_ENDLESS_LOOP_H_

#include <mutex>
#include <thread>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    for (;;) std::this_thread::yield();
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_ENDLESS_LOOP_H_
