// SPDX-License-Identifier: Apache-2.0
//
// Correct programs that wait: queues, events, futures, time, clean-up.

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <queue>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lockstep/tests/controls/controls.h"

namespace lockstep::tests {
namespace {

// A bounded queue with one condition variable per role, and notify_one.
void QueueWithTwoConditions() {
  constexpr size_t kCapacity = 1;
  std::mutex mu;
  std::condition_variable not_full, not_empty;
  std::queue<int> queue;
  int sum = 0;
  auto put = [&](int item) {
    std::unique_lock<std::mutex> hold(mu);
    not_full.wait(hold, [&] { return queue.size() < kCapacity; });
    queue.push(item);
    not_empty.notify_one();
  };
  auto get = [&] {
    std::unique_lock<std::mutex> hold(mu);
    not_empty.wait(hold, [&] { return !queue.empty(); });
    sum += queue.front();
    queue.pop();
    not_full.notify_one();
  };
  std::thread threads[] = {std::thread(get), std::thread(get),
                           std::thread(put, 1), std::thread(put, 2)};
  for (std::thread& thread : threads) thread.join();
  Expect(sum == 3, "an item is lost or doubled");
}

// The same with absl::Mutex, which knows the conditions itself.
void QueueWithAwait() {
  constexpr size_t kCapacity = 1;
  absl::Mutex mu;
  std::queue<int> queue;
  int sum = 0;
  auto has_room = [&] { return queue.size() < kCapacity; };
  auto has_item = [&] { return !queue.empty(); };
  auto put = [&](int item) {
    absl::MutexLock hold(&mu, absl::Condition(&has_room));
    queue.push(item);
  };
  auto get = [&] {
    absl::MutexLock hold(&mu);
    mu.Await(absl::Condition(&has_item));
    sum += queue.front();
    queue.pop();
  };
  std::thread threads[] = {std::thread(get), std::thread(get),
                           std::thread(put, 1), std::thread(put, 2)};
  for (std::thread& thread : threads) thread.join();
  Expect(sum == 3, "an item is lost or doubled");
}

// Sets under the lock, notifies after it: allowed, and no wake-up is lost.
void NotifyOutsideLock() {
  std::mutex mu;
  std::condition_variable changed;
  bool ready = false;
  auto wait = [&] {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return ready; });
  };
  std::thread one(wait), two(wait);
  {
    std::lock_guard<std::mutex> hold(mu);
    ready = true;
  }
  changed.notify_all();
  one.join();
  two.join();
}

// The predicate is atomic and stored without the lock; an empty critical
// section before the notification closes the gap.
void EmptyCriticalSection() {
  std::mutex mu;
  std::condition_variable changed;
  std::atomic<bool> ready{false};
  std::thread waiter([&] {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return ready.load(); });
  });
  ready.store(true);
  { std::lock_guard<std::mutex> hold(mu); }
  changed.notify_one();
  waiter.join();
}

// An event that can be set and reset at once: waiters wait for the generation
// to change.
void EventWithGeneration() {
  std::mutex mu;
  std::condition_variable changed;
  bool waiting = false;
  int generation = 0;
  std::thread waiter([&] {
    std::unique_lock<std::mutex> hold(mu);
    const int seen = generation;
    waiting = true;
    changed.notify_all();
    changed.wait(hold, [&] { return generation != seen; });
  });
  {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return waiting; });
    ++generation;
    changed.notify_all();
  }
  waiter.join();
}

// A barrier made by hand, with a generation, used twice.
void BarrierWithGeneration() {
  std::mutex mu;
  std::condition_variable all_here;
  int arrived = 0, generation = 0;
  auto await = [&] {
    std::unique_lock<std::mutex> hold(mu);
    const int mine = generation;
    if (++arrived == 2) {
      arrived = 0;
      ++generation;
      all_here.notify_all();
    } else {
      all_here.wait(hold, [&] { return generation != mine; });
    }
  };
  int cells[2] = {0, 0};
  auto work = [&](int self) {
    cells[self] = 1;
    await();
    Expect(cells[1 - self] == 1, "the other has not arrived");
    await();
    cells[self] = 2;
  };
  std::thread other(work, 1);
  work(0);
  other.join();
}

// std::barrier with a completion function that touches plain data.
void BarrierPhases() {
  int phase = 0;
  auto next = [&]() noexcept { ++phase; };
  std::barrier<decltype(next)> all(2, next);
  auto work = [&] {
    all.arrive_and_wait();
    Expect(phase == 1, "the phase has not ended");
    all.arrive_and_wait();
  };
  std::thread other(work);
  work();
  other.join();
  Expect(phase == 2, "the phase has not ended");
}

