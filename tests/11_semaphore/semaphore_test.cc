// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 11. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <limits>
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

// Counts who is between Acquire and Release.
class Inside {
 public:
  explicit Inside(int limit) : limit_(limit) {}

  void Visit() {
    EXPECT_LE(count_.fetch_add(1) + 1, limit_)
        << "more threads are inside than there were permits";
    count_.fetch_sub(1);
  }

 private:
  const int limit_;
  std::atomic<int> count_{0};
};

LOCKSTEP_TEST(Semaphore, AtMostThreeThreadsAreInside) {
  Semaphore semaphore(3);
  Inside inside(3);
  const auto visit = [&] {
    semaphore.Acquire();
    inside.Visit();
    semaphore.Release();
  };
  std::thread a(visit), b(visit), c(visit);
  visit();
  a.join();
  b.join();
  c.join();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire()) << "there is a fourth permit";
}

LOCKSTEP_TEST(Semaphore, ThreeThreadsShareOnePermit) {
  Semaphore semaphore(1);
  Inside inside(1);
  const auto visit = [&] {
    semaphore.Acquire();
    inside.Visit();
    semaphore.Release();
  };
  std::thread a(visit), b(visit);
  visit();
  a.join();
  b.join();
}

LOCKSTEP_TEST(Semaphore, TheNextHolderSeesWhatTheLastOneWrote) {
  Semaphore semaphore(1);
  int written = 0;
  const auto write = [&] {
    semaphore.Acquire();
    ++written;
    semaphore.Release();
  };
  std::thread a(write), b(write);
  a.join();
  b.join();
  EXPECT_EQ(written, 2);
}

LOCKSTEP_TEST(Semaphore, ExactlyAsManyAcquiresSucceedAsThereArePermits) {
  Semaphore semaphore(3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(semaphore.TryAcquire()) << "permit " << i + 1 << " of 3";
  }
  EXPECT_FALSE(semaphore.TryAcquire()) << "a fourth permit of 3";
  semaphore.Release();
  semaphore.Acquire();
  EXPECT_FALSE(semaphore.TryAcquire());
}

LOCKSTEP_TEST(Semaphore, TheLastPermitIsTakenOnce) {
  Semaphore semaphore(1);
  std::atomic<int> taken{0};
  const auto attempt = [&] {
    if (semaphore.TryAcquire()) ++taken;
  };
  std::thread a(attempt), b(attempt);
  a.join();
  b.join();
  EXPECT_EQ(taken, 1);
}

LOCKSTEP_TEST(Semaphore, TwoTriesTakeTwoPermits) {
  Semaphore semaphore(2);
  std::thread other([&] { EXPECT_TRUE(semaphore.TryAcquire()); });
  EXPECT_TRUE(semaphore.TryAcquire()) << "there was a permit for each";
  other.join();
}

LOCKSTEP_TEST(Semaphore, TryAcquireNeverWaits) {
  Semaphore semaphore(0);
  std::thread other([&] { EXPECT_FALSE(semaphore.TryAcquire()); });
  other.join();  // A TryAcquire that waits would wait for ever.
}

LOCKSTEP_TEST(Semaphore, AcquireWaitsUntilAnotherThreadReleases) {
  Semaphore semaphore(0);
  std::atomic<bool> releasing{false};
  std::thread waiter([&] {
    semaphore.Acquire();
    EXPECT_TRUE(releasing) << "Acquire returned without a permit";
  });
  releasing = true;
  semaphore.Release();
  waiter.join();
  EXPECT_FALSE(semaphore.TryAcquire()) << "the permit has been taken";
}

LOCKSTEP_TEST(Semaphore, ReleaseOfTwoReleasesTwoWaitingThreads) {
  Semaphore semaphore(0);
  std::thread a([&] { semaphore.Acquire(); });
  std::thread b([&] { semaphore.Acquire(); });
  semaphore.Release(2);
  a.join();
  b.join();
  EXPECT_FALSE(semaphore.TryAcquire()) << "two were released, two were taken";
}

LOCKSTEP_TEST(Semaphore, ReleaseOfThreeReleasesThreeWaitingThreads) {
  Semaphore semaphore(0);
  const auto take = [&] { semaphore.Acquire(); };
  std::thread a(take), b(take), c(take);
  semaphore.Release(3);
  a.join();
  b.join();
  c.join();
}

LOCKSTEP_TEST_WITH(Semaphore, AWaitingThreadSleeps,
                   {.forbid_busy_waiting = true}) {
  Semaphore semaphore(0);
  std::thread a([&] { semaphore.Acquire(); });
  std::thread b([&] { EXPECT_TRUE(semaphore.AcquireFor(hours(1))); });
  LetOthersWait();
  semaphore.Release(2);
  a.join();
  b.join();
}

