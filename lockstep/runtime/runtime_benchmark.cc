// SPDX-License-Identifier: Apache-2.0
//
// Schedules per second of a few bodies, as plain as possible: a random walk,
// no reports. Usage: runtime_benchmark [schedules] [body] [os] [races]
// For figures to compare: taskset -c 1.

#include <time.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <semaphore>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/strategy/random_walk.h"

namespace {

void MutexCounter() {
  std::mutex mutex;
  int count = 0;
  auto add = [&] {
    for (int i = 0; i < 9; ++i) {
      std::lock_guard lock(mutex);
      ++count;
    }
  };
  std::thread a(add), b(add), c(add);
  a.join();
  b.join();
  c.join();
  if (count != 27) lockstep::ReportFinding(lockstep::Verdict::kWrongResult, "");
}

void AbslCounter() {
  absl::Mutex mutex;
  int count = 0;
  auto add = [&] {
    for (int i = 0; i < 9; ++i) {
      absl::MutexLock lock(&mutex);
      ++count;
    }
  };
  std::thread a(add), b(add), c(add);
  a.join();
  b.join();
  c.join();
  if (count != 27) lockstep::ReportFinding(lockstep::Verdict::kWrongResult, "");
}

void AbslQueue() {
  absl::Mutex mutex;
  absl::CondVar not_empty;
  std::deque<int> items;
  auto pop = [&] {
    absl::MutexLock lock(&mutex);
    while (items.empty()) not_empty.Wait(&mutex);
    const int item = items.front();
    items.pop_front();
    return item;
  };
  int sum_a = 0, sum_b = 0;
  std::thread a([&] {
    sum_a = pop();
    sum_a += pop();
  });
  std::thread b([&] {
    sum_b = pop();
    sum_b += pop();
  });
  for (int i = 1; i <= 4; ++i) {
    absl::MutexLock lock(&mutex);
    items.push_back(i);
    not_empty.Signal();
  }
  a.join();
  b.join();
  if (sum_a + sum_b != 10) {
    lockstep::ReportFinding(lockstep::Verdict::kWrongResult, "");
  }
}

void Condition() {
  std::mutex mutex;
  std::condition_variable ready_changed;
  bool ready = false;
  std::thread a([&] {
    std::unique_lock lock(mutex);
    ready_changed.wait(lock, [&] { return ready; });
  });
  std::thread b([&] {
    std::counting_semaphore<3> semaphore(0);
    semaphore.release();
    semaphore.acquire();
    {
      std::lock_guard lock(mutex);
      ready = true;
    }
    ready_changed.notify_one();
  });
  a.join();
  b.join();
}

void Atomics() {
  std::atomic<int> count = 0;
  auto add = [&] {
    for (int i = 0; i < 20; ++i) count.fetch_add(1);
  };
  std::thread a(add), b(add), c(add);
  a.join();
  b.join();
  c.join();
}

void Async() {
  auto three = std::async(std::launch::async, [] { return 3; });
  auto four = std::async(std::launch::async, [] { return 4; });
  if (three.get() + four.get() != 7) std::abort();
}

void Threads() {
  std::thread a([] {}), b([] {}), c([] {});
  a.join();
  b.join();
  c.join();
}

void Deadlock() {
  std::mutex m1, m2;
  std::thread a([&] {
    std::lock_guard l1(m1);
    std::lock_guard l2(m2);
  });
  std::thread b([&] {
    std::lock_guard l2(m2);
    std::lock_guard l1(m1);
  });
  a.join();
  b.join();
}

void Empty() {}

struct Body {
  const char* name;
  void (*run)();
};
constexpr Body kBodies[] = {
    {"mutex_counter", MutexCounter},
    {"absl_counter", AbslCounter},
    {"absl_queue", AbslQueue},
    {"condition", Condition},
    {"atomics", Atomics},
    {"async", Async},
    {"threads", Threads},
    {"deadlock", Deadlock},
    {"empty", Empty},
};

}  // namespace

int main(int argc, char** argv) {
  // Processor time: other programs on the machine do not count.
  const auto now = [] {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) +
           1e-9 * static_cast<double>(t.tv_nsec);
  };
  int schedules = 200'000;
  const char* only = nullptr;
  lockstep::RunOptions options;
  options.detect_races = false;
  for (int i = 1; i < argc; ++i) {
    if (std::atoi(argv[i]) != 0) {
      schedules = std::atoi(argv[i]);
    } else if (std::strcmp(argv[i], "os") == 0) {
      options.execution = lockstep::Execution::kOsThreads;
    } else if (std::strcmp(argv[i], "races") == 0) {
      options.detect_races = true;
    } else {
      only = argv[i];
    }
  }
  for (const Body& body : kBodies) {
    if (only != nullptr && std::strcmp(only, body.name) != 0) continue;
    lockstep::RandomWalk strategy(1);
    lockstep::Trace trace;
    uint64_t points = 0, failures = 0, hash = 0;
    strategy.BeginSchedule();
    lockstep::RunOnce(options, strategy, body.run, &trace);
    const double start = now();
    for (int i = 0; i < schedules; ++i) {
      strategy.BeginSchedule();
      lockstep::RunOnce(options, strategy, body.run, &trace);
      strategy.EndSchedule(trace.counters);
      points += trace.counters.points;
      hash = hash * 31 + lockstep::LastRunHash();
      if (trace.finding.verdict != lockstep::Verdict::kNone &&
          failures++ == 0) {
        std::printf("  first failure: %s\n", trace.finding.message.c_str());
        for (const lockstep::Site& site : trace.finding.sites) {
          std::printf("    T%u %s\n", site.thread, site.what.c_str());
        }
      }
    }
    const double seconds = now() - start;
    std::printf(
        "%-14s %9.0f schedules/s %6.1f points %6.1f ns/point "
        "%llu failures hash %016llx\n",
        body.name, schedules / seconds, double(points) / schedules,
        seconds * 1e9 / double(points),
        static_cast<unsigned long long>(failures),
        static_cast<unsigned long long>(hash));
    std::fflush(stdout);
  }
}
