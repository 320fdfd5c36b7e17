// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 05. Each test is one rule, and its name says it.

#include <atomic>
#include <exception>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

namespace workbook {
namespace {

LOCKSTEP_TEST(ThreadPool, EveryTaskRunsOnce) {
  std::atomic<int> runs[3] = {};
  ThreadPool pool(/*threads=*/2, /*capacity=*/1);
  for (std::atomic<int>& run : runs) {
    pool.AddTask([&] { ++run; });
  }
  pool.WaitComplete();
  for (std::atomic<int>& run : runs) EXPECT_EQ(run, 1);
}

LOCKSTEP_TEST(ThreadPool, OneThreadRunsTasksInTheOrderOfTheQueue) {
  std::vector<int> order;
  ThreadPool pool(/*threads=*/1, /*capacity=*/2);
  for (int i = 0; i < 3; ++i) {
    pool.AddTask([&, i] { order.push_back(i); });
  }
  pool.WaitComplete();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

LOCKSTEP_TEST(ThreadPool, AfterTheWaitTheEffectsOfTheTasksAreVisible) {
  int written = 0;
  ThreadPool pool(/*threads=*/2, /*capacity=*/2);
  pool.AddTask([&] { written = 1; });
  pool.WaitComplete();
  EXPECT_EQ(written, 1) << "the wait ended before the task";
}

// Each task waits for the other: neither can end unless both run.
LOCKSTEP_TEST(ThreadPool, TasksRunAtTheSameTime) {
  absl::Barrier both_running(2);
  ThreadPool pool(/*threads=*/2, /*capacity=*/2);
  pool.AddTask([&] { both_running.Block(); });
  pool.AddTask([&] { both_running.Block(); });
  pool.WaitComplete();
}

LOCKSTEP_TEST(ThreadPool, NoMoreTasksRunThanThereAreThreads) {
  std::atomic<int> running{0};
  ThreadPool pool(/*threads=*/1, /*capacity=*/2);
  const auto task = [&] {
    EXPECT_EQ(running.fetch_add(1) + 1, 1) << "one thread runs two tasks";
    running.fetch_sub(1);
  };
  pool.AddTask(task);
  pool.AddTask(task);
  pool.WaitComplete();
}

LOCKSTEP_TEST_WITH(ThreadPool, ThreadsAreUsedAgain,
                   {.cost_budget = {.threads_created = 2}}) {
  ThreadPool pool(/*threads=*/2, /*capacity=*/2);
  for (int i = 0; i < 3; ++i) pool.AddTask([] {});
  pool.WaitComplete();
}

LOCKSTEP_TEST(ThreadPool, WaitingForAnIdlePoolReturnsAtOnce) {
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.WaitComplete();
  pool.WaitComplete();
}

LOCKSTEP_TEST(ThreadPool, AfterAWaitThePoolTakesMoreTasks) {
  int runs = 0;
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  for (int i = 1; i <= 2; ++i) {
    pool.AddTask([&] { ++runs; });
    pool.WaitComplete();
    EXPECT_EQ(runs, i);
  }
}

LOCKSTEP_TEST(ThreadPool, EveryWaitingThreadGoesOn) {
  int written = 0;
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([&] { written = 1; });
  const auto wait = [&] {
    pool.WaitComplete();
    EXPECT_EQ(written, 1);
  };
  std::thread a(wait), b(wait);
  a.join();
  b.join();
}

// There is room for the second task once the first has left the queue; for the
// third there is none until the gate is open and the first task ends.
LOCKSTEP_TEST(ThreadPool, AddTaskWaitsWhileTheQueueIsFull) {
  std::latch gate(1);
  std::atomic<bool> opened{false};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([&] { gate.wait(); });
  pool.AddTask([] {});
  std::thread adder([&] {
    pool.AddTask([] {});
    EXPECT_TRUE(opened) << "AddTask did not wait for room";
  });
  opened = true;
  gate.count_down();
  adder.join();
  pool.WaitComplete();
}

LOCKSTEP_TEST(ThreadPool, SeveralThreadsMayAddToAFullQueue) {
  std::atomic<int> runs{0};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  const auto add = [&] {
    pool.AddTask([&] { ++runs; });
    pool.AddTask([&] { ++runs; });
  };
  std::thread other(add);
  add();
  other.join();
  pool.WaitComplete();
  EXPECT_EQ(runs, 4);
}

LOCKSTEP_TEST(ThreadPool, ATaskThatThrowsIsCompleteAndItsThreadGoesOn) {
  bool ran = false;
  ThreadPool pool(/*threads=*/1, /*capacity=*/2);
  pool.AddTask([] { throw std::runtime_error("no"); });
  pool.AddTask([&] { ran = true; });
  pool.WaitComplete();
  EXPECT_TRUE(ran);
}

LOCKSTEP_TEST(ThreadPool, ATaskMayThrowAnything) {
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([] { throw 42; });
  pool.WaitComplete();
  const std::vector<std::exception_ptr> errors = pool.TakeErrors();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THROW(std::rethrow_exception(errors[0]), int);
}

LOCKSTEP_TEST(ThreadPool, ErrorsAreReportedOnce) {
  ThreadPool pool(/*threads=*/2, /*capacity=*/2);
  pool.AddTask([] { throw 1; });
  pool.AddTask([] {});
  pool.AddTask([] { throw 2; });
  pool.WaitComplete();
  EXPECT_EQ(pool.TakeErrors().size(), 2u);
  EXPECT_EQ(pool.TakeErrors().size(), 0u) << "they were taken before";
}

LOCKSTEP_TEST(ThreadPool, TheWaitCoversTasksAddedByTasks) {
  bool ran = false;
  ThreadPool pool(/*threads=*/2, /*capacity=*/1);
  pool.AddTask([&] { pool.AddTask([&] { ran = true; }); });
  pool.WaitComplete();
  EXPECT_TRUE(ran) << "the wait ended before the inner task";
}

LOCKSTEP_TEST(ThreadPool, ATaskNeverWaitsForRoom) {
  std::atomic<int> runs{0};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([&] {
    for (int i = 0; i < 2; ++i) pool.AddTask([&] { ++runs; });
  });
  pool.WaitComplete();
  EXPECT_EQ(runs, 2);
}

LOCKSTEP_TEST(ThreadPool, ATaskOfAnotherPoolWaitsForRoom) {
  std::latch gate(1);
  std::atomic<bool> opened{false};
  ThreadPool full(/*threads=*/1, /*capacity=*/1);
  ThreadPool other(/*threads=*/1, /*capacity=*/1);
  full.AddTask([&] { gate.wait(); });
  full.AddTask([] {});
  other.AddTask([&] {
    full.AddTask([] {});
    EXPECT_TRUE(opened) << "AddTask did not wait for room";
  });
  opened = true;
  gate.count_down();
  other.WaitComplete();
}

LOCKSTEP_TEST(ThreadPool, ATaskThatWaitsForItsPoolIsRefused) {
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([&] { EXPECT_THROW(pool.WaitComplete(), std::logic_error); });
  pool.WaitComplete();
}

LOCKSTEP_TEST(ThreadPool, ATaskMayWaitForAnotherPool) {
  bool ran = false;
  ThreadPool inner(/*threads=*/1, /*capacity=*/1);
  ThreadPool outer(/*threads=*/1, /*capacity=*/1);
  outer.AddTask([&] {
    inner.AddTask([&] { ran = true; });
    EXPECT_NO_THROW(inner.WaitComplete());
    EXPECT_TRUE(ran);
  });
  outer.WaitComplete();
}

LOCKSTEP_TEST(ThreadPool, ACompleteTaskHoldsNothing) {
  const auto resource = std::make_shared<int>(1);
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([resource] {});
  pool.WaitComplete();
  EXPECT_EQ(resource.use_count(), 1) << "the task still holds what it captured";
}

LOCKSTEP_TEST(ThreadPool, TheDestructorRunsTheQueuedTasks) {
  int runs = 0;
  {
    ThreadPool pool(/*threads=*/1, /*capacity=*/2);
    pool.AddTask([&] { ++runs; });
    pool.AddTask([&] { ++runs; });
  }
  EXPECT_EQ(runs, 2);
}

LOCKSTEP_TEST(ThreadPool, TheDestructorRunsWhatTasksAdd) {
  bool ran = false;
  {
    ThreadPool pool(/*threads=*/2, /*capacity=*/1);
    pool.AddTask([&] { pool.AddTask([&] { ran = true; }); });
  }
  EXPECT_TRUE(ran);
}

LOCKSTEP_TEST(ThreadPool, TheDestructorEndsIdleThreads) {
  ThreadPool pool(/*threads=*/2, /*capacity=*/1);
}

TEST(ThreadPool, APoolWithoutThreadsOrCapacityIsRefused) {
  EXPECT_THROW(ThreadPool(0, 1), std::invalid_argument);
  EXPECT_THROW(ThreadPool(-1, 1), std::invalid_argument);
  EXPECT_THROW(ThreadPool(1, 0), std::invalid_argument);
  EXPECT_THROW(ThreadPool(1, -1), std::invalid_argument);
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(ThreadPool, AllItsOperationsMayMeet) {
  std::atomic<int> runs{0};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  std::thread adder([&] { pool.AddTask([&] { ++runs; }); });
  std::thread waiter([&] {
    pool.WaitComplete();
    pool.TakeErrors();
  });
  pool.AddTask([&] {
    ++runs;
    throw 1;
  });
  adder.join();
  waiter.join();
  pool.WaitComplete();
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace workbook
