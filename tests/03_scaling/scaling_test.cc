// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 03. Each test is one rule, and its name says it.
//
// That threads are faster has no rule: on a busy machine they need not be. What
// makes them faster has one: two tasks are in the works at the same time. Nor
// is the time of the processor graded, which the explorer does not know.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <latch>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "lockstep/lockstep.h"

namespace {

// While this is set, somebody sets the machine's clock back, again and again.
std::atomic<bool> clock_is_set_back{false};
std::atomic<int> times_set_back{0};

}  // namespace

// Takes the place of the library's function in this program.
std::chrono::system_clock::time_point
std::chrono::system_clock::now() noexcept {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto since_epoch =
      std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  return time_point(std::chrono::duration_cast<duration>(
      clock_is_set_back ? since_epoch - std::chrono::hours(++times_set_back)
                        : since_epoch));
}

namespace workbook {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

int64_t Fib(int n) { return n <= 2 ? 1 : Fib(n - 1) + Fib(n - 2); }

std::vector<Task> FibTasks(int n) {
  std::vector<Task> tasks;
  for (int i = 1; i <= n; ++i) {
    tasks.push_back([i](const Tick& tick) {
      tick();
      const int64_t result = Fib(i);
      tick();
      return result;
    });
  }
  return tasks;
}

// The three ways to run tasks, for what they have in common.
struct Way {
  const char* name;
  Profile (*run)(const std::vector<Task>& tasks, int threads);
};
const Way kWays[] = {
    {"RunSerially",
     [](const std::vector<Task>& tasks, int) { return RunSerially(tasks); }},
    {"RunOnThreads", RunOnThreads},
    {"RunUnderGlobalLock", RunUnderGlobalLock},
};

// --- The global lock -------------------------------------------------------

LOCKSTEP_TEST(GlobalLock, ThreeThreadsNeverHoldItTogether) {
  GlobalLock lock;
  std::atomic<int> inside{0};
  int written = 0;  // What one holder wrote, the next one sees: else a race.
  const auto visit = [&] {
    lock.Acquire();
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(++inside, 1) << "another thread holds the lock";
      ++written;
      --inside;
      lock.HandOver();
    }
    lock.Release();
  };
  std::thread a(visit), b(visit), c(visit);
  a.join();
  b.join();
  c.join();
  EXPECT_EQ(written, 6);
}

// Who did a step when. Written under the lock under test.
class Steps {
 public:
  void Done(int who) { order_.push_back(who); }
  // The thread leaves, so that what comes next is no hand-over.
  void Left(int who) { order_.push_back(-who); }

  // Two steps of a thread with no step of a thread in between that was waiting
  // the whole time; or with two steps of another.
  void ExpectTurns() const {
    std::set<int> threads;
    for (int who : order_) {
      if (who > 0) threads.insert(who);
    }
    for (int a : threads) {
      for (int b : threads) {
        if (a != b) ExpectTurns(a, b);
      }
    }
  }

  // How often the lock went from one thread to another though the first had
  // not left.
  int64_t HandOvers() const {
    int64_t count = 0;
    for (size_t i = 1; i < order_.size(); ++i) {
      if (order_[i - 1] > 0 && std::abs(order_[i]) != order_[i - 1]) ++count;
    }
    return count;
  }

 private:
  void ExpectTurns(int a, int b) const {
    // b has done a step and has not left: it is in line for the next.
    bool b_in_line = false;
    int steps_of_b = 0;
    bool after_a = false;
    for (int who : order_) {
      if (who == b) {
        b_in_line = true;
        ++steps_of_b;
        if (after_a && steps_of_b > 1) {
          ADD_FAILURE() << "thread " << b << " did two steps while thread " << a
                        << " was waiting: " << Text();
        }
      } else if (who == -b) {
        b_in_line = false;
      } else if (who == a) {
        if (after_a && b_in_line && steps_of_b == 0) {
          ADD_FAILURE() << "thread " << a << " did two steps while thread " << b
                        << " was waiting: " << Text();
        }
        steps_of_b = 0;
        after_a = true;
      } else if (who == -a) {
        after_a = false;
      }
    }
  }

  std::string Text() const {
    std::string text;
    for (int who : order_) {
      if (who > 0) text += std::to_string(who) + " ";
    }
    return text;
  }

  std::vector<int> order_;
};

// `threads` threads take the lock and do `steps` steps each.
Steps DoSteps(GlobalLock& lock, int threads, int steps) {
  Steps done;
  std::vector<std::thread> workers;
  for (int who = 1; who <= threads; ++who) {
    workers.emplace_back([&, who] {
      lock.Acquire();
      for (int i = 0; i < steps; ++i) {
        if (i > 0) lock.HandOver();
        done.Done(who);
      }
      done.Left(who);
      lock.Release();
    });
  }
  for (std::thread& worker : workers) worker.join();
  return done;
}

LOCKSTEP_TEST(GlobalLock, TwoThreadsTakeTurns) {
  GlobalLock lock;
  DoSteps(lock, 2, 3).ExpectTurns();
}

