// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 12. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "tests/support/waiting.h"

namespace workbook {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using support::LetOthersWait;

constexpr nanoseconds kNoWait(0);

TEST(Event, ItBeginsClear) {
  Event event;
  EXPECT_FALSE(event.IsSet());
  EXPECT_FALSE(event.WaitFor(kNoWait));
}

LOCKSTEP_TEST(Event, SetAndClearMayBeRepeated) {
  Event event;
  EXPECT_NO_THROW(event.Set());
  EXPECT_NO_THROW(event.Set());
  EXPECT_TRUE(event.IsSet());
  event.Clear();
  event.Clear();
  EXPECT_FALSE(event.IsSet()) << "one Clear undoes any number of Sets";
  EXPECT_FALSE(event.WaitFor(kNoWait));
  EXPECT_NO_THROW(event.Set());
  EXPECT_TRUE(event.IsSet());
}

LOCKSTEP_TEST(Event, ASetBeforeTheWaitIsNotLost) {
  Event event;
  event.Set();
  event.Wait();
  event.Wait();  // It stays set until it is cleared.
  EXPECT_TRUE(event.WaitFor(kNoWait));
  EXPECT_TRUE(event.IsSet());
}

LOCKSTEP_TEST(Event, WaitWaitsUntilTheEventIsSet) {
  Event event;
  std::atomic<bool> happened{false};
  std::thread waiter([&] {
    event.Wait();
    EXPECT_TRUE(happened) << "Wait returned, and nobody had called Set";
  });
  happened = true;
  event.Set();
  waiter.join();
}

LOCKSTEP_TEST(Event, SetReleasesEveryoneWhoWaits) {
  Event event;
  const auto wait = [&] { event.Wait(); };
  std::thread a(wait), b(wait), c(wait);
  event.Set();
  a.join();
  b.join();
  c.join();
}

LOCKSTEP_TEST(Event, TheWaiterSeesWhatTheSetterWrote) {
  Event event;
  int written = 0;
  std::thread waiter([&] {
    event.Wait();
    EXPECT_EQ(written, 7);
  });
  written = 7;
  event.Set();
  waiter.join();
}

LOCKSTEP_TEST(Event, WhoAsksSeesWhatTheSetterWrote) {
  Event event;
  int written = 0;
  std::thread setter([&] {
    written = 7;
    event.Set();
  });
  if (event.IsSet()) {
    EXPECT_EQ(written, 7);
  }
  setter.join();
}

LOCKSTEP_TEST(Event, SetThenClearStillReleasesEveryoneWhoWaits) {
  Event event;
  const auto wait = [&] { event.Wait(); };
  std::thread a(wait), b(wait);
  LetOthersWait();
  event.Set();
  event.Clear();
  if (!lockstep::Supported()) event.Set();  // For those who came late.
  a.join();
  b.join();
}

LOCKSTEP_TEST(Event, TwoSetsAndClearsReleaseThemToo) {
  Event event;
  std::thread waiter([&] { event.Wait(); });
  LetOthersWait();
  for (int i = 0; i < 2; ++i) {
    event.Set();
    event.Clear();
  }
  if (!lockstep::Supported()) event.Set();  // For those who came late.
  waiter.join();
}

LOCKSTEP_TEST(Event, ClearReleasesNobody) {
  Event event;
  std::thread waiter([&] {
    EXPECT_FALSE(event.WaitFor(milliseconds(100)))
        << "WaitFor said that the event was set, and nobody had called Set";
  });
  LetOthersWait();
  event.Clear();
  waiter.join();
}

LOCKSTEP_TEST(Event, ATimedWaitIsReleasedBySetThenClear) {
  Event event;
  std::thread waiter([&] {
    const bool set = event.WaitFor(hours(1));
    EXPECT_TRUE(set) << "the event was set while WaitFor waited";
  });
  LetOthersWait();
  event.Set();
  event.Clear();
  if (!lockstep::Supported()) event.Set();  // For those who came late.
  waiter.join();
}

LOCKSTEP_TEST(Event, AfterClearOneWaitsAgain) {
  Event event;
  event.Set();
  event.Wait();
  event.Clear();
  EXPECT_FALSE(event.WaitFor(milliseconds(1)))
      << "an earlier Set released a later wait";
  std::atomic<bool> again{false};
  std::thread waiter([&] {
    event.Wait();
    EXPECT_TRUE(again) << "an earlier Set released a later wait";
  });
  again = true;
  event.Set();
  waiter.join();
}

LOCKSTEP_TEST(Event, WaitForGivesUpAfterTheTimeout) {
  Event event;
  const auto start = steady_clock::now();
  EXPECT_FALSE(event.WaitFor(milliseconds(100)));
  EXPECT_GE(steady_clock::now() - start, milliseconds(100))
      << "it gave up too early";
  if (lockstep::Supported()) {  // Time is virtual, so exact.
    EXPECT_LE(steady_clock::now() - start, milliseconds(101))
        << "it gave up too late";
  }
  event.Set();
  EXPECT_TRUE(event.WaitFor(milliseconds(100)));
}

LOCKSTEP_TEST(Event, WaitForReturnsTrueIfTheEventIsSetInTime) {
  Event event;
  std::thread waiter([&] { EXPECT_TRUE(event.WaitFor(hours(1))); });
  event.Set();
  waiter.join();
}

TEST(Event, ANegativeTimeoutIsRefused) {
  Event event;
  event.Set();
  EXPECT_THROW(event.WaitFor(nanoseconds(-1)), std::invalid_argument);
}

// A deadline that overflowed lies in the past, so the call gives up as soon as
// time passes.
LOCKSTEP_TEST(Event, AHugeTimeoutDoesNotOverflow) {
  Event event;
  std::thread waiter([&] { EXPECT_TRUE(event.WaitFor(nanoseconds::max())); });
  LetOthersWait();
  event.Set();
  waiter.join();
}

LOCKSTEP_TEST_WITH(Event, ASpuriousWakeUpIsNotASet,
                   {.spurious_wakeups = true}) {
  Event event;
  std::atomic<bool> happened{false};
  std::thread waiter([&] {
    event.Wait();
    EXPECT_TRUE(happened) << "Wait returned, and nobody had called Set";
  });
  std::thread timed_waiter([&] {
    EXPECT_TRUE(event.WaitFor(hours(1))) << "WaitFor gave up too early";
    EXPECT_TRUE(happened) << "WaitFor returned, and nobody had called Set";
  });
  happened = true;
  event.Set();
  waiter.join();
  timed_waiter.join();
}

LOCKSTEP_TEST(Event, WhoeverWaitsLastMayDestroyIt) {
  auto event = std::make_unique<Event>();
  std::thread setter([&event = *event] { event.Set(); });
  event->Wait();
  event.reset();
  setter.join();
}

LOCKSTEP_TEST_WITH(Event, AWaitingThreadSleeps, {.forbid_busy_waiting = true}) {
  Event event;
  std::thread waiter([&] { event.Wait(); });
  std::thread timed_waiter([&] { event.WaitFor(hours(1)); });
  LetOthersWait();
  event.Set();
  waiter.join();
  timed_waiter.join();
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(Event, AllItsOperationsMayMeet) {
  Event event;
  std::thread setter([&] {
    event.Set();
    event.IsSet();
  });
  std::thread clearer([&] {
    event.Clear();
    event.Set();
  });
  std::thread waiter([&] { event.WaitFor(milliseconds(1)); });
  event.Wait();
  setter.join();
  clearer.join();
  waiter.join();
}

// One acquisition of the mutex for each call.
LOCKSTEP_TEST_WITH(Event, EachCallTakesTheMutexOnce,
                   {.cost_budget = {.lock_operations = 4}}) {
  Event event;
  event.Set();
  event.Wait();
  event.Clear();
  EXPECT_FALSE(event.IsSet());
}

LOCKSTEP_TEST(Countdown, WaitReturnsWhenAllTasksAreDone) {
  Countdown countdown(2);
  std::atomic<int> done{0};
  const auto task = [&] {
    ++done;
    countdown.TaskDone();
  };
  std::thread a(task), b(task);
  countdown.Wait();
  EXPECT_EQ(done, 2) << "Wait returned before the last task was done";
  EXPECT_TRUE(countdown.WaitFor(kNoWait));
  a.join();
  b.join();
}

LOCKSTEP_TEST(Countdown, TheWaiterSeesWhatTheTasksWrote) {
  Countdown countdown(2);
  int results[2] = {};
  const auto task = [&](int i) {
    results[i] = i + 1;
    countdown.TaskDone();
  };
  std::thread a(task, 0), b(task, 1);
  countdown.Wait();
  EXPECT_EQ(results[0], 1);
  EXPECT_EQ(results[1], 2);
  a.join();
  b.join();
}

LOCKSTEP_TEST(Countdown, EverybodyMayWait) {
  Countdown countdown(1);
  std::thread a([&] { countdown.Wait(); });
  std::thread b([&] { countdown.Wait(); });
  countdown.TaskDone();
  a.join();
  b.join();
}

LOCKSTEP_TEST(Countdown, WithoutTasksNobodyWaits) {
  Countdown countdown(0);
  countdown.Wait();
  EXPECT_TRUE(countdown.WaitFor(kNoWait));
  EXPECT_THROW(countdown.TaskDone(), std::logic_error);
}

LOCKSTEP_TEST(Countdown, WaitForGivesUpWhileATaskIsNotDone) {
  Countdown countdown(2);
  countdown.TaskDone();
  EXPECT_FALSE(countdown.WaitFor(milliseconds(1)));
  countdown.TaskDone();
  EXPECT_TRUE(countdown.WaitFor(milliseconds(1)));
}

LOCKSTEP_TEST(Countdown, OneTaskDoneTooManyIsRefused) {
  EXPECT_THROW(Countdown(-1), std::invalid_argument);
  Countdown countdown(1);
  EXPECT_NO_THROW(countdown.TaskDone());
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(countdown.TaskDone(), std::logic_error);
  }
  countdown.Wait();
}

LOCKSTEP_TEST(Countdown, OfTwoCallsForOneTaskOneIsRefused) {
  Countdown countdown(1);
  std::atomic<int> refused{0};
  const auto task = [&] {
    try {
      countdown.TaskDone();
    } catch (const std::logic_error&) {
      ++refused;
    }
  };
  std::thread other(task);
  task();
  other.join();
  EXPECT_EQ(refused, 1);
}

LOCKSTEP_TEST(Countdown, TheWaiterMayDestroyIt) {
  auto countdown = std::make_unique<Countdown>(2);
  const auto task = [&countdown = *countdown] { countdown.TaskDone(); };
  std::thread a(task), b(task);
  countdown->Wait();
  countdown.reset();
  a.join();
  b.join();
}

}  // namespace
}  // namespace workbook
