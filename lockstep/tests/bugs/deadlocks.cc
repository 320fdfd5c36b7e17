// SPDX-License-Identifier: Apache-2.0
//
// Deadlocks: cycles of threads that wait for each other.

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <functional>
#include <future>
#include <latch>
#include <mutex>
#include <queue>
#include <semaphore>
#include <shared_mutex>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "lockstep/tests/bugs/bugs.h"

namespace lockstep::tests {
namespace {

// Two locks taken in opposite orders.
void OppositeOrder() {
  std::mutex a, b;
  std::thread other([&] {
    std::lock_guard<std::mutex> hold_b(b);
    std::lock_guard<std::mutex> hold_a(a);
  });
  {
    std::lock_guard<std::mutex> hold_a(a);
    std::lock_guard<std::mutex> hold_b(b);
  }
  other.join();
}

// The same with Abseil, in a function that hides the order: two transfers
// between the same accounts in opposite directions.
struct Account {
  absl::Mutex mu;
  int balance = 100;
};

void Transfer(Account& from, Account& to, int amount) {
  absl::MutexLock hold_from(&from.mu);
  absl::MutexLock hold_to(&to.mu);
  from.balance -= amount;
  to.balance += amount;
}

void OppositeTransfers() {
  Account a, b;
  std::thread first([&] { Transfer(a, b, 1); });
  std::thread second([&] { Transfer(b, a, 2); });
  first.join();
  second.join();
}

// Three locks, three threads, each holds one and wants the next.
void CycleOfThree() {
  std::mutex mu[3];
  std::thread threads[3];
  for (int i = 0; i < 3; ++i) {
    threads[i] = std::thread([&mu, i] {
      std::lock_guard<std::mutex> own(mu[i]);
      std::lock_guard<std::mutex> next(mu[(i + 1) % 3]);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Each philosopher takes the left fork first.
void LeftForkFirst() {
  constexpr int kPhilosophers = 4;
  absl::Mutex forks[kPhilosophers];
  std::thread philosophers[kPhilosophers];
  for (int i = 0; i < kPhilosophers; ++i) {
    philosophers[i] = std::thread([&forks, i] {
      absl::MutexLock left(&forks[i]);
      absl::MutexLock right(&forks[(i + 1) % kPhilosophers]);
    });
  }
  for (std::thread& philosopher : philosophers) philosopher.join();
}

// Two readers that both want to become the writer: each waits for the other's
// shared lock to go away.
void ReaderUpgrade() {
  std::shared_mutex mu;
  auto upgrade = [&] {
    mu.lock_shared();
    mu.lock();
    mu.unlock();
    mu.unlock_shared();
  };
  std::thread other(upgrade);
  upgrade();
  other.join();
}

// A reader that asks again while a writer is queued: absl::Mutex lets no new
// reader past a waiting writer, and the writer waits for this reader.
void NestedReaderLock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  absl::Mutex mu;
  std::thread writer([&] { absl::WriterMutexLock hold(&mu); });
  {
    absl::ReaderMutexLock outer(&mu);
    absl::ReaderMutexLock inner(&mu);
  }
  writer.join();
}

// Joins a thread while holding the lock that the thread needs.
void JoinUnderLock() {
  std::mutex mu;
  std::thread worker;
  {
    std::lock_guard<std::mutex> hold(mu);
    worker = std::thread([&] { std::lock_guard<std::mutex> hold_too(mu); });
    worker.join();
  }
}

// Waits on an inner condition while holding the outer lock that the notifying
// thread must take first.
void NestedMonitor() {
  std::mutex outer, inner;
  std::condition_variable ready;
  bool is_ready = false;
  std::thread notifier([&] {
    std::lock_guard<std::mutex> hold_outer(outer);
    std::lock_guard<std::mutex> hold_inner(inner);
    is_ready = true;
    ready.notify_one();
  });
  {
    std::lock_guard<std::mutex> hold_outer(outer);
    std::unique_lock<std::mutex> hold_inner(inner);
    ready.wait(hold_inner, [&] { return is_ready; });
  }
  notifier.join();
}

// Two semaphores acquired in opposite orders.
void SemaphoreCycle() {
  std::binary_semaphore a(1), b(1);
  std::thread other([&] {
    b.acquire();
    a.acquire();
    a.release();
    b.release();
  });
  a.acquire();
  b.acquire();
  b.release();
  a.release();
  other.join();
}

// Waits for a future under the lock that the producer of the value needs.
void FutureUnderLock() {
  std::mutex mu;
  std::promise<int> promise;
  std::future<int> result = promise.get_future();
  std::thread producer([&] {
    std::lock_guard<std::mutex> hold(mu);
    promise.set_value(1);
  });
  {
    std::lock_guard<std::mutex> hold(mu);
    result.get();
  }
  producer.join();
}

// A task in a pool of one thread waits for another task of the same pool.
void PoolWaitsForItself() {
  std::mutex mu;
  std::condition_variable work;
  std::queue<std::function<void()>> tasks;
  bool stop = false;
  auto submit = [&](std::function<void()> task) {
    std::lock_guard<std::mutex> hold(mu);
    tasks.push(std::move(task));
    work.notify_one();
  };
  std::thread worker([&] {
    for (;;) {
      std::unique_lock<std::mutex> hold(mu);
      work.wait(hold, [&] { return stop || !tasks.empty(); });
      if (tasks.empty()) return;
      std::function<void()> task = std::move(tasks.front());
      tasks.pop();
      hold.unlock();
      task();
    }
  });
  absl::Notification inner_done, outer_done;
  submit([&] {
    submit([&] { inner_done.Notify(); });
    inner_done.WaitForNotification();
    outer_done.Notify();
  });
  outer_done.WaitForNotification();
  {
    std::lock_guard<std::mutex> hold(mu);
    stop = true;
    work.notify_one();
  }
  worker.join();
}

// A barrier for three threads, and only two arrive.
void BarrierForTooMany() {
  std::barrier<> all(3);
  std::thread other([&] { all.arrive_and_wait(); });
  all.arrive_and_wait();
  other.join();
}

// A latch for two events, and an early return skips one of them.
void LatchSkipped() {
  std::latch done(2);
  std::mutex mu;
  int jobs = 1;
  auto work = [&] {
    {
      std::lock_guard<std::mutex> hold(mu);
      if (jobs == 0) return;  // forgets to count down
      --jobs;
    }
    done.count_down();
  };
  std::thread first(work), second(work);
  done.wait();
  first.join();
  second.join();
}

// A permit that an early return never gives back.
void PermitNotReturned() {
  std::counting_semaphore<1> permits(1);
  std::atomic<int> runs{0};
  auto work = [&] {
    permits.acquire();
    if (runs.fetch_add(1) == 0) return;
    permits.release();
  };
  std::thread first(work), second(work);
  first.join();
  second.join();
}

// Await on a condition that is made true only under the lock's own caller:
// the thread that would change it waits for this one to end.
void AwaitNeverTrue() {
  absl::Mutex mu;
  bool ready = false;
  std::thread waiter([&] {
    absl::MutexLock hold(&mu);
    mu.Await(absl::Condition(&ready));
  });
  waiter.join();
  absl::MutexLock hold(&mu);
  ready = true;
}

}  // namespace

std::vector<Program> Deadlocks() {
  using enum Verdict;
  return {
      {.name = "opposite_order", .body = OppositeOrder, .expected = kDeadlock},
      {.name = "opposite_transfers",
       .body = OppositeTransfers,
       .expected = kDeadlock},
      {.name = "cycle_of_three", .body = CycleOfThree, .expected = kDeadlock},
      {.name = "left_fork_first", .body = LeftForkFirst, .expected = kDeadlock},
      {.name = "reader_upgrade",
       .body = ReaderUpgrade,
       .expected = {kDeadlock, kMutexMisuse},
       .shows = Shows::kAlways},
      {.name = "nested_reader_lock",
       .body = NestedReaderLock,
       .expected = kDeadlock},
      {.name = "join_under_lock",
       .body = JoinUnderLock,
       .expected = kDeadlock,
       .shows = Shows::kAlways},
      {.name = "nested_monitor",
       .body = NestedMonitor,
       .expected = {kDeadlock, kLostWakeup}},
      {.name = "semaphore_cycle",
       .body = SemaphoreCycle,
       .expected = kDeadlock},
      {.name = "future_under_lock",
       .body = FutureUnderLock,
       .expected = kDeadlock},
      {.name = "pool_waits_for_itself",
       .body = PoolWaitsForItself,
       .expected = {kDeadlock, kLostWakeup},
       .shows = Shows::kAlways},
      {.name = "barrier_for_too_many",
       .body = BarrierForTooMany,
       .expected = {kDeadlock, kLostWakeup},
       .shows = Shows::kAlways},
      {.name = "latch_skipped",
       .body = LatchSkipped,
       .expected = {kDeadlock, kLostWakeup},
       .shows = Shows::kAlways},
      {.name = "permit_not_returned",
       .body = PermitNotReturned,
       .expected = {kDeadlock, kLostWakeup},
       .shows = Shows::kAlways},
      {.name = "await_never_true",
       .body = AwaitNeverTrue,
       .expected = {kDeadlock, kLostWakeup},
       .shows = Shows::kAlways},
  };
}

}  // namespace lockstep::tests
