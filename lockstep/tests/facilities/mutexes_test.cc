// SPDX-License-Identifier: Apache-2.0
//
// The mutex family of the standard library, and call_once. Each facility in a
// correct and in a failing use.

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

#include "gtest/gtest.h"
#include "lockstep/tests/explored.h"

namespace lockstep::tests {
namespace {

using std::chrono::milliseconds;

// Two threads that count with a plain variable under `Mutex`.
template <typename Mutex>
void CountUnder() {
  Mutex mu;
  int count = 0;
  auto work = [&] {
    std::lock_guard<Mutex> hold(mu);
    ++count;
  };
  std::thread thread(work);
  work();
  thread.join();
  Expect(count == 2, "an increment is lost");
}

// Two locks of type `Mutex` in opposite orders.
template <typename Mutex>
void OppositeOrders() {
  Mutex a, b;
  std::thread thread([&] {
    std::lock_guard<Mutex> hold_b(b);
    std::lock_guard<Mutex> hold_a(a);
  });
  {
    std::lock_guard<Mutex> hold_a(a);
    std::lock_guard<Mutex> hold_b(b);
  }
  thread.join();
}

// Locks again what the thread has locked.
template <typename Mutex>
void Relock() {
  Mutex mu;
  std::lock_guard<Mutex> outer(mu);
  std::lock_guard<Mutex> inner(mu);
}

// try_lock() fails while another thread has the lock.
template <typename Mutex>
void TryLockOfHeld() {
  Mutex mu;
  mu.lock();
  std::thread thread([&] { Expect(!mu.try_lock(), "locked twice at a time"); });
  thread.join();
  mu.unlock();
}

// try_lock() is taken for granted.
template <typename Mutex>
void TryLockTakenForGranted() {
  Mutex mu;
  auto work = [&] {
    const bool locked = mu.try_lock();
    Expect(locked, "somebody else has it");
    if (locked) mu.unlock();
  };
  std::thread thread(work);
  work();
  thread.join();
}

// try_lock_for() gives up after its time, which is virtual.
template <typename Mutex>
void TimesOut() {
  Mutex mu;
  mu.lock();
  std::thread thread([&] {
    const auto start = std::chrono::steady_clock::now();
    Expect(!mu.try_lock_for(std::chrono::hours(1)), "locked twice at a time");
    Expect(std::chrono::steady_clock::now() - start >= std::chrono::hours(1),
           "gave up too early");
  });
  thread.join();
  mu.unlock();
}

// try_lock_until() waits and gets the lock in time.
template <typename Mutex>
void InTime() {
  Mutex mu;
  mu.lock();
  std::thread thread([&] {
    const bool locked = mu.try_lock_until(std::chrono::system_clock::now() +
                                          std::chrono::hours(1));
    Expect(locked, "gave up too early");
    if (locked) mu.unlock();
  });
  std::this_thread::sleep_for(milliseconds(10));
  mu.unlock();
  thread.join();
}

// Gives up before the holder, who is asleep, lets go.
template <typename Mutex>
void TimeOutIgnored() {
  Mutex mu;
  std::thread holder([&] {
    std::lock_guard<Mutex> hold(mu);
    std::this_thread::sleep_for(milliseconds(10));
  });
  if (!mu.try_lock_for(milliseconds(1))) {
    Expect(false, "not locked");
  } else {
    mu.unlock();
  }
  holder.join();
}

TEST(Facility, Mutex) {
  EXPECT_TRUE(Passes(CountUnder<std::mutex>));
  EXPECT_TRUE(Passes(TryLockOfHeld<std::mutex>));
  EXPECT_TRUE(
      FailsWith(Verdict::kWrongResult, TryLockTakenForGranted<std::mutex>));
  EXPECT_TRUE(FailsWith(Verdict::kDeadlock, OppositeOrders<std::mutex>));
  EXPECT_TRUE(FailsWith(Verdict::kMutexMisuse, Relock<std::mutex>));
}

TEST(Facility, RecursiveMutex) {
  EXPECT_TRUE(Passes(CountUnder<std::recursive_mutex>));
  EXPECT_TRUE(Passes(Relock<std::recursive_mutex>));
  EXPECT_TRUE(Passes(TryLockOfHeld<std::recursive_mutex>));
  EXPECT_TRUE(
      FailsWith(Verdict::kDeadlock, OppositeOrders<std::recursive_mutex>));
  // Locked twice, unlocked once: the lock stays with the thread that ended.
  EXPECT_TRUE(FailsWith(Verdict::kMutexMisuse, [] {
    std::recursive_mutex mu;
    std::thread thread([&] {
      mu.lock();
      mu.lock();
      mu.unlock();
    });
    thread.join();
  }));
}

TEST(Facility, TimedMutex) {
  EXPECT_TRUE(Passes(CountUnder<std::timed_mutex>));
  EXPECT_TRUE(Passes(TimesOut<std::timed_mutex>));
  EXPECT_TRUE(Passes(InTime<std::timed_mutex>));
  EXPECT_TRUE(
      FailsWith(Verdict::kWrongResult, TimeOutIgnored<std::timed_mutex>));
  EXPECT_TRUE(FailsWith(Verdict::kMutexMisuse, Relock<std::timed_mutex>));
}

TEST(Facility, RecursiveTimedMutex) {
  EXPECT_TRUE(Passes(Relock<std::recursive_timed_mutex>));
  EXPECT_TRUE(Passes(TimesOut<std::recursive_timed_mutex>));
  EXPECT_TRUE(FailsWith(Verdict::kWrongResult,
                        TimeOutIgnored<std::recursive_timed_mutex>));
}

TEST(Facility, SharedMutex) {
  EXPECT_TRUE(Passes(CountUnder<std::shared_mutex>));
  EXPECT_TRUE(Passes([] {
    std::shared_mutex mu;
    int value = 0;
    std::thread reader([&] {
      std::shared_lock<std::shared_mutex> hold(mu);
      Expect(value == 0 || value == 2, "half of a write is visible");
    });
    std::thread other([&] {
      std::shared_lock<std::shared_mutex> hold(mu);
      Expect(value == 0 || value == 2, "half of a write is visible");
    });
    {
      std::unique_lock<std::shared_mutex> hold(mu);
      ++value;
      ++value;
    }
    reader.join();
    other.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::shared_mutex mu;
    std::shared_lock<std::shared_mutex> hold(mu);
    std::thread thread([&] {
      Expect(!mu.try_lock(), "a writer beside a reader");
      const bool shared = mu.try_lock_shared();
      Expect(shared, "readers exclude each other");
      if (shared) mu.unlock_shared();
    });
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(Verdict::kDeadlock, OppositeOrders<std::shared_mutex>));
  EXPECT_TRUE(FailsWith(Verdict::kDataRace, [] {
    std::shared_mutex mu;
    int value = 0;
    auto work = [&] {
      std::shared_lock<std::shared_mutex> hold(mu);
      ++value;
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
}

TEST(Facility, SharedTimedMutex) {
  EXPECT_TRUE(Passes(CountUnder<std::shared_timed_mutex>));
  EXPECT_TRUE(Passes(TimesOut<std::shared_timed_mutex>));
  EXPECT_TRUE(Passes(InTime<std::shared_timed_mutex>));
  EXPECT_TRUE(Passes([] {
    std::shared_timed_mutex mu;
    std::lock_guard<std::shared_timed_mutex> hold(mu);
    std::thread thread([&] {
      Expect(!mu.try_lock_shared_for(milliseconds(1)),
             "a reader beside a writer");
    });
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(Verdict::kWrongResult,
                        TimeOutIgnored<std::shared_timed_mutex>));
}

TEST(Facility, CallOnce) {
  EXPECT_TRUE(Passes([] {
    std::once_flag once;
    int value = 0;
    auto work = [&] {
      std::call_once(once, [&] { ++value; });
      Expect(value == 1, "not initialised");
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
  EXPECT_TRUE(Passes([] {
    std::once_flag once;
    std::atomic<int> attempts{0};
    auto work = [&] {
      try {
        std::call_once(once, [&] {
          if (attempts.fetch_add(1) == 0) throw std::runtime_error("again");
        });
      } catch (const std::runtime_error&) {
      }
    };
    std::thread thread(work);
    work();
    thread.join();
    Expect(attempts.load() == 2, "an exception must not count as done");
  }));
  // The function that runs once waits for a thread that waits for it.
  EXPECT_TRUE(FailsWith(Verdict::kDeadlock, [] {
    std::once_flag once;
    std::call_once(once, [&] {
      std::thread thread([&] { std::call_once(once, [] {}); });
      thread.join();
    });
  }));
}

TEST(Facility, LockSeveral) {
  EXPECT_TRUE(Passes([] {
    std::mutex a, b;
    int value = 0;
    std::thread thread([&] {
      std::scoped_lock hold(b, a);
      ++value;
    });
    {
      std::unique_lock<std::mutex> hold_a(a, std::defer_lock);
      std::unique_lock<std::mutex> hold_b(b, std::defer_lock);
      std::lock(hold_a, hold_b);
      ++value;
    }
    thread.join();
    Expect(value == 2, "an increment is lost");
  }));
  EXPECT_TRUE(FailsWith(Verdict::kWrongResult, [] {
    std::mutex a, b;
    auto work = [&] {
      const int failed = std::try_lock(a, b);
      Expect(failed == -1, "one of them is taken");
      if (failed == -1) {
        a.unlock();
        b.unlock();
      }
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
}

}  // namespace
}  // namespace lockstep::tests
