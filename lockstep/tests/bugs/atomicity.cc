// SPDX-License-Identifier: Apache-2.0
//
// Atomicity violations: every access is synchronised, and the result is still
// wrong. ThreadSanitizer has nothing to say about these.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "lockstep/tests/bugs/bugs.h"

namespace lockstep::tests {
namespace {

// Looks up under the lock, lets go, inserts under the lock: two threads create
// the same entry.
void CheckThenAct() {
  std::mutex mu;
  std::map<int, int> entries;
  int created = 0;
  auto get_or_create = [&] {
    {
      std::lock_guard<std::mutex> hold(mu);
      if (entries.count(1) != 0) return;
    }
    std::lock_guard<std::mutex> hold(mu);
    entries[1] = 1;
    ++created;
  };
  std::thread first(get_or_create), second(get_or_create);
  first.join();
  second.join();
  Expect(created == 1, "the entry was created twice");
}

// empty() and pop() are each safe; together they are not.
void TwoCallPop() {
  absl::Mutex mu;
  std::queue<int> queue;
  queue.push(1);
  auto empty = [&] {
    absl::MutexLock hold(&mu);
    return queue.empty();
  };
  auto pop = [&] {
    absl::MutexLock hold(&mu);
    Expect(!queue.empty(), "pop from an empty queue");
    queue.pop();
  };
  auto consume = [&] {
    if (!empty()) pop();
  };
  std::thread first(consume), second(consume);
  first.join();
  second.join();
}

// Reads under the lock, writes under the lock, and forgets in between.
void LostUpdate() {
  absl::Mutex mu;
  int balance = 0;
  auto deposit = [&] {
    int seen;
    {
      absl::MutexLock hold(&mu);
      seen = balance;
    }
    absl::MutexLock hold(&mu);
    balance = seen + 1;
  };
  std::thread other(deposit);
  deposit();
  other.join();
  Expect(balance == 2, "an update is lost");
}

// A transfer under two separate locks: an auditor sees money vanish.
void TornInvariant() {
  struct Account {
    std::mutex mu;
    int balance = 10;
  };
  Account a, b;
  std::thread transfer([&] {
    {
      std::lock_guard<std::mutex> hold(a.mu);
      a.balance -= 5;
    }
    std::lock_guard<std::mutex> hold(b.mu);
    b.balance += 5;
  });
  int sum;
  {
    std::scoped_lock hold(a.mu, b.mu);
    sum = a.balance + b.balance;
  }
  transfer.join();
  Expect(sum == 20, "the auditor misses money");
}

// load and store instead of fetch_add.
void AtomicLoadThenStore() {
  std::atomic<int> count{0};
  auto increment = [&] { count.store(count.load() + 1); };
  std::thread other(increment);
  increment();
  other.join();
  Expect(count.load() == 2, "an increment is lost");
}

// Checks a limit, then counts: the limit is exceeded.
void AtomicCheckThenIncrement() {
  std::atomic<int> admitted{0};
  constexpr int kLimit = 1;
  auto enter = [&] {
    if (admitted.load() < kLimit) admitted.fetch_add(1);
  };
  std::thread other(enter);
  enter();
  other.join();
  Expect(admitted.load() <= kLimit, "more admitted than allowed");
}

// "Am I the last owner?" and "let go" in two steps: nobody is the last.
void RefcountInTwoSteps() {
  std::atomic<int> owners{2};
  std::atomic<int> destroyed{0};
  auto release = [&] {
    if (owners.load() == 1) {
      destroyed.fetch_add(1);
    } else {
      owners.fetch_sub(1);
    }
  };
  std::thread other(release);
  release();
  other.join();
  Expect(destroyed.load() == 1, "the object is never destroyed");
}

// A future's callback list: "ready?" is checked before the lock is taken, so
// a callback is appended after the value has been delivered.
class CallbackList {
 public:
  void SetReady() {
    ready_.store(true);
    std::vector<std::function<void()>> run;
    {
      std::lock_guard<std::mutex> hold(mu_);
      run.swap(callbacks_);
    }
    for (const std::function<void()>& callback : run) callback();
  }
  void WhenReady(std::function<void()> callback) {
    if (ready_.load()) {
      callback();
      return;
    }
    std::lock_guard<std::mutex> hold(mu_);
    callbacks_.push_back(std::move(callback));
  }

