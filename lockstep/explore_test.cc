// SPDX-License-Identifier: Apache-2.0
//
// Explore() from end to end on small bodies: verdicts, replay, shrinking,
// budgets, guarantees. What the runtime can detect is tested in tests/.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "lockstep/lockstep.h"

namespace lockstep {
namespace {

class ExploreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Supported()) GTEST_SKIP() << "schedules cannot be explored here";
  }
};

// Two threads take two locks in opposite order.
void CrossedLocks() {
  std::mutex a;
  std::mutex b;
  std::thread other([&] {
    std::lock_guard first(a);
    std::lock_guard second(b);
  });
  {
    std::lock_guard first(b);
    std::lock_guard second(a);
  }
  other.join();
}

// Correct, with a few points.
void Counter() {
  std::mutex mu;
  int count = 0;
  const auto work = [&] {
    for (int i = 0; i < 3; ++i) {
      std::lock_guard lock(mu);
      ++count;
    }
  };
  std::thread a(work);
  std::thread b(work);
  a.join();
  b.join();
  if (count != 6) FailSchedule("count is wrong");
}

// A read-modify-write in two halves, each of them atomic.
void LostUpdate() {
  std::atomic<int> x = 0;
  std::atomic<int> noise = 0;
  const auto work = [&] {
    for (int i = 0; i < 5; ++i) noise.fetch_add(1);
    const int seen = x.load();
    x.store(seen + 1);
    for (int i = 0; i < 5; ++i) noise.fetch_add(1);
  };
  std::thread a(work);
  std::thread b(work);
  a.join();
  b.join();
  if (x.load() != 2) FailSchedule("an update was lost");
}

TEST_F(ExploreTest, FindsADeadlockAndDrawsIt) {
  const Report report = Explore({}, CrossedLocks);
  EXPECT_EQ(report.verdict, Verdict::kDeadlock) << report.text;
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(report.trace.counters.preemptions, 1u) << report.text;
  EXPECT_TRUE(absl::StrContains(report.text, "waits for")) << report.text;
  EXPECT_TRUE(absl::StrContains(report.text, "explore_test.cc:"))
      << report.text;
  EXPECT_TRUE(absl::StrContains(report.json, "\"deadlock\"")) << report.json;
  EXPECT_TRUE(absl::StartsWith(report.replay, "v1:"));
  EXPECT_EQ(report.guarantee, "");
}

TEST_F(ExploreTest, ComparesTheLocksOfARace) {
  const auto increment = [](std::mutex& mu, int& value) {
    std::lock_guard lock(mu);
    ++value;
  };
  const auto two_locks = [&] {
    std::mutex mu[2];
    int value = 0;
    std::thread other([&] { increment(mu[0], value); });
    increment(mu[1], value);
    other.join();
  };
  const auto one_side_locks = [&] {
    std::mutex mu;
    int value = 0;
    std::thread other([&] { increment(mu, value); });
    ++value;
    other.join();
  };
  for (const bool explain : {true, false}) {
    const Report wrong = Explore({.explain = explain}, two_locks);
    EXPECT_EQ(wrong.verdict, Verdict::kWrongLock) << wrong.text;
    const Report again =
        Explore({.explain = explain, .replay = wrong.replay}, two_locks);
    EXPECT_EQ(again.verdict, Verdict::kWrongLock) << again.text;
    const Report none = Explore({.explain = explain}, one_side_locks);
    EXPECT_EQ(none.verdict, Verdict::kDataRace) << none.text;
  }
}

// join() and wait() are functions of libstdc++.so: what called them is not on
// the shadow stack.
TEST_F(ExploreTest, KnowsTheLineOfACallIntoTheLibrary) {
  const auto forget_to_notify = [] {
    std::mutex mu;
    std::condition_variable changed;
    std::thread other([&] {
      std::unique_lock lock(mu);
      changed.wait(lock);  // the line of the wait
    });
    other.join();  // the line of the join
  };
  const Report report = Explore({}, forget_to_notify);
  EXPECT_EQ(report.verdict, Verdict::kLostWakeup);
  for (const char* line :
       {"// the line of the wait", "// the line of the join"}) {
    EXPECT_TRUE(absl::StrContains(report.json, line)) << report.json;
  }
}

