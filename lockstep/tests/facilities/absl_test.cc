// SPDX-License-Identifier: Apache-2.0
//
// Abseil's synchronisation. Each facility in a correct and in a failing use.

#include <atomic>
#include <thread>

#include "absl/base/call_once.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "lockstep/tests/explored.h"

namespace lockstep::tests {
namespace {

using enum Verdict;

TEST(Facility, AbslMutexLock) {
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    int count = 0;
    auto work = [&] {
      absl::MutexLock hold(&mu);
      ++count;
    };
    std::thread thread(work);
    work();
    thread.join();
    Expect(count == 2, "an increment is lost");
  }));
  EXPECT_TRUE(FailsWith(kDeadlock, [] {
    absl::Mutex a, b;
    std::thread thread([&] {
      absl::MutexLock hold_b(&b);
      absl::MutexLock hold_a(&a);
    });
    {
      absl::MutexLock hold_a(&a);
      absl::MutexLock hold_b(&b);
    }
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(kMutexMisuse, []() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::Mutex mu;
    mu.Lock();
    mu.Lock();
  }));
  EXPECT_TRUE(FailsWith(kMutexMisuse, []() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::Mutex mu;
    mu.Unlock();
  }));
}

TEST(Facility, AbslMutexTryLock) {
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    mu.Lock();
    std::thread thread([&] {
      Expect(!mu.TryLock(), "locked twice at a time");
      Expect(!mu.ReaderTryLock(), "a reader beside a writer");
    });
    thread.join();
    mu.Unlock();
    const bool locked = mu.TryLock();
    Expect(locked, "nobody holds it");
    if (locked) mu.Unlock();
  }));
  EXPECT_TRUE(FailsWith(kWrongResult, [] {
    absl::Mutex mu;
    auto work = [&] {
      const bool locked = mu.TryLock();
      Expect(locked, "somebody else has it");
      if (locked) mu.Unlock();
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
}

TEST(Facility, AbslMutexReaderLock) {
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    int value = 0;
    auto read = [&] {
      absl::ReaderMutexLock hold(&mu);
      Expect(value == 0 || value == 2, "half of a write is visible");
    };
    std::thread one(read), two(read);
    {
      absl::WriterMutexLock hold(&mu);
      ++value;
      ++value;
    }
    one.join();
    two.join();
  }));
  EXPECT_TRUE(FailsWith(kDataRace, [] {
    absl::Mutex mu;
    int value = 0;
    auto work = [&] {
      absl::ReaderMutexLock hold(&mu);
      ++value;
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
}

TEST(Facility, AbslMutexAwait) {
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    bool ready = false;
    std::thread thread([&] {
      absl::MutexLock hold(&mu);
      ready = true;
    });
    {
      absl::MutexLock hold(&mu);
      mu.Await(absl::Condition(&ready));
      Expect(ready, "woken too early");
    }
    thread.join();
  }));
  EXPECT_TRUE(FailsWith({kLostWakeup, kDeadlock}, [] {
    absl::Mutex mu;
    int count = 0;
    auto is_two = [&] { return count == 2; };
    std::thread thread([&] {
      absl::MutexLock hold(&mu);
      ++count;
    });
    {
      absl::MutexLock hold(&mu);
      mu.Await(absl::Condition(&is_two));
    }
    thread.join();
  }));
}

TEST(Facility, AbslMutexLockWhen) {
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    bool full = false;
    auto is_empty = [&] { return !full; };
    std::thread producer([&] {
      for (int i = 0; i < 2; ++i) {
        mu.LockWhen(absl::Condition(&is_empty));
        full = true;
        mu.Unlock();
      }
    });
    for (int i = 0; i < 2; ++i) {
      mu.LockWhen(absl::Condition(&full));
      full = false;
      mu.Unlock();
    }
    producer.join();
  }));
  EXPECT_TRUE(FailsWith({kLostWakeup, kDeadlock}, [] {
    absl::Mutex mu;
    bool ready = false;
    std::thread thread([&] {
      mu.ReaderLockWhen(absl::Condition(&ready));
      mu.ReaderUnlock();
    });
    thread.join();
  }));
}

