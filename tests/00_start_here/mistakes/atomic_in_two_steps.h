// SPDX-License-Identifier: Apache-2.0
//
// Mistake: each access is atomic, but reading and writing are two accesses:
// both threads may read the same number.
// Verdict: wrong result
// Rule: NoTwoThreadsGetTheSameTicket

#ifndef TESTS_00_START_HERE_MISTAKES_ATOMIC_IN_TWO_STEPS_H_
#define TESTS_00_START_HERE_MISTAKES_ATOMIC_IN_TWO_STEPS_H_

#include <atomic>
#include <mutex>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    const int next = last_.load() + 1;
    last_.store(next);
    return next;
  }

 private:
  std::atomic<int> last_{0};
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_ATOMIC_IN_TWO_STEPS_H_
