// SPDX-License-Identifier: Apache-2.0
//
// Mistake: an exception leaves a thread, which ends the program.
// Verdict: uncaught exception
// Rule: NoTwoThreadsGetTheSameTicket

#ifndef TESTS_00_START_HERE_MISTAKES_THROWS_H_
#define TESTS_00_START_HERE_MISTAKES_THROWS_H_

#include <mutex>
#include <stdexcept>
#include <thread>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::lock_guard lock(mu_);
    if (last_ == 0 && std::this_thread::get_id() != maker_) {
      throw std::runtime_error("out of paper");
    }
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
  const std::thread::id maker_ = std::this_thread::get_id();
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_THROWS_H_
