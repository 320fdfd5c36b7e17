// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 07. Each test is one rule, and its name says it. Cost is
// counted, not timed: synchronised operations, threads, calls.

#include <algorithm>
#include <atomic>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

namespace workbook {
namespace {

using Range = std::pair<size_t, size_t>;

// All ranges that ForEachChunk hands out, sorted.
std::vector<Range> Ranges(size_t n, size_t workers, size_t chunk) {
  std::mutex mu;
  std::vector<Range> ranges;
  const size_t count =
      ForEachChunk(n, workers, chunk, [&](size_t begin, size_t end) {
        std::lock_guard lock(mu);
        ranges.emplace_back(begin, end);
      });
  EXPECT_EQ(count, ranges.size()) << "the number of ranges is returned";
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

TEST(DefaultChunk, ThereAreAboutFourChunksPerWorker) {
  EXPECT_EQ(DefaultChunk(64, 2), 8u);
  EXPECT_EQ(DefaultChunk(65, 2), 9u) << "rounded up";
  EXPECT_EQ(DefaultChunk(1'000'000, 4), 62'500u);
}

TEST(DefaultChunk, ItIsNeverZero) {
  EXPECT_EQ(DefaultChunk(0, 4), 1u);
  EXPECT_EQ(DefaultChunk(1, 4), 1u);
  EXPECT_EQ(DefaultChunk(3, 100), 1u) << "fewer elements than workers";
}

TEST(DefaultChunk, ZeroWorkersAreRefused) {
  EXPECT_THROW(DefaultChunk(10, 0), std::invalid_argument);
  EXPECT_THROW(ForEachChunk(10, 0, 1, [](size_t, size_t) {}),
               std::invalid_argument);
}

TEST(ForEachChunk, TheRangesCoverEverythingOnce) {
  EXPECT_EQ(Ranges(10, 2, 4), (std::vector<Range>{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(Ranges(8, 3, 4), (std::vector<Range>{{0, 4}, {4, 8}}));
  EXPECT_EQ(Ranges(3, 2, 100), (std::vector<Range>{{0, 3}}));
  EXPECT_EQ(Ranges(1, 4, 1), (std::vector<Range>{{0, 1}}));
}

TEST(ForEachChunk, NothingToDoIsNoRange) {
  EXPECT_TRUE(Ranges(0, 2, 0).empty());
  EXPECT_TRUE(Ranges(0, 2, 7).empty());
}

TEST(ForEachChunk, AChunkOfZeroMeansTheDefault) {
  EXPECT_EQ(Ranges(64, 2, 0).size(), 8u);
  EXPECT_EQ(Ranges(65, 2, 0).size(), 8u);
}

LOCKSTEP_TEST(ForEachChunk, NoRangeIsHandedOutTwice) {
  std::vector<std::atomic<int>> calls(3);
  ForEachChunk(3, 2, 1, [&](size_t begin, size_t) { ++calls[begin]; });
  for (const std::atomic<int>& count : calls) EXPECT_EQ(count, 1);
}

LOCKSTEP_TEST(ForEachChunk, WhatTheWorkersWroteIsVisibleAfterwards) {
  std::vector<int> squares(4);
  ForEachChunk(4, 2, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) squares[i] = static_cast<int>(i * i);
  });
  EXPECT_EQ(squares, (std::vector<int>{0, 1, 4, 9}));
}

LOCKSTEP_TEST(ForEachChunk, TwoRangesAreInTheWorksAtOnce) {
  std::latch both(2);
  ForEachChunk(2, 2, 1, [&](size_t, size_t) { both.arrive_and_wait(); });
}

LOCKSTEP_TEST_WITH(ForEachChunk, TheCallerIsOneOfTheWorkers,
                   {.cost_budget = {.threads_created = 1}}) {
  std::latch both(2);
  ForEachChunk(2, 2, 1, [&](size_t, size_t) { both.arrive_and_wait(); });
}

// 8 ranges, 2 workers: 8 + 2 operations to hand out. The limits leave room for
// what starting and joining a thread costs by itself.
LOCKSTEP_TEST_WITH(ForEachChunk, HandingOutCostsOneOperationPerRange,
                   {.schedules = 200,
                    .cost_budget = {.lock_operations = 12,
                                    .atomic_operations = 24}}) {
  std::vector<int> touched(64);
  ForEachChunk(64, 2, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) touched[i] = 1;
  });
  EXPECT_EQ(std::count(touched.begin(), touched.end(), 1), 64);
}

TEST(ChunkedSum, ItEqualsAPlainSum) {
  const auto value = [](size_t i) { return static_cast<double>(i); };
  EXPECT_EQ(ChunkedSum(1000, 3, 7, value), 499'500);
  EXPECT_EQ(ChunkedSum(0, 3, 7, value), 0);
  EXPECT_EQ(ChunkedSum(5, 3, 0, value), 10);
}

LOCKSTEP_TEST(ChunkedSum, NoRangeIsLost) {
  EXPECT_EQ(ChunkedSum(3, 2, 1, [](size_t i) { return i + 1.0; }), 6);
}

// 1e16 + 1 is 1e16 in a double: another order gives another sum.
LOCKSTEP_TEST(ChunkedSum, TheSumDoesNotDependOnTheSchedule) {
  const double values[] = {1e16, -1e16, 1, 1};
  EXPECT_EQ(ChunkedSum(4, 2, 1, [&](size_t i) { return values[i]; }), 2)
      << "floating-point addition is not associative";
}

LOCKSTEP_TEST_WITH(ChunkedSum, SharedDataIsTouchedOncePerRange,
                   {.schedules = 200,
                    .cost_budget = {.lock_operations = 20,
                                    .atomic_operations = 32}}) {
  EXPECT_EQ(ChunkedSum(64, 2, 0, [](size_t) { return 1.0; }), 64);
}

}  // namespace
}  // namespace workbook
