// SPDX-License-Identifier: Apache-2.0
//
// Strategies on simulated programs: known numbers of schedules, determinism,
// fairness, and bugs they have to find.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "lockstep/strategy/bounded_search.h"
#include "lockstep/strategy/dpor.h"
#include "lockstep/strategy/every_schedule.h"
#include "lockstep/strategy/pct.h"
#include "lockstep/strategy/portfolio.h"
#include "lockstep/strategy/random_walk.h"
#include "lockstep/strategy/replay.h"
#include "lockstep/strategy/run_until_blocked.h"
#include "lockstep/strategy/shrink.h"
#include "lockstep/strategy/surw.h"
#include "lockstep/strategy/toy.h"

namespace lockstep {
namespace {

constexpr ToyOp Lock(ObjectId m) { return {ToyOp::kLock, m}; }
constexpr ToyOp Unlock(ObjectId m) { return {ToyOp::kUnlock, m}; }
constexpr ToyOp Load(ObjectId x) { return {ToyOp::kLoad, x}; }
constexpr ToyOp Increment() { return {ToyOp::kIncrement, 0}; }
constexpr ToyOp Store(ObjectId x) { return {ToyOp::kStore, x}; }

// `threads` threads of `steps` steps each on the same variable.
ToyProgram Independent(size_t threads, size_t steps) {
  return ToyProgram(threads, ToyThread(steps, {ToyOp::kStoreOne, 1}));
}

// Two threads that take two locks in opposite order.
ToyProgram CrossedLocks() {
  return {{Lock(1), Lock(2), Unlock(2), Unlock(1)},
          {Lock(2), Lock(1), Unlock(1), Unlock(2)}};
}

// Two threads that increment a variable without a lock.
ToyProgram LostUpdate() {
  return ToyProgram(2, {Load(1), Increment(), Store(1)});
}

// Thread 0 spins until thread 1 sets the flag, after some work.
ToyProgram Spinning() {
  return {{{ToyOp::kSpinUntil, 1}},
          {Load(2), Increment(), Store(2), {ToyOp::kStoreOne, 1}}};
}

const char* const kSampling[] = {"random", "pct2", "pct3", "pos", "surw"};

// All orders that the strategy tries, in order, at most `limit`.
std::vector<std::string> Orders(const ToyProgram& program, Strategy& strategy,
                                size_t limit) {
  std::vector<std::string> orders;
  while (orders.size() < limit && strategy.BeginSchedule()) {
    orders.push_back(RunToy(program, strategy).order);
  }
  return orders;
}

// All interleavings of threads with `left[t]` steps, with their number of
// preemptions: a second, independent way to count.
void Interleave(std::vector<int> left, int current, int preemptions,
                const std::string& order,
                std::map<std::string, int>* preemptions_by_order) {
  bool done = true;
  for (size_t t = 0; t < left.size(); ++t) {
    if (left[t] == 0) continue;
    done = false;
    std::vector<int> rest = left;
    --rest[t];
    const bool preempts = current >= 0 &&
                          left[static_cast<size_t>(current)] > 0 &&
                          static_cast<int>(t) != current;
    Interleave(rest, static_cast<int>(t), preemptions + preempts,
               order + std::to_string(t), preemptions_by_order);
  }
  if (done) (*preemptions_by_order)[order] = preemptions;
}

TEST(BoundedSearchTest, RunsEverySchedulesOnce) {
  struct {
    size_t threads, steps, schedules;
  } const cases[] = {{2, 1, 2},  {2, 3, 20},   {2, 5, 252},
                     {3, 2, 90}, {3, 3, 1680}, {4, 1, 24}};
  for (const auto& c : cases) {
    BoundedSearch search(100, 1'000'000);
    const std::vector<std::string> orders =
        Orders(Independent(c.threads, c.steps), search, 1'000'000);
    EXPECT_EQ(orders.size(), c.schedules) << c.threads << "x" << c.steps;
    EXPECT_EQ(std::set<std::string>(orders.begin(), orders.end()).size(),
              c.schedules);
    EXPECT_TRUE(search.Complete());
    EXPECT_EQ(search.Guarantee(), "every schedule was explored");
  }
}

TEST(BoundedSearchTest, RunsExactlyTheSchedulesWithinTheBound) {
  for (const auto& [threads, steps] :
       std::vector<std::pair<size_t, int>>{{2, 4}, {3, 2}, {3, 3}}) {
    std::map<std::string, int> all;
    Interleave(std::vector<int>(threads, steps), -1, 0, "", &all);
    for (int bound = 0; bound <= 3; ++bound) {
      std::set<std::string> expected;
      for (const auto& [order, preemptions] : all) {
        if (preemptions <= bound) expected.insert(order);
      }
      BoundedSearch search(bound, 1'000'000);
      const std::vector<std::string> orders = Orders(
          Independent(threads, static_cast<size_t>(steps)), search, 1'000'000);
      EXPECT_EQ(orders.size(), expected.size());
      EXPECT_EQ(std::set<std::string>(orders.begin(), orders.end()), expected);
      EXPECT_EQ(search.CompletedBound(), bound);
      EXPECT_EQ(search.Complete(), expected.size() == all.size());
    }
  }
}

TEST(BoundedSearchTest, RunsFewerPreemptionsFirst) {
  BoundedSearch search(3, 1'000'000);
  uint64_t last = 0;
  while (search.BeginSchedule()) {
    const uint64_t preemptions = RunToy(Independent(3, 3), search).preemptions;
    EXPECT_GE(preemptions, last);
    last = preemptions;
  }
  EXPECT_EQ(last, 3u);
}

TEST(BoundedSearchTest, ClaimsNoMoreThanItHasDone) {
  BoundedSearch search(2, 1'000'000);
  EXPECT_EQ(search.Guarantee(), "");
  const ToyProgram program = Independent(2, 4);
  std::map<std::string, int> all;
  Interleave({4, 4}, -1, 0, "", &all);
  std::map<int, uint64_t> with;
  for (const auto& [order, preemptions] : all) ++with[preemptions];
  uint64_t run = 0;
  while (search.BeginSchedule()) {
    EXPECT_EQ(search.Guarantee(), "") << "in the middle of a schedule";
    RunToy(program, search);
    ++run;
    const int done = run < with[0]                       ? -1
                     : run < with[0] + with[1]           ? 0
                     : run < with[0] + with[1] + with[2] ? 1
                                                         : 2;
    EXPECT_EQ(search.CompletedBound(), done) << run;
  }
  EXPECT_EQ(search.Guarantee(), "no failure with at most 2 preemptions");
}

TEST(BoundedSearchTest, ClaimsNothingBeyondTheMemoryItWasGiven) {
  BoundedSearch search(2, /*max_schedules=*/10);
  while (search.BeginSchedule()) RunToy(Independent(3, 3), search);
  EXPECT_FALSE(search.Complete());
  EXPECT_LT(search.CompletedBound(), 2);
}

TEST(BoundedSearchTest, ClaimsNothingAboutProgramsThatChange) {
  BoundedSearch search(2, 1000);
  for (size_t i = 0; i < 1000 && search.BeginSchedule(); ++i) {
    RunToy(Independent(2, i == 0 ? 4 : 2), search);
  }
  EXPECT_EQ(search.Guarantee(), "");
}

TEST(BoundedSearchTest, FindsCrossedLocksWithOnePreemptionAndNotWithNone) {
  for (int bound = 0; bound <= 1; ++bound) {
    BoundedSearch search(bound, 1000);
    bool found = false;
    while (search.BeginSchedule()) {
      found |= RunToy(CrossedLocks(), search).deadlock;
    }
    EXPECT_EQ(found, bound == 1);
  }
}

TEST(BoundedSearchTest, EndsOnSpinningProgramsAndSaysWhatItAssumed) {
  BoundedSearch search(2, 100'000);
  while (search.BeginSchedule()) {
    EXPECT_FALSE(RunToy(Spinning(), search).endless);
  }
  EXPECT_EQ(search.Guarantee(),
            "no failure with at most 2 preemptions, spinning threads scheduled "
            "fairly");
}

TEST(RunUntilBlockedTest, RunsInOrderAndInReverse) {
  RunUntilBlocked forward(RunUntilBlocked::Order::kCreation);
  RunUntilBlocked reverse(RunUntilBlocked::Order::kReverse);
  EXPECT_EQ(Orders(Independent(3, 2), reverse, 9),
            std::vector<std::string>{"221100"});
  ASSERT_TRUE(forward.BeginSchedule());
  const std::string order = RunToy(Independent(3, 2), forward).order;
  EXPECT_EQ(std::set<char>(order.begin(), order.end()).size(), 3u);
  EXPECT_FALSE(forward.BeginSchedule());
}

TEST(SamplingTest, TheSameSeedGivesTheSameSchedules) {
  for (const char* name : kSampling) {
    const auto a = MakeStrategy(name, {.seed = 7});
    const auto b = MakeStrategy(name, {.seed = 7});
    const auto c = MakeStrategy(name, {.seed = 8});
    const ToyProgram program = Independent(3, 5);
    const std::vector<std::string> orders = Orders(program, *a, 200);
    EXPECT_EQ(orders, Orders(program, *b, 200)) << name;
    EXPECT_NE(orders, Orders(program, *c, 200)) << name;
    EXPECT_GT(std::set<std::string>(orders.begin(), orders.end()).size(), 5u)
        << name;
  }
}

TEST(SamplingTest, FindsCrossedLocksAndLostUpdatesWithEverySeed) {
  for (const char* name : kSampling) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const auto deadlock = MakeStrategy(name, {.seed = seed});
      bool found = false;
      for (int i = 0; i < 200 && !found; ++i) {
        ASSERT_TRUE(deadlock->BeginSchedule());
        found = RunToy(CrossedLocks(), *deadlock).deadlock;
      }
      EXPECT_TRUE(found) << name << ", seed " << seed;
      const auto update = MakeStrategy(name, {.seed = seed});
      found = false;
      for (int i = 0; i < 200 && !found; ++i) {
        ASSERT_TRUE(update->BeginSchedule());
        found = RunToy(LostUpdate(), *update).variables[1] == 1;
      }
      EXPECT_TRUE(found) << name << ", seed " << seed;
    }
  }
}

TEST(SamplingTest, IsFairToTheThreadThatEndsASpin) {
  for (const char* name : kSampling) {
    const auto strategy = MakeStrategy(name, {});
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(strategy->BeginSchedule());
      ASSERT_FALSE(RunToy(Spinning(), *strategy).endless) << name;
    }
  }
}