TEST(Facility, AbslMutexTimed) {
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    bool never = false;
    const absl::Condition condition(&never);
    const absl::Time start = absl::Now();
    Expect(!mu.LockWhenWithTimeout(condition, absl::Hours(1)), "never true");
    Expect(absl::Now() - start >= absl::Hours(1), "gave up too early");
    Expect(!mu.AwaitWithTimeout(condition, absl::Hours(1)), "never true");
    Expect(!mu.AwaitWithDeadline(condition, absl::Now() + absl::Hours(1)),
           "never true");
    mu.Unlock();
    Expect(
        !mu.ReaderLockWhenWithDeadline(condition, absl::Now() + absl::Hours(1)),
        "never true");
    mu.ReaderUnlock();
    Expect(absl::Now() - start >= absl::Hours(4), "gave up too early");
  }));
  // The deadlines pass while another thread holds the mutex, and sleeps.
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    bool never = false;
    const absl::Condition condition(&never);
    const absl::Time deadline = absl::Now() + absl::Milliseconds(1);
    std::thread locks([&] {
      Expect(!mu.LockWhenWithDeadline(condition, deadline), "never true");
      mu.Unlock();
    });
    std::thread awaits([&] {
      absl::MutexLock hold(&mu);
      Expect(!mu.AwaitWithDeadline(condition, deadline), "never true");
    });
    std::thread reads([&] {
      absl::ReaderMutexLock hold(&mu);
      Expect(!mu.AwaitWithDeadline(condition, deadline), "never true");
    });
    {
      absl::MutexLock hold(&mu);
      absl::SleepFor(absl::Hours(1));
    }
    locks.join();
    awaits.join();
    reads.join();
  }));
  EXPECT_TRUE(FailsWith(kWrongResult, [] {
    absl::Mutex mu;
    bool ready = false;
    std::thread thread([&] {
      absl::SleepFor(absl::Milliseconds(10));
      absl::MutexLock hold(&mu);
      ready = true;
    });
    {
      absl::MutexLock hold(&mu);
      mu.AwaitWithTimeout(absl::Condition(&ready), absl::Milliseconds(5));
      Expect(ready, "the time-out is taken for the event");
    }
    thread.join();
  }));
}

TEST(Facility, AbslCondVar) {
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    absl::CondVar changed;
    int ready = 0;
    auto wait = [&] {
      absl::MutexLock hold(&mu);
      while (ready == 0) changed.Wait(&mu);
    };
    std::thread one(wait), two(wait);
    {
      absl::MutexLock hold(&mu);
      ready = 1;
      changed.SignalAll();
    }
    one.join();
    two.join();
  }));
  EXPECT_TRUE(Passes([] {
    absl::Mutex mu;
    absl::CondVar changed;
    const absl::Time start = absl::Now();
    absl::MutexLock hold(&mu);
    while (!changed.WaitWithDeadline(&mu, start + absl::Hours(1))) {
    }
    Expect(absl::Now() - start >= absl::Hours(1), "gave up too early");
    Expect(changed.WaitWithTimeout(&mu, absl::Seconds(1)), "nobody signals");
  }));
  EXPECT_TRUE(FailsWith(kLostWakeup, [] {
    absl::Mutex mu;
    absl::CondVar changed;
    std::thread thread([&] { changed.Signal(); });
    {
      absl::MutexLock hold(&mu);
      changed.Wait(&mu);
    }
    thread.join();
  }));
}

TEST(Facility, AbslNotification) {
  EXPECT_TRUE(Passes([] {
    absl::Notification done;
    int value = 0;
    std::thread thread([&] {
      value = 7;
      done.Notify();
    });
    done.WaitForNotification();
    Expect(value == 7 && done.HasBeenNotified(), "woken too early");
    thread.join();
  }));
  EXPECT_TRUE(Passes([] {
    absl::Notification never;
    Expect(!never.WaitForNotificationWithTimeout(absl::Hours(1)),
           "nobody notifies");
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    absl::Notification never;
    std::thread thread([&] { never.WaitForNotification(); });
    thread.join();
  }));
}

TEST(Facility, AbslBlockingCounter) {
  EXPECT_TRUE(Passes([] {
    absl::BlockingCounter pending(2);
    int values[2] = {0, 0};
    auto work = [&](int self) {
      values[self] = 1;
      pending.DecrementCount();
    };
    std::thread one(work, 0), two(work, 1);
    pending.Wait();
    Expect(values[0] + values[1] == 2, "woken too early");
    one.join();
    two.join();
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    absl::BlockingCounter pending(2);
    std::thread thread([&] { pending.DecrementCount(); });
    pending.Wait();
    thread.join();
  }));
}

TEST(Facility, AbslBarrier) {
  EXPECT_TRUE(Passes([] {
    auto* barrier = new absl::Barrier(2);
    int values[2] = {0, 0};
    auto work = [&](int self) {
      values[self] = 1;
      // One of the threads is told that it may delete the barrier.
      if (barrier->Block()) delete barrier;
      Expect(values[1 - self] == 1, "passed too early");
    };
    std::thread thread(work, 1);
    work(0);
    thread.join();
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup}, [] {
    auto* barrier = new absl::Barrier(3);
    auto work = [barrier] {
      if (barrier->Block()) delete barrier;
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
}

TEST(Facility, AbslCallOnce) {
  EXPECT_TRUE(Passes([] {
    absl::once_flag once;
    int value = 0;
    auto work = [&] {
      absl::call_once(once, [&] { ++value; });
      Expect(value == 1, "not initialised");
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
  EXPECT_TRUE(FailsWith({kDeadlock, kLostWakeup, kLivelock}, [] {
    absl::once_flag once;
    absl::call_once(once, [&] {
      std::thread thread([&] { absl::call_once(once, [] {}); });
      thread.join();
    });
  }));
}

}  // namespace
}  // namespace lockstep::tests
