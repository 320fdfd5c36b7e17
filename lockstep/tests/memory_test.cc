// SPDX-License-Identifier: Apache-2.0
//
// The process does not grow with the number of schedules.

#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "lockstep/tests/explored.h"

ABSL_FLAG(uint64_t, schedules, 20'000, "Schedules per body.");

namespace lockstep::tests {
namespace {

size_t ResidentKilobytes() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (file != nullptr) {
    if (std::fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

// Explores `body` in ten parts. The first three may fill pools and caches; in
// the other seven the process must not grow by more than noise.
void ExpectNoGrowth(const char* name, absl::FunctionRef<void()> body,
                    bool passes = true) {
  const uint64_t total = absl::GetFlag(FLAGS_schedules);
  size_t after_three = 0;
  for (int part = 1; part <= 10; ++part) {
    Options options;
    options.seed = part;
    options.strategy = "random";
    options.schedules = total / 10;
    if (passes) {
      const Report report = Explore(options, body);
      ASSERT_TRUE(report.passed()) << report.text;
    } else {
      // A failure ends an exploration: repeat the exploration instead. Each
      // one runs about ten schedules to confirm, shrink and record.
      for (uint64_t i = 0; i < total / 1'000; ++i) {
        ASSERT_FALSE(Explore(options, body).passed());
      }
    }
    if (part == 3) after_three = ResidentKilobytes();
  }
  const size_t at_end = ResidentKilobytes();
  std::printf("%s: %zu KiB, at the end %zu KiB\n", name, after_three, at_end);
  EXPECT_LE(at_end, after_three + 2'048) << name;
}

TEST(Memory, MutexCounter) {
  ExpectNoGrowth("mutex counter", [] {
    std::mutex mu;
    int count = 0;
    auto work = [&] {
      for (int i = 0; i < 5; ++i) {
        std::lock_guard<std::mutex> hold(mu);
        ++count;
      }
    };
    std::thread one(work), two(work);
    one.join();
    two.join();
  });
}

TEST(Memory, HeapExceptionsAndThreadLocals) {
  ExpectNoGrowth("heap, exceptions, thread_local", [] {
    auto work = [] {
      static thread_local std::unique_ptr<std::string> mine;
      mine = std::make_unique<std::string>(1'000, 'x');
      try {
        throw std::runtime_error(*mine);
      } catch (const std::runtime_error&) {
      }
    };
    std::thread one(work), two(work);
    one.join();
    two.join();
  });
}

TEST(Memory, ConditionsAndFutures) {
  ExpectNoGrowth("conditions and futures", [] {
    absl::Mutex mu;
    absl::CondVar changed;
    bool ready = false;
    std::future<void> future = std::async(std::launch::async, [&] {
      absl::MutexLock hold(&mu);
      ready = true;
      changed.SignalAll();
    });
    absl::MutexLock hold(&mu);
    while (!ready) changed.Wait(&mu);
  });
}

// Threads that a failed schedule leaves behind are given back.
TEST(Memory, Deadlocks) {
  ExpectNoGrowth(
      "deadlocks",
      [] {
        std::mutex mu;
        std::lock_guard<std::mutex> hold(mu);
        std::thread thread([&] { std::lock_guard<std::mutex> too(mu); });
        thread.join();
      },
      /*passes=*/false);
}

}  // namespace
}  // namespace lockstep::tests