TEST(SamplingTest, CopesWithManyThreads) {
  for (const char* name : kSampling) {
    const auto strategy = MakeStrategy(name, {});
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(strategy->BeginSchedule());
      EXPECT_EQ(RunToy(Independent(120, 2), *strategy).order.size(), 240u);
    }
  }
}

TEST(PctTest, PrintsItsBound) {
  Pct pct(3, 1);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(pct.BeginSchedule());
    RunToy(Independent(2, 5), pct);
  }
  // Two threads; between 5 and 9 of the 10 points leave a choice.
  EXPECT_EQ(pct.Guarantee(),
            "each schedule found a failure of depth 3 with probability 1/162 "
            "or more");
}

TEST(EveryScheduleTest, TriesEveryOrderOnce) {
  const Trace no_steps;
  for (const auto& [program, expected] :
       std::vector<std::pair<ToyProgram, size_t>>{
           {Independent(2, 3), 20},  // 6 over 3
           {Independent(3, 2), 90},  // 6! / (2! 2! 2!)
           {Independent(1, 5), 1}}) {
    EverySchedule strategy(no_steps, 100);
    const std::vector<std::string> orders = Orders(program, strategy, 1'000);
    EXPECT_EQ(orders.size(), expected);
    EXPECT_EQ(std::set<std::string>(orders.begin(), orders.end()).size(),
              expected);
    EXPECT_FALSE(strategy.diverged());
  }
}

TEST(EveryScheduleTest, GivesUpWhereAThreadSpins) {
  const Trace no_steps;
  EverySchedule strategy(no_steps, 100);
  EXPECT_LT(Orders(Spinning(), strategy, 1'000).size(), 1'000u);
  EXPECT_TRUE(strategy.endless());
}

TEST(SurwTest, SamplesInterleavingsNearlyUniformly) {
  // One thread has much more to do than the other: a walk that tosses a coin
  // would end the short one early nearly always.
  const ToyProgram program = {ToyThread(1, {ToyOp::kStoreOne, 1}),
                              ToyThread(9, {ToyOp::kStoreOne, 1})};
  Surw surw(3);
  std::map<std::string, int> times;
  ASSERT_TRUE(surw.BeginSchedule());
  RunToy(program, surw);  // the profiling run
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(surw.BeginSchedule());
    ++times[RunToy(program, surw).order];
  }
  EXPECT_EQ(times.size(), 10u);
  for (const auto& [order, count] : times) {
    EXPECT_GT(count, 800) << order;
    EXPECT_LT(count, 1200) << order;
  }
}

// What a schedule leaves behind.
std::string Outcome(const ToyResult& result) {
  std::string text = result.deadlock ? "deadlock" : "";
  for (const auto& [variable, value] : result.variables) {
    if (value != 0) {
      text += " " + std::to_string(variable) + "=" + std::to_string(value);
    }
  }
  return text;
}

std::set<std::string> Outcomes(const ToyProgram& program, Strategy& strategy) {
  std::set<std::string> outcomes;
  while (strategy.BeginSchedule()) {
    outcomes.insert(Outcome(RunToy(program, strategy)));
  }
  return outcomes;
}

TEST(DporTest, RunsOneScheduleOfEachClass) {
  const auto classes = [](const ToyProgram& program) {
    Dpor dpor(100'000);
    Outcomes(program, dpor);
    EXPECT_EQ(dpor.Guarantee(), "every schedule was explored");
    return dpor.classes();
  };
  // Independent threads: one class, of 1680 schedules.
  EXPECT_EQ(classes({ToyThread(3, {ToyOp::kStoreOne, 1}),
                     ToyThread(3, {ToyOp::kStoreOne, 2}),
                     ToyThread(3, {ToyOp::kStoreOne, 3})}),
            1u);
  // Two threads of n writes to one variable: every order counts.
  EXPECT_EQ(classes(Independent(2, 3)), 20u);
  EXPECT_EQ(classes(Independent(3, 2)), 90u);
  // A writer and n readers: each reader comes before it or after.
  ToyProgram readers = {{{ToyOp::kStoreOne, 1}}};
  for (uint64_t n = 1; n <= 5; ++n) {
    readers.push_back({Load(1)});
    EXPECT_EQ(classes(readers), uint64_t{1} << n);
  }
  // Threads that each take one lock: the orders in which they get it.
  const ToyThread locked = {Lock(1), Load(2), Increment(), Store(2), Unlock(1)};
  EXPECT_EQ(classes({locked, locked}), 2u);
  EXPECT_EQ(classes({locked, locked, locked}), 6u);
  EXPECT_EQ(classes({locked, locked, locked, locked}), 24u);
  // Two threads that take a lock n times: (2n choose n) orders.
  ToyThread twice = locked;
  twice.insert(twice.end(), locked.begin(), locked.end());
  EXPECT_EQ(classes({twice, twice}), 6u);
}

TEST(DporTest, FindsEveryOutcomeOfRandomPrograms) {
  Rng rng(42, 0);
  uint64_t dpor_total = 0;
  uint64_t search_total = 0;
  std::set<std::string> kinds;
  for (int i = 0; i < 400; ++i) {
    ToyProgram program;
    const uint32_t threads = 2 + rng.Below(2);
    for (uint32_t t = 0; t < threads; ++t) {
      ToyThread thread;
      std::vector<ObjectId> held;
      const uint32_t steps = threads == 2 ? 5 : 2;
      while (thread.size() < steps) {
        const ObjectId variable = 10 + rng.Below(2);
        switch (rng.Below(6)) {
          case 0:
            if (const ObjectId m = 1 + rng.Below(2);
                std::find(held.begin(), held.end(), m) == held.end()) {
              thread.push_back(Lock(m));
              held.push_back(m);
            }
            break;
          case 1:
            if (!held.empty()) {
              thread.push_back(Unlock(held.back()));
              held.pop_back();
            }
            break;
          case 2:
            thread.push_back(Load(variable));
            break;
          case 3:
            thread.push_back(Increment());
            break;
          case 4:
            thread.push_back(Store(variable));
            break;
          default:
            thread.push_back({ToyOp::kStoreOne, variable});
        }
      }
      for (; !held.empty(); held.pop_back()) {
        thread.push_back(Unlock(held.back()));
      }
      program.push_back(thread);
    }
    BoundedSearch search(1000, 10'000'000);
    Dpor dpor(10'000'000);
    const std::set<std::string> expected = Outcomes(program, search);
    EXPECT_TRUE(search.Complete());
    const std::set<std::string> found = Outcomes(program, dpor);
    EXPECT_FALSE(dpor.gave_up());
    const auto deadlocks = [](const std::set<std::string>& outcomes) {
      return std::any_of(
          outcomes.begin(), outcomes.end(),
          [](const std::string& o) { return o.rfind("deadlock", 0) == 0; });
    };
    EXPECT_EQ(deadlocks(found), deadlocks(expected)) << "program " << i;
    // After a deadlock, which ends the exploration, no more is promised.
    if (!deadlocks(expected)) {
      EXPECT_EQ(found, expected) << "program " << i;
    }
    dpor_total += dpor.classes();
    search_total += search.schedules();
    kinds.insert(expected.begin(), expected.end());
  }
  EXPECT_LT(dpor_total * 5, search_total);
  EXPECT_GT(kinds.size(), 10u);
  EXPECT_EQ(kinds.count("deadlock"), 1u);
}

TEST(DporTest, ClaimsNothingAboutWhatItDoesNotKnow) {
  Dpor spinning(1000);
  Outcomes(Spinning(), spinning);
  EXPECT_TRUE(spinning.gave_up());
  EXPECT_EQ(spinning.Guarantee(), "");

  Dpor too_long(1000);
  Outcomes(Independent(1, 1000), too_long);
  EXPECT_EQ(too_long.Guarantee(), "");

  Dpor too_many(1000);
  Outcomes(Independent(40, 1), too_many);
  EXPECT_EQ(too_many.Guarantee(), "");

  Dpor no_time(10);
  Outcomes(Independent(3, 3), no_time);
  EXPECT_EQ(no_time.Guarantee(), "");

  Dpor changing(1000);
  for (int i = 0; i < 3 && changing.BeginSchedule(); ++i) {
    RunToy(i == 0 ? Independent(2, 3) : LostUpdate(), changing);
  }
  EXPECT_TRUE(changing.gave_up());
}

TEST(PortfolioTest, StopsWhenThereIsNothingLeft) {
  Portfolio portfolio({.schedules = 100'000});
  // Two preemptions are all that two threads of two steps allow.
  size_t run = 0;
  while (portfolio.BeginSchedule()) {
    ASSERT_LT(++run, 1000u);
    RunToy(Independent(2, 2), portfolio);
  }
  EXPECT_EQ(portfolio.Guarantee(), "every schedule was explored");
}

TEST(PortfolioTest, UsesEveryStrategyAndGoesOnAfterTheSearch) {
  Portfolio portfolio({.schedules = 2000});
  std::set<std::string> names;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(portfolio.BeginSchedule());
    names.insert(portfolio.Name());
    RunToy(Independent(2, 8), portfolio);
  }
  EXPECT_EQ(names.size(), 9u);
  EXPECT_EQ(portfolio.Guarantee(), "no failure with at most 2 preemptions");
}

TEST(PortfolioTest, KnowsItsStrategiesByName) {
  for (const char* name : {"portfolio", "bounded", "random", "pct2", "pct3",
                           "pos", "surw", "dpor"}) {
    EXPECT_NE(MakeStrategy(name, {}), nullptr) << name;
  }
  EXPECT_EQ(MakeStrategy("no such thing", {}), nullptr);
}

TEST(ReplayTest, RepeatsWhatAnyStrategyDid) {
  for (const char* name : kSampling) {
    const auto strategy = MakeStrategy(name, {.seed = 5});
    for (int i = 0; i < 50; ++i) {
      Recorder recorder(*strategy);
      ASSERT_TRUE(recorder.BeginSchedule());
      const ToyResult result = RunToy(CrossedLocks(), recorder);
      std::vector<Decision> parsed;
      std::string error;
      ASSERT_TRUE(
          ParseReplay(FormatReplay(recorder.Decisions()), &parsed, &error))
          << error;
      EXPECT_EQ(parsed, recorder.Decisions());
      EXPECT_EQ(recorder.Preemptions(), result.preemptions);
      Replay replay(parsed);
      ASSERT_TRUE(replay.BeginSchedule());
      EXPECT_EQ(RunToy(CrossedLocks(), replay).order, result.order);
      EXPECT_FALSE(replay.diverged());
    }
  }
}

TEST(ReplayTest, NoticesThatTheProgramIsAnother) {
  Replay missing_thread({{Decision::Kind::kThread, 7}});
  ASSERT_TRUE(missing_thread.BeginSchedule());
  RunToy(LostUpdate(), missing_thread);
  EXPECT_TRUE(missing_thread.diverged());

  Replay too_long(std::vector<Decision>(100, {Decision::Kind::kThread, 0}));
  ASSERT_TRUE(too_long.BeginSchedule());
  RunToy(LostUpdate(), too_long);
  EXPECT_TRUE(too_long.diverged());
}

TEST(ReplayTest, IsCompact) {
  std::vector<Decision> decisions(12, {Decision::Kind::kThread, 0});
  decisions.push_back({Decision::Kind::kThread, 1});
  decisions.push_back({Decision::Kind::kWaiter, 1});
  decisions.push_back({Decision::Kind::kTimeout, 1});
  decisions.push_back({Decision::Kind::kSpurious, 0});
  EXPECT_EQ(FormatReplay(decisions), "v1:0x12,1,w1,t1,s0");
  EXPECT_EQ(FormatReplay({}), "v1:");
}

TEST(ReplayTest, RejectsWhatIsNotAReplay) {
  std::vector<Decision> decisions;
  std::string error;
  for (const char* text :
       {"", "0x12", "v2:0", "v1:0x", "v1:x3", "v1:0,,1", "v1:0x0", "v1:-1",
        "v1:0x-1", "v1:+1", "v1: 1", "v1:0x99999999", "v1:9999999999", "v1:q1",
        "v1:0x1x2", "v1:0,"}) {
    error.clear();
    EXPECT_FALSE(ParseReplay(text, &decisions, &error)) << text;
    EXPECT_FALSE(error.empty()) << text;
    EXPECT_TRUE(decisions.empty()) << text;
  }
  EXPECT_TRUE(ParseReplay(" v1:0x2,w1\n", &decisions, &error));
  EXPECT_EQ(decisions.size(), 3u);
}

// Shrinks every failing schedule that `strategy` finds in `tries`; returns the
// preemptions and runs that were left at most.
void ExpectShrinks(const ToyProgram& program, Strategy& strategy, int tries,
                   const std::function<bool(const ToyResult&)>& fails,
                   uint64_t preemptions) {
  int failures = 0;
  for (int i = 0; i < tries; ++i) {
    ASSERT_TRUE(strategy.BeginSchedule());
    const ToyResult found = RunToy(program, strategy);
    if (!fails(found)) continue;
    ++failures;
    uint64_t runs = 0;
    const std::vector<Decision> decisions =
        Shrink(found.decisions, /*search_preemptions=*/i % 2 == 0,
               /*max_runs=*/300, [&](Strategy& candidate) {
                 ++runs;
                 return fails(RunToy(program, candidate));
               });
    EXPECT_LE(runs, 300u);
    Replay replay(decisions);
    Recorder recorder(replay);
    ASSERT_TRUE(recorder.BeginSchedule());
    const ToyResult shrunk = RunToy(program, recorder);
    EXPECT_TRUE(fails(shrunk));
    EXPECT_FALSE(replay.diverged());
    EXPECT_LE(shrunk.preemptions, found.preemptions);
    EXPECT_EQ(shrunk.preemptions, preemptions) << shrunk.order;
  }
  EXPECT_GT(failures, 5);
}

TEST(ShrinkTest, FindsTheFewestPreemptions) {
  RandomWalk walk(3);
  ExpectShrinks(
      CrossedLocks(), walk, 100,
      [](const ToyResult& result) { return result.deadlock; }, 1);
  // Three threads, of which two are beside the point.
  ToyProgram program = LostUpdate();
  program.push_back(ToyThread(6, {ToyOp::kStoreOne, 5}));
  program.push_back(ToyThread(6, {ToyOp::kStoreOne, 6}));
  ExpectShrinks(
      program, walk, 100,
      [](const ToyResult& result) {
        const auto x = result.variables.find(1);
        return x != result.variables.end() && x->second == 1 &&
               !result.deadlock;
      },
      1);
}

TEST(ShrinkTest, KeepsWhatItCannotImprove) {
  // Fails in every schedule, so next to nothing need be decided.
  const std::vector<Decision> decisions(3, {Decision::Kind::kThread, 1});
  const std::vector<Decision> shrunk =
      Shrink(decisions, true, 100, [](Strategy& candidate) {
        RunToy(LostUpdate(), candidate);
        return true;
      });
  EXPECT_LE(shrunk.size(), 1u);
  // Cannot be repeated: comes back as it was.
  EXPECT_EQ(Shrink(decisions, true, 100,
                   [](Strategy& candidate) {
                     RunToy(LostUpdate(), candidate);
                     return false;
                   }),
            decisions);
}

}  // namespace
}  // namespace lockstep
