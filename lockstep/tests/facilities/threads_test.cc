// SPDX-License-Identifier: Apache-2.0
//
// Threads, and what the language ties to them: thread_local objects,
// exceptions, static local variables. Each facility in a correct and in a
// failing use.

#include <atomic>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "lockstep/tests/explored.h"

namespace lockstep::tests {
namespace {

TEST(Facility, Thread) {
  EXPECT_TRUE(Passes([] {
    int value = 0;
    std::thread thread([&] { value = 1; });
    thread.join();
    Expect(value == 1, "join() returned too early");
  }));
  EXPECT_TRUE(FailsWith(Verdict::kDataRace, [] {
    int value = 0;
    std::thread thread([&] { value = 1; });
    Expect(value == 0, "seen before join()");
    thread.join();
  }));
}

TEST(Facility, ThreadIds) {
  EXPECT_TRUE(Passes([] {
    const std::thread::id main = std::this_thread::get_id();
    std::thread::id inside;
    std::thread thread([&] { inside = std::this_thread::get_id(); });
    const std::thread::id outside = thread.get_id();
    thread.join();
    Expect(inside == outside && inside != main, "wrong thread id");
    Expect(thread.get_id() == std::thread::id(), "joined, and still has an id");
  }));
  EXPECT_TRUE(FailsWith(Verdict::kWrongResult, [] {
    std::thread::id inside;
    std::thread thread([&] { inside = std::this_thread::get_id(); });
    thread.join();
    Expect(inside == std::this_thread::get_id(), "another thread");
  }));
}

TEST(Facility, DetachedThread) {
  EXPECT_TRUE(Passes([] {
    std::atomic<bool> done{false};
    std::thread([&] {
      done.store(true);
      done.notify_one();
    }).detach();
    done.wait(false);
  }));
  EXPECT_TRUE(FailsWith(Verdict::kThreadLeak, [] {
    std::thread([] {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }).detach();
  }));
}

TEST(Facility, Jthread) {
  EXPECT_TRUE(Passes([] {
    int value = 0;
    {
      std::jthread thread([&] { value = 1; });
    }
    Expect(value == 1, "the destructor does not join");
  }));
  EXPECT_TRUE(FailsWith(Verdict::kDataRace, [] {
    int value = 0;
    std::jthread first([&] { ++value; });
    std::jthread second([&] { ++value; });
  }));
}

TEST(Facility, StopToken) {
  EXPECT_TRUE(Passes([] {
    std::jthread thread([](std::stop_token token) {
      while (!token.stop_requested()) std::this_thread::yield();
    });
  }));
  EXPECT_TRUE(Passes([] {
    std::atomic<int> calls{0};
    std::stop_source source;
    std::stop_callback callback(source.get_token(),
                                [&] { calls.fetch_add(1); });
    std::thread first([&] { source.request_stop(); });
    std::thread second([&] { source.request_stop(); });
    first.join();
    second.join();
    Expect(calls.load() == 1, "the callback runs once");
  }));
  EXPECT_TRUE(FailsWith(Verdict::kLivelock,
                        [] {
                          std::jthread thread([](std::stop_token) {
                            for (;;) std::this_thread::yield();
                          });
                        },
                        {.schedules = 1}));
}

struct CountsInstances {
  explicit CountsInstances(std::atomic<int>* count) : count(count) {
    count->fetch_add(1);
  }
  ~CountsInstances() { count->fetch_sub(1); }
  std::atomic<int>* count;
};

TEST(Facility, ThreadLocal) {
  static thread_local int per_thread = 0;
  EXPECT_TRUE(Passes([] {
    per_thread = 1;
    std::thread thread([] {
      Expect(per_thread == 0, "inherited from another thread");
      per_thread = 2;
    });
    thread.join();
    Expect(per_thread == 1, "changed by another thread");
  }));
  EXPECT_TRUE(Passes([] {
    std::atomic<int> instances{0};
    std::thread thread([&] {
      static thread_local CountsInstances instance(&instances);
      Expect(instance.count == &instances, "left over from another thread");
    });
    thread.join();
    Expect(instances.load() == 0, "the destructor has not run");
  }));
  EXPECT_TRUE(FailsWith(Verdict::kDataRace, [] {
    int* of_other = &per_thread;
    std::thread thread([of_other] { *of_other = 3; });
    per_thread = 4;
    thread.join();
  }));
}

TEST(Facility, Exceptions) {
  EXPECT_TRUE(Passes([] {
    auto work = [] {
      int caught = 0;
      for (int i = 0; i < 2; ++i) {
        try {
          std::this_thread::yield();
          throw i;
        } catch (int value) {
          std::this_thread::yield();
          Expect(value == i, "another thread's exception");
          ++caught;
        }
      }
      Expect(caught == 2, "an exception is lost");
    };
    std::thread thread(work);
    work();
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(Verdict::kUncaughtException, [] {
    std::thread thread([] { throw std::runtime_error("escapes"); });
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(Verdict::kUncaughtException,
                        [] { throw std::runtime_error("escapes"); }));
}

TEST(Facility, StaticLocalVariable) {
  EXPECT_TRUE(Passes([] {
    auto get = []() -> int& {
      static int value = 7;
      return value;
    };
    std::thread thread([&] { Expect(get() == 7, "not initialised"); });
    Expect(get() == 7, "not initialised");
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(Verdict::kDataRace, [] {
    auto get = []() -> int& {
      static int value = 7;
      return value;
    };
    std::thread thread([&] { ++get(); });
    ++get();
    thread.join();
  }));
}

TEST(Facility, Yield) {
  EXPECT_TRUE(Passes([] {
    std::atomic<bool> ready{false};
    std::thread thread([&] { ready.store(true); });
    while (!ready.load()) std::this_thread::yield();
    thread.join();
  }));
  EXPECT_TRUE(FailsWith(Verdict::kWrongResult, [] {
    std::atomic<bool> ready{false};
    std::thread thread([&] { ready.store(true); });
    std::this_thread::yield();
    Expect(ready.load(), "one yield is no synchronisation");
    thread.join();
  }));
}

}  // namespace
}  // namespace lockstep::tests
