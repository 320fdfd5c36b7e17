// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 22. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <exception>
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

class PaperJam : public std::runtime_error {
 public:
  explicit PaperJam(int page) : std::runtime_error("paper jam"), page(page) {}
  int page;
};

// For pools whose callbacks throw nothing.
void NoStrayErrors(std::exception_ptr) {
  ADD_FAILURE() << "an error went to the handler of the pool";
}

// Longer than any timeout that stands for "for ever". Virtual where schedules
// are explored; real, and so short, elsewhere.
void SleepForAYear() {
  std::this_thread::sleep_for(
      lockstep::Supported() ? nanoseconds(hours(24 * 365)) : milliseconds(1));
}

// Steps, where a right answer needs a hundred, and a wrong one never ends.
constexpr int kFew = 2'000;

LOCKSTEP_TEST(Result, AnErrorArrivesWithItsTypeAndMessage) {
  Pool pool(1, NoStrayErrors);
  const auto future =
      pool.Submit([]() -> int { throw std::out_of_range("page 7"); });
  try {
    future.Result();
    ADD_FAILURE() << "the error was swallowed";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "page 7");
  } catch (const std::exception& error) {
    ADD_FAILURE() << "it has lost its type: " << error.what();
  }
}

LOCKSTEP_TEST(Result, ADerivedErrorIsNotSliced) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([]() -> int { throw PaperJam(7); });
  try {
    future.Result();
    ADD_FAILURE() << "the error was swallowed";
  } catch (const PaperJam& jam) {
    EXPECT_EQ(jam.page, 7);
  } catch (const std::exception&) {
    ADD_FAILURE() << "only its base class has arrived";
  }
}

LOCKSTEP_TEST(Result, AnErrorOfAnyTypeArrives) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([]() -> int { throw 42; });
  EXPECT_THROW(future.Result(), int);
}

LOCKSTEP_TEST(Result, ANestedErrorKeepsItsCause) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([]() -> int {
    try {
      throw PaperJam(7);
    } catch (...) {
      std::throw_with_nested(std::runtime_error("cannot print"));
    }
  });
  int page = 0;
  try {
    future.Result();
  } catch (const std::runtime_error& error) {
    try {
      std::rethrow_if_nested(error);
    } catch (const PaperJam& jam) {
      page = jam.page;
    }
  }
  EXPECT_EQ(page, 7) << "the cause was lost";
}

LOCKSTEP_TEST(Result, EveryReaderGetsTheError) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([]() -> int { throw PaperJam(7); });
  const auto read = [&] {
    for (int i = 0; i < 2; ++i) EXPECT_THROW(future.Result(), PaperJam);
  };
  std::thread other(read);
  read();
  other.join();
}

LOCKSTEP_TEST(Result, AResultCanBeReadAgain) {
  const std::string text = "a result that is longer than a short string";
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([text] { return text; });
  EXPECT_EQ(future.Result(), text);
  EXPECT_EQ(future.Result(), text) << "the first reader took it away";
  EXPECT_EQ(future.ResultFor(hours(1)), text) << "a reader took it away";
}

LOCKSTEP_TEST(Result, AnErrorWakesAWaitingReader) {
  std::latch gate(1);
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([&]() -> int {
    gate.wait();
    throw PaperJam(7);
  });
  std::thread reader([&] { EXPECT_THROW(future.Result(), PaperJam); });
  gate.count_down();
  reader.join();
}

LOCKSTEP_TEST(Result, ATimeoutIsNoErrorOfTheTask) {
  std::latch gate(1);
  Pool pool(1, NoStrayErrors);
  const auto slow = pool.Submit([&] {
    gate.wait();
    return 1;
  });
  EXPECT_EQ(slow.ResultFor(milliseconds(1)), std::nullopt);
  EXPECT_FALSE(slow.Cancelled());
  gate.count_down();
  EXPECT_EQ(slow.ResultFor(hours(1)), 1);
  const auto fails = pool.Submit([]() -> int { throw PaperJam(7); });
  EXPECT_THROW(fails.ResultFor(nanoseconds::max()), PaperJam);
}

LOCKSTEP_TEST(Exception, ItIsNullForAResult) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([] { return 1; });
  EXPECT_EQ(future.Exception(), nullptr);
  EXPECT_EQ(future.Result(), 1);
}