LOCKSTEP_TEST(GlobalLock, ThreeThreadsTakeTurns) {
  GlobalLock lock;
  DoSteps(lock, 3, 3).ExpectTurns();
}

LOCKSTEP_TEST(GlobalLock, HandOversAreCounted) {
  GlobalLock lock;
  const int64_t expected = DoSteps(lock, 2, 3).HandOvers();
  EXPECT_EQ(lock.hand_overs(), expected);
}

LOCKSTEP_TEST(GlobalLock, WhereNobodyWaitsNothingIsHandedOver) {
  GlobalLock lock;
  lock.Acquire();
  for (int i = 0; i < 3; ++i) lock.HandOver();
  lock.Release();
  EXPECT_EQ(lock.hand_overs(), 0);
  lock.Acquire();
  lock.HandOver();
  lock.Release();
  EXPECT_EQ(lock.hand_overs(), 0);
}

LOCKSTEP_TEST(GlobalLock, WaitingThreadsGoOnAfterRelease) {
  GlobalLock lock;
  lock.Acquire();
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&] {
      lock.Acquire();
      lock.Release();
    });
  }
  lock.Release();
  for (std::thread& waiter : waiters) waiter.join();
}

// A handful of lock operations does; who looks again and again needs more.
LOCKSTEP_TEST_WITH(GlobalLock, AWaitingThreadSleeps,
                   {.forbid_busy_waiting = true,
                    .cost_budget = {.lock_operations = 12}}) {
  GlobalLock lock;
  lock.Acquire();
  std::thread waiter([&] {
    lock.Acquire();
    lock.Release();
  });
  lock.Release();
  waiter.join();
}

LOCKSTEP_TEST(GlobalLock, TheCountMayBeReadAtAnyTime) {
  GlobalLock lock;
  std::thread other([&] { DoSteps(lock, 2, 2); });
  EXPECT_LE(lock.hand_overs(), 2);
  other.join();
}

// --- What the three ways have in common ------------------------------------

TEST(Run, AllThreeWaysGiveTheSameResults) {
  const std::vector<Task> tasks = FibTasks(20);
  for (const Way& way : kWays) {
    for (int threads : {1, 2, 3, 20, 30}) {
      const std::vector<int64_t> results = way.run(tasks, threads).results;
      ASSERT_EQ(results.size(), 20u) << way.name;
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(results[i], Fib(i + 1)) << way.name << ", task " << i;
      }
    }
  }
}

LOCKSTEP_TEST(Run, ResultsStandInTheOrderOfTheTasks) {
  for (const Way& way : kWays) {
    EXPECT_EQ(way.run(FibTasks(3), 2).results, (std::vector<int64_t>{1, 1, 2}))
        << way.name;
  }
}

LOCKSTEP_TEST(Run, EveryTaskIsRunOnce) {
  for (const Way& way : kWays) {
    std::vector<std::atomic<int>> calls(3);
    std::vector<Task> tasks;
    for (int i = 0; i < 3; ++i) {
      tasks.push_back([&calls, &way, i](const Tick&) {
        const int call = ++calls[i];
        EXPECT_EQ(call, 1) << way.name << ", task " << i;
        return call;
      });
    }
    way.run(tasks, 2);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(calls[i], 1) << way.name << ", task " << i;
    }
  }
}

TEST(Run, NoTasksGiveNoResults) {
  for (const Way& way : kWays) {
    const Profile profile = way.run({}, 4);
    EXPECT_TRUE(profile.results.empty()) << way.name;
    EXPECT_EQ(profile.hand_overs, 0) << way.name;
  }
}

LOCKSTEP_TEST(Run, AnErrorReachesTheCallerWhenAllTasksHaveEnded) {
  for (const Way& way : kWays) {
    std::atomic<int> ended{0};
    const Task fails = [](const Tick&) -> int64_t {
      throw std::out_of_range("task 0");
    };
    const Task ends = [&](const Tick& tick) {
      tick();
      return ++ended;
    };
    try {
      way.run({fails, ends, ends}, 2);
      ADD_FAILURE() << way.name << " swallowed the exception";
    } catch (const std::out_of_range& error) {
      EXPECT_STREQ(error.what(), "task 0") << way.name;
    }
    EXPECT_EQ(ended, 2) << way.name << ": the other tasks have not all ended";
  }
}

LOCKSTEP_TEST(Run, OfSeveralErrorsTheOneOfTheFirstTaskIsThrown) {
  std::vector<Task> tasks;
  for (int i = 0; i < 2; ++i) {
    tasks.push_back([i](const Tick&) -> int64_t { throw i; });
  }
  for (const Way& way : kWays) {
    try {
      way.run(tasks, 2);
      ADD_FAILURE() << way.name << " swallowed the exceptions";
    } catch (int task) {
      EXPECT_EQ(task, 0) << way.name;
    }
  }
}

TEST(Run, ZeroThreadsAreRefused) {
  for (int threads : {0, -1}) {
    EXPECT_THROW(RunOnThreads(FibTasks(2), threads), std::invalid_argument);
    EXPECT_THROW(RunUnderGlobalLock(FibTasks(2), threads),
                 std::invalid_argument);
  }
}

