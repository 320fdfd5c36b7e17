// SPDX-License-Identifier: Apache-2.0
//
// LOCKSTEP_TEST and its relatives where they pass. Where they fail:
// gtest_failures_test.sh.

#include "lockstep/gtest.h"

#include <mutex>
#include <thread>

namespace {

LOCKSTEP_TEST(LockstepTest, RunsThreads) {
  std::mutex mu;
  int count = 0;
  std::thread other([&] {
    std::lock_guard lock(mu);
    ++count;
    EXPECT_GE(count, 1);
  });
  {
    std::lock_guard lock(mu);
    ++count;
  }
  other.join();
  EXPECT_EQ(count, 2);
}

int runs_with = 0;
LOCKSTEP_TEST_WITH(LockstepTest, TakesOptions,
                   {.schedules = 10, .strategy = "random"}) {
  ++runs_with;
  std::thread a([] {});
  std::thread b([] {});
  a.join();
  b.join();
}

TEST(LockstepTest, RanAsOftenAsAsked) {
  // One run to warm up and one or more to see that the last can be repeated.
  if (!lockstep::Supported()) GTEST_SKIP();
  EXPECT_GE(runs_with, 12);
  EXPECT_LE(runs_with, 14);
}

int constructed = 0;
int suites = 0;

class Fixture : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ++suites; }
  Fixture() { ++constructed; }
  void SetUp() override { value_ = 1; }
  void TearDown() override { EXPECT_EQ(value_, 3); }

  int value_ = 0;
};

LOCKSTEP_TEST_F(Fixture, IsNewInEverySchedule) {
  EXPECT_EQ(value_, 1);
  std::thread other([&] { value_ += 2; });
  other.join();
}

LOCKSTEP_TEST_F_WITH(Fixture, TakesOptions, {.schedules = 5}) {
  EXPECT_EQ(value_, 1);
  value_ = 3;
}

TEST_F(Fixture, MixesWithOrdinaryTests) {
  EXPECT_EQ(suites, 1);
  EXPECT_GT(constructed, 3);
  value_ = 3;
}

LOCKSTEP_TEST(LockstepTest, CanBeSkipped) {
  GTEST_SKIP() << "on purpose";
  FAIL() << "not reached";
}

}  // namespace