LOCKSTEP_TEST(Exception, LookingAtItDoesNotTakeItAway) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([]() -> int { throw PaperJam(7); });
  const std::exception_ptr first = future.Exception();
  EXPECT_NE(first, nullptr) << "the error was swallowed";
  EXPECT_EQ(future.Exception(), first) << "the second look finds another";
  EXPECT_THROW(future.Result(), PaperJam);
}

LOCKSTEP_TEST(Exception, ItWaitsForTheEnd) {
  std::latch gate(1);
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([&]() -> int {
    gate.wait();
    throw PaperJam(7);
  });
  std::thread reader([&] {
    EXPECT_NE(future.Exception(), nullptr) << "it did not wait for the error";
  });
  gate.count_down();
  reader.join();
}

LOCKSTEP_TEST_WITH(Exception, ASpuriousWakeUpIsNotTheEnd,
                   {.spurious_wakeups = true}) {
  std::latch gate(1);
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([&]() -> int {
    gate.wait();
    throw PaperJam(7);
  });
  std::thread reader([&] {
    EXPECT_NE(future.Exception(), nullptr) << "the task had not ended";
  });
  gate.count_down();
  reader.join();
}

// However long that takes, and without a look in between.
LOCKSTEP_TEST_WITH(Exception, ItSleepsUntilTheEnd, {.max_steps = kFew}) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([]() -> int {
    SleepForAYear();
    throw PaperJam(7);
  });
  EXPECT_NE(future.Exception(), nullptr) << "the error was swallowed";
}

// So it goes with a task that asks for the result of a cancelled one.
LOCKSTEP_TEST(Exception, ATaskMayFailWithACancelledError) {
  Pool pool(1, NoStrayErrors);
  const auto future = pool.Submit([]() -> int { throw CancelledError(); });
  try {
    EXPECT_NE(future.Exception(), nullptr) << "the error was swallowed";
  } catch (const CancelledError&) {
    ADD_FAILURE() << "the task threw this: it has failed, nobody cancelled it";
  }
  EXPECT_FALSE(future.Cancelled()) << "it has failed, nobody cancelled it";
  EXPECT_THROW(future.Result(), CancelledError);
}

LOCKSTEP_TEST(Cancel, ACancelledTaskHasNeitherResultNorError) {
  std::latch gate(1);
  Pool pool(1, NoStrayErrors);
  pool.Submit([&] {
    gate.wait();
    return 1;
  });
  const auto future = pool.Submit([] { return 2; });
  EXPECT_TRUE(future.Cancel());
  EXPECT_THROW(future.Result(), CancelledError);
  EXPECT_THROW(future.ResultFor(nanoseconds(0)), CancelledError);
  EXPECT_THROW(future.Exception(), CancelledError)
      << "null would mean that it succeeded";
  gate.count_down();
}

LOCKSTEP_TEST(Callback, ItSeesTheError) {
  std::atomic<int> page{0};
  {
    Pool pool(1, NoStrayErrors);
    const auto future = pool.Submit([]() -> int { throw PaperJam(7); });
    future.OnDone([&](const Future<int>& failed) {
      try {
        failed.Result();
      } catch (const PaperJam& jam) {
        page = jam.page;
      }
    });
  }
  EXPECT_EQ(page, 7) << "a failed task has callbacks, too";
}

LOCKSTEP_TEST(Callback, ItRunsWhateverTheOutcome) {
  std::atomic<int> calls{0};
  {
    Pool pool(1, NoStrayErrors);
    const auto count = [&](const Future<int>&) { ++calls; };
    pool.Submit([] { return 1; }).OnDone(count);
    pool.Submit([]() -> int { throw 42; }).OnDone(count);
    const auto cancelled = pool.Submit([] { return 3; });
    cancelled.OnDone(count);
    cancelled.Cancel();
  }
  EXPECT_EQ(calls, 3);
}

