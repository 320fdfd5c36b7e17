// SPDX-License-Identifier: Apache-2.0
//
// How many schedules and scheduling points a second, user-level beside OS
// threads, with and without race detection. Prints a Markdown table.

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <future>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/synchronization/mutex.h"
#include "lockstep/lockstep.h"
#include "lockstep/runtime/runtime.h"

ABSL_FLAG(double, seconds, 1.0, "Time to spend per figure.");
ABSL_FLAG(int, repetitions, 3, "Figures per cell, of which the median counts.");
ABSL_FLAG(std::string, strategy, "random", "Decides the schedules.");
ABSL_FLAG(std::string, only, "", "The name of the one body to measure.");
ABSL_FLAG(bool, pin, true, "Stay on one processor.");

namespace lockstep {
namespace {

// Three threads, nine times each: the body that Relacy was measured with.
template <typename Mutex, typename Guard>
void Counter() {
  Mutex mu;
  int count = 0;
  auto work = [&] {
    for (int i = 0; i < 9; ++i) {
      Guard hold(mu);
      ++count;
    }
  };
  std::thread one(work), two(work), three(work);
  one.join();
  two.join();
  three.join();
  if (count != 27) ReportFinding(Verdict::kWrongResult, "lost an increment");
}

// absl::MutexLock takes a pointer.
struct AbslGuard : absl::MutexLock {
  explicit AbslGuard(absl::Mutex& mu) : absl::MutexLock(&mu) {}
};

// A bounded queue; one thread puts four items, two take two each.
void AbslQueue() {
  absl::Mutex mu;
  absl::CondVar not_empty, not_full;
  std::deque<int> items;
  auto put = [&](int item) {
    absl::MutexLock hold(&mu);
    while (items.size() == 2) not_full.Wait(&mu);
    items.push_back(item);
    not_empty.Signal();
  };
  auto take = [&] {
    absl::MutexLock hold(&mu);
    while (items.empty()) not_empty.Wait(&mu);
    const int item = items.front();
    items.pop_front();
    not_full.Signal();
    return item;
  };
  int sums[2] = {0, 0};
  std::thread one([&] { sums[0] = take() + take(); });
  std::thread two([&] { sums[1] = take() + take(); });
  for (int i = 1; i <= 4; ++i) put(i);
  one.join();
  two.join();
  if (sums[0] + sums[1] != 10) {
    ReportFinding(Verdict::kWrongResult, "lost an item");
  }
}

void Condition() {
  std::mutex mu;
  std::condition_variable changed;
  bool ready = false;
  std::thread waiter([&] {
    std::unique_lock<std::mutex> hold(mu);
    changed.wait(hold, [&] { return ready; });
  });
  std::thread notifier([&] {
    std::counting_semaphore<3> permits(0);
    permits.release();
    permits.acquire();
    {
      std::lock_guard<std::mutex> hold(mu);
      ready = true;
    }
    changed.notify_one();
  });
  waiter.join();
  notifier.join();
}

void Futures() {
  std::future<int> one = std::async(std::launch::async, [] { return 3; });
  std::promise<int> promise;
  std::thread two([&] { promise.set_value(4); });
  const int sum = one.get() + promise.get_future().get();
  two.join();
  if (sum != 7) ReportFinding(Verdict::kWrongResult, "wrong value");
}

// Nothing but threads: what creating, running and joining two of them costs.
void Threads() {
  std::thread one([] {}), two([] {});
  one.join();
  two.join();
}

struct Body {
  const char* name;
  void (*run)();
};

const Body kBodies[] = {
    {"std::mutex counter", Counter<std::mutex, std::lock_guard<std::mutex>>},
    {"absl::Mutex counter", Counter<absl::Mutex, AbslGuard>},
    {"absl::Mutex + CondVar queue", AbslQueue},
    {"condition_variable + semaphore", Condition},
    {"futures", Futures},
    {"two empty threads", Threads},
};

struct Rate {
  double schedules = 0;  // per second
  double points = 0;     // per second
};

Report RunSchedules(const Body& body, const Options& options) {
  Report report = Explore(options, body.run);
  if (!report.passed()) {
    std::fprintf(stderr, "%s failed:\n%s", body.name, report.text.c_str());
    std::exit(1);
  }
  return report;
}

// In processor time, so that other work on the machine does not count.
double ProcessorSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

Rate MeasureOnce(const Body& body, Options options) {
  const double seconds = absl::GetFlag(FLAGS_seconds);
  for (options.schedules = 100;; options.schedules *= 4) {
    const double start = ProcessorSeconds();
    const Report report = RunSchedules(body, options);
    const double spent = ProcessorSeconds() - start;
    if (spent * 4 > seconds) {
      return {static_cast<double>(report.schedules) / spent,
              static_cast<double>(report.points) / spent};
    }
  }
}

Rate Measure(const Body& body, bool use_os_threads, bool detect_races) {
  Options options;
  options.strategy = absl::GetFlag(FLAGS_strategy);
  options.use_os_threads = use_os_threads;
  options.detect_races = detect_races;
  std::vector<Rate> rates;
  for (int i = 0; i < absl::GetFlag(FLAGS_repetitions); ++i) {
    options.seed = i + 1;
    rates.push_back(MeasureOnce(body, options));
  }
  std::sort(rates.begin(), rates.end(), [](const Rate& a, const Rate& b) {
    return a.schedules < b.schedules;
  });
  return rates[rates.size() / 2];
}

void StayOnOneProcessor() {
  const int here = sched_getcpu();
  if (here < 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(here, &one);
  if (sched_setaffinity(0, sizeof(one), &one) != 0) {
    std::fprintf(stderr, "note: could not stay on one processor\n");
  }
}

int Main() {
  if (!Supported()) {
    std::fprintf(stderr, "schedules cannot be explored in this build\n");
    return 1;
  }
  if (absl::GetFlag(FLAGS_pin)) StayOnOneProcessor();
  std::printf(
      "| body | points per schedule | race detection | schedules/s | points/s "
      "| schedules/s, OS threads | ratio |\n"
      "|---|---:|---|---:|---:|---:|---:|\n");
  for (const Body& body : kBodies) {
    const std::string only = absl::GetFlag(FLAGS_only);
    if (!only.empty() && only != body.name) continue;
    for (const bool detect_races : {false, true}) {
      const Rate user = Measure(body, /*use_os_threads=*/false, detect_races);
      const Rate os = Measure(body, /*use_os_threads=*/true, detect_races);
      std::printf("| %s | %.0f | %s | %.0f | %.2f million | %.0f | %.0f |\n",
                  body.name, user.points / user.schedules,
                  detect_races ? "on" : "off", user.schedules,
                  user.points / 1e6, os.schedules,
                  user.schedules / os.schedules);
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return lockstep::Main();
}
