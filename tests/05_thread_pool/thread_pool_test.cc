// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 05. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <exception>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"
#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "tests/support/waiting.h"

namespace workbook {
namespace {

using support::LetOthersWait;

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

// The queue is full when the outer task adds one: it has to be behind the task
// that waits already, and behind the end of the outer task.
LOCKSTEP_TEST(ThreadPool, ATaskAddedByATaskJoinsTheBackOfTheQueue) {
  std::vector<std::string> order;
  absl::Notification full;
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([&] {
    full.WaitForNotification();
    pool.AddTask([&] { order.push_back("inner"); });
    order.push_back("outer");
  });
  pool.AddTask([&] { order.push_back("second"); });
  full.Notify();
  pool.WaitComplete();
  EXPECT_EQ(order, (std::vector<std::string>{"outer", "second", "inner"}));
}

LOCKSTEP_TEST(ThreadPool, ATaskAddedByATaskWakesAnotherThread) {
  absl::Notification inner_ran;
  ThreadPool pool(/*threads=*/2, /*capacity=*/1);
  pool.AddTask([&] {
    pool.AddTask([&] { inner_ran.Notify(); });
    inner_ran.WaitForNotification();
  });
  pool.WaitComplete();
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

// Of the tasks that were added and have not run yet, the one thread has one,
// and the queue has room for one.
LOCKSTEP_TEST(ThreadPool, SeveralThreadsMayAddToAFullQueue) {
  std::atomic<int> added{0}, runs{0};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  const auto add = [&] {
    for (int i = 0; i < 2; ++i) {
      pool.AddTask([&] { ++runs; });
      const int in_sum = ++added;
      EXPECT_LE(in_sum - runs, 2) << "the queue is longer than 1";
    }
  };
  std::thread other(add);
  add();
  other.join();
  pool.WaitComplete();
  EXPECT_EQ(runs, 4);
}

// The first task ends when there is a third. There is room for it as soon as
// the first has left the queue, in which the second still is.
LOCKSTEP_TEST(ThreadPool, AddTaskGoesOnAsSoonAsThereIsRoom) {
  absl::Notification added;
  ThreadPool pool(/*threads=*/1, /*capacity=*/2);
  pool.AddTask([&] { added.WaitForNotification(); });
  pool.AddTask([] {});
  pool.AddTask([] {});
  added.Notify();
  pool.WaitComplete();
}

// Two tasks leave the queue one after the other, perhaps before either thread
// has used the room.
LOCKSTEP_TEST(ThreadPool, EveryThreadThatWaitsForRoomGoesOn) {
  absl::Notification go_on;
  ThreadPool pool(/*threads=*/1, /*capacity=*/2);
  pool.AddTask([&] { go_on.WaitForNotification(); });
  pool.AddTask([] {});
  pool.AddTask([] {});
  const auto add = [&] { pool.AddTask([] {}); };
  std::thread a(add), b(add);
  LetOthersWait();
  go_on.Notify();
  a.join();
  b.join();
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

// The task that was added first throws last: the two others run in the other
// thread, one after the other, and the second of them lets it go on.
LOCKSTEP_TEST(ThreadPool, ErrorsComeInTheOrderInWhichTheyWereThrown) {
  absl::Notification go_on;
  ThreadPool pool(/*threads=*/2, /*capacity=*/3);
  pool.AddTask([&] {
    go_on.WaitForNotification();
    throw 2;
  });
  pool.AddTask([] { throw 1; });
  pool.AddTask([&] { go_on.Notify(); });
  pool.WaitComplete();
  std::vector<int> thrown;
  for (const std::exception_ptr& error : pool.TakeErrors()) {
    try {
      std::rethrow_exception(error);
    } catch (int number) {
      thrown.push_back(number);
    }
  }
  EXPECT_EQ(thrown, (std::vector<int>{1, 2}));
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

// What a task holds may call the pool when it is destroyed, too.
LOCKSTEP_TEST(ThreadPool, ATaskIsDestroyedWithoutTheMutex) {
  bool ran = false;
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  const auto at_the_end = [&](void*) { pool.AddTask([&] { ran = true; }); };
  pool.AddTask([last = std::shared_ptr<void>(nullptr, at_the_end)] {});
  pool.WaitComplete();
  EXPECT_TRUE(ran) << "the wait ended before the task that was added last";
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

LOCKSTEP_TEST_WITH(ThreadPool, ASpuriousWakeUpIsNotATask,
                   {.spurious_wakeups = true}) {
  std::atomic<int> runs{0};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  for (int i = 1; i <= 2; ++i) {
    LetOthersWait();
    pool.AddTask([&] { ++runs; });
  }
  pool.WaitComplete();
  EXPECT_EQ(runs, 2);
}

LOCKSTEP_TEST_WITH(ThreadPool, ASpuriousWakeUpIsNotRoom,
                   {.spurious_wakeups = true}) {
  absl::Notification gate;
  std::atomic<bool> opened{false};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([&] { gate.WaitForNotification(); });
  pool.AddTask([] {});
  std::thread adder([&] {
    pool.AddTask([] {});
    EXPECT_TRUE(opened) << "AddTask returned, and there was no room";
  });
  opened = true;
  gate.Notify();
  adder.join();
}

LOCKSTEP_TEST_WITH(ThreadPool, ASpuriousWakeUpDoesNotEndTheWait,
                   {.spurious_wakeups = true}) {
  std::atomic<bool> ran{false};
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  pool.AddTask([&] { ran = true; });
  pool.WaitComplete();
  EXPECT_TRUE(ran) << "WaitComplete returned, and the task had not run";
}

// An hour costs a thread that sleeps nothing. One that looks every now and then
// takes the mutex again and again.
LOCKSTEP_TEST_WITH(ThreadPool, AWaitingThreadSleeps,
                   {.forbid_busy_waiting = true,
                    .cost_budget = {.lock_operations = 60}}) {
  const auto let_time_pass = [] {
    // Virtual, where schedules are explored.
    std::this_thread::sleep_for(lockstep::Supported()
                                    ? std::chrono::milliseconds(3'600'000)
                                    : std::chrono::milliseconds(1));
  };
  absl::Notification gate;
  ThreadPool pool(/*threads=*/1, /*capacity=*/1);
  let_time_pass();
  pool.AddTask([&] { gate.WaitForNotification(); });
  pool.AddTask([] {});
  std::thread adder([&] { pool.AddTask([] {}); });
  std::thread waiter([&] { pool.WaitComplete(); });
  let_time_pass();
  gate.Notify();
  adder.join();
  waiter.join();
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
