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

#include "absl/cleanup/cleanup.h"
#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "tests/support/waiting.h"

namespace workbook {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using support::LetOthersWait;

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

LOCKSTEP_TEST_WITH(Executor, OneTaskNeedsOneThread,
                   {.cost_budget = {.threads_created = 1}}) {
  Executor executor(8);
  executor.Submit([] {});
}

// The second task wakes the first worker and starts another, who may be
// quicker. Then two tasks wait for each other: both workers must be there.
LOCKSTEP_TEST(Executor, AWorkerThatFindsTheQueueEmptyStays) {
  std::latch both(2);
  Executor executor(2);
  executor.Submit([] {});
  LetOthersWait();
  executor.Submit([] {});
  LetOthersWait();
  executor.Submit([&] { both.arrive_and_wait(); });
  executor.Submit([&] { both.arrive_and_wait(); });
}

LOCKSTEP_TEST_WITH(Executor, AWorkerWithoutATaskSleeps,
                   {.forbid_busy_waiting = true}) {
  Executor executor(1);
  executor.Submit([] {});
  // Time is virtual: to wait costs nothing, to look every second does.
  std::this_thread::sleep_for(lockstep::Supported() ? hours(24)
                                                    : milliseconds(1));
  executor.Submit([] {});
}

// A destructor that runs while the mutex is held would wait for that mutex.
LOCKSTEP_TEST(Executor, WhatATaskOwnsMayCallItWhenDestroyed) {
  Executor executor(1);
  executor.Submit([last_words = absl::Cleanup([&] { executor.Close(); })] {});
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

LOCKSTEP_TEST(Shutdown, ATaskOfAnotherExecutorMayCallIt) {
  std::atomic<int> ran{0};
  Executor other(1);
  Executor executor(1);
  other.Submit([&] { ++ran; });
  executor.Submit([&] {
    EXPECT_NO_THROW(other.Shutdown()) << "this task is none of its own";
    EXPECT_EQ(ran, 1) << "Shutdown did not wait";
  });
}

LOCKSTEP_TEST(Shutdown, CancellingDoesNotWaitForAnotherCall) {
  std::latch running(1), gate(1);
  Executor executor(1);
  executor.Submit([&] {
    running.count_down();
    gate.wait();
  });
  std::future<int> pending = executor.Submit([] { return 2; });
  running.wait();
  std::thread waits([&] { executor.Shutdown(); });
  std::thread cancels([&] { executor.Shutdown(/*cancel_pending=*/true); });
  // While the first task runs, neither call can return.
  EXPECT_EQ(pending.wait_for(hours(1)), std::future_status::ready)
      << "Shutdown(true) must cancel first and wait then";
  gate.count_down();
  waits.join();
  cancels.join();
  EXPECT_THROW(pending.get(), CancelledError);
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

LOCKSTEP_TEST(Close, ALaterCallMayStillCancel) {
  std::latch running(1), gate(1);
  Executor executor(1);
  executor.Submit([&] {
    running.count_down();
    gate.wait();
  });
  std::future<int> pending = executor.Submit([] { return 2; });
  running.wait();
  executor.Close();
  EXPECT_FALSE(IsReady(pending)) << "Close() alone cancels nothing";
  executor.Close(/*cancel_pending=*/true);
  EXPECT_TRUE(IsReady(pending)) << "it was closed already, but not cancelled";
  gate.count_down();
  EXPECT_THROW(pending.get(), CancelledError);
}

LOCKSTEP_TEST(Close, ATaskMayCallItAndCancelTheRest) {
  std::latch submitted(1);
  std::future<int> pending;
  {
    Executor executor(1);
    executor.Submit([&] {
      submitted.wait();
      executor.Close(/*cancel_pending=*/true);
    });
    pending = executor.Submit([] { return 2; });
    submitted.count_down();
  }
  ASSERT_TRUE(IsReady(pending));
  EXPECT_THROW(pending.get(), CancelledError);
}

LOCKSTEP_TEST(Close, ATaskThatRunsIsRefusedToo) {
  std::latch closed(1);
  Executor executor(1);
  executor.Submit([&] {
    closed.wait();
    EXPECT_THROW(executor.Submit([] {}), ClosedError)
        << "no task is accepted after Close(), whoever submits it";
  });
  executor.Close();
  closed.count_down();
}

LOCKSTEP_TEST(Close, WhatACancelledTaskOwnsMayCallItWhenDestroyed) {
  std::latch running(1), gate(1);
  Executor executor(1);
  executor.Submit([&] {
    running.count_down();
    gate.wait();
  });
  executor.Submit([last_words = absl::Cleanup([&] { executor.Close(); })] {});
  running.wait();
  executor.Close(/*cancel_pending=*/true);
  gate.count_down();
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