LOCKSTEP_TEST_WITH(Semaphore, ASpuriousWakeUpIsNotAPermit,
                   {.spurious_wakeups = true}) {
  Semaphore semaphore(0);
  std::atomic<bool> releasing{false};
  std::thread waiter([&] {
    semaphore.Acquire();
    EXPECT_TRUE(releasing) << "Acquire returned without a permit";
    EXPECT_TRUE(semaphore.AcquireFor(hours(1)));
  });
  releasing = true;
  semaphore.Release();
  semaphore.Release();
  waiter.join();
}

LOCKSTEP_TEST(Semaphore, TwoReleasesReleaseTwoWaitingThreads) {
  Semaphore semaphore(0);
  std::thread a([&] { semaphore.Acquire(); });
  std::thread b([&] { semaphore.Acquire(); });
  semaphore.Release();
  semaphore.Release();
  a.join();
  b.join();
  EXPECT_FALSE(semaphore.TryAcquire()) << "two were released, two were taken";
}

TEST(Semaphore, ItBeginsWithOnePermitUnlessToldOtherwise) {
  Semaphore semaphore;
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire());
}

TEST(Semaphore, ANumberOfPermitsThatMakesNoSenseIsRefused) {
  EXPECT_THROW(Semaphore(-1), std::invalid_argument);
  EXPECT_THROW(Semaphore(3, /*limit=*/2), std::invalid_argument);
  EXPECT_NO_THROW(Semaphore(0));
  EXPECT_NO_THROW(Semaphore(2, /*limit=*/2));
}

TEST(Semaphore, ReleasingFewerThanOneIsRefused) {
  Semaphore semaphore(0);
  EXPECT_THROW(semaphore.Release(0), std::invalid_argument);
  EXPECT_THROW(semaphore.Release(-1), std::invalid_argument);
  EXPECT_FALSE(semaphore.TryAcquire()) << "a refused call changes nothing";
}

TEST(Semaphore, ItMayHaveMorePermitsThanItBeganWith) {
  Semaphore semaphore(1);
  EXPECT_NO_THROW(semaphore.Release(2));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire());
}

TEST(Semaphore, TheNumberOfPermitsDoesNotOverflow) {
  Semaphore semaphore(1);
  EXPECT_THROW(semaphore.Release(std::numeric_limits<int>::max()),
               std::logic_error);
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire()) << "a refused call changes nothing";
}

LOCKSTEP_TEST(Semaphore, AcquireForGivesUpAfterTheTimeout) {
  Semaphore semaphore(0);
  const auto start = steady_clock::now();
  EXPECT_FALSE(semaphore.AcquireFor(milliseconds(100)));
  EXPECT_GE(steady_clock::now() - start, milliseconds(100))
      << "it gave up too early";
  EXPECT_FALSE(semaphore.AcquireFor(nanoseconds(0))) << "0 means: look once";
}

LOCKSTEP_TEST(Semaphore, AnAcquireThatGaveUpTookNothing) {
  Semaphore semaphore(0);
  EXPECT_FALSE(semaphore.AcquireFor(milliseconds(1)));
  semaphore.Release();
  EXPECT_TRUE(semaphore.TryAcquire()) << "the permit went to nobody";
  EXPECT_FALSE(semaphore.TryAcquire());
}

LOCKSTEP_TEST(Semaphore, AcquireForTakesAPermitThatIsReleasedInTime) {
  Semaphore semaphore(0);
  std::thread waiter([&] { EXPECT_TRUE(semaphore.AcquireFor(hours(1))); });
  semaphore.Release();
  waiter.join();
  EXPECT_FALSE(semaphore.TryAcquire()) << "the permit has been taken";
}

