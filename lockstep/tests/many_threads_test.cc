// SPDX-License-Identifier: Apache-2.0
//
// More threads than most tools can take, and bodies that return early.

#include <atomic>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "lockstep/tests/explored.h"

namespace lockstep::tests {
namespace {

constexpr int kThreads = 120;
const Options kFewSchedules = {.schedules = 20};

void InThreads(int count, absl::FunctionRef<void(int)> work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(ManyThreads, CorrectUse) {
  EXPECT_TRUE(Passes(
      [] {
        absl::Mutex mu;
        int count = 0;
        InThreads(kThreads, [&](int) {
          absl::MutexLock hold(&mu);
          ++count;
        });
        Expect(count == kThreads, "an increment is lost");
      },
      kFewSchedules));
  EXPECT_TRUE(Passes(
      [] {
        std::latch all(kThreads);
        InThreads(kThreads, [&](int) { all.arrive_and_wait(); });
      },
      kFewSchedules));
}

// All of them exist at the same time.
TEST(ManyThreads, Deadlock) {
  EXPECT_TRUE(FailsWith({Verdict::kDeadlock, Verdict::kLostWakeup}, [] {
    std::latch all(kThreads + 1);
    InThreads(kThreads, [&](int) { all.arrive_and_wait(); });
  }));
}

TEST(ManyThreads, RaceOfTheLastTwo) {
  EXPECT_TRUE(FailsWith(Verdict::kDataRace, [] {
    int value = 0;
    InThreads(kThreads, [&](int self) {
      if (self >= kThreads - 2) ++value;
    });
  }));
}

TEST(EarlyReturn, ThreadThatWaitsForEverIsALeak) {
  EXPECT_TRUE(FailsWith({Verdict::kThreadLeak, Verdict::kLostWakeup}, [] {
    struct State {
      std::mutex mu;
      std::condition_variable never;
    };
    auto state = std::make_shared<State>();
    std::thread([state] {
      std::unique_lock<std::mutex> hold(state->mu);
      for (;;) state->never.wait(hold);
    }).detach();
  }));
}

TEST(EarlyReturn, IsAcceptedIfTheTestSaysSo) {
  EXPECT_TRUE(Passes(
      [] {
        auto value = std::make_shared<std::atomic<int>>(0);
        std::thread([value] { value->fetch_add(1); }).detach();
      },
      {.schedules = 100, .allow_running_threads = true}));
}

// What the threads left behind do wrong is found too.
TEST(EarlyReturn, BugsOfTheLeftThreadsAreFound) {
  EXPECT_TRUE(FailsWith(Verdict::kWrongResult,
                        [] {
                          auto value = std::make_shared<std::atomic<int>>(0);
                          auto work = [value] {
                            Expect(value->fetch_add(1) == 0,
                                   "the second of two");
                          };
                          std::thread(work).detach();
                          std::thread(work).detach();
                        },
                        {.allow_running_threads = true}));
}

TEST(EarlyReturn, UseOfTheBodysHeapAfterItsEnd) {
  EXPECT_TRUE(FailsWith({Verdict::kUseAfterFree, Verdict::kDataRace},
                        [] {
                          auto value = std::make_unique<std::atomic<int>>(0);
                          std::thread([raw = value.get()] {
                            raw->fetch_add(1);
                          }).detach();
                        },
                        {.allow_running_threads = true}));
}

}  // namespace
}  // namespace lockstep::tests
