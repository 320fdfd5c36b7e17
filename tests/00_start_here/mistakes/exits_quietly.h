// SPDX-License-Identifier: Apache-2.0
//
// Mistake: _Exit(0) inside a thread that is explored.
// Verdict: exit
// Rule: NoTwoThreadsGetTheSameTicket

#ifndef TESTS_00_START_HERE_MISTAKES_EXITS_QUIETLY_H_
#define TESTS_00_START_HERE_MISTAKES_EXITS_QUIETLY_H_

#include <cstdlib>
#include <mutex>
#include <thread>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::lock_guard lock(mu_);
    if (++calls_ == 2 && last_ == 1 && first_ != std::this_thread::get_id()) {
      std::_Exit(0);
    }
    first_ = std::this_thread::get_id();
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;           // Guarded by mu_.
  int calls_ = 0;          // Guarded by mu_.
  std::thread::id first_;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_EXITS_QUIETLY_H_
