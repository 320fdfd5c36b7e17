// SPDX-License-Identifier: Apache-2.0
//
// Livelocks: threads that are busy for ever and get nothing done.

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lockstep/tests/bugs/bugs.h"

namespace lockstep::tests {
namespace {

// Symmetric back-off: both take their first lock, fail on the second, wait
// equally long, let go, and start over in step.
void SymmetricBackOff() {
  std::mutex a, b;
  auto work = [](std::mutex& first, std::mutex& second) {
    const std::chrono::milliseconds pause(1);
    for (;;) {
      first.lock();
      std::this_thread::sleep_for(pause);
      if (second.try_lock()) break;
      std::this_thread::sleep_for(pause);
      first.unlock();
      std::this_thread::sleep_for(pause);
    }
    second.unlock();
    first.unlock();
  };
  std::thread other([&] { work(b, a); });
  work(a, b);
  other.join();
}

// "After you": each announces its wish and waits until the other has none.
void AfterYou() {
  std::atomic<bool> wants[2] = {false, false};
  auto work = [&](int self) {
    wants[self].store(true);
    while (wants[1 - self].load()) std::this_thread::yield();
    wants[self].store(false);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
}

// Spins on a flag that an early return never sets.
void FlagNeverSet() {
  std::atomic<bool> ready{false};
  std::atomic<int> jobs{0};
  std::thread worker([&] {
    if (jobs.load() == 0) return;
    ready.store(true);
  });
  while (!ready.load()) std::this_thread::yield();
  worker.join();
}

// The same without so much as a yield.
void FlagNeverSetTightLoop() {
  std::atomic<bool> ready{false};
  std::thread worker([&] { (void)ready.load(); });
  while (!ready.load()) {
  }
  worker.join();
}

// A spin lock that is not released on one path.
void SpinLockNotReleased() {
  std::atomic_flag locked;
  std::atomic<int> runs{0};
  auto work = [&] {
    while (locked.test_and_set(std::memory_order_acquire)) {
      std::this_thread::yield();
    }
    if (runs.fetch_add(1) == 0) return;
    locked.clear(std::memory_order_release);
  };
  std::thread other(work);
  work();
  other.join();
}

// Polls under a lock, with sleeps in between, for what never comes.
void PollsForEver() {
  absl::Mutex mu;
  bool ready = false;
  std::thread worker([&] { absl::MutexLock hold(&mu); });
  for (;;) {
    {
      absl::MutexLock hold(&mu);
      if (ready) break;
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  worker.join();
}

// Works, but burns a processor until the flag is set.
void BusyWait() {
  std::atomic<bool> ready{false};
  std::thread worker([&] { ready.store(true); });
  while (!ready.load()) {
  }
  worker.join();
}

// try_lock in a loop is a busy wait too.
void TryLockLoop() {
  std::mutex mu;
  auto work = [&] {
    while (!mu.try_lock()) {
    }
    mu.unlock();
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace

std::vector<Program> Livelocks() {
  using enum Verdict;
  return {
      {.name = "symmetric_back_off",
       .body = SymmetricBackOff,
       .expected = kLivelock},
      {.name = "after_you", .body = AfterYou, .expected = kLivelock},
      {.name = "flag_never_set",
       .body = FlagNeverSet,
       .expected = kLivelock,
       .shows = Shows::kAlways},
      {.name = "flag_never_set_tight_loop",
       .body = FlagNeverSetTightLoop,
       .expected = kLivelock,
       .shows = Shows::kAlways},
      {.name = "spin_lock_not_released",
       .body = SpinLockNotReleased,
       .expected = kLivelock,
       .shows = Shows::kAlways},
      {.name = "polls_for_ever",
       .body = PollsForEver,
       .expected = kLivelock,
       .shows = Shows::kAlways},
      {.name = "busy_wait",
       .body = BusyWait,
       .expected = kLivelock,
       .forbid_busy_waiting = true},
      {.name = "try_lock_loop",
       .body = TryLockLoop,
       .expected = kLivelock,
       .forbid_busy_waiting = true},
  };
}

}  // namespace lockstep::tests
