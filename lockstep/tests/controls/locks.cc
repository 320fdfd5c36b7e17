// SPDX-License-Identifier: Apache-2.0
//
// Correct locks: built from atomics, built from a mutex and a condition
// variable, and lock orders that look like deadlocks.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "lockstep/tests/controls/controls.h"

namespace lockstep::tests {
namespace {

// Runs two threads that enter the section of `lock` twice each and count
// with a plain variable, so that a broken lock is a data race.
template <typename Lock>
void CountTwice(Lock& lock) {
  int count = 0;
  auto work = [&](int self) {
    for (int i = 0; i < 2; ++i) {
      lock.Lock(self);
      ++count;
      lock.Unlock(self);
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  Expect(count == 4, "an increment is lost");
}

// Peterson's algorithm as in the textbook, yielding while it waits.
class Peterson {
 public:
  void Lock(int self) {
    wants_[self].store(true);
    turn_.store(1 - self);
    while (wants_[1 - self].load() && turn_.load() == 1 - self) {
      std::this_thread::yield();
    }
  }
  void Unlock(int self) { wants_[self].store(false); }

 private:
  std::atomic<bool> wants_[2] = {false, false};
  std::atomic<int> turn_{0};
};

// The same in the words of Herlihy and Shavit ("victim"), spinning without a
// yield: only a fair scheduler lets it end.
class PetersonTightLoop {
 public:
  void Lock(int self) {
    flag_[self].store(true);
    victim_.store(self);
    while (flag_[1 - self].load() && victim_.load() == self) {
    }
  }
  void Unlock(int self) { flag_[self].store(false); }

 private:
  std::atomic<bool> flag_[2] = {false, false};
  std::atomic<int> victim_{0};
};

// With the weakest orders that still work: the exchange of `turn_` orders the
// two announcements, acquire and release order the section.
class PetersonExchange {
 public:
  void Lock(int self) {
    wants_[self].store(true, std::memory_order_relaxed);
    turn_.exchange(1 - self, std::memory_order_acq_rel);
    while (wants_[1 - self].load(std::memory_order_acquire) &&
           turn_.load(std::memory_order_acquire) == 1 - self) {
      std::this_thread::yield();
    }
  }
  void Unlock(int self) {
    wants_[self].store(false, std::memory_order_release);
  }

 private:
  std::atomic<bool> wants_[2] = {false, false};
  std::atomic<int> turn_{0};
};

class Dekker {
 public:
  void Lock(int self) {
    wants_[self].store(true);
    while (wants_[1 - self].load()) {
      if (turn_.load() != self) {
        wants_[self].store(false);
        while (turn_.load() != self) std::this_thread::yield();
        wants_[self].store(true);
      } else {
        std::this_thread::yield();
      }
    }
  }
  void Unlock(int self) {
    turn_.store(1 - self);
    wants_[self].store(false);
  }

 private:
  std::atomic<bool> wants_[2] = {false, false};
  std::atomic<int> turn_{0};
};

// Lamport's bakery.
class Bakery {
 public:
  void Lock(int self) {
    const int other = 1 - self;
    choosing_[self].store(true);
    const int mine = number_[other].load() + 1;
    number_[self].store(mine);
    choosing_[self].store(false);
    while (choosing_[other].load()) std::this_thread::yield();
    for (;;) {
      const int theirs = number_[other].load();
      if (theirs == 0 || mine < theirs || (mine == theirs && self < other)) {
        break;
      }
      std::this_thread::yield();
    }
  }
  void Unlock(int self) { number_[self].store(0); }

 private:
  std::atomic<bool> choosing_[2] = {false, false};
  std::atomic<int> number_[2] = {0, 0};
};

class TestAndSetLock {
 public:
  void Lock(int) {
    while (locked_.test_and_set(std::memory_order_acquire)) {
    }
  }
  void Unlock(int) { locked_.clear(std::memory_order_release); }

 private:
  std::atomic_flag locked_;
};

class TicketLock {
 public:
  void Lock(int) {
    const unsigned mine = next_.fetch_add(1, std::memory_order_relaxed);
    while (serving_.load(std::memory_order_acquire) != mine) {
      std::this_thread::yield();
    }
  }
  void Unlock(int) {
    serving_.store(serving_.load(std::memory_order_relaxed) + 1,
                   std::memory_order_release);
  }

 private:
  std::atomic<unsigned> next_{0};
  std::atomic<unsigned> serving_{0};
};

// Mellor-Crummey and Scott's queue lock.
class McsLock {
 public:
  void Lock(int self) {
    Node& node = nodes_[self];
    node.next.store(nullptr, std::memory_order_relaxed);
    node.locked.store(true, std::memory_order_relaxed);
    Node* before = tail_.exchange(&node, std::memory_order_acq_rel);
    if (before == nullptr) return;
    before->next.store(&node, std::memory_order_release);
    while (node.locked.load(std::memory_order_acquire)) {
      std::this_thread::yield();
    }
  }
  void Unlock(int self) {
    Node& node = nodes_[self];
    Node* after = node.next.load(std::memory_order_acquire);
    if (after == nullptr) {
      Node* expected = &node;
      if (tail_.compare_exchange_strong(expected, nullptr,
                                        std::memory_order_acq_rel)) {
        return;
      }
      while ((after = node.next.load(std::memory_order_acquire)) == nullptr) {
        std::this_thread::yield();
      }
    }
    after->locked.store(false, std::memory_order_release);
  }

 private:
  struct Node {
    std::atomic<Node*> next{nullptr};
    std::atomic<bool> locked{false};
  };
  Node nodes_[2];
  std::atomic<Node*> tail_{nullptr};
};

// A lock that sleeps in the kernel when contended (Drepper, "Futexes are
// tricky", third mutex), with std::atomic::wait.
class FutexLock {
 public:
  void Lock(int) {
    int state = 0;
    if (state_.compare_exchange_strong(state, 1, std::memory_order_acquire)) {
      return;
    }
    if (state != 2) state = state_.exchange(2, std::memory_order_acquire);
    while (state != 0) {
      state_.wait(2, std::memory_order_relaxed);
      state = state_.exchange(2, std::memory_order_acquire);
    }
  }
  void Unlock(int) {
    if (state_.exchange(0, std::memory_order_release) == 2) {
      state_.notify_one();
    }
  }

 private:
  std::atomic<int> state_{0};
};

template <typename Lock>
void CountTwiceWith() {
  Lock lock;
  CountTwice(lock);
}

// A reader/writer lock made of a mutex and a condition variable. A shared
// object is written and read through it.
void ReaderWriterLock() {
  std::mutex mu;
  std::condition_variable changed;
  int readers = 0;
  bool writer = false;
  int value = 0;
  auto read = [&] {
    {
      std::unique_lock<std::mutex> hold(mu);
      changed.wait(hold, [&] { return !writer; });
      ++readers;
    }
    Expect(value == 0 || value == 2, "half of a write is visible");
    std::lock_guard<std::mutex> hold(mu);
    if (--readers == 0) changed.notify_all();
  };
  auto write = [&] {
    {
      std::unique_lock<std::mutex> hold(mu);
      changed.wait(hold, [&] { return !writer && readers == 0; });
      writer = true;
    }
    ++value;
    ++value;
    std::lock_guard<std::mutex> hold(mu);
    writer = false;
    changed.notify_all();
  };
  std::thread one(read), two(write);
  read();
  one.join();
  two.join();
}

// A counting semaphore made of a mutex and a condition variable; one permit,
// so it excludes.
void SemaphoreFromMonitor() {
  std::mutex mu;
  std::condition_variable released;
  int permits = 1;
  int count = 0;
  auto work = [&] {
    {
      std::unique_lock<std::mutex> hold(mu);
      released.wait(hold, [&] { return permits > 0; });
      --permits;
    }
    ++count;
    {
      std::lock_guard<std::mutex> hold(mu);
      ++permits;
    }
    released.notify_one();
  };
  std::thread one(work), two(work);
  work();
  one.join();
  two.join();
  Expect(count == 3, "an increment is lost");
}

// Philosophers who take the left fork first, but only inside a gate that all
// of them pass: an inversion of lock order that cannot deadlock.
// ThreadSanitizer and Abseil's own detector warn on it.
void GateLockedPhilosophers() {
  constexpr int kPhilosophers = 3;
  absl::Mutex gate;
  absl::Mutex forks[kPhilosophers];
  std::thread philosophers[kPhilosophers];
  for (int i = 0; i < kPhilosophers; ++i) {
    philosophers[i] = std::thread([&, i] {
      absl::MutexLock pass(&gate);
      absl::MutexLock left(&forks[i]);
      absl::MutexLock right(&forks[(i + 1) % kPhilosophers]);
    });
  }
  for (std::thread& philosopher : philosophers) philosopher.join();
}

// Opposite orders again, but separated in time by a join.
void OppositeOrdersOneAfterTheOther() {
  std::mutex a, b;
  std::thread other([&] {
    std::lock_guard<std::mutex> hold_b(b);
    std::lock_guard<std::mutex> hold_a(a);
  });
  other.join();
  std::lock_guard<std::mutex> hold_a(a);
  std::lock_guard<std::mutex> hold_b(b);
}

// std::scoped_lock takes two mutexes in any order without deadlock.
void ScopedLockBothWays() {
  std::mutex a, b;
  int moved = 0;
  std::thread other([&] {
    std::scoped_lock hold(b, a);
    ++moved;
  });
  {
    std::scoped_lock hold(a, b);
    ++moved;
  }
  other.join();
  Expect(moved == 2, "an increment is lost");
}

// Backs off instead of waiting for the second lock, and yields.
void TryLockWithBackOff() {
  std::mutex a, b;
  int moved = 0;
  auto work = [&](std::mutex& first, std::mutex& second) {
    for (;;) {
      first.lock();
      if (second.try_lock()) break;
      first.unlock();
      std::this_thread::yield();
    }
    ++moved;
    second.unlock();
    first.unlock();
  };
  std::thread other([&] { work(b, a); });
  work(a, b);
  other.join();
  Expect(moved == 2, "an increment is lost");
}

// Readers of a shared lock meet inside: only possible if it is really shared.
void ReadersMeetInside() {
  std::shared_mutex mu;
  std::mutex count_mu;
  std::condition_variable both;
  int inside = 0;
  auto read = [&] {
    std::shared_lock<std::shared_mutex> hold(mu);
    std::unique_lock<std::mutex> lock(count_mu);
    ++inside;
    both.notify_one();
    both.wait(lock, [&] { return inside == 2; });
  };
  std::thread other(read);
  read();
  other.join();
}

}  // namespace

std::vector<Program> CorrectLocks() {
  return {
      {.name = "peterson", .body = CountTwiceWith<Peterson>},
      {.name = "peterson_tight_loop",
       .body = CountTwiceWith<PetersonTightLoop>},
      {.name = "peterson_exchange", .body = CountTwiceWith<PetersonExchange>},
      {.name = "dekker", .body = CountTwiceWith<Dekker>},
      {.name = "bakery", .body = CountTwiceWith<Bakery>},
      {.name = "test_and_set_lock", .body = CountTwiceWith<TestAndSetLock>},
      {.name = "ticket_lock", .body = CountTwiceWith<TicketLock>},
      {.name = "mcs_lock", .body = CountTwiceWith<McsLock>},
      {.name = "futex_lock", .body = CountTwiceWith<FutexLock>},
      {.name = "reader_writer_lock", .body = ReaderWriterLock},
      {.name = "semaphore_from_monitor", .body = SemaphoreFromMonitor},
      {.name = "gate_locked_philosophers", .body = GateLockedPhilosophers},
      {.name = "opposite_orders_one_after_the_other",
       .body = OppositeOrdersOneAfterTheOther},
      {.name = "scoped_lock_both_ways", .body = ScopedLockBothWays},
      {.name = "try_lock_with_back_off", .body = TryLockWithBackOff},
      {.name = "readers_meet_inside", .body = ReadersMeetInside},
  };
}

}  // namespace lockstep::tests