// The first call throws, the second one runs: call_once tries again.
void CallOnceWithException() {
  std::once_flag once;
  std::atomic<int> attempts{0};
  int value = 0;
  auto initialise = [&] {
    try {
      std::call_once(once, [&] {
        if (attempts.fetch_add(1) == 0) throw std::runtime_error("once more");
        value = 7;
      });
    } catch (const std::runtime_error&) {
      std::call_once(once, [&] {
        attempts.fetch_add(1);
        value = 7;
      });
    }
    Expect(value == 7, "not initialised");
  };
  std::thread one(initialise), two(initialise);
  one.join();
  two.join();
  Expect(attempts.load() == 2, "initialised twice");
}

// Destructors of thread_local objects run before join() returns, and may take
// locks.
struct ReportsItsEnd {
  std::mutex* mu = nullptr;
  int* ended = nullptr;
  ~ReportsItsEnd() {
    if (mu == nullptr) return;
    std::lock_guard<std::mutex> hold(*mu);
    ++*ended;
  }
};
thread_local ReportsItsEnd reports_its_end;

void ThreadLocalDestructors() {
  std::mutex mu;
  int ended = 0;
  auto work = [&] {
    reports_its_end.mu = &mu;
    reports_its_end.ended = &ended;
  };
  std::thread one(work), two(work);
  one.join();
  two.join();
  Expect(ended == 2, "a destructor has not run");
}

// A function-local static is initialised by one thread, and the others wait
// for it. (It is initialised in the first schedule only.)
void StaticLocal() {
  auto get = []() -> const int& {
    static const int value = [] { return 7; }();
    return value;
  };
  std::thread other([&] { Expect(get() == 7, "half-built object"); });
  Expect(get() == 7, "half-built object");
  other.join();
}

// A future with callbacks: "ready?" is checked under the lock that the
// callbacks are appended under.
void FutureCallbacks() {
  std::mutex mu;
  bool ready = false;
  int value = 0;
  std::vector<std::function<void(int)>> callbacks;
  std::atomic<int> called{0};
  std::thread producer([&] {
    std::vector<std::function<void(int)>> run;
    {
      std::lock_guard<std::mutex> hold(mu);
      value = 7;
      ready = true;
      run.swap(callbacks);
    }
    for (auto& callback : run) callback(value);
  });
  auto callback = [&](int delivered) {
    Expect(delivered == 7, "wrong value");
    called.fetch_add(1);
  };
  bool at_once;
  {
    std::lock_guard<std::mutex> hold(mu);
    at_once = ready;
    if (!at_once) callbacks.push_back(callback);
  }
  if (at_once) callback(value);
  producer.join();
  Expect(called.load() == 1, "the callback is never called");
}

// The waiter destroys an object as soon as it has been told under the lock
// that nobody needs it: right only because the notifier's last access is its
// unlock, which std::mutex and absl::Mutex allow.
void DestroyedAfterNotification() {
  struct Event {
    absl::Mutex mu;
    bool set = false;
  };
  auto event = std::make_unique<Event>();
  std::thread notifier([raw = event.get()] {
    absl::MutexLock hold(&raw->mu);
    raw->set = true;
  });
  {
    absl::MutexLock hold(&event->mu);
    event->mu.Await(absl::Condition(&event->set));
  }
  event.reset();
  notifier.join();
}

// BlockingCounter on the stack of the waiter.
void BlockingCounterOnStack() {
  std::thread one, two;
  int results[2] = {0, 0};
  {
    absl::BlockingCounter pending(2);
    one = std::thread([&] {
      results[0] = 1;
      pending.DecrementCount();
    });
    two = std::thread([&] {
      results[1] = 2;
      pending.DecrementCount();
    });
    pending.Wait();
    Expect(results[0] + results[1] == 3, "a result is missing");
  }
  one.join();
  two.join();
}

// Two semaphores hand a plain variable back and forth.
void PingPong() {
  std::binary_semaphore ping(1), pong(0);
  int ball = 0;
  std::thread other([&] {
    for (int i = 0; i < 2; ++i) {
      pong.acquire();
      ++ball;
      ping.release();
    }
  });
  for (int i = 0; i < 2; ++i) {
    ping.acquire();
    ++ball;
    pong.release();
  }
  other.join();
  Expect(ball == 4, "a stroke is lost");
}

// A semaphore as a mutex, with two threads that wait at the same time. With
// GCC 12's semaphore on atomics it can deadlock: see tools/instrumented.bzl.
void SemaphoreAsMutex() {
  std::counting_semaphore<2> section(1);
  int count = 0;
  auto work = [&] {
    section.acquire();
    ++count;
    section.release();
  };
  std::thread one(work), two(work);
  work();
  one.join();
  two.join();
  Expect(count == 3, "an increment is lost");
}