 private:
  std::atomic<bool> ready_{false};
  std::mutex mu_;
  std::vector<std::function<void()>> callbacks_;
};

void LostCallback() {
  CallbackList list;
  std::atomic<int> called{0};
  std::thread producer([&] { list.SetReady(); });
  list.WhenReady([&] { called.fetch_add(1); });
  producer.join();
  Expect(called.load() == 1, "the callback is never called");
}

// Two atomics that belong together, written one after the other.
void TornPair() {
  std::atomic<int> low{0}, high{0};
  std::thread writer([&] {
    low.store(1);
    high.store(1);
  });
  const int seen_low = low.load();
  const int seen_high = high.load();
  writer.join();
  Expect(seen_low == seen_high, "half of an update is visible");
}

// Lazy initialisation of an atomic pointer without compare-and-swap: two
// instances, and users that hold different ones.
void TwoSingletons() {
  struct Instance {
    int value = 7;
  };
  std::atomic<Instance*> instance{nullptr};
  std::vector<std::unique_ptr<Instance>> owned(2);
  auto get = [&](int self) {
    Instance* seen = instance.load();
    if (seen == nullptr) {
      owned[self] = std::make_unique<Instance>();
      seen = owned[self].get();
      instance.store(seen);
    }
    return seen;
  };
  Instance* by_other = nullptr;
  std::thread other([&] { by_other = get(1); });
  Instance* by_main = get(0);
  other.join();
  Expect(by_main == by_other, "two instances of a singleton");
}

// ABA: a stack of numbered cells whose pop compares only the number of the top
// cell. The cell comes back, its successor does not.
class IndexStack {
 public:
  static constexpr int kEmpty = -1;
  void Push(int cell) {
    int top = top_.load();
    do {
      next_[cell].store(top);
    } while (!top_.compare_exchange_strong(top, cell));
  }
  int Pop() {
    int top = top_.load();
    while (top != kEmpty) {
      const int next = next_[top].load();
      if (top_.compare_exchange_strong(top, next)) return top;
    }
    return kEmpty;
  }

