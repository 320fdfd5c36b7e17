// SPDX-License-Identifier: Apache-2.0
//
// Mistake: takes memory until there is no more.
// Verdict: uncaught exception
// Rule: TicketsAreNumberedFromOne

#ifndef TESTS_00_START_HERE_MISTAKES_EATS_MEMORY_H_
#define TESTS_00_START_HERE_MISTAKES_EATS_MEMORY_H_

#include <memory>
#include <mutex>
#include <vector>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::lock_guard lock(mu_);
    std::vector<std::unique_ptr<char[]>> hoard;
    for (;;) hoard.push_back(std::make_unique_for_overwrite<char[]>(1 << 28));
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_EATS_MEMORY_H_
