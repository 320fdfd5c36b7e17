// SPDX-License-Identifier: Apache-2.0
//
// Lost wake-ups: a notification that comes too early, goes to the wrong
// thread, or never comes; and waits that trust a wake-up too much.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <queue>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "lockstep/tests/bugs/bugs.h"

namespace lockstep::tests {
namespace {

// `if` instead of `while`: between the wake-up and the lock, another consumer
// takes the item.
void IfInsteadOfWhile() {
  absl::Mutex mu;
  absl::CondVar nonempty;
  int items = 0;
  auto consume = [&] {
    absl::MutexLock hold(&mu);
    if (items == 0) nonempty.Wait(&mu);
    Expect(items > 0, "takes from an empty queue");
    --items;
  };
  std::thread first(consume), second(consume);
  for (int i = 0; i < 2; ++i) {
    absl::MutexLock hold(&mu);
    ++items;
    nonempty.Signal();
  }
  first.join();
  second.join();
}

// A wait without a predicate: correct only against spurious wake-ups in the
// mind of its author.
void NoPredicate() {
  std::mutex mu;
  std::condition_variable done;
  int value = 0;
  std::thread producer([&] {
    std::lock_guard<std::mutex> hold(mu);
    value = 42;
    done.notify_one();
  });
  {
    std::unique_lock<std::mutex> hold(mu);
    done.wait(hold);
    Expect(value == 42, "woken before the value was set");
  }
  producer.join();
}

// `if` around a wait that is otherwise correct: one spurious wake-up breaks
// it.
void SpuriousWakeup() {
  std::mutex mu;
  std::condition_variable done;
  bool ready = false;
  std::thread producer([&] {
    std::lock_guard<std::mutex> hold(mu);
    ready = true;
    done.notify_one();
  });
  {
    std::unique_lock<std::mutex> hold(mu);
    if (!ready) done.wait(hold);
    Expect(ready, "woken without a notification");
  }
  producer.join();
}

// One condition variable for "not full" and "not empty", and notify_one: the
// wake-up may go to a thread of the same role, which goes back to sleep.
void OneConditionTwoRoles() {
  constexpr size_t kCapacity = 1;
  std::mutex mu;
  std::condition_variable changed;
  std::queue<int> queue;
  auto put = [&] {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return queue.size() < kCapacity; });
    queue.push(1);
    changed.notify_one();
  };
  auto get = [&] {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return !queue.empty(); });
    queue.pop();
    changed.notify_one();
  };
  std::thread threads[] = {std::thread(get), std::thread(get), std::thread(put),
                           std::thread(put)};
  for (std::thread& thread : threads) thread.join();
}

// Notifies only when the queue was empty: of two items put in a row, the
// second wakes nobody although a second consumer sleeps.
void NotifyOnlyWhenEmpty() {
  std::mutex mu;
  std::condition_variable nonempty;
  std::queue<int> queue;
  auto get = [&] {
    std::unique_lock<std::mutex> hold(mu);
    nonempty.wait(hold, [&] { return !queue.empty(); });
    queue.pop();
  };
  std::thread first(get), second(get);
  for (int i = 0; i < 2; ++i) {
    std::lock_guard<std::mutex> hold(mu);
    const bool was_empty = queue.empty();
    queue.push(i);
    if (was_empty) nonempty.notify_one();
  }
  first.join();
  second.join();
}

// The predicate is atomic, so it seems to need no lock: the store and the
// notification fall between the waiter's check and its sleep.
void AtomicPredicateOutsideLock() {
  std::mutex mu;
  std::condition_variable changed;
  std::atomic<bool> ready{false};
  std::thread waiter([&] {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return ready.load(); });
  });
  ready.store(true);
  changed.notify_one();
  waiter.join();
}

// The same bug with absl::CondVar.
void AtomicPredicateOutsideAbslLock() {
  absl::Mutex mu;
  absl::CondVar changed;
  std::atomic<bool> ready{false};
  std::thread waiter([&] {
    absl::MutexLock hold(&mu);
    while (!ready.load()) changed.Wait(&mu);
  });
  ready.store(true);
  changed.SignalAll();
  waiter.join();
}

// Close() wakes one thread, and two wait.
void CloseWakesOne() {
  std::mutex mu;
  std::condition_variable changed;
  bool closed = false;
  auto wait = [&] {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return closed; });
  };
  std::thread first(wait), second(wait);
  {
    std::lock_guard<std::mutex> hold(mu);
    closed = true;
  }
  changed.notify_one();
  first.join();
  second.join();
}

// Close() wakes nobody.
void CloseWakesNobody() {
  absl::Mutex mu;
  absl::CondVar changed;
  bool closed = false;
  std::thread waiter([&] {
    absl::MutexLock hold(&mu);
    while (!closed) changed.Wait(&mu);
  });
  {
    absl::MutexLock hold(&mu);
    closed = true;
  }
  waiter.join();
}

// A "pulse" event, set and reset at once, without a generation counter: a
// waiter that was notified may wake after the reset and sleep again.
void PulseEvent() {
  std::mutex mu;
  std::condition_variable changed;
  bool signalled = false;
  int waiting = 0;
  std::thread waiter([&] {
    std::unique_lock<std::mutex> hold(mu);
    ++waiting;
    changed.notify_all();
    changed.wait(hold, [&] { return signalled; });
  });
  {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return waiting == 1; });
    signalled = true;
    changed.notify_all();
  }
  {
    std::lock_guard<std::mutex> hold(mu);
    signalled = false;
  }
  waiter.join();
}

