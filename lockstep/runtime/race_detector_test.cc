// SPDX-License-Identifier: Apache-2.0
//
// What the race detector takes for ordered, and what not. Each body is run
// once, thread after thread: a race must be found although nothing goes wrong.

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/strategy/run_until_blocked.h"

namespace lockstep {
namespace {

// The verdicts of the two simplest schedules: threads in order of creation,
// and in reverse.
struct Verdicts {
  Verdict in_order;
  Verdict in_reverse;
};

Trace RunWith(RunUntilBlocked::Order order, absl::FunctionRef<void()> body,
              bool record = true) {
  RunOptions options;
  options.record_steps = record;
  Trace trace;
  RunUntilBlocked strategy(order);
  strategy.BeginSchedule();
  RunOnce(options, strategy, body, &trace);
  return trace;
}

void ExpectRace(absl::FunctionRef<void()> body) {
  for (const bool record : {false, true}) {
    const Trace trace =
        RunWith(RunUntilBlocked::Order::kCreation, body, record);
    EXPECT_EQ(trace.finding.verdict, Verdict::kDataRace)
        << trace.finding.message;
    if (trace.finding.verdict != Verdict::kDataRace) return;
    ASSERT_EQ(trace.finding.sites.size(), 2u);
    EXPECT_NE(trace.finding.sites[0].thread, trace.finding.sites[1].thread);
    EXPECT_FALSE(trace.finding.sites[0].stack.empty());
    EXPECT_FALSE(trace.finding.sites[1].stack.empty());
  }
}

void ExpectNoRace(absl::FunctionRef<void()> body) {
  for (const auto order :
       {RunUntilBlocked::Order::kCreation, RunUntilBlocked::Order::kReverse}) {
    const Trace trace = RunWith(order, body);
    EXPECT_EQ(trace.finding.verdict, Verdict::kNone) << trace.finding.message;
  }
}

void TwoThreads(absl::FunctionRef<void()> first,
                absl::FunctionRef<void()> second) {
  std::thread a([&] { first(); });
  std::thread b([&] { second(); });
  a.join();
  b.join();
}

TEST(RaceDetector, UnorderedWrites) {
  ExpectRace([] {
    int x = 0;
    TwoThreads([&] { x = 1; }, [&] { x = 2; });
  });
}

TEST(RaceDetector, ReadAgainstWrite) {
  ExpectRace([] {
    int x = 0, y = 0;
    TwoThreads([&] { y = x; }, [&] { x = 2; });
  });
}

TEST(RaceDetector, ManyReadersAgainstOneWriter) {
  ExpectRace([] {
    int x = 0;
    std::vector<std::thread> threads;
    int sink[4] = {};
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] { sink[i] = x; });
    }
    threads.emplace_back([&] { x = 1; });
    for (std::thread& thread : threads) thread.join();
  });
}

TEST(RaceDetector, NeighboursDoNotConflict) {
  ExpectNoRace([] {
    struct alignas(8) {
      char a, b;
      short c;
      int d;
    } s = {};
    std::thread t1([&] { s.a = 1; });
    std::thread t2([&] { s.b = 1; });
    std::thread t3([&] { s.c = 1; });
    std::thread t4([&] { s.d = 1; });
    t1.join();
    t2.join();
    t3.join();
    t4.join();
    if (s.a + s.b + s.c + s.d != 4) ReportFinding(Verdict::kWrongResult, "");
  });
}

TEST(RaceDetector, DifferentSizesConflict) {
  ExpectRace([] {
    union alignas(8) {
      uint64_t whole = 0;
      uint8_t bytes[8];
    } u;
    TwoThreads([&] { u.whole = 1; }, [&] { u.bytes[5] = 1; });
  });
}

