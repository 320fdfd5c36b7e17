// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 06. Each test is one rule, and its name says it.

#include <atomic>
#include <latch>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

namespace workbook {
namespace {

int Square(int x) { return x * x; }

std::vector<int> Numbers(int n) {
  std::vector<int> numbers;
  for (int i = 0; i < n; ++i) numbers.push_back(i);
  return numbers;
}

std::vector<int> Squares(int n) {
  std::vector<int> squares;
  for (int i = 0; i < n; ++i) squares.push_back(i * i);
  return squares;
}

TEST(PoolMap, ItEqualsAPlainMap) {
  EXPECT_EQ(PoolMap(Numbers(100), Square, 4, 7), Squares(100));
}

TEST(PoolMap, ChunksOfAnySizeGiveTheSameResults) {
  constexpr size_t kHuge = std::numeric_limits<size_t>::max();
  for (size_t chunk : {size_t{1}, size_t{2}, size_t{3}, size_t{9}, size_t{10},
                       size_t{11}, size_t{1000}, kHuge - 4, kHuge}) {
    EXPECT_EQ(PoolMap(Numbers(10), Square, 3, chunk), Squares(10))
        << "10 items in chunks of " << chunk;
  }
}

TEST(PoolMap, NoItemsGiveNoResults) {
  EXPECT_TRUE(PoolMap(std::vector<int>{}, Square, 4).empty());
  EXPECT_TRUE(PoolMap(std::vector<int>{}, Square, 4, 100).empty());
}

TEST(PoolMap, ZeroThreadsOrAZeroChunkAreRefused) {
  EXPECT_THROW(PoolMap(Numbers(3), Square, 0), std::invalid_argument);
  EXPECT_THROW(PoolMap(Numbers(3), Square, 2, 0), std::invalid_argument);
  EXPECT_THROW(PoolMap(std::vector<int>{}, Square, 0), std::invalid_argument);
}

LOCKSTEP_TEST(PoolMap, ResultsStandInTheOrderOfTheItems) {
  EXPECT_EQ(PoolMap(Numbers(3), Square, 2), Squares(3));
}

LOCKSTEP_TEST(PoolMap, EveryItemIsComputedOnce) {
  std::vector<std::atomic<int>> calls(4);
  PoolMap(
      Numbers(4), [&](int i) { return ++calls[i]; }, 2, 2);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(calls[i], 1) << "item " << i;
}

// The first item waits for the second: only two threads at once get through.
LOCKSTEP_TEST(PoolMap, TwoItemsAreInTheWorksAtOnce) {
  std::latch both(2);
  const auto meet = [&](int i) {
    both.arrive_and_wait();
    return i;
  };
  EXPECT_EQ(PoolMap(Numbers(2), meet, 2), Numbers(2));
}

// Counts, by a variable of each thread, the threads that have ended.
std::atomic<int>* threads_ended = nullptr;
struct CountsItsEnd {
  bool counts = false;
  ~CountsItsEnd() {
    if (counts) ++*threads_ended;
  }
};
thread_local CountsItsEnd this_thread;

LOCKSTEP_TEST(PoolMap, AllThreadsHaveEndedWhenItReturns) {
  std::atomic<int> ended{0};
  threads_ended = &ended;
  std::latch both(2);
  const auto meet = [&](int i) {
    this_thread.counts = true;
    both.arrive_and_wait();
    return i;
  };
  PoolMap(Numbers(2), meet, 2);
  EXPECT_EQ(ended, 2);
}

LOCKSTEP_TEST_WITH(PoolMap, NoMoreThreadsAreMadeThanAskedFor,
                   {.cost_budget = {.threads_created = 2}}) {
  PoolMap(Numbers(5), Square, 2);
}

LOCKSTEP_TEST_WITH(PoolMap, NoMoreThreadsAreMadeThanThereAreChunks,
                   {.cost_budget = {.threads_created = 1}}) {
  PoolMap(Numbers(3), Square, 8, 3);
}

// Neighbours in a std::vector<bool> share a byte.
LOCKSTEP_TEST(PoolMap, BooleansDoNotDisturbTheirNeighbours) {
  const std::vector<bool> even = PoolMap(
      Numbers(3), [](int i) { return i % 2 == 0; }, 2);
  EXPECT_EQ(even, (std::vector<bool>{true, false, true}));
}

struct NotDefaultConstructible {
  explicit NotDefaultConstructible(int v) : value(v) {}
  int value;
};

TEST(PoolMap, ResultsNeedNoDefaultConstructor) {
  const auto results = PoolMap(
      Numbers(2), [](int i) { return NotDefaultConstructible(i); }, 2);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].value, 1);
}

