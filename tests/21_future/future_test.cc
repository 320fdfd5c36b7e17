// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 21. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
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

namespace workbook {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

std::exception_ptr Error(const char* what) {
  return std::make_exception_ptr(std::out_of_range(what));
}

// Virtual where schedules are explored; real, and so short, elsewhere.
void SleepFor(nanoseconds time) {
  std::this_thread::sleep_for(lockstep::Supported() ? time : milliseconds(1));
}

// Longer than any timeout that stands for "for ever".
constexpr hours kAYear(24 * 365);

// Steps, where a right answer needs a hundred, and a wrong one never ends.
constexpr int kFew = 2'000;

LOCKSTEP_TEST(Future, TheResultReachesAWaitingThread) {
  Promise<int> promise;
  std::thread consumer(
      [future = promise.GetFuture()] { EXPECT_EQ(future.Result(), 42); });
  promise.SetResult(42);
  consumer.join();
}

LOCKSTEP_TEST(Future, SeveralThreadsMayWaitForOneResult) {
  Promise<int> promise;
  const auto wait = [future = promise.GetFuture()] {
    EXPECT_EQ(future.Result(), 42);
  };
  std::thread a(wait), b(wait);
  promise.SetResult(42);
  a.join();
  b.join();
}

LOCKSTEP_TEST(Future, TheResultCanBeReadAgain) {
  Promise<std::string> promise;
  promise.SetResult("a result that is longer than a short string");
  const Future<std::string> copy = promise.GetFuture();
  const std::string first = promise.GetFuture().Result();
  EXPECT_EQ(first, "a result that is longer than a short string");
  EXPECT_EQ(copy.Result(), first) << "the first reader took it away";
}

LOCKSTEP_TEST(Future, TheErrorReachesAWaitingThread) {
  Promise<int> promise;
  std::thread consumer([future = promise.GetFuture()] {
    EXPECT_THROW(future.Result(), std::out_of_range);
    EXPECT_THROW(future.Result(), std::out_of_range) << "and again";
  });
  promise.SetException(Error("7"));
  consumer.join();
}

// Also of a type that Future throws for reasons of its own.
LOCKSTEP_TEST_WITH(Future, AnErrorOfAnyTypeArrives, {.max_steps = kFew}) {
  Promise<int> number, timeout, cancelled;
  number.SetException(std::make_exception_ptr(42));
  EXPECT_THROW(number.GetFuture().Result(), int);
  timeout.SetException(std::make_exception_ptr(TimeoutError()));
  EXPECT_THROW(timeout.GetFuture().Result(), TimeoutError)
      << "the computation threw this";
  cancelled.SetException(std::make_exception_ptr(CancelledError()));
  EXPECT_THROW(cancelled.GetFuture().Result(), CancelledError)
      << "the computation threw this";
  EXPECT_FALSE(cancelled.GetFuture().Cancelled())
      << "the computation threw; nobody has cancelled it";
}

LOCKSTEP_TEST_WITH(Future, ASpuriousWakeUpIsNotTheEnd,
                   {.spurious_wakeups = true}) {
  Promise<int> promise;
  std::thread a([future = promise.GetFuture()] {
    EXPECT_EQ(future.Result(), 1) << "there was no result yet";
  });
  std::thread b([future = promise.GetFuture()] {
    EXPECT_EQ(future.ResultFor(hours(1)), 1) << "there was no result yet";
  });
  promise.SetResult(1);
  a.join();
  b.join();
}

// However long that takes, and without a look in between.
LOCKSTEP_TEST_WITH(Future, ResultSleepsUntilTheEnd, {.max_steps = kFew}) {
  Promise<int> promise;
  std::thread consumer(
      [future = promise.GetFuture()] { EXPECT_EQ(future.Result(), 1); });
  SleepFor(kAYear);
  promise.SetResult(1);
  consumer.join();
}

LOCKSTEP_TEST(Future, ATimeoutLeavesItAsItWas) {
  Promise<int> promise;
  const Future<int> future = promise.GetFuture();
  const auto start = steady_clock::now();
  EXPECT_THROW(future.ResultFor(milliseconds(100)), TimeoutError);
  EXPECT_GE(steady_clock::now() - start, milliseconds(100))
      << "it gave up too early";
  EXPECT_THROW(future.ResultFor(nanoseconds(0)), TimeoutError);
  EXPECT_FALSE(future.Done());
  promise.SetResult(42);
  EXPECT_EQ(future.ResultFor(nanoseconds(0)), 42);
}

LOCKSTEP_TEST(Future, ALongTimeoutEndsWithTheResult) {
  Promise<int> promise;
  std::thread consumer([future = promise.GetFuture()] {
    EXPECT_EQ(future.ResultFor(hours(1)), 1);
    EXPECT_EQ(future.ResultFor(nanoseconds::max()), 1);
  });
  promise.SetResult(1);
  consumer.join();
}

LOCKSTEP_TEST(Future, ItsStatesAreToldApart) {
  const auto states = [](const Future<int>& future) {
    return std::string(future.Running() ? "running " : "") +
           (future.Cancelled() ? "cancelled " : "") +
           (future.Done() ? "done " : "");
  };
  Promise<int> finished, failed, cancelled;
  EXPECT_EQ(states(finished.GetFuture()), "") << "pending";
  EXPECT_TRUE(finished.Start());
  EXPECT_EQ(states(finished.GetFuture()), "running ");
  finished.SetResult(1);
  EXPECT_EQ(states(finished.GetFuture()), "done ");
  failed.SetException(Error("no"));
  EXPECT_EQ(states(failed.GetFuture()), "done ");
  EXPECT_TRUE(cancelled.GetFuture().Cancel());
  EXPECT_EQ(states(cancelled.GetFuture()), "cancelled done ");
}

LOCKSTEP_TEST(Future, ASecondResultIsRefused) {
  Promise<int> promise;
  promise.SetResult(1);
  EXPECT_THROW(promise.SetResult(2), InvalidStateError);
  EXPECT_THROW(promise.SetException(Error("late")), InvalidStateError);
  EXPECT_EQ(promise.GetFuture().Result(), 1) << "the first result stays";
}

LOCKSTEP_TEST(Future, StartIsRefusedAfterTheStart) {
  Promise<int> promise;
  EXPECT_TRUE(promise.Start());
  EXPECT_THROW(promise.Start(), InvalidStateError);
  promise.SetResult(1);
  EXPECT_THROW(promise.Start(), InvalidStateError);
}

LOCKSTEP_TEST(Future, ABrokenPromiseIsAnError) {
  auto promise = std::make_unique<Promise<int>>();
  const Future<int> future = promise->GetFuture();
  promise.reset();
  ASSERT_TRUE(future.Done()) << "nobody is left who could end it";
  EXPECT_THROW(future.Result(), BrokenPromiseError);
}

LOCKSTEP_TEST(Future, ABrokenPromiseWakesAWaitingThread) {
  auto promise = std::make_unique<Promise<int>>();
  std::thread consumer([future = promise->GetFuture()] {
    EXPECT_THROW(future.Result(), BrokenPromiseError);
  });
  promise.reset();
  consumer.join();
}

LOCKSTEP_TEST(Cancel, ItSucceedsOnlyBeforeTheStart) {
  Promise<int> pending, running, finished;
  EXPECT_TRUE(pending.GetFuture().Cancel());
  EXPECT_TRUE(pending.GetFuture().Cancel()) << "it is cancelled already";
  EXPECT_FALSE(pending.Start()) << "a cancelled computation does not start";
  running.Start();
  EXPECT_FALSE(running.GetFuture().Cancel()) << "it is running";
  running.SetResult(1);
  finished.SetResult(1);
  EXPECT_FALSE(finished.GetFuture().Cancel()) << "it is finished";
  EXPECT_EQ(finished.GetFuture().Result(), 1);
}

LOCKSTEP_TEST(Cancel, ACancelledFutureHasNoResult) {
  Promise<int> promise;
  promise.GetFuture().Cancel();
  EXPECT_THROW(promise.GetFuture().Result(), CancelledError);
  EXPECT_THROW(promise.SetResult(1), InvalidStateError);
  EXPECT_THROW(promise.GetFuture().Result(), CancelledError);
}

LOCKSTEP_TEST(Cancel, ItWakesWaitingThreads) {
  Promise<int> promise;
  const auto wait = [future = promise.GetFuture()] {
    EXPECT_THROW(future.Result(), CancelledError);
  };
  std::thread a(wait), b(wait);
  EXPECT_TRUE(promise.GetFuture().Cancel());
  a.join();
  b.join();
}

LOCKSTEP_TEST(Cancel, EitherTheStartWinsOrTheCancel) {
  Promise<int> promise;
  bool cancelled = false;
  std::thread canceller(
      [&, future = promise.GetFuture()] { cancelled = future.Cancel(); });
  bool started = false;
  EXPECT_NO_THROW(started = promise.Start());
  if (started) promise.SetResult(1);
  canceller.join();
  EXPECT_NE(started, cancelled);
}

LOCKSTEP_TEST(Callback, ItRunsExactlyOnce) {
  Promise<int> promise;
  std::atomic<int> calls{0};
  std::thread producer([&] { promise.SetResult(1); });
  promise.GetFuture().OnDone([&](const Future<int>&) { ++calls; });
  producer.join();
  EXPECT_EQ(calls, 1);
}

LOCKSTEP_TEST(Callback, ItReceivesTheEndedFuture) {
  Promise<int> promise;
  std::thread producer([&] { promise.SetResult(1); });
  promise.GetFuture().OnDone([&](const Future<int>& future) {
    EXPECT_TRUE(future == promise.GetFuture());
    EXPECT_TRUE(future.Done()) << "called before the end";
  });
  producer.join();
}

LOCKSTEP_TEST(Callback, TheyRunInTheOrderOfAddition) {
  Promise<int> promise;
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    promise.GetFuture().OnDone(
        [&order, i](const Future<int>&) { order.push_back(i); });
  }
  EXPECT_TRUE(order.empty()) << "called before the end";
  promise.SetResult(1);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

LOCKSTEP_TEST(Callback, AddedTwiceItRunsTwice) {
  Promise<int> promise;
  int calls = 0;
  const std::function<void(const Future<int>&)> count =
      [&](const Future<int>&) { ++calls; };
  promise.GetFuture().OnDone(count);
  promise.GetFuture().OnDone(count);
  promise.SetResult(1);
  EXPECT_EQ(calls, 2);
}

LOCKSTEP_TEST(Callback, AfterTheEndTheAddingThreadRunsIt) {
  Promise<int> promise;
  std::thread([&] { promise.SetResult(1); }).join();
  std::thread::id ran_in;
  promise.GetFuture().OnDone(
      [&](const Future<int>&) { ran_in = std::this_thread::get_id(); });
  EXPECT_EQ(ran_in, std::this_thread::get_id());
}

LOCKSTEP_TEST(Callback, ItRunsAfterAnErrorAndAfterCancel) {
  Promise<int> failed, cancelled;
  int calls = 0;
  failed.GetFuture().OnDone([&](const Future<int>& future) {
    ++calls;
    EXPECT_THROW(future.Result(), std::out_of_range);
  });
  failed.SetException(Error("no"));
  EXPECT_EQ(calls, 1) << "an error is an end, too";
  cancelled.GetFuture().OnDone([&](const Future<int>& future) {
    ++calls;
    EXPECT_TRUE(future.Cancelled());
  });
  cancelled.GetFuture().Cancel();
  EXPECT_EQ(calls, 2) << "being cancelled is an end, too";
}

// The callback would wait for itself if the lock were held, or if it ran
// before the end was published.
LOCKSTEP_TEST(Callback, ItMayUseTheFuture) {
  Promise<int> promise;
  int inner_calls = 0;
  promise.GetFuture().OnDone([&](const Future<int>& future) {
    EXPECT_EQ(future.Result(), 1);
    EXPECT_FALSE(future.Cancel());
    future.OnDone([&](const Future<int>&) { ++inner_calls; });
  });
  std::thread producer([&] { promise.SetResult(1); });
  producer.join();
  EXPECT_EQ(inner_calls, 1);
}

LOCKSTEP_TEST(Callback, ItsExceptionHarmsNobody) {
  Promise<int> promise;
  const auto fail = [](const Future<int>&) { throw std::runtime_error("no"); };
  int calls = 0;
  promise.GetFuture().OnDone(fail);
  promise.GetFuture().OnDone([](const Future<int>&) { throw 42; });
  promise.GetFuture().OnDone([&](const Future<int>&) { ++calls; });
  EXPECT_NO_THROW(promise.SetResult(1)) << "the producer is not to blame";
  EXPECT_EQ(calls, 1) << "the next callback runs all the same";
  EXPECT_NO_THROW(promise.GetFuture().OnDone(fail));
  EXPECT_EQ(promise.GetFuture().Result(), 1);
}

// This callback ends when the reader has the result.
LOCKSTEP_TEST(Callback, NoReaderWaitsForIt) {
  Promise<int> promise;
  std::latch read(1);
  promise.GetFuture().OnDone([&](const Future<int>&) { read.wait(); });
  std::thread reader([&, future = promise.GetFuture()] {
    EXPECT_EQ(future.Result(), 1);
    read.count_down();
  });
  promise.SetResult(1);
  reader.join();
}

// A callback that holds its own future would otherwise keep both for ever.
LOCKSTEP_TEST(Callback, AfterItRanItIsDestroyed) {
  Promise<int> finished, cancelled;
  const auto held = std::make_shared<int>(0);
  const auto hold = [held](const Future<int>&) {};
  const auto before = held.use_count();
  finished.GetFuture().OnDone(hold);
  finished.SetResult(1);
  EXPECT_EQ(held.use_count(), before) << "the future keeps what it has called";
  cancelled.GetFuture().OnDone(hold);
  cancelled.GetFuture().Cancel();
  EXPECT_EQ(held.use_count(), before) << "the future keeps what it has called";
  finished.GetFuture().OnDone(hold);
  EXPECT_EQ(held.use_count(), before) << "added after the end, and kept";
}

LOCKSTEP_TEST(Callback, ItMayDropTheLastHandle) {
  auto promise = std::make_unique<Promise<int>>();
  int calls = 0;
  promise->GetFuture().OnDone([&](const Future<int>&) { promise.reset(); });
  promise->GetFuture().OnDone(
      [&](const Future<int>& future) { calls += future.Result(); });
  promise->SetResult(1);
  EXPECT_EQ(calls, 1);
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(Future, AllItsOperationsMayMeet) {
  Promise<int> promise;
  std::atomic<int> calls{0};
  std::thread watcher([&, future = promise.GetFuture()] {
    future.OnDone([&](const Future<int>&) { ++calls; });
    try {
      EXPECT_EQ(future.ResultFor(milliseconds(1)), 1);
    } catch (const TimeoutError&) {
    } catch (const CancelledError&) {
    }
  });
  std::thread canceller([&, future = promise.GetFuture()] {
    future.Cancel();
    if (future.Done() && !future.Cancelled()) {
      EXPECT_EQ(future.Result(), 1);
    }
    EXPECT_FALSE(future.Running() && future.Cancelled());
  });
  if (promise.Start()) promise.SetResult(1);
  watcher.join();
  canceller.join();
  EXPECT_EQ(calls, 1);
}

LOCKSTEP_TEST(AsCompleted, TheFirstToEndComesFirst) {
  Promise<int> slow, fast;
  std::thread producer([&] { fast.SetResult(2); });
  AsCompleted<int> completed({slow.GetFuture(), fast.GetFuture()});
  const auto first = completed.Next();  // `slow` ends only after this.
  EXPECT_TRUE(first == fast.GetFuture());
  slow.SetResult(1);
  EXPECT_TRUE(completed.Next() == slow.GetFuture());
  EXPECT_EQ(completed.Next(), std::nullopt);
  producer.join();
}

LOCKSTEP_TEST(AsCompleted, ThoseThatHadEndedComeInTheirOrder) {
  Promise<int> a, b, c;
  c.SetResult(3);
  a.SetException(Error("no"));
  AsCompleted<int> completed({a.GetFuture(), b.GetFuture(), c.GetFuture()});
  EXPECT_TRUE(completed.NextFor(nanoseconds(0)) == a.GetFuture());
  EXPECT_TRUE(completed.NextFor(nanoseconds(0)) == c.GetFuture());
  b.GetFuture().Cancel();
  EXPECT_TRUE(completed.NextFor(nanoseconds(0)) == b.GetFuture())
      << "a cancelled future has ended";
}

LOCKSTEP_TEST(AsCompleted, EachComesOnceThoughListedTwice) {
  Promise<int> a, b;
  AsCompleted<int> completed({a.GetFuture(), b.GetFuture(), a.GetFuture()});
  b.SetResult(2);
  a.SetResult(1);
  EXPECT_TRUE(completed.Next() == b.GetFuture());
  EXPECT_TRUE(completed.Next() == a.GetFuture());
  EXPECT_EQ(completed.Next(), std::nullopt);
}

LOCKSTEP_TEST(AsCompleted, NothingComesFromNothing) {
  AsCompleted<int> completed({});
  EXPECT_EQ(completed.Next(), std::nullopt);
  EXPECT_EQ(completed.NextFor(hours(1)), std::nullopt);
}

LOCKSTEP_TEST(AsCompleted, AnEndDuringTheSetUpIsNotMissed) {
  Promise<int> a, b;
  std::thread producer([&] {
    b.SetResult(2);
    a.SetResult(1);
  });
  AsCompleted<int> completed({a.GetFuture(), b.GetFuture()});
  int sum = 0;
  for (int i = 0; i < 2; ++i) {
    const auto next = completed.Next();
    EXPECT_NE(next, std::nullopt);
    if (next.has_value()) sum += next->Result();
  }
  producer.join();
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(completed.Next(), std::nullopt);
}

LOCKSTEP_TEST(AsCompleted, AfterATimeoutYouMayGoOn) {
  Promise<int> a, b;
  b.SetResult(2);
  AsCompleted<int> completed({a.GetFuture(), b.GetFuture()});
  EXPECT_TRUE(completed.NextFor(milliseconds(1)) == b.GetFuture());
  EXPECT_THROW(completed.NextFor(milliseconds(1)), TimeoutError);
  std::thread producer([&] { a.SetResult(1); });
  EXPECT_TRUE(completed.NextFor(hours(1)) == a.GetFuture());
  producer.join();
}

// Looking again and again would take the lock again and again.
LOCKSTEP_TEST_WITH(AsCompleted, NextSleepsUntilThereIsOne,
                   {.cost_budget = {.lock_operations = 50}}) {
  Promise<int> promise;
  AsCompleted<int> completed({promise.GetFuture()});
  std::thread producer([&] {
    SleepFor(seconds(1));
    promise.SetResult(1);
  });
  EXPECT_TRUE(completed.Next() == promise.GetFuture());
  producer.join();
}

LOCKSTEP_TEST_WITH(AsCompleted, NextHasNoTimeLimit, {.max_steps = kFew}) {
  Promise<int> promise;
  AsCompleted<int> completed({promise.GetFuture()});
  std::thread producer([&] {
    SleepFor(kAYear);
    promise.SetResult(1);
  });
  EXPECT_TRUE(completed.Next() == promise.GetFuture());
  producer.join();
}

LOCKSTEP_TEST_WITH(AsCompleted, ASpuriousWakeUpIsNotAnEnd,
                   {.spurious_wakeups = true}) {
  Promise<int> promise;
  AsCompleted<int> completed({promise.GetFuture()});
  std::thread producer([&] { promise.SetResult(1); });
  EXPECT_TRUE(completed.Next() == promise.GetFuture());
  producer.join();
}

LOCKSTEP_TEST(AsCompleted, TheFuturesMayEndAfterItIsGone) {
  Promise<int> a, b;
  std::thread producer([&] { a.SetResult(1); });
  {
    AsCompleted<int> completed({a.GetFuture(), b.GetFuture()});
    EXPECT_TRUE(completed.Next() == a.GetFuture());
  }
  b.SetResult(2);
  producer.join();
}

}  // namespace
}  // namespace workbook