// --- Who runs a task, and when ---------------------------------------------

LOCKSTEP_TEST_WITH(RunSerially, ItMakesNoThread,
                   {.cost_budget = {.threads_created = 0}}) {
  const auto caller = std::this_thread::get_id();
  std::vector<int> order;
  std::vector<Task> tasks;
  for (int i = 0; i < 3; ++i) {
    tasks.push_back([&, i](const Tick&) {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      order.push_back(i);
      return 0;
    });
  }
  EXPECT_EQ(RunSerially(tasks).hand_overs, 0);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

// Each waits, in the middle of its work, for the other.
LOCKSTEP_TEST(RunOnThreads, TwoTasksAreInTheWorksAtOnce) {
  std::latch both(2);
  const Task meet = [&](const Tick&) {
    both.arrive_and_wait();
    return 1;
  };
  EXPECT_EQ(RunOnThreads({meet, meet}, 2).hand_overs, 0);
}

LOCKSTEP_TEST_WITH(RunOnThreads, NoMoreThreadsAreMadeThanAskedFor,
                   {.cost_budget = {.threads_created = 2}}) {
  RunOnThreads(FibTasks(4), 2);
}

LOCKSTEP_TEST_WITH(RunOnThreads, NoMoreThreadsAreMadeThanThereAreTasks,
                   {.cost_budget = {.threads_created = 2}}) {
  RunOnThreads(FibTasks(2), 8);
}

// The common variable is no atomic: the lock has to order the accesses.
LOCKSTEP_TEST(RunUnderGlobalLock, TasksRunOneAtATime) {
  int64_t steps = 0;
  const Task task = [&](const Tick& tick) {
    ++steps;
    tick();
    return ++steps;
  };
  RunUnderGlobalLock({task, task}, 2);
  EXPECT_EQ(steps, 4);
}

std::vector<Task> StepTasks(Steps& done) {
  std::vector<Task> tasks;
  for (int who = 1; who <= 2; ++who) {
    tasks.push_back([&done, who](const Tick& tick) {
      for (int i = 0; i < 3; ++i) {
        if (i > 0) tick();
        done.Done(who);
      }
      done.Left(who);
      return 0;
    });
  }
  return tasks;
}

LOCKSTEP_TEST(RunUnderGlobalLock, TasksTakeTurns) {
  Steps done;
  RunUnderGlobalLock(StepTasks(done), 2);
  done.ExpectTurns();
}

LOCKSTEP_TEST(RunUnderGlobalLock, TheProfileCountsHandOvers) {
  Steps done;
  const Profile profile = RunUnderGlobalLock(StepTasks(done), 2);
  EXPECT_EQ(profile.hand_overs, done.HandOvers());
}

// The first task ticks until the second has had its turn.
LOCKSTEP_TEST(RunUnderGlobalLock, ATaskThatTicksLetsOthersDoTheirWork) {
  bool answered = false;
  const Task asks = [&](const Tick& tick) {
    while (!answered) {
      tick();
      std::this_thread::yield();  // Lets lockstep see a loop without end.
    }
    return 1;
  };
  const Task answers = [&](const Tick&) {
    answered = true;
    return 1;
  };
  RunUnderGlobalLock({asks, answers}, 2);
}

// --- The clock -------------------------------------------------------------

// Under lockstep time is virtual and passes only in sleep, so it is exact.
LOCKSTEP_TEST(Profile, WallTimeIsFromTheCallToTheEndOfTheLastTask) {
  constexpr milliseconds kSleep(10);
  const Task sleeps = [&](const Tick&) {
    std::this_thread::sleep_for(kSleep);
    return 1;
  };
  const std::vector<Task> tasks = {sleeps, sleeps};
  const auto expect = [&](const char* what, nanoseconds wall, int sleeps) {
    EXPECT_GE(wall, sleeps * kSleep) << what;
    if (lockstep::Supported()) {
      EXPECT_LT(wall, sleeps * kSleep + milliseconds(1)) << what;
    }
  };
  expect("serially", RunSerially(tasks).wall, 2);
  expect("on two threads", RunOnThreads(tasks, 2).wall, 1);
  expect("on one thread", RunOnThreads(tasks, 1).wall, 2);
  expect("under the global lock", RunUnderGlobalLock(tasks, 2).wall, 2);
}

TEST(Profile, SettingTheClockDoesNotChangeIt) {
  clock_is_set_back = true;
  const Task task = [](const Tick&) { return 1; };
  for (const Way& way : kWays) {
    EXPECT_GE(way.run({task}, 1).wall, nanoseconds(0))
        << way.name << ": somebody set the clock of the machine back";
  }
  clock_is_set_back = false;
}

TEST(ThreadCount, ItIsTheHintIfThereIsOne) {
  EXPECT_EQ(ThreadCount(1), 1);
  EXPECT_EQ(ThreadCount(64), 64);
  EXPECT_GE(ThreadCount(), 1);
}

TEST(ThreadCount, WithoutAHintItIsOne) { EXPECT_EQ(ThreadCount(0), 1); }

}  // namespace
}  // namespace workbook
