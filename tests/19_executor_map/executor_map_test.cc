// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 19. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "tests/support/waiting.h"

namespace workbook {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using support::LetOthersWait;

int Square(int x) { return x * x; }

LOCKSTEP_TEST(Map, ResultsComeInTheOrderOfTheInputs) {
  Executor executor(2);
  auto squares = Map(executor, Square, std::vector<int>{3, 1, 2});
  EXPECT_EQ(squares.Next(), 9);
  EXPECT_EQ(squares.Next(), 1);
  EXPECT_EQ(squares.Next(), 4);
  EXPECT_EQ(squares.Next(), std::nullopt) << "there are no more";
  EXPECT_EQ(squares.Next(), std::nullopt);
}

LOCKSTEP_TEST(Map, EveryInputIsComputedOnce) {
  std::vector<std::atomic<int>> calls(3);
  Executor executor(2);
  auto results = Map(
      executor, [&](int i) { return ++calls[i]; }, std::vector<int>{0, 1, 2});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(results.Next(), 1) << "input " << i;
}

// Each task waits for the other: only two at once get through.
LOCKSTEP_TEST(Map, TwoInputsAreInTheWorksAtOnce) {
  std::latch both(2);
  Executor executor(2);
  auto results = Map(
      executor,
      [&](int i) {
        both.arrive_and_wait();
        return i;
      },
      std::vector<int>{0, 1});
  EXPECT_EQ(results.Next(), 0);
  EXPECT_EQ(results.Next(), 1);
}

LOCKSTEP_TEST(Map, AMapThatNobodyReadsRunsToItsEnd) {
  std::atomic<int> calls{0};
  {
    Executor executor(1);
    Map(
        executor, [&](int) { return ++calls; }, std::vector<int>{0, 1, 2});
  }
  EXPECT_EQ(calls, 3) << "Map itself must submit the tasks";
}

LOCKSTEP_TEST(Map, ItDoesNotWaitForItsTasks) {
  std::latch gate(1);
  Executor executor(1);
  auto results = Map(
      executor,
      [&](int i) {
        gate.wait();
        return i;
      },
      std::vector<int>{7});
  gate.count_down();  // A Map that waits would wait for ever.
  EXPECT_EQ(results.Next(), 7);
}

LOCKSTEP_TEST(Map, TheFirstResultComesBeforeTheLastIsComputed) {
  std::latch gate(1);
  Executor executor(2);
  auto results = Map(
      executor,
      [&](int i) {
        if (i == 1) gate.wait();
        return i;
      },
      std::vector<int>{0, 1});
  EXPECT_EQ(results.Next(), 0);
  gate.count_down();  // Only now can the second task end.
  EXPECT_EQ(results.Next(), 1);
}

LOCKSTEP_TEST(Map, TheShortestInputDecides) {
  Executor executor(1);
  auto sums = Map(
      executor, [](int a, int b) { return a + b; }, std::vector<int>{1, 2, 3},
      std::vector<int>{10, 20});
  EXPECT_EQ(sums.Next(), 11);
  EXPECT_EQ(sums.Next(), 22);
  EXPECT_EQ(sums.Next(), std::nullopt);
}

LOCKSTEP_TEST(Map, NoInputsGiveNoResults) {
  Executor executor(1);
  auto results = Map(executor, Square, std::vector<int>{});
  EXPECT_EQ(results.Next(), std::nullopt);
}

LOCKSTEP_TEST(Map, TheInputsNeedNotOutliveTheCall) {
  Executor executor(1);
  auto inputs = std::make_unique<std::vector<int>>(2, 3);
  auto squares = Map(executor, Square, *inputs);
  inputs.reset();
  EXPECT_EQ(squares.Next(), 9);
  EXPECT_EQ(squares.Next(), 9);
}

LOCKSTEP_TEST(Map, AResultIsNotKept) {
  Executor executor(1);
  auto results = Map(
      executor, [](int i) { return std::make_shared<int>(i); },
      std::vector<int>{1, 2});
  for (int i = 1; i <= 2; ++i) {
    auto result = results.Next();
    EXPECT_NE(result, std::nullopt);
    if (!result.has_value()) return;
    const std::weak_ptr<int> watch = *result;
    result.reset();
    EXPECT_TRUE(watch.expired())
        << "the map holds result " << i << ", which it has handed out";
  }
}

LOCKSTEP_TEST(Error, ResultsBeforeItAreDelivered) {
  Executor executor(2);
  auto results = Map(
      executor,
      [](int i) {
        if (i == 1) throw std::out_of_range("1");
        return i;
      },
      std::vector<int>{0, 1, 2});
  EXPECT_EQ(results.Next(), 0) << "its own task has not failed";
  EXPECT_THROW(results.Next(), std::out_of_range);
  EXPECT_EQ(results.Next(), std::nullopt) << "an error is the end";
}

LOCKSTEP_TEST(Error, OfTwoTheFirstInOrderIsThrown) {
  std::latch second_has_failed(1);
  Executor executor(2);
  auto results = Map(
      executor,
      [&](int i) -> int {
        if (i == 1) {
          second_has_failed.count_down();
          throw 1;
        }
        second_has_failed.wait();
        throw 0;
      },
      std::vector<int>{0, 1});
  try {
    results.Next();
    ADD_FAILURE() << "the errors were swallowed";
  } catch (int i) {
    EXPECT_EQ(i, 0) << "thrown by the second task, which was faster";
  }
}

// One worker: the second task holds it until the error has been seen.
LOCKSTEP_TEST(Error, ItCancelsTheRest) {
  std::latch gate(1);
  std::atomic<int> calls{0};
  {
    Executor executor(1);
    auto results = Map(
        executor,
        [&](int i) {
          ++calls;
          if (i == 0) throw std::out_of_range("0");
          gate.wait();
          return i;
        },
        std::vector<int>{0, 1, 2, 3});
    EXPECT_THROW(results.Next(), std::out_of_range);
    gate.count_down();
  }
  EXPECT_LE(calls, 2) << "tasks were started after the error";
}

LOCKSTEP_TEST(Reader, GoingAwayInTheMiddleCancelsTheRest) {
  std::latch gate(1);
  std::atomic<int> calls{0};
  {
    Executor executor(1);
    {
      auto results = Map(
          executor,
          [&](int i) {
            ++calls;
            if (i == 1) gate.wait();
            return i;
          },
          std::vector<int>{0, 1, 2, 3});
      EXPECT_EQ(results.Next(), 0);
    }
    gate.count_down();
  }
  EXPECT_LE(calls, 2) << "tasks were started that nobody wants";
}

LOCKSTEP_TEST(Reader, MovingTheResultsCancelsNothing) {
  Executor executor(1);
  auto results = Map(executor, Square, std::vector<int>{1, 2, 3});
  EXPECT_EQ(results.Next(), 1);
  auto moved = std::move(results);
  EXPECT_EQ(moved.Next(), 4);
  EXPECT_EQ(moved.Next(), 9);
}

LOCKSTEP_TEST(Timeout, ItCountsFromTheCall) {
  std::latch gate(1);
  Executor executor(1);
  const auto start = steady_clock::now();
  auto results = MapFor(
      milliseconds(100), executor,
      [&](int i) {
        if (i == 1) gate.wait();
        return i;
      },
      std::vector<int>{0, 1});
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_EQ(results.Next(), 0) << "it was there in time";
  EXPECT_THROW(results.Next(), TimeoutError);
  if (lockstep::Supported()) {  // Time is virtual, so exact.
    EXPECT_GE(steady_clock::now() - start, milliseconds(100));
    EXPECT_LE(steady_clock::now() - start, milliseconds(101))
        << "the time began anew";
  }
  gate.count_down();
  EXPECT_EQ(results.Next(), std::nullopt) << "a time-out is the end";
}

LOCKSTEP_TEST(Timeout, ItCancelsTheRest) {
  std::latch gate(1);
  std::atomic<int> calls{0};
  {
    Executor executor(1);
    auto results = MapFor(
        milliseconds(1), executor,
        [&](int i) {
          ++calls;
          gate.wait();
          return i;
        },
        std::vector<int>{0, 1, 2});
    EXPECT_THROW(results.Next(), TimeoutError);
    gate.count_down();
  }
  EXPECT_LE(calls, 1) << "tasks were started after the time-out";
}

// The only worker is busy until the time is over.
LOCKSTEP_TEST(Timeout, ItCancelsAlsoTheTaskThatIsWaitedFor) {
  std::latch gate(1);
  std::atomic<int> calls{0};
  {
    Executor executor(1);
    executor.Submit([&] { gate.wait(); });
    auto results = MapFor(
        milliseconds(1), executor, [&](int) { return ++calls; },
        std::vector<int>{0, 1});
    EXPECT_THROW(results.Next(), TimeoutError);
    gate.count_down();
  }
  EXPECT_EQ(calls, 0) << "tasks were started after the time-out";
}

// Two workers: the second result may come first, and wakes the reader, too.
LOCKSTEP_TEST(Timeout, ResultsInTimeAreAllDelivered) {
  Executor executor(2);
  auto squares = MapFor(hours(1), executor, Square, std::vector<int>{1, 2});
  EXPECT_EQ(squares.Next(), 1) << "woken by the news of another place?";
  EXPECT_EQ(squares.Next(), 4);
  EXPECT_EQ(squares.Next(), std::nullopt);
}

LOCKSTEP_TEST(Timeout, AResultThatIsThereIsDeliveredEvenLate) {
  auto executor = std::make_unique<Executor>(1);
  auto squares =
      MapFor(milliseconds(1), *executor, Square, std::vector<int>{1, 2});
  executor.reset();  // Waits until both are there.
  std::this_thread::sleep_for(milliseconds(2));
  try {
    EXPECT_EQ(squares.Next(), 1);
    EXPECT_EQ(squares.Next(), 4);
  } catch (const TimeoutError&) {
    ADD_FAILURE() << "Next() need not wait for this result: it is there";
  }
}

// The second result wakes the reader, who waits for the first.
LOCKSTEP_TEST(Timeout, OtherNewsDoesNotProlongIt) {
  std::latch gate(1);
  Executor executor(2);
  const auto start = steady_clock::now();
  auto results = MapFor(
      milliseconds(10), executor,
      [&](int i) {
        if (i == 0) {
          gate.wait();
        } else {
          std::this_thread::sleep_for(milliseconds(6));
        }
        return i;
      },
      std::vector<int>{0, 1});
  EXPECT_THROW(results.Next(), TimeoutError);
  if (lockstep::Supported()) {  // Time is virtual, so exact.
    EXPECT_LE(steady_clock::now() - start, milliseconds(11))
        << "the time began anew when another place was filled";
  }
  gate.count_down();
}

LOCKSTEP_TEST_WITH(Reader, WaitingItSleeps, {.forbid_busy_waiting = true}) {
  std::latch gate(1);
  Executor executor(1);
  auto results = Map(
      executor,
      [&](int i) {
        gate.wait();
        return i;
      },
      std::vector<int>{7});
  std::thread opener([&] {
    LetOthersWait();
    gate.count_down();
  });
  EXPECT_EQ(results.Next(), 7);
  opener.join();
}

LOCKSTEP_TEST(Shutdown, AMapAfterItIsRefused) {
  Executor executor(1);
  executor.Shutdown();
  EXPECT_THROW(Map(executor, Square, std::vector<int>{1}), ClosedError);
}

LOCKSTEP_TEST(Shutdown, ResultsAreReadableAfterIt) {
  auto executor = std::make_unique<Executor>(1);
  auto squares = Map(*executor, Square, std::vector<int>{1, 2});
  executor.reset();
  EXPECT_EQ(squares.Next(), 1);
  EXPECT_EQ(squares.Next(), 4);
}

// Two readers and a worker meet here, so that a race between any two shows.
LOCKSTEP_TEST(Map, TwoThreadsMayMapAtTheSameTime) {
  Executor executor(1);
  std::thread other([&] {
    auto squares = Map(executor, Square, std::vector<int>{1, 2});
    EXPECT_EQ(squares.Next(), 1);  // The rest is not wanted.
  });
  auto squares = MapFor(hours(1), executor, Square, std::vector<int>{3, 4});
  EXPECT_EQ(squares.Next(), 9);
  EXPECT_EQ(squares.Next(), 16);
  other.join();
}

}  // namespace
}  // namespace workbook
