// SPDX-License-Identifier: Apache-2.0
//
// The same amount of computing, shared out to 1, 2, 4 and 8 workers: threads,
// threads under one lock that is handed over after each step, and processes.

#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"

namespace {

constexpr int kSteps = 200;  // in all, whoever does them

// One step: some tens of microseconds that need nothing but a processor.
void Step() {
  uint32_t x = 1;
  for (int i = 0; i < 20000; ++i) x = x * 1664525 + 1013904223;
  benchmark::DoNotOptimize(x);
}

void Threads(benchmark::State& state) {
  const int workers = static_cast<int>(state.range(0));
  for (auto _ : state) {
    std::vector<std::jthread> threads;
    for (int w = 0; w < workers; ++w) {
      threads.emplace_back([workers] {
        for (int i = 0; i < kSteps / workers; ++i) Step();
      });
    }
  }
}

// The workers do their steps in turn. A lock that goes round in a circle is the
// simplest fair one.
void GlobalLock(benchmark::State& state) {
  const int workers = static_cast<int>(state.range(0));
  for (auto _ : state) {
    std::mutex mu;
    std::vector<std::condition_variable> turn_of(workers);
    int turn = 0;  // Guarded by mu.
    std::vector<std::jthread> threads;
    for (int w = 0; w < workers; ++w) {
      threads.emplace_back([&, w] {
        for (int i = 0; i < kSteps / workers; ++i) {
          std::unique_lock lock(mu);
          turn_of[w].wait(lock, [&] { return turn == w; });
          Step();
          turn = (w + 1) % workers;
          turn_of[turn].notify_one();
        }
      });
    }
  }
}

void Processes(benchmark::State& state) {
  const int workers = static_cast<int>(state.range(0));
  for (auto _ : state) {
    std::vector<pid_t> pids;
    for (int w = 0; w < workers; ++w) {
      const pid_t pid = fork();
      if (pid == 0) {
        for (int i = 0; i < kSteps / workers; ++i) Step();
        _exit(0);
      }
      pids.push_back(pid);
    }
    for (pid_t pid : pids) {
      int status = -1;
      if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        state.SkipWithError("a process could not be started");
        return;
      }
    }
  }
}

#define WORKERS ->Arg(1)->Arg(2)->Arg(4)->Arg(8)->UseRealTime()
BENCHMARK(Threads)->Name("threads") WORKERS;
BENCHMARK(GlobalLock)->Name("one global lock") WORKERS;
BENCHMARK(Processes)->Name("processes") WORKERS;

}  // namespace
