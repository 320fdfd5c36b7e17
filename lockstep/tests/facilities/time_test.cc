// SPDX-License-Identifier: Apache-2.0
//
// Virtual time: sleeping and timed waiting cost nothing, in any clock. Each
// way to sleep in a correct and in a failing use.

#include "absl/time/time.h"

#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "lockstep/tests/explored.h"

namespace lockstep::tests {
namespace {

using enum Verdict;

// Two threads that sleep for different times with `sleep(milliseconds)` end in
// the order of their times, whatever the schedule.
template <typename Sleep>
void EndInOrder(Sleep sleep) {
  std::atomic<int> order{0};
  std::thread slow([&] {
    sleep(3'600'000);
    Expect(order.fetch_add(1) == 1, "the longer sleep ends first");
  });
  std::thread fast([&] {
    sleep(1'800'000);
    Expect(order.fetch_add(1) == 0, "the longer sleep ends first");
  });
  slow.join();
  fast.join();
}

// Sleeps of equal length end in any order.
template <typename Sleep>
void TakesOrderForGranted(Sleep sleep) {
  std::atomic<int> order{0};
  std::thread first([&] {
    sleep(10);
    Expect(order.fetch_add(1) == 0, "equal sleeps have no order");
  });
  std::thread second([&] {
    sleep(10);
    Expect(order.fetch_add(1) == 1, "equal sleeps have no order");
  });
  first.join();
  second.join();
}

void StdSleepFor(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}
void StdSleepUntilSteady(int milliseconds) {
  std::this_thread::sleep_until(std::chrono::steady_clock::now() +
                                std::chrono::milliseconds(milliseconds));
}
void StdSleepUntilSystem(int milliseconds) {
  std::this_thread::sleep_until(std::chrono::system_clock::now() +
                                std::chrono::milliseconds(milliseconds));
}
void AbslSleepFor(int milliseconds) {
  absl::SleepFor(absl::Milliseconds(milliseconds));
}
void PosixSleep(int milliseconds) {
  if (milliseconds >= 1000) {
    sleep(milliseconds / 1000);
  } else {
    usleep(milliseconds * 1000);
  }
}
void PosixNanosleep(int milliseconds) {
  const timespec duration = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = milliseconds % 1000 * 1'000'000};
  nanosleep(&duration, nullptr);
}

TEST(VirtualTime, EverySleep) {
  for (void (*sleep)(int) :
       {StdSleepFor, StdSleepUntilSteady, StdSleepUntilSystem, AbslSleepFor,
        PosixSleep, PosixNanosleep}) {
    EXPECT_TRUE(Passes([&] { EndInOrder(sleep); }));
    EXPECT_TRUE(FailsWith(kWrongResult, [&] { TakesOrderForGranted(sleep); }));
  }
}

TEST(VirtualTime, EveryClock) {
  EXPECT_TRUE(Passes([] {
    const auto steady = std::chrono::steady_clock::now();
    const auto system = std::chrono::system_clock::now();
    const absl::Time absl_time = absl::Now();
    const time_t seconds = time(nullptr);
    std::this_thread::sleep_for(std::chrono::hours(1));
    Expect(std::chrono::steady_clock::now() - steady >= std::chrono::hours(1),
           "steady_clock");
    Expect(std::chrono::system_clock::now() - system >= std::chrono::hours(1),
           "system_clock");
    Expect(absl::Now() - absl_time >= absl::Hours(1), "absl::Now");
    Expect(time(nullptr) - seconds >= 3600, "time");
  }));
}

// 300 schedules of 100 hours each, twice. Real time would be seven years; the
// test's own time limit is what checks it.
TEST(VirtualTime, AHundredHoursCostNothing) {
  EXPECT_TRUE(Passes([] {
    std::mutex mu;
    std::condition_variable never;
    std::thread thread([] {
      for (int i = 0; i < 100; ++i) {
        std::this_thread::sleep_for(std::chrono::hours(1));
      }
    });
    std::unique_lock<std::mutex> hold(mu);
    Expect(!never.wait_for(hold, std::chrono::hours(50), [] { return false; }),
           "nobody notifies");
    thread.join();
  }));
}

// Time stands still while somebody can run: a time-out cannot come before
// what takes no time.
TEST(VirtualTime, StandsStillWhileThreadsRun) {
  EXPECT_TRUE(Passes([] {
    std::mutex mu;
    std::condition_variable changed;
    bool ready = false;
    std::thread thread([&] {
      std::lock_guard<std::mutex> hold(mu);
      ready = true;
      changed.notify_one();
    });
    {
      std::unique_lock<std::mutex> hold(mu);
      Expect(changed.wait_for(hold, std::chrono::milliseconds(1),
                              [&] { return ready; }),
             "timed out while the other thread could run");
    }
    thread.join();
  }));
}

// With early time-outs a millisecond may be over at once.
TEST(VirtualTime, EarlyTimeouts) {
  EXPECT_TRUE(
      FailsWith(kWrongResult,
                [] {
                  std::mutex mu;
                  std::condition_variable changed;
                  bool ready = false;
                  std::thread thread([&] {
                    std::lock_guard<std::mutex> hold(mu);
                    ready = true;
                    changed.notify_one();
                  });
                  {
                    std::unique_lock<std::mutex> hold(mu);
                    Expect(changed.wait_for(hold, std::chrono::milliseconds(1),
                                            [&] { return ready; }),
                           "timed out");
                  }
                  thread.join();
                },
                {.early_timeouts = true}));
}

}  // namespace
}  // namespace lockstep::tests