LOCKSTEP_TEST(Callback, ItsOwnErrorGoesToTheHandler) {
  std::atomic<int> stray{0};
  std::atomic<int> calls{0};
  {
    Pool pool(1, [&](std::exception_ptr error) {
      ++stray;
      EXPECT_THROW(std::rethrow_exception(error), PaperJam);
    });
    std::latch gate(1);
    const auto future = pool.Submit([&] {
      gate.wait();
      return 1;
    });
    future.OnDone([](const Future<int>&) { throw PaperJam(7); });
    future.OnDone([&](const Future<int>&) { ++calls; });
    gate.count_down();
    EXPECT_EQ(future.Result(), 1) << "the task itself has not failed";
    EXPECT_EQ(pool.Submit([] { return 2; }).Result(), 2)
        << "the worker goes on";
  }
  EXPECT_EQ(stray, 1) << "an error was swallowed";
  EXPECT_EQ(calls, 1) << "the other callback was skipped";
}

LOCKSTEP_TEST(Callback, AddedLateItsErrorGoesToTheHandlerToo) {
  std::atomic<int> stray{0};
  Pool pool(1, [&](std::exception_ptr) { ++stray; });
  const auto future = pool.Submit([] { return 1; });
  future.Result();
  EXPECT_NO_THROW(future.OnDone([](const Future<int>&) { throw 42; }));
  EXPECT_NO_THROW(future.OnDone([](const Future<int>&) { throw PaperJam(7); }));
  EXPECT_EQ(stray, 2);
}

// The handler would wait for itself if the lock were held.
LOCKSTEP_TEST(Callback, TheHandlerMayUseTheFuture) {
  std::latch gate(1);
  std::atomic<int> stray{0};
  std::optional<Future<int>> future;
  {
    Pool pool(1, [&](std::exception_ptr) {
      ++stray;
      EXPECT_EQ(future->Result(), 1);
      EXPECT_FALSE(future->Cancel());
    });
    future = pool.Submit([&] {
      gate.wait();
      return 1;
    });
    future->OnDone([](const Future<int>&) { throw PaperJam(7); });
    gate.count_down();
  }
  EXPECT_EQ(stray, 1) << "an error was swallowed";
}

LOCKSTEP_TEST(Callback, ItMayDestroyTheFuture) {
  std::latch gate(1);
  std::atomic<int> stray{0};
  Pool pool(1, [&](std::exception_ptr) { ++stray; });
  pool.Submit([&] {
    gate.wait();
    return 1;
  });
  int calls = 0;
  auto future = std::make_unique<Future<int>>(pool.Submit([] { return 2; }));
  future->OnDone([&](const Future<int>&) { future.reset(); });
  future->OnDone([&](const Future<int>& self) {
    ++calls;
    EXPECT_TRUE(self.Cancelled());
    throw PaperJam(7);
  });
  future->Cancel();
  EXPECT_EQ(calls, 1) << "the other callback was skipped";
  EXPECT_EQ(stray, 1) << "an error was swallowed";
  gate.count_down();
  auto late = std::make_unique<Future<int>>(pool.Submit([] { return 3; }));
  late->Result();
  late->OnDone([&](const Future<int>&) {
    late.reset();
    throw PaperJam(7);
  });
  EXPECT_EQ(stray, 2) << "an error was swallowed";
}

LOCKSTEP_TEST(Callback, ItMayUseTheFuture) {
  Pool pool(1, NoStrayErrors);
  std::atomic<int> inner_calls{0};
  const auto future = pool.Submit([]() -> int { throw PaperJam(7); });
  future.OnDone([&](const Future<int>& failed) {
    EXPECT_NE(failed.Exception(), nullptr) << "the error was swallowed";
    failed.OnDone([&](const Future<int>&) { ++inner_calls; });
  });
  pool.Submit([] { return 1; }).Result();
  EXPECT_EQ(inner_calls, 1);
}

LOCKSTEP_TEST(Pool, TheWorkerSurvivesAnyError) {
  Pool pool(1, NoStrayErrors);
  pool.Submit([]() -> int { throw 42; });
  pool.Submit([]() -> int { throw PaperJam(7); });
  EXPECT_EQ(pool.Submit([] { return 1; }).Result(), 1);
}

LOCKSTEP_TEST(Pool, OneFailureDoesNotTouchTheOthers) {
  Pool pool(2, NoStrayErrors);
  const auto bad = pool.Submit([]() -> int { throw PaperJam(7); });
  const auto good = pool.Submit([] { return 1; });
  EXPECT_EQ(good.Result(), 1);
  EXPECT_THROW(bad.Result(), PaperJam);
}