LOCKSTEP_TEST(Semaphore, AWakeUpDoesNotRestartTheTimeout) {
  Semaphore semaphore(0);
  std::thread waiter([&] {
    const auto start = steady_clock::now();
    if (!semaphore.AcquireFor(milliseconds(100)) && lockstep::Supported()) {
      // Time is virtual, so exact.
      EXPECT_LE(steady_clock::now() - start, milliseconds(101))
          << "the deadline moved when a permit came and went";
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(60));
    semaphore.Release();     // Wakes the waiter ...
    semaphore.TryAcquire();  // ... and may take the permit before it looks.
  }
  waiter.join();
}

// A notification may reach a thread at the moment in which it gives up. Then it
// has to look once more, for nobody else is told of the permit.
LOCKSTEP_TEST(Semaphore, WhoGivesUpSwallowsNoWakeUp) {
  Semaphore semaphore(0);
  std::thread impatient([&] {
    if (semaphore.AcquireFor(milliseconds(1))) semaphore.Release();
  });
  std::thread patient([&] { semaphore.Acquire(); });
  LetOthersWait();
  semaphore.Release();
  impatient.join();
  patient.join();
}

TEST(Semaphore, ANegativeTimeoutIsRefused) {
  Semaphore semaphore(1);
  EXPECT_THROW(semaphore.AcquireFor(nanoseconds(-1)), std::invalid_argument);
  EXPECT_TRUE(semaphore.TryAcquire()) << "a refused call takes no permit";
}

// A deadline that overflowed lies in the past, so the call gives up as soon as
// time passes.
LOCKSTEP_TEST(Semaphore, AHugeTimeoutDoesNotOverflow) {
  Semaphore semaphore(0);
  std::thread waiter(
      [&] { EXPECT_TRUE(semaphore.AcquireFor(nanoseconds::max())); });
  LetOthersWait();
  semaphore.Release();
  waiter.join();
}

LOCKSTEP_TEST(Semaphore, WhoeverAcquiresLastMayDestroyIt) {
  auto semaphore = std::make_unique<Semaphore>(0);
  std::thread releaser([&semaphore = *semaphore] { semaphore.Release(); });
  semaphore->Acquire();
  semaphore.reset();
  releaser.join();
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(Semaphore, AllItsOperationsMayMeet) {
  Semaphore semaphore(1);
  Inside inside(1);
  std::thread a([&] {
    semaphore.Acquire();
    inside.Visit();
    semaphore.Release();
  });
  std::thread b([&] {
    if (semaphore.AcquireFor(milliseconds(1))) {
      inside.Visit();
      semaphore.Release();
    }
  });
  if (semaphore.TryAcquire()) {
    inside.Visit();
    semaphore.Release();
  }
  a.join();
  b.join();
  EXPECT_TRUE(semaphore.TryAcquire()) << "everybody has left";
  EXPECT_FALSE(semaphore.TryAcquire());
}

TEST(BoundedSemaphore, AReleaseTooManyIsRefused) {
  BoundedSemaphore semaphore(2);
  EXPECT_THROW(semaphore.Release(), std::logic_error);
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_THROW(semaphore.Release(2), std::logic_error);
  EXPECT_NO_THROW(semaphore.Release());
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_TRUE(semaphore.TryAcquire());
  EXPECT_FALSE(semaphore.TryAcquire()) << "a refused call changes nothing";
  EXPECT_THROW(BoundedSemaphore(0).Release(), std::logic_error);
}

LOCKSTEP_TEST(BoundedSemaphore, OfTwoReleasesTheOneTooManyIsRefused) {
  BoundedSemaphore semaphore(1);
  EXPECT_TRUE(semaphore.TryAcquire());
  std::atomic<int> refused{0};
  const auto release = [&] {
    try {
      semaphore.Release();
    } catch (const std::logic_error&) {
      ++refused;
    }
  };
  std::thread a(release), b(release);
  a.join();
  b.join();
  EXPECT_EQ(refused, 1);
}

LOCKSTEP_TEST(WithPermit, ThePermitIsHeldWhileTheWorkRuns) {
  Semaphore semaphore(1);
  bool worked = false;
  WithPermit(semaphore, [&] {
    worked = true;
    EXPECT_FALSE(semaphore.TryAcquire()) << "the permit is not held";
  });
  EXPECT_TRUE(worked);
  EXPECT_TRUE(semaphore.TryAcquire()) << "the permit was not given back";
}

LOCKSTEP_TEST(WithPermit, AnExceptionGivesThePermitBack) {
  Semaphore semaphore(1);
  EXPECT_THROW(
      WithPermit(semaphore, [] { throw std::runtime_error("work failed"); }),
      std::runtime_error);
  EXPECT_TRUE(semaphore.TryAcquire()) << "the permit was not given back";
}

TEST(WithPermit, AnExceptionOfAnyTypeGivesItBack) {
  Semaphore semaphore(1);
  EXPECT_THROW(WithPermit(semaphore, [] { throw 42; }), int);
  EXPECT_TRUE(semaphore.TryAcquire()) << "the permit was not given back";
}

LOCKSTEP_TEST(WithPermit, AThreadWaitsForItsTurn) {
  Semaphore semaphore(1);
  Inside inside(1);
  const auto visit = [&] { WithPermit(semaphore, [&] { inside.Visit(); }); };
  std::thread other(visit);
  visit();
  other.join();
}

// One acquisition of the mutex for each call.
LOCKSTEP_TEST_WITH(Semaphore, AcquireAndReleaseTakeTheMutexOnce,
                   {.cost_budget = {.lock_operations = 2}}) {
  Semaphore semaphore(0);
  semaphore.Release();
  semaphore.Acquire();
}

}  // namespace
}  // namespace workbook
