// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 20. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

namespace workbook {
namespace {

// True if the task of `future` has ended. Does not wait.
template <typename T>
bool IsReady(const std::future<T>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

LOCKSTEP_TEST(Executor, ATaskRunsAndItsResultArrives) {
  Executor executor(2);
  std::future<int> seven = executor.Submit([] { return 7; });
  std::future<int> eight = executor.Submit([] { return 8; });
  EXPECT_EQ(seven.get() + eight.get(), 15);
}

LOCKSTEP_TEST(Executor, ATaskNeedNotReturnAnythingNorBeCopyable) {
  int sum = 0;
  {
    Executor executor(1);
    executor.Submit([&sum, five = std::make_unique<int>(5)] { sum += *five; });
  }
  EXPECT_EQ(sum, 5);
}

LOCKSTEP_TEST(Executor, AnErrorGoesToTheFutureAndTheWorkerGoesOn) {
  Executor executor(1);
  std::future<int> bad =
      executor.Submit([]() -> int { throw std::out_of_range("no"); });
  std::future<int> good = executor.Submit([] { return 1; });
  EXPECT_THROW(bad.get(), std::out_of_range);
  EXPECT_EQ(good.get(), 1);
}

// Each task waits for the other: only two workers at once get through.
LOCKSTEP_TEST(Executor, TwoTasksRunAtTheSameTime) {
  std::latch both(2);
  Executor executor(2);
  executor.Submit([&] { both.arrive_and_wait(); });
  executor.Submit([&] { both.arrive_and_wait(); });
}

LOCKSTEP_TEST(Executor, OneWorkerRunsTasksInTheirOrder) {
  std::vector<int> order;
  {
    Executor executor(1);
    for (int i = 0; i < 3; ++i) {
      executor.Submit([&order, i] { order.push_back(i); });
    }
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

LOCKSTEP_TEST_WITH(Executor, NoMoreThreadsAreMadeThanAllowed,
                   {.cost_budget = {.threads_created = 2}}) {
  std::atomic<int> ran{0};
  {
    Executor executor(2);
    for (int i = 0; i < 4; ++i) executor.Submit([&] { ++ran; });
  }
  EXPECT_EQ(ran, 4);
}

LOCKSTEP_TEST_WITH(Executor, WithoutTasksThereAreNoThreads,
                   {.cost_budget = {.threads_created = 0}}) {
  Executor executor(8);
}

LOCKSTEP_TEST(Executor, WithoutWorkersItIsRefused) {
  EXPECT_THROW(Executor(0), std::invalid_argument);
}

LOCKSTEP_TEST(Scope, LeavingItWaitsForAllTasks) {
  std::atomic<int> ran{0};
  {
    Executor executor(1);
    for (int i = 0; i < 3; ++i) executor.Submit([&] { ++ran; });
  }
  EXPECT_EQ(ran, 3) << "tasks were lost, or still run";
}

LOCKSTEP_TEST(Scope, LeavingItByAnExceptionWaitsForAllTasks) {
  std::atomic<int> ran{0};
  try {
    Executor executor(1);
    for (int i = 0; i < 3; ++i) executor.Submit([&] { ++ran; });
    throw std::runtime_error("the scope is left by an exception");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(ran, 3) << "an exception does not cancel the tasks";
}

LOCKSTEP_TEST(Scope, LeavingItLetsEveryWorkerGoHome) {
  std::latch both(2);
  {
    Executor executor(2);
    executor.Submit([&] { both.count_down(); });
    executor.Submit([&] { both.count_down(); });
    both.wait();  // Now both workers will wait for more.
  }
}

LOCKSTEP_TEST(Scope, FuturesAreReadableAfterIt) {
  std::future<int> good, bad;
  {
    Executor executor(1);
    good = executor.Submit([] { return 1; });
    bad = executor.Submit([]() -> int { throw std::out_of_range("no"); });
  }
  ASSERT_TRUE(IsReady(good) && IsReady(bad));
  EXPECT_EQ(good.get(), 1);
  EXPECT_THROW(bad.get(), std::out_of_range);
}

LOCKSTEP_TEST(Shutdown, ATaskAfterItIsRefused) {
  std::atomic<int> ran{0};
  {
    Executor executor(1);
    executor.Submit([&] { ++ran; });
    executor.Shutdown();
    EXPECT_EQ(ran, 1) << "Shutdown did not wait";
    EXPECT_THROW(executor.Submit([&] { ++ran; }), ClosedError);
  }
  EXPECT_EQ(ran, 1) << "a refused task was run";
}

LOCKSTEP_TEST(Shutdown, CalledTwiceItDoesNoHarm) {
  Executor executor(1);
  executor.Submit([] {});
  executor.Shutdown();
  EXPECT_NO_THROW(executor.Shutdown());
}

LOCKSTEP_TEST(Shutdown, TwoThreadsMayCallItAndBothWait) {
  std::atomic<int> ran{0};
  Executor executor(1);
  executor.Submit([&] { ++ran; });
  const auto shut_down = [&] {
    executor.Shutdown();
    EXPECT_EQ(ran, 1) << "Shutdown returned before the task had ended";
  };
  std::thread other(shut_down);
  shut_down();
  other.join();
}

LOCKSTEP_TEST(Shutdown, EveryAcceptedTaskRuns) {
  std::atomic<int> ran{0};
  int accepted = 0;
  Executor executor(1);
  std::thread producer([&] {
    try {
      for (int i = 0; i < 2; ++i) {
        executor.Submit([&] { ++ran; });
        ++accepted;
      }
    } catch (const ClosedError&) {
    }
  });
  executor.Shutdown();
  producer.join();
  executor.Shutdown();
  EXPECT_EQ(ran, accepted) << "a task was accepted and did not run";
}

LOCKSTEP_TEST(Shutdown, ATaskMaySubmitWhileItGoesOn) {
  std::atomic<int> ran{0};
  std::atomic<int> accepted{0};
  {
    Executor executor(1);
    executor.Submit([&] {
      try {
        executor.Submit([&] { ++ran; });
        ++accepted;
      } catch (const ClosedError&) {
      }
    });
  }
  EXPECT_EQ(ran, accepted);
}

LOCKSTEP_TEST(Shutdown, ATaskThatCallsItIsToldOff) {
  Executor executor(1);
  std::future<void> task = executor.Submit(
      [&] { EXPECT_THROW(executor.Shutdown(), std::logic_error); });
  task.get();
  std::future<int> next;
  EXPECT_NO_THROW(next = executor.Submit([] { return 1; }))
      << "a refused Shutdown() closes nothing";
}

LOCKSTEP_TEST(Close, ItDoesNotWait) {
  std::latch gate(1);
  std::atomic<int> ran{0};
  {
    Executor executor(1);
    for (int i = 0; i < 2; ++i) {
      executor.Submit([&] {
        gate.wait();
        ++ran;
      });
    }
    executor.Close();
    EXPECT_THROW(executor.Submit([&] { ++ran; }), ClosedError);
    gate.count_down();  // A Close() that waits would wait for ever.
  }
  EXPECT_EQ(ran, 2) << "tasks that were accepted run after Close()";
}

LOCKSTEP_TEST(Close, CancellingSparesTheTaskThatRuns) {
  std::latch running(1), gate(1);
  std::future<int> first, second, third;
  {
    Executor executor(1);
    first = executor.Submit([&] {
      running.count_down();
      gate.wait();
      return 1;
    });
    second = executor.Submit([] { return 2; });
    third = executor.Submit([] { return 3; });
    running.wait();
    executor.Close(/*cancel_pending=*/true);
    EXPECT_TRUE(IsReady(second) && IsReady(third)) << "they were not cancelled";
    gate.count_down();
  }
  ASSERT_TRUE(IsReady(first) && IsReady(second) && IsReady(third));
  EXPECT_EQ(first.get(), 1);
  EXPECT_THROW(second.get(), CancelledError);
  EXPECT_THROW(third.get(), CancelledError);
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(Executor, AllItsOperationsMayMeet) {
  Executor executor(2);
  std::future<int> result;
  std::thread producer([&] {
    try {
      result = executor.Submit([] { return 1; });
    } catch (const ClosedError&) {
    }
  });
  std::thread closer([&] { executor.Close(/*cancel_pending=*/true); });
  executor.Shutdown();
  producer.join();
  closer.join();
  if (!result.valid()) return;  // The task was refused.
  ASSERT_TRUE(IsReady(result)) << "an accepted task was forgotten";
  try {
    EXPECT_EQ(result.get(), 1);
  } catch (const CancelledError&) {
  }
}

}  // namespace
}  // namespace workbook