TEST(RaceDetector, ConflictAcrossTwoGranules) {
  ExpectRace([] {
    alignas(8) char bytes[16] = {};
    struct __attribute__((packed)) Odd {
      uint32_t value;
    };
    TwoThreads([&] { reinterpret_cast<Odd*>(bytes + 6)->value = 1; },
               [&] { bytes[9] = 1; });
  });
}

TEST(RaceDetector, MutexOrders) {
  ExpectNoRace([] {
    int x = 0;
    std::mutex mutex;
    auto add = [&] {
      std::lock_guard lock(mutex);
      ++x;
    };
    TwoThreads(add, add);
  });
}

TEST(RaceDetector, TwoMutexesDoNot) {
  ExpectRace([] {
    int x = 0;
    std::mutex m1, m2;
    TwoThreads(
        [&] {
          std::lock_guard lock(m1);
          ++x;
        },
        [&] {
          std::lock_guard lock(m2);
          ++x;
        });
  });
}

template <typename Store, typename Load>
void Publish(Store store, Load load) {
  int data = 0;
  std::atomic<bool> ready = false;
  TwoThreads(
      [&] {
        data = 42;
        store(ready);
      },
      [&] {
        if (load(ready) && data != 42) {
          ReportFinding(Verdict::kWrongResult, "");
        }
      });
}

TEST(RaceDetector, ReleaseAndAcquireOrder) {
  ExpectNoRace([] {
    Publish([](auto& f) { f.store(true, std::memory_order_release); },
            [](auto& f) { return f.load(std::memory_order_acquire); });
  });
}

TEST(RaceDetector, RelaxedStoreDoesNotOrder) {
  ExpectRace([] {
    Publish([](auto& f) { f.store(true, std::memory_order_relaxed); },
            [](auto& f) { return f.load(std::memory_order_acquire); });
  });
}

TEST(RaceDetector, RelaxedLoadDoesNotOrder) {
  ExpectRace([] {
    Publish([](auto& f) { f.store(true, std::memory_order_release); },
            [](auto& f) { return f.load(std::memory_order_relaxed); });
  });
}

TEST(RaceDetector, FencesMakeRelaxedOrder) {
  ExpectNoRace([] {
    Publish(
        [](auto& f) {
          std::atomic_thread_fence(std::memory_order_release);
          f.store(true, std::memory_order_relaxed);
        },
        [](auto& f) {
          const bool value = f.load(std::memory_order_relaxed);
          std::atomic_thread_fence(std::memory_order_acquire);
          return value;
        });
  });
}

TEST(RaceDetector, OneFenceIsNotEnough) {
  ExpectRace([] {
    Publish(
        [](auto& f) {
          std::atomic_thread_fence(std::memory_order_release);
          f.store(true, std::memory_order_relaxed);
        },
        [](auto& f) { return f.load(std::memory_order_relaxed); });
  });
}

TEST(RaceDetector, UpdatesContinueAReleaseSequence) {
  ExpectNoRace([] {
    int data = 0;
    std::atomic<int> state = 0;
    std::thread a([&] {
      data = 42;
      state.store(1, std::memory_order_release);
    });
    std::thread b([&] { state.fetch_add(1, std::memory_order_relaxed); });
    std::thread c([&] {
      if (state.load(std::memory_order_acquire) == 2 && data == 0) {
        ReportFinding(Verdict::kWrongResult, "");
      }
    });
    a.join();
    b.join();
    c.join();
  });
}

TEST(RaceDetector, StoresEndAReleaseSequence) {
  ExpectRace([] {
    int data = 0;
    std::atomic<int> state = 0;
    std::thread a([&] {
      data = 42;
      state.store(1, std::memory_order_release);
    });
    std::thread b([&] { state.store(2, std::memory_order_relaxed); });
    std::thread c([&] {
      if (state.load(std::memory_order_acquire) == 2) data = 7;
    });
    a.join();
    b.join();
    c.join();
  });
}

