// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a hundred megabytes of output.
// Verdict: too much output
// Rule: TicketsAreNumberedFromOne

#ifndef TESTS_00_START_HERE_MISTAKES_FLOODS_THE_OUTPUT_H_
#define TESTS_00_START_HERE_MISTAKES_FLOODS_THE_OUTPUT_H_

#include <cstdio>
#include <mutex>
#include <string>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::lock_guard lock(mu_);
    const std::string line(1 << 20, 'x');
    for (int i = 0; i < 100; ++i) std::puts(line.c_str());
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_FLOODS_THE_OUTPUT_H_
