// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 02. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <exception>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

namespace workbook {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

LOCKSTEP_TEST(Worker, TheFunctionRunsInAThreadOfItsOwn) {
  std::thread::id id = std::this_thread::get_id();
  Worker worker([&] { id = std::this_thread::get_id(); });
  worker.Start();
  worker.Join();
  EXPECT_NE(id, std::this_thread::get_id());
}

LOCKSTEP_TEST(Worker, NothingRunsBeforeStart) {
  bool started = false;
  Worker worker([&] { EXPECT_TRUE(started); });
  started = true;
  worker.Start();
  worker.Join();
}

LOCKSTEP_TEST(Worker, AWorkerNeedNotBeStarted) {
  bool ran = false;
  {
    Worker worker([&] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

// If Start() waited, nobody would open the gate.
LOCKSTEP_TEST(Worker, StartDoesNotWait) {
  std::latch gate(1);
  Worker worker([&] { gate.wait(); });
  worker.Start();
  gate.count_down();
  worker.Join();
}

LOCKSTEP_TEST(Worker, AfterJoinItsEffectsAreVisible) {
  int written = 0;
  Worker worker([&] { written = 1; });
  worker.Start();
  worker.Join();
  EXPECT_EQ(written, 1);
}

LOCKSTEP_TEST(Worker, JoiningTwiceIsFine) {
  int written = 0;
  Worker worker([&] { written = 1; });
  worker.Start();
  EXPECT_NO_THROW(worker.Join());
  EXPECT_NO_THROW(worker.Join());
  EXPECT_TRUE(worker.JoinFor(milliseconds(0)));
  EXPECT_EQ(written, 1);
}

LOCKSTEP_TEST(Worker, SeveralThreadsMayJoinIt) {
  int written = 0;
  Worker worker([&] { written = 1; });
  worker.Start();
  std::thread other([&] {
    worker.Join();
    EXPECT_EQ(written, 1);
  });
  worker.Join();
  EXPECT_EQ(written, 1);
  other.join();
}

LOCKSTEP_TEST(Worker, WaitingForAWorkerThatWasNotStartedIsRefused) {
  Worker worker([] {});
  EXPECT_THROW(worker.Join(), std::logic_error);
  EXPECT_THROW(worker.JoinFor(milliseconds(1)), std::logic_error);
  EXPECT_THROW(worker.Error(), std::logic_error);
  worker.Start();
  EXPECT_NO_THROW(worker.Join()) << "a refused call changes nothing";
}

LOCKSTEP_TEST(Worker, AWorkerThatWaitsForItselfIsRefused) {
  Worker* self = nullptr;
  Worker worker([&] {
    EXPECT_THROW(self->Join(), std::logic_error);
    EXPECT_THROW(self->JoinFor(hours(1)), std::logic_error);
    EXPECT_THROW(self->Error(), std::logic_error);
  });
  self = &worker;
  worker.Start();
  worker.Join();
}

LOCKSTEP_TEST(Worker, ASecondStartIsRefused) {
  int runs = 0;
  Worker worker([&] { ++runs; });
  worker.Start();
  EXPECT_THROW(worker.Start(), std::logic_error) << "it may still run";
  worker.Join();
  EXPECT_THROW(worker.Start(), std::logic_error) << "it has ended";
  EXPECT_EQ(runs, 1);
}

LOCKSTEP_TEST(Worker, OnlyOneOfTwoThreadsStartsIt) {
  std::atomic<int> refused{0};
  std::atomic<int> runs{0};
  Worker worker([&] { ++runs; });
  const auto start = [&] {
    try {
      worker.Start();
    } catch (const std::logic_error&) {
      ++refused;
    }
  };
  std::thread other(start);
  start();
  other.join();
  EXPECT_EQ(refused, 1);
  EXPECT_NO_THROW(worker.Join());
  EXPECT_EQ(runs, 1);
}

LOCKSTEP_TEST(Worker, JoinForGivesUpAfterTheTimeout) {
  std::latch gate(1);
  Worker worker([&] { gate.wait(); });
  worker.Start();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(worker.JoinFor(milliseconds(5)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(5))
      << "it gave up too early";
  gate.count_down();
  EXPECT_TRUE(worker.JoinFor(hours(1))) << "a timeout leaves it running";
}

LOCKSTEP_TEST(Worker, TheDestructorWaits) {
  int written = 0;
  {
    Worker worker([&] { written = 1; });
    worker.Start();
  }
  EXPECT_EQ(written, 1);
}

LOCKSTEP_TEST(Worker, AnExceptionIsKept) {
  Worker worker([] { throw std::runtime_error("out of paper"); });
  worker.Start();
  const std::exception_ptr error = worker.Error();
  ASSERT_NE(error, nullptr) << "what the function threw is lost";
  try {
    std::rethrow_exception(error);
  } catch (const std::runtime_error& what) {
    EXPECT_STREQ(what.what(), "out of paper");
  }
  EXPECT_EQ(worker.Error(), error) << "a second call gives the same";
}

LOCKSTEP_TEST(Worker, AnExceptionOfAnyTypeIsKept) {
  Worker worker([] { throw 42; });
  worker.Start();
  const std::exception_ptr error = worker.Error();
  ASSERT_NE(error, nullptr) << "what the function threw is lost";
  EXPECT_THROW(std::rethrow_exception(error), int);
}

LOCKSTEP_TEST(Worker, WithoutAnExceptionThereIsNoError) {
  Worker worker([] {});
  worker.Start();
  EXPECT_EQ(worker.Error(), nullptr);
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(Worker, AllItsOperationsMayMeet) {
  Worker worker([] {});
  std::thread a([&] {
    try {
      worker.Join();
    } catch (const std::logic_error&) {  // Not started yet.
    }
  });
  std::thread b([&] {
    try {
      worker.JoinFor(milliseconds(1));
      EXPECT_EQ(worker.Error(), nullptr);
    } catch (const std::logic_error&) {
    }
  });
  worker.Start();
  a.join();
  b.join();
  EXPECT_NO_THROW(worker.Join());
}

TEST(RunWorkers, ResultsStandInTheOrderOfTheNumbers) {
  EXPECT_EQ(RunWorkers(5, [](int i) { return i * i; }),
            (std::vector<int>{0, 1, 4, 9, 16}));
}

TEST(RunWorkers, NoWorkersHaveNoResults) {
  EXPECT_EQ(RunWorkers(0, [](int) { return 1; }), std::vector<int>{});
}

TEST(RunWorkers, ANegativeCountIsRefused) {
  EXPECT_THROW(RunWorkers(-1, [](int) { return 1; }), std::invalid_argument);
}

LOCKSTEP_TEST(RunWorkers, EachGetsANumberOfItsOwn) {
  EXPECT_EQ(RunWorkers(3, [](int i) { return 10 * i; }),
            (std::vector<int>{0, 10, 20}));
}

// Each call waits for the other: neither can end unless both run.
LOCKSTEP_TEST(RunWorkers, TheyRunAtTheSameTime) {
  std::latch all_here(2);
  EXPECT_EQ(RunWorkers(2,
                       [&](int i) {
                         all_here.arrive_and_wait();
                         return i;
                       }),
            (std::vector<int>{0, 1}));
}

LOCKSTEP_TEST(RunWorkers, AFailureIsThrownAfterAllHaveEnded) {
  int ended = 0;  // Plain: safe to read only if the thread has ended.
  EXPECT_THROW(RunWorkers(2,
                          [&](int i) {
                            if (i == 0) throw std::runtime_error("no");
                            ended = 1;
                            return i;
                          }),
               std::runtime_error);
  EXPECT_EQ(ended, 1);
}

LOCKSTEP_TEST(RunWorkers, TheFailureWithTheLowestNumberIsThrown) {
  try {
    RunWorkers(3, [](int i) -> int {
      if (i > 0) throw i;
      return i;
    });
    ADD_FAILURE() << "no exception came out";
  } catch (int number) {
    EXPECT_EQ(number, 1);
  }
}

}  // namespace
}  // namespace workbook
