// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a thread is started and detached; it still runs when the test is
// over.
// Verdict: thread leak
// Rule: NoTwoThreadsGetTheSameTicket

#ifndef TESTS_00_START_HERE_MISTAKES_LEAVES_A_THREAD_RUNNING_H_
#define TESTS_00_START_HERE_MISTAKES_LEAVES_A_THREAD_RUNNING_H_

#include <condition_variable>
#include <mutex>
#include <thread>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() {
    std::thread([] {
      static std::mutex other;
      std::unique_lock lock(other);
      static std::condition_variable never;
      never.wait(lock);
    }).detach();
    std::lock_guard lock(mu_);
    return ++last_;
  }

 private:
  std::mutex mu_;
  int last_ = 0;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_LEAVES_A_THREAD_RUNNING_H_