TEST(PoolMap, ResultsMayBeMovable) {
  const auto results = PoolMap(
      Numbers(2), [](int i) { return std::make_unique<int>(i); }, 2);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(*results[1], 1);
}

LOCKSTEP_TEST(PoolMap, AnErrorReachesTheCallerWithItsType) {
  const auto fails = [](int i) -> int {
    if (i == 1) throw std::out_of_range("item 1");
    return i;
  };
  try {
    PoolMap(Numbers(2), fails, 2);
    ADD_FAILURE() << "the exception was swallowed";
  } catch (const std::out_of_range& error) {
    EXPECT_EQ(std::string(error.what()), "item 1");
  }
}

TEST(PoolMap, AnErrorOfAnyTypeReachesTheCaller) {
  EXPECT_THROW(PoolMap(
                   Numbers(3), [](int) -> int { throw 42; }, 2),
               int);
}

LOCKSTEP_TEST(PoolMap, AllOtherChunksEndBeforeAnErrorIsThrown) {
  std::atomic<int> finished{0};
  const auto fails_first = [&](int i) {
    if (i == 0) throw std::runtime_error("item 0");
    ++finished;
    return i;
  };
  EXPECT_THROW(PoolMap(Numbers(3), fails_first, 2), std::runtime_error);
  EXPECT_EQ(finished, 2) << "the other items were not all computed";
}

TEST(PoolMap, TheRestOfAFailingChunkIsNotRun) {
  std::atomic<int> calls{0};
  const auto fails_second = [&](int i) {
    ++calls;
    if (i == 1) throw std::runtime_error("item 1");
    return i;
  };
  EXPECT_THROW(PoolMap(Numbers(8), fails_second, 2, 4), std::runtime_error);
  EXPECT_EQ(calls, 2 + 4) << "two of the first chunk, all of the second";
}

LOCKSTEP_TEST(PoolMap, AThreadGoesOnAfterAnError) {
  int calls = 0;
  const auto fails_first = [&](int i) {
    ++calls;
    if (i == 0) throw std::runtime_error("item 0");
    return i;
  };
  EXPECT_THROW(PoolMap(Numbers(3), fails_first, 1), std::runtime_error);
  EXPECT_EQ(calls, 3) << "the other chunks were not run";
}

LOCKSTEP_TEST(PoolMap, TheFirstErrorIsTheOneThrown) {
  const auto fails = [](int i) -> int { throw i; };
  try {
    PoolMap(Numbers(2), fails, 1);
    ADD_FAILURE() << "the exceptions were swallowed";
  } catch (int i) {
    EXPECT_EQ(i, 0) << "item 0 failed before item 1 was begun";
  }
}

LOCKSTEP_TEST(PoolMap, OfTwoErrorsOneIsThrown) {
  const auto fails = [](int i) -> int { throw i; };
  try {
    PoolMap(Numbers(2), fails, 2);
    ADD_FAILURE() << "the exceptions were swallowed";
  } catch (int i) {
    EXPECT_TRUE(i == 0 || i == 1);
  }
}

}  // namespace
}  // namespace workbook