// A value and an exception through futures.
void Futures() {
  std::future<int> value = std::async(std::launch::async, [] { return 7; });
  std::future<int> error = std::async(std::launch::async, []() -> int {
    throw std::runtime_error("no result");
  });
  Expect(value.get() == 7, "wrong value");
  bool thrown = false;
  try {
    error.get();
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  Expect(thrown, "the exception is lost");
}

// A jthread that waits with its stop token: the request wakes it.
void StoppedWhileWaiting() {
  std::mutex mu;
  std::condition_variable_any changed;
  bool stopped = false;
  {
    std::jthread worker([&](std::stop_token token) {
      std::unique_lock<std::mutex> hold(mu);
      const bool woken = changed.wait(hold, token, [] { return false; });
      stopped = !woken && token.stop_requested();
    });
  }
  Expect(stopped, "the stop request is lost");
}

// A timed wait in a loop over its predicate: a time-out that coincides with
// the notification loses nothing.
void TimedWaitLooksAgain() {
  std::mutex mu;
  std::condition_variable changed;
  int permits = 0;
  std::thread releaser([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::lock_guard<std::mutex> hold(mu);
    ++permits;
    changed.notify_one();
  });
  bool acquired;
  {
    std::unique_lock<std::mutex> hold(mu);
    acquired = changed.wait_for(hold, std::chrono::milliseconds(10),
                                [&] { return permits > 0; });
    if (acquired) --permits;
  }
  releaser.join();
  Expect(permits == (acquired ? 0 : 1), "a permit is lost or doubled");
}

// An hour passes without costing any time, and the clocks agree about it.
void AnHourPasses() {
  const absl::Time start = absl::Now();
  const auto steady_start = std::chrono::steady_clock::now();
  absl::Notification done;
  std::thread sleeper([&] {
    absl::SleepFor(absl::Hours(1));
    done.Notify();
  });
  Expect(!done.WaitForNotificationWithTimeout(absl::Minutes(30)),
         "notified too early");
  done.WaitForNotification();
  sleeper.join();
  Expect(absl::Now() - start >= absl::Hours(1), "less than an hour");
  Expect(
      std::chrono::steady_clock::now() - steady_start >= std::chrono::hours(1),
      "less than an hour");
}

// A pool of two threads that is shut down while tasks are queued: every task
// runs.
void PoolShutdown() {
  absl::Mutex mu;
  std::queue<std::function<void()>> tasks;
  bool closed = false;
  std::atomic<int> run{0};
  auto ready = [&] { return closed || !tasks.empty(); };
  auto work = [&] {
    for (;;) {
      std::function<void()> task;
      {
        absl::MutexLock hold(&mu);
        mu.Await(absl::Condition(&ready));
        if (tasks.empty()) return;
        task = std::move(tasks.front());
        tasks.pop();
      }
      task();
    }
  };
  std::thread one(work), two(work);
  {
    absl::MutexLock hold(&mu);
    for (int i = 0; i < 2; ++i) tasks.push([&] { run.fetch_add(1); });
    closed = true;
  }
  one.join();
  two.join();
  Expect(run.load() == 2, "a task has not run");
}

}  // namespace

std::vector<Program> CorrectBlocking() {
  return {
      {.name = "queue_with_two_conditions", .body = QueueWithTwoConditions},
      {.name = "queue_with_await", .body = QueueWithAwait},
      {.name = "notify_outside_lock", .body = NotifyOutsideLock},
      {.name = "empty_critical_section", .body = EmptyCriticalSection},
      {.name = "event_with_generation", .body = EventWithGeneration},
      {.name = "barrier_with_generation", .body = BarrierWithGeneration},
      {.name = "barrier_phases", .body = BarrierPhases},
      {.name = "call_once_with_exception", .body = CallOnceWithException},
      {.name = "thread_local_destructors", .body = ThreadLocalDestructors},
      {.name = "static_local", .body = StaticLocal},
      {.name = "future_callbacks", .body = FutureCallbacks},
      {.name = "destroyed_after_notification",
       .body = DestroyedAfterNotification},
      {.name = "blocking_counter_on_stack", .body = BlockingCounterOnStack},
      {.name = "ping_pong", .body = PingPong},
      {.name = "semaphore_as_mutex", .body = SemaphoreAsMutex},
      {.name = "futures", .body = Futures},
      {.name = "stopped_while_waiting", .body = StoppedWhileWaiting},
      {.name = "timed_wait_looks_again", .body = TimedWaitLooksAgain},
      // An hour of real time natively.
      {.name = "an_hour_passes",
       .body = AnHourPasses,
       .tsan = Tsan::kUndefined},
      {.name = "pool_shutdown", .body = PoolShutdown},
  };
}

}  // namespace lockstep::tests
