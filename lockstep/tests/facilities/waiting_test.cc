// SPDX-License-Identifier: Apache-2.0
//
// The ways of the standard library to wait: condition variables, atomics,
// semaphores, latches, barriers. Each facility in a correct and in a failing
// use.

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>

#include "gtest/gtest.h"
#include "lockstep/tests/explored.h"

namespace lockstep::tests {
namespace {

using std::chrono::milliseconds;
using enum Verdict;

TEST(Facility, ConditionVariable) {
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
      changed.wait(hold, [&] { return ready; });
    }
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(kLostWakeup, [] {
    std::mutex mu;
    std::condition_variable changed;
    std::thread thread([&] { changed.notify_one(); });
    {
      std::unique_lock<std::mutex> hold(mu);
      changed.wait(hold);
    }
    thread.join();
  }));
}

TEST(Facility, ConditionVariableTimed) {
  EXPECT_TRUE(Passes([] {
    std::mutex mu;
    std::condition_variable changed;
    std::unique_lock<std::mutex> hold(mu);
    const auto start = std::chrono::steady_clock::now();
    Expect(changed.wait_for(hold, std::chrono::hours(1)) ==
               std::cv_status::timeout,
           "nobody notifies");
    Expect(std::chrono::steady_clock::now() - start >= std::chrono::hours(1),
           "woken too early");
    Expect(changed.wait_until(hold, std::chrono::system_clock::now() +
                                        std::chrono::hours(1)) ==
               std::cv_status::timeout,
           "nobody notifies");
  }));
  EXPECT_TRUE(FailsWith(kWrongResult, [] {
    std::mutex mu;
    std::condition_variable changed;
    bool ready = false;
    std::thread thread([&] {
      std::this_thread::sleep_for(milliseconds(10));
      std::lock_guard<std::mutex> hold(mu);
      ready = true;
      changed.notify_one();
    });
    {
      std::unique_lock<std::mutex> hold(mu);
      changed.wait_for(hold, milliseconds(5), [&] { return ready; });
      Expect(ready, "the time-out is taken for the event");
    }
    thread.join();
  }));
}

TEST(Facility, ConditionVariableAny) {
  EXPECT_TRUE(Passes([] {
    std::shared_mutex mu;
    std::condition_variable_any changed;
    bool ready = false;
    auto wait = [&] {
      std::shared_lock<std::shared_mutex> hold(mu);
      changed.wait(hold, [&] { return ready; });
    };
    std::thread one(wait), two(wait);
    {
      std::unique_lock<std::shared_mutex> hold(mu);
      ready = true;
    }
    changed.notify_all();
    one.join();
    two.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::mutex mu;
    std::condition_variable_any changed;
    std::jthread thread([&](std::stop_token token) {
      std::unique_lock<std::mutex> hold(mu);
      Expect(!changed.wait(hold, token, [] { return false; }), "woken");
    });
  }));
  EXPECT_TRUE(FailsWith(kLostWakeup, [] {
    std::shared_mutex mu;
    std::condition_variable_any changed;
    bool ready = false;
    auto wait = [&] {
      std::shared_lock<std::shared_mutex> hold(mu);
      changed.wait(hold, [&] { return ready; });
    };
    std::thread one(wait), two(wait);
    {
      std::unique_lock<std::shared_mutex> hold(mu);
      ready = true;
    }
    changed.notify_one();
    one.join();
    two.join();
  }));
}

TEST(Facility, AtomicWait) {
  EXPECT_TRUE(Passes([] {
    std::atomic<int> state{0};
    int value = 0;
    std::thread thread([&] {
      value = 7;
      state.store(1, std::memory_order_release);
      state.notify_all();
    });
    state.wait(0, std::memory_order_acquire);
    Expect(value == 7, "woken too early");
    thread.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::atomic<long> state{0};  // futex words are ints: a proxy is used
    std::thread thread([&] {
      state.store(1);
      state.notify_one();
    });
    state.wait(0);
    thread.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::atomic_flag flag;
    std::thread thread([&] {
      flag.test_and_set();
      flag.notify_one();
    });
    flag.wait(false);
    thread.join();
  }));
  EXPECT_TRUE(FailsWith({kLostWakeup, kDeadlock}, [] {
    std::atomic<int> state{0};
    std::thread thread([&] { state.store(1); });
    state.wait(0);
    thread.join();
  }));
}

TEST(Facility, CountingSemaphore) {
  EXPECT_TRUE(Passes([] {
    std::counting_semaphore<2> items(0);
    int value[2] = {0, 0};
    std::thread thread([&] {
      value[0] = 1;
      items.release();
      value[1] = 2;
      items.release();
    });
    items.acquire();
    Expect(value[0] == 1, "acquired too early");
    items.acquire();
    Expect(value[1] == 2, "acquired too early");
    thread.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::binary_semaphore never(0);
    Expect(!never.try_acquire(), "nobody releases");
    const auto start = std::chrono::steady_clock::now();
    Expect(!never.try_acquire_for(std::chrono::hours(1)), "nobody releases");
    Expect(std::chrono::steady_clock::now() - start >= std::chrono::hours(1),
           "gave up too early");
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    std::counting_semaphore<2> items(1);
    std::thread thread([&] { items.acquire(); });
    items.acquire();
    thread.join();
  }));
}

TEST(Facility, Latch) {
  EXPECT_TRUE(Passes([] {
    std::latch done(2);
    int values[2] = {0, 0};
    std::thread one([&] {
      values[0] = 1;
      done.count_down();
    });
    std::thread two([&] {
      values[1] = 2;
      done.arrive_and_wait();
    });
    done.wait();
    Expect(values[0] + values[1] == 3, "passed too early");
    one.join();
    two.join();
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    std::latch done(2);
    std::thread thread([&] { done.count_down(); });
    done.wait();
    thread.join();
  }));
}

TEST(Facility, Barrier) {
  EXPECT_TRUE(Passes([] {
    std::barrier<> all(3);
    int values[3] = {0, 0, 0};
    auto work = [&](int self) {
      values[self] = 1;
      all.arrive_and_wait();
      Expect(values[0] + values[1] + values[2] == 3, "passed too early");
      all.arrive_and_wait();
      values[self] = 2;
    };
    std::thread one(work, 1), two(work, 2);
    work(0);
    one.join();
    two.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::barrier<> all(2);
    std::thread leaver([&] { all.arrive_and_drop(); });
    all.arrive_and_wait();
    all.arrive_and_wait();
    leaver.join();
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    std::barrier<> all(2);
    std::thread thread([&] {
      all.arrive_and_wait();
      all.arrive_and_wait();
    });
    all.arrive_and_wait();
    thread.join();
  }));
}

}  // namespace
}  // namespace lockstep::tests
