// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 08. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

// An answer may be annotated for clang's thread-safety analysis. These tests
// break its rules on purpose: they release twice, and in another thread.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

namespace workbook {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// Counts who is between Acquire and Release.
class Inside {
 public:
  void Visit() {
    EXPECT_EQ(count_.fetch_add(1) + 1, 1) << "two threads hold the lock";
    count_.fetch_sub(1);
  }

 private:
  std::atomic<int> count_{0};
};

LOCKSTEP_TEST(Lock, TwoThreadsNeverHoldItTogether) {
  Lock lock;
  Inside inside;
  const auto visit = [&] {
    lock.Acquire();
    inside.Visit();
    lock.Release();
  };
  std::thread a(visit), b(visit);
  a.join();
  b.join();
}

LOCKSTEP_TEST(Lock, TheNextHolderSeesWhatTheLastOneWrote) {
  Lock lock;
  int written = 0;
  const auto write = [&] {
    lock.Acquire();
    ++written;
    lock.Release();
  };
  std::thread a(write), b(write);
  a.join();
  b.join();
  EXPECT_EQ(written, 2);
}

LOCKSTEP_TEST(Lock, AWaitingThreadGoesOnAfterRelease) {
  Lock lock;
  lock.Acquire();
  std::thread waiter([&] {
    lock.Acquire();
    lock.Release();
  });
  lock.Release();
  waiter.join();
}

// Asking again and again costs a lock operation each time; sleeping does not.
LOCKSTEP_TEST_WITH(Lock, AWaitingThreadSleeps,
                   {.forbid_busy_waiting = true,
                    .cost_budget = {.lock_operations = 12}}) {
  Lock lock;
  lock.Acquire();
  std::thread waiter([&] {
    lock.Acquire();
    lock.Release();
  });
  lock.Release();
  waiter.join();
}

LOCKSTEP_TEST(Lock, FiveWaitingThreadsAllGetThrough) {
  Lock lock;
  Inside inside;
  std::atomic<bool> released{false};
  lock.Acquire();
  std::vector<std::thread> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.emplace_back([&] {
      lock.Acquire();
      EXPECT_TRUE(released) << "Acquire returned while the lock was held";
      inside.Visit();
      EXPECT_NO_THROW(lock.Release());
    });
  }
  released = true;
  EXPECT_NO_THROW(lock.Release());
  for (std::thread& waiter : waiters) waiter.join();
}

LOCKSTEP_TEST(Lock, ASecondAcquireByTheSameThreadWaits) {
  Lock lock;
  std::latch held(1);
  std::atomic<bool> released{false};
  std::thread owner([&] {
    lock.Acquire();
    held.count_down();
    lock.Acquire();
    EXPECT_TRUE(released) << "the lock is not recursive";
    lock.Release();
  });
  held.wait();
  released = true;
  lock.Release();
  owner.join();
}

LOCKSTEP_TEST(Lock, AnotherThreadMayRelease) {
  Lock lock;
  lock.Acquire();
  std::thread other([&] { lock.Release(); });
  lock.Acquire();  // Only possible after the other thread's Release().
  lock.Release();
  other.join();
}

LOCKSTEP_TEST(Lock, ReleaseOfAFreeLockIsRefused) {
  Lock lock;
  EXPECT_THROW(lock.Release(), std::logic_error);
  lock.Acquire();
  lock.Release();
  EXPECT_THROW(lock.Release(), std::logic_error);
  EXPECT_TRUE(lock.TryAcquire()) << "a refused Release() changes nothing";
}

LOCKSTEP_TEST(Lock, TryAcquireTakesAFreeLock) {
  Lock lock;
  EXPECT_TRUE(lock.TryAcquire());
  EXPECT_FALSE(lock.TryAcquire()) << "now it is held";
  lock.Release();
  EXPECT_TRUE(lock.TryAcquire());
}

LOCKSTEP_TEST(Lock, TryAcquireNeverWaits) {
  Lock lock;
  lock.Acquire();
  std::thread other([&] { EXPECT_FALSE(lock.TryAcquire()); });
  other.join();  // Still held: a TryAcquire that waits would wait for ever.
  lock.Release();
}

LOCKSTEP_TEST(Lock, OnlyOneTryAcquireSucceeds) {
  Lock lock;
  std::atomic<int> taken{0};
  const auto attempt = [&] {
    if (lock.TryAcquire()) ++taken;
  };
  std::thread a(attempt), b(attempt);
  a.join();
  b.join();
  EXPECT_EQ(taken, 1);
}

LOCKSTEP_TEST(Lock, AcquireForGivesUpAfterTheTimeout) {
  Lock lock;
  lock.Acquire();
  const auto start = steady_clock::now();
  EXPECT_FALSE(lock.AcquireFor(milliseconds(100)));
  EXPECT_GE(steady_clock::now() - start, milliseconds(100))
      << "it gave up too early";
  EXPECT_FALSE(lock.AcquireFor(nanoseconds(0))) << "0 means: look once";
}

