// SPDX-License-Identifier: Apache-2.0
//
// Tests that fail, each in its own way. gtest_failures_test.sh runs them and
// looks at what they print and write.

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "lockstep/gtest.h"

namespace {

struct Account {
  std::mutex mu;
  int balance = 10;
};

void Transfer(Account& from, Account& to) {
  std::lock_guard first(from.mu);
  std::lock_guard second(to.mu);
  --from.balance;
  ++to.balance;
}

LOCKSTEP_TEST(Failures, Deadlock) {
  Account a;
  Account b;
  std::thread there([&] { Transfer(a, b); });
  std::thread back([&] { Transfer(b, a); });
  there.join();
  back.join();
}

LOCKSTEP_TEST(Failures, LostWakeup) {
  std::mutex mu;
  std::condition_variable ready;
  std::atomic<bool> done = false;
  std::thread other([&] {
    done = true;  // without the mutex
    ready.notify_one();
  });
  {
    std::unique_lock lock(mu);
    while (!done) ready.wait(lock);
  }
  other.join();
}

LOCKSTEP_TEST(Failures, DataRace) {
  int count = 0;
  std::mutex mu;
  std::thread other([&] {
    std::lock_guard lock(mu);
    ++count;
  });
  ++count;
  other.join();
}

LOCKSTEP_TEST(Failures, ExpectationInAThread) {
  std::atomic<int> x = 0;
  std::thread a([&] { x = x + 1; });
  std::thread b([&] {
    x = x + 1;
    EXPECT_LE(x.load(), 1) << "seen by the second thread";
  });
  a.join();
  b.join();
}

void Check(int value) { ASSERT_EQ(value, 2) << "in a helper"; }

LOCKSTEP_TEST(Failures, AssertionAfterTheThreads) {
  std::atomic<int> x = 0;
  std::thread a([&] { x = x + 1; });
  std::thread b([&] { x = x + 1; });
  a.join();
  b.join();
  Check(x);
}

LOCKSTEP_TEST_WITH(Failures, TooManyLocks,
                   {.cost_budget = {.lock_operations = 1}}) {
  std::mutex mu;
  for (int i = 0; i < 2; ++i) std::lock_guard lock(mu);
}

LOCKSTEP_TEST(Failures, Livelock) {
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) std::this_thread::yield();
  });
  other.join();
}

LOCKSTEP_TEST(Failures, Crash) {
  std::atomic<int*> p = nullptr;
  int value = 0;
  std::thread other([&] { p = &value; });
  *p.load() = 1;
  other.join();
}

LOCKSTEP_TEST(Failures, Exit) {
  std::thread other([] { exit(0); });
  other.join();
}

// Passes, among all the others.
LOCKSTEP_TEST(Failures, None) {
  std::thread other([] {});
  other.join();
}

}  // namespace
