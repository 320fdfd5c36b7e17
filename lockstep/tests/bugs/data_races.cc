// SPDX-License-Identifier: Apache-2.0
//
// Data races: two accesses, at least one a write, that nothing orders.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "lockstep/tests/bugs/bugs.h"

namespace lockstep::tests {
namespace {

// The counter without a lock.
void UnlockedCounter() {
  int count = 0;
  std::thread other([&] { ++count; });
  ++count;
  other.join();
}

// The writer locks, the reader does not bother.
void ReaderWithoutLock() {
  std::mutex mu;
  int value = 0;
  std::thread writer([&] {
    std::lock_guard<std::mutex> hold(mu);
    value = 1;
  });
  const int seen = value;
  writer.join();
  Expect(seen == 0 || seen == 1, "no such value was written");
}

// Both lock, but not the same mutex.
void TwoMutexesForOneVariable() {
  absl::Mutex mu[2];
  int value = 0;
  auto increment = [&](int self) {
    absl::MutexLock hold(&mu[self]);
    ++value;
  };
  std::thread other(increment, 1);
  increment(0);
  other.join();
}

// A transfer under the source's mutex alone: whoever uses the target holds
// another one. Both threads hold a second mutex that has nothing to do with it.
void TargetUnderTheSourcesMutex() {
  struct Account {
    std::mutex mu;
    int balance = 10;
  };
  const auto transfer = [](Account& from, Account& to) {
    std::lock_guard<std::mutex> hold(from.mu);
    from.balance -= 5;
    to.balance += 5;
  };
  Account from, to;
  std::mutex log_mu[2];
  std::thread other([&] {
    std::lock_guard<std::mutex> log(log_mu[1]);
    std::lock_guard<std::mutex> hold(to.mu);
    to.balance -= 1;
  });
  {
    std::lock_guard<std::mutex> log(log_mu[0]);
    transfer(from, to);
  }
  other.join();
}

// Writes under a shared lock.
void WriteUnderSharedLock() {
  std::shared_mutex mu;
  int hits = 0;
  auto read = [&] {
    std::shared_lock<std::shared_mutex> hold(mu);
    ++hits;
  };
  std::thread other(read);
  read();
  other.join();
}

// The same with absl::Mutex.
void WriteUnderReaderLock() {
  absl::Mutex mu;
  int hits = 0;
  auto read = [&] {
    absl::ReaderMutexLock hold(&mu);
    ++hits;
  };
  std::thread other(read);
  read();
  other.join();
}

// Double-checked locking with a plain pointer.
void DoubleCheckedPlain() {
  struct Config {
    int value = 42;
  };
  std::mutex mu;
  Config* config = nullptr;
  std::unique_ptr<Config> owner;
  auto get = [&]() -> Config* {
    if (config == nullptr) {
      std::lock_guard<std::mutex> hold(mu);
      if (config == nullptr) {
        owner = std::make_unique<Config>();
        config = owner.get();
      }
    }
    return config;
  };
  std::thread other([&] { Expect(get()->value == 42, "half-built object"); });
  Expect(get()->value == 42, "half-built object");
  other.join();
}

// Double-checked locking with an atomic pointer, published relaxed: the
// pointer is safe, what it points to is not.
void DoubleCheckedRelaxed() {
  struct Config {
    int value = 42;
  };
  std::mutex mu;
  std::atomic<Config*> config{nullptr};
  std::unique_ptr<Config> owner;
  auto get = [&]() -> Config* {
    Config* seen = config.load(std::memory_order_relaxed);
    if (seen == nullptr) {
      std::lock_guard<std::mutex> hold(mu);
      seen = config.load(std::memory_order_relaxed);
      if (seen == nullptr) {
        owner = std::make_unique<Config>();
        seen = owner.get();
        config.store(seen, std::memory_order_relaxed);
      }
    }
    return seen;
  };
  std::thread other([&] { Expect(get()->value == 42, "half-built object"); });
  Expect(get()->value == 42, "half-built object");
  other.join();
}

// A message published through a relaxed flag.
void PublishedRelaxed() {
  int message = 0;
  std::atomic<bool> ready{false};
  std::thread sender([&] {
    message = 42;
    ready.store(true, std::memory_order_relaxed);
  });
  if (ready.load(std::memory_order_relaxed)) {
    Expect(message == 42, "message not yet written");
  }
  sender.join();
}

// Released correctly, but acquired with a relaxed load.
void AcquireForgotten() {
  int message = 0;
  std::atomic<bool> ready{false};
  std::thread sender([&] {
    message = 42;
    ready.store(true, std::memory_order_release);
  });
  if (ready.load(std::memory_order_relaxed)) {
    Expect(message == 42, "message not yet written");
  }
  sender.join();
}

// A plain bool tells a worker to stop.
void PlainStopFlag() {
  bool stop = false;
  std::thread worker([&] {
    for (int i = 0; i < 3 && !stop; ++i) std::this_thread::yield();
  });
  stop = true;
  worker.join();
}

// volatile is not a synchronisation operation.
void VolatileFlag() {
  int message = 0;
  volatile bool ready = false;
  std::thread sender([&] {
    message = 42;
    ready = true;
  });
  if (ready) Expect(message == 42, "message not yet written");
  sender.join();
}

// The loop variable is captured by reference.
void LoopVariableByReference() {
  int sum[2] = {0, 0};
  std::thread threads[2];
  int i = 0;
  for (; i < 2; ++i) {
    threads[i] = std::thread([&] { sum[0] += i; });
  }
  for (std::thread& thread : threads) thread.join();
}

// A thread starts in the constructor, before the members it uses are set.
void StartedInConstructor() {
  class Logger {
   public:
    Logger() : worker_([this] { seen_ = level_; }) { level_ = 3; }
    ~Logger() { worker_.join(); }

   private:
    int level_ = 0;
    int seen_ = 0;
    std::thread worker_;
  };
  Logger logger;
}

// A lock of one's own whose unlock is relaxed.
void SpinLockRelaxedUnlock() {
  std::atomic<bool> locked{false};
  int value = 0;
  auto work = [&] {
    while (locked.exchange(true, std::memory_order_acquire)) {
      std::this_thread::yield();
    }
    ++value;
    locked.store(false, std::memory_order_relaxed);
  };
  std::thread other(work);
  work();
  other.join();
}

// Peterson's algorithm with relaxed operations: the interleavings are right,
// the memory is not ordered.
void PetersonRelaxed() {
  std::atomic<bool> wants[2] = {false, false};
  std::atomic<int> turn{0};
  int value = 0;
  auto work = [&](int self) {
    wants[self].store(true, std::memory_order_relaxed);
    turn.store(1 - self, std::memory_order_relaxed);
    while (wants[1 - self].load(std::memory_order_relaxed) &&
           turn.load(std::memory_order_relaxed) == 1 - self) {
      std::this_thread::yield();
    }
    ++value;
    wants[self].store(false, std::memory_order_relaxed);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
}

// The last owner reuses a buffer. The decrement is relaxed, so the other
// owner's last use does not happen before it.
void RefcountRelaxed() {
  struct Buffer {
    std::atomic<int> owners{2};
    int bytes = 0;
  };
  Buffer buffer;
  auto release = [&] {
    Expect(buffer.bytes == 0, "used after it was handed back");
    if (buffer.owners.fetch_sub(1, std::memory_order_relaxed) == 1) {
      buffer.bytes = -1;
    }
  };
  std::thread other(release);
  release();
  other.join();
}

// Two threads insert into one map.
void UnlockedMap() {
  std::map<int, int> map;
  std::thread other([&] { map[1] = 1; });
  map[2] = 2;
  other.join();
}

// Two std::string objects share nothing, but the threads share one string.
void UnlockedString() {
  std::string log;
  std::thread other([&] { log += "a"; });
  log += "b";
  other.join();
}

// shared_ptr's count is atomic, the pointer itself is not.
void SharedPtrVariable() {
  auto current = std::make_shared<int>(1);
  std::thread writer([&] { current = std::make_shared<int>(2); });
  std::shared_ptr<int> copy = current;
  writer.join();
  Expect(*copy == 1 || *copy == 2, "no such value was written");
}

// A seqlock whose data are plain: the sequence number detects the torn read,
// but the read itself is a race.
void SeqlockPlainData() {
  std::atomic<unsigned> sequence{0};
  int data[2] = {0, 0};
  std::thread writer([&] {
    sequence.fetch_add(1);
    data[0] = data[1] = 1;
    sequence.fetch_add(1);
  });
  const unsigned before = sequence.load();
  const int first = data[0], second = data[1];
  const unsigned after = sequence.load();
  writer.join();
  if (before == after && before % 2 == 0) {
    Expect(first == second, "torn read");
  }
}

// Joined the wrong thread: the result is read while its writer still runs.
void JoinedTheWrongThread() {
  int result = 0;
  std::thread worker([&] { result = 1; });
  std::thread other([] {});
  other.join();
  const int seen = result;
  worker.join();
  Expect(seen == 0 || seen == 1, "no such value was written");
}

// The predicate is changed without the lock that the waiter checks it under.
void PredicateWithoutLock() {
  absl::Mutex mu;
  bool ready = false;
  std::thread setter([&] { ready = true; });
  {
    absl::MutexLock hold(&mu);
    mu.AwaitWithTimeout(absl::Condition(&ready), absl::Milliseconds(1));
  }
  setter.join();
}

}  // namespace

std::vector<Program> DataRaces() {
  using enum Verdict;
  constexpr Shows kAlways = Shows::kAlways;
  constexpr Tsan kReports = Tsan::kReports;
  return {
      {.name = "unlocked_counter",
       .body = UnlockedCounter,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      // Not kAlways: if the writer runs first, only its unlock stands between
      // it and the reader, which is still no order; but a run in which the
      // reader comes first and the join orders nothing fails as well.
      {.name = "reader_without_lock",
       .body = ReaderWithoutLock,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "two_mutexes_for_one_variable",
       .body = TwoMutexesForOneVariable,
       .expected = kWrongLock,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "target_under_the_sources_mutex",
       .body = TargetUnderTheSourcesMutex,
       .expected = kWrongLock,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "write_under_shared_lock",
       .body = WriteUnderSharedLock,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "write_under_reader_lock",
       .body = WriteUnderReaderLock,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "double_checked_plain",
       .body = DoubleCheckedPlain,
       .expected = kDataRace,
       .tsan = kReports},
      {.name = "double_checked_relaxed",
       .body = DoubleCheckedRelaxed,
       .expected = kDataRace,
       .tsan = kReports},
      {.name = "published_relaxed",
       .body = PublishedRelaxed,
       .expected = kDataRace,
       .tsan = kReports},
      {.name = "acquire_forgotten",
       .body = AcquireForgotten,
       .expected = kDataRace,
       .tsan = kReports},
      {.name = "plain_stop_flag",
       .body = PlainStopFlag,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "volatile_flag",
       .body = VolatileFlag,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "loop_variable_by_reference",
       .body = LoopVariableByReference,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "started_in_constructor",
       .body = StartedInConstructor,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "spin_lock_relaxed_unlock",
       .body = SpinLockRelaxedUnlock,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "peterson_relaxed",
       .body = PetersonRelaxed,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "refcount_relaxed",
       .body = RefcountRelaxed,
       .expected = {kDataRace, kWrongResult},
       .shows = kAlways,
       .tsan = kReports},
      {.name = "unlocked_map",
       .body = UnlockedMap,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "unlocked_string",
       .body = UnlockedString,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "shared_ptr_variable",
       .body = SharedPtrVariable,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "seqlock_plain_data",
       .body = SeqlockPlainData,
       .expected = kDataRace,
       .tsan = kReports},
      {.name = "joined_the_wrong_thread",
       .body = JoinedTheWrongThread,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
      {.name = "predicate_without_lock",
       .body = PredicateWithoutLock,
       .expected = kDataRace,
       .shows = kAlways,
       .tsan = kReports},
  };
}

}  // namespace lockstep::tests