LOCKSTEP_TEST(Lock, AcquireForTakesALockThatBecomesFree) {
  Lock lock;
  lock.Acquire();
  std::thread waiter([&] {
    EXPECT_TRUE(lock.AcquireFor(hours(1)));
    lock.Release();
  });
  lock.Release();
  waiter.join();
}

LOCKSTEP_TEST(Lock, AWakeUpDoesNotRestartTheTimeout) {
  Lock lock;
  lock.Acquire();
  std::thread waiter([&] {
    const auto start = steady_clock::now();
    const bool taken = lock.AcquireFor(milliseconds(100));
    if (lockstep::Supported()) {  // Time is virtual, so exact.
      EXPECT_LE(steady_clock::now() - start, milliseconds(101))
          << "the deadline moved when the lock changed hands";
    }
    if (taken) lock.Release();
  });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(60));
    lock.Release();  // Wakes the waiter ...
    lock.Acquire();  // ... and may take the lock before it looks.
  }
  lock.Release();
  waiter.join();
}

LOCKSTEP_TEST(Lock, AfterATimeoutTheLockIsStillSound) {
  Lock lock;
  lock.Acquire();
  std::thread waiter([&] { EXPECT_FALSE(lock.AcquireFor(milliseconds(1))); });
  waiter.join();
  std::thread next([&] {
    lock.Acquire();
    lock.Release();
  });
  lock.Release();
  next.join();
  EXPECT_TRUE(lock.TryAcquire());
}

LOCKSTEP_TEST(Lock, ANegativeTimeoutIsRefused) {
  Lock lock;
  EXPECT_THROW(lock.AcquireFor(nanoseconds(-1)), std::invalid_argument);
  EXPECT_TRUE(lock.TryAcquire()) << "a refused call does not take the lock";
}

LOCKSTEP_TEST(Lock, AHugeTimeoutDoesNotOverflow) {
  Lock lock;
  lock.Acquire();
  std::thread waiter([&] {
    EXPECT_TRUE(lock.AcquireFor(nanoseconds::max()));
    lock.Release();
  });
  lock.Release();
  waiter.join();
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(Lock, AllItsOperationsMayMeet) {
  Lock lock;
  Inside inside;
  std::thread a([&] {
    lock.Acquire();
    inside.Visit();
    lock.Release();
  });
  std::thread b([&] {
    if (lock.TryAcquire()) {
      inside.Visit();
      lock.Release();
    }
  });
  std::thread c([&] {
    if (lock.AcquireFor(milliseconds(1))) {
      inside.Visit();
      lock.Release();
    }
  });
  a.join();
  b.join();
  c.join();
  EXPECT_TRUE(lock.TryAcquire()) << "everybody has left";
}

LOCKSTEP_TEST(Holding, ItHoldsTheLockForTheLengthOfItsScope) {
  Lock lock;
  {
    Holding holding(lock);
    EXPECT_FALSE(lock.TryAcquire());
  }
  EXPECT_TRUE(lock.TryAcquire());
}

LOCKSTEP_TEST(Holding, AnExceptionReleasesIt) {
  Lock lock;
  try {
    Holding holding(lock);
    throw std::runtime_error("the scope is left by an exception");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(lock.TryAcquire()) << "the lock is still held";
}

LOCKSTEP_TEST(Counter, EveryIncrementIsCounted) {
  Counter counter;
  const auto increment = [&] {
    for (int i = 0; i < 2; ++i) {
      counter.Update([](int value) { return value + 1; });
    }
  };
  std::thread a(increment), b(increment);
  a.join();
  b.join();
  EXPECT_EQ(counter.Value(), 4);
}

LOCKSTEP_TEST(Counter, ReadingWhileAnotherThreadUpdatesIsSafe) {
  Counter counter;
  std::thread writer(
      [&] { counter.Update([](int value) { return value + 10; }); });
  const int seen = counter.Value();
  EXPECT_TRUE(seen == 0 || seen == 10) << "seen: " << seen;
  writer.join();
  EXPECT_EQ(counter.Value(), 10);
}

LOCKSTEP_TEST(Counter, AnExceptionLeavesItUsable) {
  Counter counter;
  std::thread unlucky([&] {
    EXPECT_THROW(
        counter.Update([](int) -> int { throw std::runtime_error("no"); }),
        std::runtime_error);
  });
  counter.Update([](int value) { return value + 1; });
  unlucky.join();
  EXPECT_EQ(counter.Value(), 1) << "a failed update changes nothing";
}

LOCKSTEP_TEST(Counter, TwoCountersDoNotWaitForEachOther) {
  Counter outer, inner;
  outer.Update([&](int value) {
    inner.Update([](int v) { return v + 1; });
    return value + inner.Value();
  });
  EXPECT_EQ(outer.Value(), 1);
}

// One acquisition for Update, one for Value.
LOCKSTEP_TEST_WITH(Counter, AnUpdateTakesTheLockOnce,
                   {.cost_budget = {.lock_operations = 2}}) {
  Counter counter;
  counter.Update([](int value) { return value + 1; });
  EXPECT_EQ(counter.Value(), 1);
}

}  // namespace
}  // namespace workbook