TEST_F(ExploreTest, KnowsWhereALockWasTaken) {
  const auto never_unlock = [] {
    std::mutex mu;
    std::thread other([&] {
      const auto lock = [&] {
        mu.lock();  // the line of the lock
      };
      lock();
    });
    other.join();
  };
  const Report report = Explore({}, never_unlock);
  EXPECT_EQ(report.verdict, Verdict::kMutexMisuse);
  EXPECT_TRUE(absl::StrContains(report.text, "locked the mutex here at "))
      << report.text;
  EXPECT_TRUE(absl::StrContains(report.text, "// the line of the lock"))
      << report.text;
}

// The other access is that of the thread it is said to be, even if another
// thread has accessed the same atomic since.
TEST_F(ExploreTest, ARaceWithAnAtomicNamesThePlaceOfThatThread) {
  const Report report = Explore({}, [] {
    auto* const done = new std::atomic<int>(0);
    std::atomic<bool> has_read{false};
    std::thread other([done, &has_read] {
      (void)done->load(std::memory_order_relaxed);  // of the other thread
      has_read.store(true, std::memory_order_relaxed);
    });
    while (!has_read.load(std::memory_order_relaxed)) std::this_thread::yield();
    (void)done->load(std::memory_order_relaxed);  // of the main thread
    delete done;
    other.join();
  });
  ASSERT_EQ(report.verdict, Verdict::kDataRace) << report.text;
  EXPECT_TRUE(absl::StrContains(report.text, "// of the other thread"))
      << report.text;
}

TEST_F(ExploreTest, TellsStepsInTheOrderInWhichTheyTakeEffect) {
  const Report report = Explore({.strategy = "bounded"}, [] {
    std::mutex mu;
    std::atomic<int> turns = 0;
    const bool free = mu.try_lock();
    std::thread other([&] { std::lock_guard lock(mu); });
    if (turns.fetch_add(5) == 0 && free) mu.unlock();
    other.join();
    FailSchedule("to see the picture");
  });
  EXPECT_TRUE(absl::StrContains(report.text, "(try)")) << report.text;
  EXPECT_TRUE(absl::StrContains(report.text, " to 5")) << report.text;

  const Report crossed = Explore({}, CrossedLocks);
  size_t locked[3] = {};  // by object; 0: not held
  for (const Step& step : crossed.trace.steps) {
    if (step.op != Op::kLock) continue;
    ASSERT_LT(step.object, 3u);
    if (step.blocked) {
      EXPECT_EQ(locked[step.object], step.other + 1) << crossed.text;
    } else {
      locked[step.object] = step.thread + 1;
    }
  }
}

TEST_F(ExploreTest, ReplaysExactlyTheFailure) {
  const Report report = Explore({}, CrossedLocks);
  ASSERT_EQ(report.verdict, Verdict::kDeadlock);
  for (int i = 0; i < 20; ++i) {
    const Report again = Explore({.replay = report.replay}, CrossedLocks);
    EXPECT_EQ(again.verdict, Verdict::kDeadlock);
    EXPECT_EQ(again.hash, report.hash);
    EXPECT_EQ(again.schedules, 1u);
    EXPECT_EQ(again.trace.steps.size(), report.trace.steps.size());
  }
}