TEST(RaceDetector, AtomicAgainstPlain) {
  ExpectRace([] {
    int x = 0;
    TwoThreads(
        [&] { std::atomic_ref<int>(x).store(1, std::memory_order_seq_cst); },
        [&] { x = 2; });
  });
  ExpectRace([] {
    int x = 0;
    TwoThreads(
        [&] { x = 2; },
        [&] { std::atomic_ref<int>(x).store(1, std::memory_order_seq_cst); });
  });
}

TEST(RaceDetector, SharedPointersLastOwner) {
  ExpectNoRace([] {
    auto shared = std::make_shared<int>(1);
    std::weak_ptr<int> weak = shared;
    std::thread a([copy = shared] {
      if (*copy != 1) ReportFinding(Verdict::kWrongResult, "");
    });
    std::thread b([weak] {
      if (auto strong = weak.lock(); strong != nullptr && *strong != 1) {
        ReportFinding(Verdict::kWrongResult, "");
      }
    });
    shared.reset();
    a.join();
    b.join();
  });
}

TEST(RaceDetector, FreedMemory) {
  for (const bool record : {false, true}) {
    const Trace trace = RunWith(
        RunUntilBlocked::Order::kCreation,
        [] {
          int* p = new int(1);
          std::mutex mutex;
          TwoThreads(
              [&] {
                std::lock_guard lock(mutex);
                delete p;
              },
              [&] {
                std::lock_guard lock(mutex);
                *p = 2;
              });
        },
        record);
    EXPECT_EQ(trace.finding.verdict, Verdict::kUseAfterFree);
    EXPECT_EQ(trace.finding.sites.size(), 2u);
  }
}

TEST(RaceDetector, FreeingRacesWithUse) {
  ExpectRace([] {
    int* p = new int(1);
    TwoThreads([&] { *p = 2; }, [&] { delete p; });
  });
}

TEST(RaceDetector, ReusedStacksOfManyThreads) {
  ExpectNoRace([] {
    for (int i = 0; i < 150; ++i) {
      std::thread([] {
        volatile int local = 0;
        local = local + 1;
      }).join();
    }
  });
}

// (The size must not be known, or g++ may put a few moves in place of a call.)
TEST(RaceDetector, SeesCopiesOfMemory) {
  volatile size_t size = 40;
  ExpectRace([&] {
    char from[64] = {}, to[64] = {};
    TwoThreads([&] { std::memcpy(to, from, size); }, [&] { to[39] = 1; });
  });
  ExpectRace([&] {
    char from[64] = {}, to[64] = {};
    TwoThreads([&] { from[0] = 1; }, [&] { std::memmove(to, from, size); });
  });
  ExpectRace([&] {
    char to[64] = {};
    TwoThreads([&] { std::memset(to, 1, size); }, [&] { to[8] = 1; });
  });
  ExpectRace([&] {
    std::string text(100, 'x');
    TwoThreads([&] { std::string copy = text; }, [&] { text[50] = 'y'; });
  });
  ExpectNoRace([&] {
    char from[64] = {}, to[64] = {};
    TwoThreads([&] { std::memcpy(to, from, size); },
               [&] { std::memset(to + size, from[0], 64 - size); });
  });
}

TEST(RaceDetector, ReportsTheBlock) {
  const Trace trace = RunWith(RunUntilBlocked::Order::kCreation, [] {
    auto block = std::make_unique<int[]>(10);
    TwoThreads([&] { block[3] = 1; }, [&] { block[3] = 2; });
  });
  ASSERT_EQ(trace.finding.verdict, Verdict::kDataRace);
  const ObjectId id = trace.finding.sites[0].object;
  ASSERT_NE(id, 0u);
  const Object& object = trace.objects[id - 1];
  EXPECT_EQ(object.kind, ObjectKind::kMemory);
  EXPECT_EQ(object.block_size, 40u);
  EXPECT_EQ(object.offset_in_block, 12u);
  EXPECT_FALSE(object.allocated_at.empty());
}

}  // namespace
}  // namespace lockstep