LOCKSTEP_TEST(Pool, LeavingItWaitsForAllInSpiteOfErrors) {
  std::atomic<int> ran{0};
  {
    Pool pool(1, NoStrayErrors);
    for (int i = 0; i < 3; ++i) {
      pool.Submit([&ran]() -> int {
        ++ran;
        throw PaperJam(7);
      });
    }
  }
  EXPECT_EQ(ran, 3);
}

LOCKSTEP_TEST(WaitForFirstError, ItReturnsAtTheFirstError) {
  std::latch gate(1);
  std::atomic<bool> failing{false};
  Pool pool(2, NoStrayErrors);
  const auto slow = pool.Submit([&] {
    gate.wait();
    return 1;
  });
  const auto bad = pool.Submit([&]() -> int {
    failing = true;
    throw PaperJam(7);
  });
  WaitForFirstError<int>({slow, bad});
  EXPECT_TRUE(failing) << "it returned too early";
  gate.count_down();  // Only now can the slow task end.
}

LOCKSTEP_TEST(WaitForFirstError, WithoutErrorsItWaitsForAll) {
  std::atomic<int> ran{0};
  Pool pool(2, NoStrayErrors);
  const auto a = pool.Submit([&] { return ++ran; });
  const auto b = pool.Submit([&] { return ++ran; });
  WaitForFirstError<int>({a, b});
  EXPECT_EQ(ran, 2) << "it returned too early";
}

LOCKSTEP_TEST(WaitForFirstError, AnErrorBeforeTheCallCounts) {
  std::latch gate(1);
  Pool pool(2, NoStrayErrors);
  const auto bad = pool.Submit([]() -> int { throw PaperJam(7); });
  EXPECT_NE(bad.Exception(), nullptr) << "the error was swallowed";
  const auto slow = pool.Submit([&] {
    gate.wait();
    return 1;
  });
  WaitForFirstError<int>({slow, bad});
  gate.count_down();
}

LOCKSTEP_TEST(WaitForFirstError, AnErrorOfAnyTypeCounts) {
  std::latch gate(1);
  Pool pool(2, NoStrayErrors);
  const auto slow = pool.Submit([&] {
    gate.wait();
    return 1;
  });
  WaitForFirstError<int>({slow, pool.Submit([]() -> int { throw 42; })});
  // Thrown, it is an error like any other.
  WaitForFirstError<int>(
      {slow, pool.Submit([]() -> int { throw CancelledError(); })});
  gate.count_down();  // Only now can the slow task end.
}

// However long that takes, and without a look in between.
LOCKSTEP_TEST_WITH(WaitForFirstError, ItSleepsUntilThen, {.max_steps = kFew}) {
  Pool pool(1, NoStrayErrors);
  const auto slow = pool.Submit([] {
    SleepForAYear();
    return 1;
  });
  WaitForFirstError<int>({slow});
}

LOCKSTEP_TEST(WaitForFirstError, ACancelledTaskHasNotFailed) {
  std::latch gate(1);
  std::atomic<bool> ran{false};
  Pool pool(1, NoStrayErrors);
  const auto slow = pool.Submit([&] {
    gate.wait();
    ran = true;
    return 1;
  });
  const auto cancelled = pool.Submit([] { return 2; });
  cancelled.Cancel();
  std::thread opens([&] { gate.count_down(); });
  WaitForFirstError<int>({cancelled, slow});
  EXPECT_TRUE(ran) << "it returned too early";
  opens.join();
}

LOCKSTEP_TEST(WaitForFirstError, OfNothingItReturnsAtOnce) {
  WaitForFirstError<int>({});
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(Future, AllItsOperationsMayMeet) {
  std::atomic<int> calls{0};
  {
    Pool pool(1, NoStrayErrors);
    const auto future = pool.Submit([]() -> int { throw PaperJam(7); });
    std::thread canceller([&] {
      future.Cancel();
      future.OnDone([&](const Future<int>&) { ++calls; });
    });
    try {
      const std::exception_ptr error = future.Exception();
      EXPECT_NE(error, nullptr) << "the error was swallowed";
      EXPECT_THROW(future.ResultFor(nanoseconds(0)), PaperJam);
    } catch (const CancelledError&) {
      EXPECT_TRUE(future.Cancelled());
    }
    canceller.join();
  }
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace workbook