TEST_F(ExploreTest, PassesCorrectCodeAndSaysWhatItRuledOut) {
  for (const char* strategy : {"portfolio", "bounded", "random", "pct2", "pct3",
                               "pos", "surw", "dpor"}) {
    const Report report =
        Explore({.schedules = 300, .strategy = strategy}, Counter);
    EXPECT_TRUE(report.passed()) << strategy << "\n" << report.text;
    EXPECT_GT(report.schedules, 0u);
    EXPECT_LE(report.schedules, 300u);
    EXPECT_EQ(report.text, "");
  }
  // Two threads, three critical sections each: 20 orders.
  const Report complete = Explore({.strategy = "dpor"}, Counter);
  EXPECT_EQ(complete.guarantee, "every schedule was explored");
  EXPECT_LT(complete.schedules, 500u);
  EXPECT_GE(complete.schedules, 20u);
  const Report bounded =
      Explore({.schedules = 100'000, .strategy = "bounded"}, Counter);
  EXPECT_EQ(bounded.guarantee, "no failure with at most 2 preemptions");
}

TEST_F(ExploreTest, EveryStrategyFindsALostUpdateAndShrinkingCleansItUp) {
  for (const char* strategy :
       {"portfolio", "bounded", "random", "pct2", "pct3", "pos", "surw"}) {
    const Report report = Explore({.strategy = strategy}, LostUpdate);
    EXPECT_EQ(report.verdict, Verdict::kWrongResult) << strategy << "\n"
                                                     << report.text;
    EXPECT_TRUE(absl::StrContains(report.text, "an update was lost"));
    EXPECT_EQ(report.trace.counters.preemptions, 1u) << report.text;
  }
}

TEST_F(ExploreTest, ChecksTheCostOfEverySchedule) {
  const Report enough =
      Explore({.cost_budget = {.lock_operations = 6}}, Counter);
  EXPECT_TRUE(enough.passed()) << enough.text;
  const Report report =
      Explore({.cost_budget = {.lock_operations = 5}}, Counter);
  EXPECT_EQ(report.verdict, Verdict::kTooMuchSynchronisation);
  EXPECT_TRUE(absl::StrContains(
      report.text, "this schedule has 6 lock operations; the test allows 5"))
      << report.text;
}

TEST_F(ExploreTest, ExpectationsThatHoldAddNoSchedulingPoints) {
  const auto body = [](bool expect) {
    return [expect] {
      std::atomic<int> x = 0;
      std::thread other([&] {
        const int seen = x.load();
        if (expect) {
          EXPECT_GE(seen, 0) << "not shown";
          EXPECT_TRUE(seen < 2);
        }
      });
      x.store(1);
      other.join();
    };
  };
  const Report without =
      Explore({.schedules = 20, .strategy = "random"}, body(false));
  const Report with =
      Explore({.schedules = 20, .strategy = "random"}, body(true));
  EXPECT_TRUE(with.passed()) << with.text;
  EXPECT_EQ(with.points, without.points);
  EXPECT_EQ(with.hash, without.hash);
}

TEST_F(ExploreTest, NoticesABodyThatDependsOnItsPast) {
  static int runs = 0;
  const Report report = Explore({}, [] {
    std::atomic<int> x = 0;
    std::thread t([&] { x = 1; });
    if (++runs % 2 == 0) x = 2;
    t.join();
  });
  EXPECT_EQ(report.verdict, Verdict::kNondeterminism) << report.text;
}

TEST_F(ExploreTest, SaysWhatIsWrongWithAReplay) {
  const Report malformed = Explore({.replay = "v1:nonsense"}, Counter);
  EXPECT_EQ(malformed.verdict, Verdict::kNondeterminism);
  EXPECT_TRUE(absl::StrContains(malformed.text, "not of the form"))
      << malformed.text;
  const Report other = Explore({.replay = "v1:0x3,77"}, Counter);
  EXPECT_EQ(other.verdict, Verdict::kNondeterminism);
  const Report unknown = Explore({.strategy = "guess"}, Counter);
  EXPECT_TRUE(absl::StrContains(unknown.text, "no strategy \"guess\""));
}

TEST_F(ExploreTest, TheSameSeedGivesTheSameHash) {
  const Report a = Explore({.schedules = 200, .seed = 3}, LostUpdate);
  const Report b = Explore({.schedules = 200, .seed = 3}, LostUpdate);
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_EQ(a.schedules, b.schedules);
  EXPECT_EQ(a.replay, b.replay);
}

}  // namespace
}  // namespace lockstep