// A semaphore that hands each permit to a waiter by name. A waiter whose time
// runs out drops the permit that was handed to it at the same moment.
class HandOffSemaphore {
 public:
  void Release() {
    std::lock_guard<std::mutex> hold(mu_);
    if (waiters_.empty()) {
      ++permits_;
      return;
    }
    waiters_.front()->granted = true;
    waiters_.front()->changed.notify_one();
    waiters_.pop_front();
  }
  bool AcquireFor(std::chrono::milliseconds timeout) {
    std::unique_lock<std::mutex> hold(mu_);
    if (permits_ > 0) {
      --permits_;
      return true;
    }
    Waiter self;
    waiters_.push_back(&self);
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!self.granted) {
      if (self.changed.wait_until(hold, deadline) == std::cv_status::timeout) {
        waiters_.remove(&self);
        return false;  // without looking at self.granted
      }
    }
    return true;
  }

 private:
  struct Waiter {
    bool granted = false;
    std::condition_variable changed;
  };
  std::mutex mu_;
  int permits_ = 0;
  std::list<Waiter*> waiters_;
};

void PermitLostOnTimeout() {
  using std::chrono::milliseconds;
  HandOffSemaphore semaphore;
  std::thread releaser([&] {
    std::this_thread::sleep_for(milliseconds(10));
    semaphore.Release();
  });
  const bool acquired = semaphore.AcquireFor(milliseconds(10));
  releaser.join();
  Expect(acquired || semaphore.AcquireFor(milliseconds(0)),
         "the permit is lost");
}

// std::atomic::wait without the notification.
void AtomicWaitWithoutNotify() {
  std::atomic<int> state{0};
  std::thread waiter([&] { state.wait(0); });
  state.store(1);
  waiter.join();
}

// notify_one on an atomic that two threads wait for.
void AtomicNotifyOneOfTwo() {
  std::atomic<int> state{0};
  std::thread first([&] { state.wait(0); });
  std::thread second([&] { state.wait(0); });
  state.store(1);
  state.notify_one();
  first.join();
  second.join();
}

// Two different conditions share a condition variable, and Signal() wakes the
// thread whose condition is still false.
void SignalWakesTheWrongOne() {
  absl::Mutex mu;
  absl::CondVar changed;
  int level = 0;
  auto wait_for = [&](int wanted) {
    absl::MutexLock hold(&mu);
    while (level < wanted) changed.Wait(&mu);
  };
  std::thread one([&] { wait_for(1); });
  std::thread two([&] { wait_for(2); });
  {
    absl::MutexLock hold(&mu);
    level = 1;
    changed.Signal();
  }
  one.join();
  {
    absl::MutexLock hold(&mu);
    level = 2;
    changed.Signal();
  }
  two.join();
}

// A barrier for repeated use that counts without a generation: a fast thread
// arrives at the next round before the slow one has left the last.
void BarrierWithoutGeneration() {
  std::mutex mu;
  std::condition_variable all_here;
  int arrived = 0;
  auto await = [&] {
    std::unique_lock<std::mutex> hold(mu);
    if (++arrived == 2) {
      arrived = 0;
      all_here.notify_all();
    } else {
      all_here.wait(hold, [&] { return arrived == 0; });
    }
  };
  auto work = [&] {
    await();
    await();
  };
  std::thread first(work), second(work);
  first.join();
  second.join();
}

}  // namespace

std::vector<Program> LostWakeups() {
  using enum Verdict;
  return {
      {.name = "if_instead_of_while",
       .body = IfInsteadOfWhile,
       .expected = kWrongResult},
      {.name = "no_predicate", .body = NoPredicate, .expected = kLostWakeup},
      {.name = "spurious_wakeup",
       .body = SpuriousWakeup,
       .expected = kWrongResult,
       .spurious_wakeups = true},
      {.name = "one_condition_two_roles",
       .body = OneConditionTwoRoles,
       .expected = kLostWakeup},
      {.name = "notify_only_when_empty",
       .body = NotifyOnlyWhenEmpty,
       .expected = kLostWakeup},
      {.name = "atomic_predicate_outside_lock",
       .body = AtomicPredicateOutsideLock,
       .expected = kLostWakeup},
      {.name = "atomic_predicate_outside_absl_lock",
       .body = AtomicPredicateOutsideAbslLock,
       .expected = kLostWakeup},
      {.name = "close_wakes_one",
       .body = CloseWakesOne,
       .expected = kLostWakeup},
      {.name = "close_wakes_nobody",
       .body = CloseWakesNobody,
       .expected = kLostWakeup},
      {.name = "pulse_event", .body = PulseEvent, .expected = kLostWakeup},
      {.name = "permit_lost_on_timeout",
       .body = PermitLostOnTimeout,
       .expected = kWrongResult},
      {.name = "atomic_wait_without_notify",
       .body = AtomicWaitWithoutNotify,
       .expected = {kLostWakeup, kDeadlock}},
      {.name = "atomic_notify_one_of_two",
       .body = AtomicNotifyOneOfTwo,
       .expected = {kLostWakeup, kDeadlock}},
      {.name = "signal_wakes_the_wrong_one",
       .body = SignalWakesTheWrongOne,
       .expected = kLostWakeup},
      {.name = "barrier_without_generation",
       .body = BarrierWithoutGeneration,
       .expected = kLostWakeup},
  };
}

}  // namespace lockstep::tests
