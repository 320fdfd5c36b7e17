// SPDX-License-Identifier: Apache-2.0
//
// Promises, futures, tasks. Each facility in a correct and in a failing use.

#include <chrono>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "lockstep/tests/explored.h"

namespace lockstep::tests {
namespace {

using enum Verdict;

TEST(Facility, PromiseAndFuture) {
  EXPECT_TRUE(Passes([] {
    int side = 0;
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    std::thread thread([&] {
      side = 1;
      promise.set_value(7);
    });
    Expect(future.get() == 7 && side == 1, "ready too early");
    thread.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::promise<void> never;
    std::future<void> future = never.get_future();
    const auto start = std::chrono::steady_clock::now();
    Expect(
        future.wait_for(std::chrono::hours(1)) == std::future_status::timeout,
        "ready without a value");
    Expect(std::chrono::steady_clock::now() - start >= std::chrono::hours(1),
           "gave up too early");
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    std::thread thread([&] { future.get(); });
    thread.join();
    promise.set_value(7);
  }));
}

TEST(Facility, SharedFuture) {
  EXPECT_TRUE(Passes([] {
    std::promise<int> promise;
    std::shared_future<int> future = promise.get_future().share();
    auto read = [future] { Expect(future.get() == 7, "wrong value"); };
    std::thread one(read), two(read);
    promise.set_value(7);
    one.join();
    two.join();
  }));
  EXPECT_TRUE(FailsWith(kWrongResult, [] {
    std::promise<int> promise;
    std::shared_future<int> future = promise.get_future().share();
    std::thread thread([&] { promise.set_value(7); });
    Expect(
        future.wait_for(std::chrono::seconds(0)) == std::future_status::ready,
        "not waited for");
    thread.join();
  }));
}

TEST(Facility, Async) {
  EXPECT_TRUE(Passes([] {
    std::future<int> one = std::async(std::launch::async, [] { return 1; });
    std::future<int> two = std::async(std::launch::deferred, [] { return 2; });
    Expect(one.get() + two.get() == 3, "wrong value");
  }));
  EXPECT_TRUE(Passes([] {
    std::future<void> future = std::async(
        std::launch::async, [] { throw std::runtime_error("no result"); });
    bool thrown = false;
    try {
      future.get();
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    Expect(thrown, "the exception is lost");
  }));
  EXPECT_TRUE(FailsWith(kDataRace, [] {
    int value = 0;
    std::future<void> future = std::async(std::launch::async, [&] { ++value; });
    ++value;
    future.get();
  }));
  // The destructor of the future waits for the task, which needs the lock.
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    std::mutex mu;
    std::lock_guard<std::mutex> hold(mu);
    std::future<void> future = std::async(
        std::launch::async, [&] { std::lock_guard<std::mutex> hold_too(mu); });
  }));
}

TEST(Facility, PackagedTask) {
  EXPECT_TRUE(Passes([] {
    std::packaged_task<int(int)> task([](int n) { return n + 1; });
    std::future<int> future = task.get_future();
    std::thread thread(std::move(task), 6);
    Expect(future.get() == 7, "wrong value");
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(kUncaughtException, [] {
    std::future<int> future;
    {
      std::packaged_task<int()> task([] { return 7; });
      future = task.get_future();
    }
    std::thread thread([&] { future.get(); });  // broken promise
    thread.join();
  }));
}

}  // namespace
}  // namespace lockstep::tests
