// SPDX-License-Identifier: Apache-2.0
//
// Misuse: calls that break a rule of the primitive itself.

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "lockstep/tests/bugs/bugs.h"

namespace lockstep::tests {
namespace {

// Locks a non-recursive mutex twice in one thread.
void Relock() {
  std::mutex mu;
  mu.lock();
  mu.lock();
  mu.unlock();
  mu.unlock();
}

// The same through a call that the author did not remember: a locked method
// calls a locked method.
void RelockThroughCall() {
  class Counter {
   public:
    int Increment() {
      absl::MutexLock hold(&mu_);
      ++value_;
      return Value();
    }
    int Value() {
      absl::MutexLock hold(&mu_);
      return value_;
    }

   private:
    absl::Mutex mu_;
    int value_ = 0;
  };
  Counter counter;
  counter.Increment();
}

// Unlocks what another thread has locked.
void UnlockByOther() {
  std::mutex mu;
  mu.lock();
  std::thread other([&] { mu.unlock(); });
  other.join();
}

// Unlocks twice.
void UnlockTwice() {
  std::mutex mu;
  mu.lock();
  mu.unlock();
  mu.unlock();
}

// The same with absl::Mutex.
void AbslUnlockTwice() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  absl::Mutex mu;
  mu.Lock();
  mu.Unlock();
  mu.Unlock();
}

// Unlocks for reading what is locked for writing, by hand.
void WrongKindOfUnlock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  absl::Mutex mu;
  mu.ReaderLock();
  mu.Unlock();
}

// A thread ends and takes its lock along.
void EndsWithLockHeld() {
  std::mutex mu;
  std::thread holder([&] { mu.lock(); });
  holder.join();
}

// An exception jumps over the unlock.
void ExceptionSkipsUnlock() {
  std::mutex mu;
  auto work = [&](bool fails) {
    try {
      mu.lock();
      if (fails) throw std::runtime_error("disk full");
      mu.unlock();
    } catch (const std::runtime_error&) {
    }
  };
  std::thread first(work, true), second(work, false);
  first.join();
  second.join();
}

// Deletes a mutex that is locked.
void DestroyLocked() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  auto mu = std::make_unique<absl::Mutex>();
  mu->Lock();
  mu.reset();
}

// Destroys a condition variable that a thread waits on.
void DestroyWithWaiter() {
  std::mutex mu;
  auto changed = std::make_unique<std::condition_variable>();
  bool waiting = false, stop = false;
  std::thread waiter([&, raw = changed.get()] {
    std::unique_lock<std::mutex> hold(mu);
    waiting = true;
    raw->wait(hold, [&] { return stop; });
  });
  for (;;) {
    std::lock_guard<std::mutex> hold(mu);
    if (waiting) break;
  }
  changed.reset();
  waiter.join();
}

// A joinable std::thread goes out of scope.
void JoinableDestroyed() {
  std::thread worker([] {});
}

// Two threads see that a thread can be joined, and both join it.
void TwoThreadsJoin() {
  std::thread worker([] {});
  std::thread other([&] { worker.join(); });
  worker.join();
  other.join();
}

// An exception leaves a thread.
void ExceptionLeavesThread() {
  std::thread worker([] { throw std::runtime_error("nobody catches this"); });
  worker.join();
}

// A promise that is destroyed without a value, and a reader that does not
// expect that.
void BrokenPromise() {
  std::optional<std::promise<int>> promise(std::in_place);
  std::future<int> result = promise->get_future();
  std::thread producer([&] { promise.reset(); });
  producer.join();
  result.get();
}

// The body returns and a thread still runs.
void ThreadLeftRunning() {
  auto mu = std::make_shared<std::mutex>();
  auto changed = std::make_shared<std::condition_variable>();
  std::thread([mu, changed] {
    std::unique_lock<std::mutex> hold(*mu);
    for (;;) changed->wait(hold);
  }).detach();
}

}  // namespace

std::vector<Program> Misuses() {
  using enum Verdict;
  constexpr Shows kAlways = Shows::kAlways;
  // Natively most of these hang, abort or corrupt the lock, so there is no
  // run to compare.
  constexpr Tsan kUndefined = Tsan::kUndefined;
  return {
      {.name = "relock",
       .body = Relock,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "relock_through_call",
       .body = RelockThroughCall,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "unlock_by_other",
       .body = UnlockByOther,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "unlock_twice",
       .body = UnlockTwice,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "absl_unlock_twice",
       .body = AbslUnlockTwice,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "wrong_kind_of_unlock",
       .body = WrongKindOfUnlock,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "ends_with_lock_held",
       .body = EndsWithLockHeld,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "exception_skips_unlock",
       .body = ExceptionSkipsUnlock,
       .expected = {kMutexMisuse, kDeadlock},
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "destroy_locked",
       .body = DestroyLocked,
       .expected = kMutexMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "destroy_with_waiter",
       .body = DestroyWithWaiter,
       .expected = {kMutexMisuse, kUseAfterFree},
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "joinable_destroyed",
       .body = JoinableDestroyed,
       .expected = kThreadMisuse,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "two_threads_join",
       .body = TwoThreadsJoin,
       .expected = {kThreadMisuse, kUncaughtException},
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "exception_leaves_thread",
       .body = ExceptionLeavesThread,
       .expected = kUncaughtException,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "broken_promise",
       .body = BrokenPromise,
       .expected = kUncaughtException,
       .shows = kAlways,
       .tsan = kUndefined},
      {.name = "thread_left_running",
       .body = ThreadLeftRunning,
       .expected = {kThreadLeak, kLostWakeup},
       .shows = kAlways,
       .tsan = kUndefined},
  };
}

}  // namespace lockstep::tests