 private:
  std::atomic<int> top_{kEmpty};
  std::atomic<int> next_[3] = {kEmpty, kEmpty, kEmpty};
};

void AbaInStack() {
  IndexStack stack;
  stack.Push(0);
  stack.Push(1);
  int popped_by_other = IndexStack::kEmpty;
  std::thread other([&] {
    const int first = stack.Pop();
    popped_by_other = stack.Pop();
    if (first != IndexStack::kEmpty) stack.Push(first);
  });
  const int popped_by_main = stack.Pop();
  other.join();
  int owners[3] = {0, 0, 0};
  auto count = [&](int cell) {
    if (cell != IndexStack::kEmpty) ++owners[cell];
  };
  count(popped_by_main);
  count(popped_by_other);
  // At most three cells can be on the stack, unless it has become a cycle.
  for (int i = 0; i < 3; ++i) count(stack.Pop());
  Expect(owners[0] == 1 && owners[1] == 1, "a cell has two owners or none");
}

// A reader/writer lock made of a counter and a semaphore. The first reader
// takes the semaphore for all, but only after it has let go of the counter: a
// second reader walks in while the first still waits for the writer.
void SecondReaderDoesNotWait() {
  std::binary_semaphore no_writer(1);
  std::mutex count_mu;
  int readers = 0;
  std::atomic<bool> writing{false};
  auto read = [&] {
    bool first, last;
    {
      std::lock_guard<std::mutex> hold(count_mu);
      first = ++readers == 1;
    }
    if (first) no_writer.acquire();
    Expect(!writing.load(), "reads while the writer writes");
    {
      std::lock_guard<std::mutex> hold(count_mu);
      last = --readers == 0;
    }
    if (last) no_writer.release();
  };
  auto write = [&] {
    no_writer.acquire();
    writing.store(true);
    writing.store(false);
    no_writer.release();
  };
  std::thread writer(write), reader(read);
  read();
  writer.join();
  reader.join();
}

// Checks under the shared lock, then takes the exclusive lock without checking
// again.
void StaleCheckAfterUpgrade() {
  std::shared_mutex mu;
  std::optional<int> cache;
  int computed = 0;
  auto get = [&] {
    {
      std::shared_lock<std::shared_mutex> hold(mu);
      if (cache.has_value()) return;
    }
    std::unique_lock<std::shared_mutex> hold(mu);
    cache = 1;
    ++computed;
  };
  std::thread other(get);
  get();
  other.join();
  Expect(computed == 1, "the value is computed twice");
}

// Hands out a snapshot in two locked steps: size, then elements.
void SnapshotInTwoSteps() {
  absl::Mutex mu;
  std::vector<int> items = {1, 2};
  std::thread eraser([&] {
    absl::MutexLock hold(&mu);
    items.pop_back();
  });
  size_t size;
  {
    absl::MutexLock hold(&mu);
    size = items.size();
  }
  for (size_t i = 0; i < size; ++i) {
    absl::MutexLock hold(&mu);
    Expect(i < items.size(), "reads past the end");
  }
  eraser.join();
}

// Mutual exclusion by announcing and looking, in the wrong order: look first,
// announce later. All accesses are atomic, and both are inside.
void LookThenAnnounce() {
  std::atomic<bool> inside[2] = {false, false};
  std::atomic<int> in_section{0};
  auto work = [&](int self) {
    while (inside[1 - self].load()) std::this_thread::yield();
    inside[self].store(true);
    Expect(in_section.fetch_add(1) == 0, "two threads in the section");
    in_section.fetch_sub(1);
    inside[self].store(false);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
}

// Peterson's algorithm with the two announcements swapped: turn first, flag
// later.
void PetersonSwapped() {
  std::atomic<bool> wants[2] = {false, false};
  std::atomic<int> turn{0};
  std::atomic<int> in_section{0};
  auto work = [&](int self) {
    turn.store(1 - self);
    wants[self].store(true);
    while (wants[1 - self].load() && turn.load() == 1 - self) {
      std::this_thread::yield();
    }
    Expect(in_section.fetch_add(1) == 0, "two threads in the section");
    in_section.fetch_sub(1);
    wants[self].store(false);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
}

// A thread uses what another one has not yet set up, although every access is
// atomic: an order violation, not a race.
void UsedBeforeSetUp() {
  std::atomic<int> port{0};
  std::thread client([&] { Expect(port.load() != 0, "port not yet set"); });
  port.store(8080);
  client.join();
}

// Binary semaphore as a mutex, released once too often on the error path.
void ReleasedOnceTooOften() {
  std::counting_semaphore<2> section(1);
  std::atomic<int> inside{0};
  auto work = [&](bool fails) {
    section.acquire();
    Expect(inside.fetch_add(1) == 0, "two threads in the section");
    inside.fetch_sub(1);
    if (fails) section.release();
    section.release();
  };
  std::thread first(work, true), second(work, false);
  work(false);
  first.join();
  second.join();
}

// A single-producer queue used by two producers: both fill the same slot.
void TwoProducersForOne() {
  std::atomic<int> slots[4] = {0, 0, 0, 0};
  std::atomic<int> tail{0};
  auto push = [&](int value) {
    const int at = tail.load(std::memory_order_relaxed);
    slots[at].store(value, std::memory_order_relaxed);
    tail.store(at + 1, std::memory_order_release);
  };
  std::thread other(push, 1);
  push(2);
  other.join();
  Expect(tail.load() == 2, "an item is overwritten");
}

}  // namespace

std::vector<Program> AtomicityViolations() {
  using enum Verdict;
  return {
      {.name = "check_then_act",
       .body = CheckThenAct,
       .expected = kWrongResult},
      {.name = "two_call_pop", .body = TwoCallPop, .expected = kWrongResult},
      {.name = "lost_update", .body = LostUpdate, .expected = kWrongResult},
      {.name = "torn_invariant",
       .body = TornInvariant,
       .expected = kWrongResult},
      {.name = "atomic_load_then_store",
       .body = AtomicLoadThenStore,
       .expected = kWrongResult},
      {.name = "atomic_check_then_increment",
       .body = AtomicCheckThenIncrement,
       .expected = kWrongResult},
      {.name = "refcount_in_two_steps",
       .body = RefcountInTwoSteps,
       .expected = kWrongResult},
      {.name = "lost_callback", .body = LostCallback, .expected = kWrongResult},
      {.name = "torn_pair", .body = TornPair, .expected = kWrongResult},
      {.name = "two_singletons",
       .body = TwoSingletons,
       .expected = kWrongResult},
      {.name = "aba_in_stack", .body = AbaInStack, .expected = kWrongResult},
      {.name = "second_reader_does_not_wait",
       .body = SecondReaderDoesNotWait,
       .expected = kWrongResult},
      {.name = "stale_check_after_upgrade",
       .body = StaleCheckAfterUpgrade,
       .expected = kWrongResult},
      {.name = "snapshot_in_two_steps",
       .body = SnapshotInTwoSteps,
       .expected = kWrongResult},
      {.name = "look_then_announce",
       .body = LookThenAnnounce,
       .expected = kWrongResult},
      {.name = "peterson_swapped",
       .body = PetersonSwapped,
       .expected = kWrongResult},
      {.name = "used_before_set_up",
       .body = UsedBeforeSetUp,
       .expected = kWrongResult},
      {.name = "released_once_too_often",
       .body = ReleasedOnceTooOften,
       .expected = kWrongResult},
      {.name = "two_producers_for_one",
       .body = TwoProducersForOne,
       .expected = kWrongResult},
  };
}

}  // namespace lockstep::tests
