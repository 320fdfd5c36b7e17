// SPDX-License-Identifier: Apache-2.0
//
// A map over 32 tasks on two workers, which are started for it: threads with a
// shared queue, or processes that get each task and send each result through a
// pipe. By how long one task computes.

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"

namespace {

constexpr int kTasks = 32;
constexpr int kWorkers = 2;

// Computes for about `microseconds`; how long exactly depends on the machine.
uint32_t Compute(uint32_t x, int64_t microseconds) {
  for (int64_t i = 0; i < microseconds * 1000; ++i)
    x = x * 1664525 + 1013904223;
  return x;
}

void Serially(benchmark::State& state) {
  std::vector<uint32_t> results(kTasks);
  for (auto _ : state) {
    for (int i = 0; i < kTasks; ++i) results[i] = Compute(i, state.range(0));
    benchmark::DoNotOptimize(results.data());
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}

void Threads(benchmark::State& state) {
  std::vector<uint32_t> results(kTasks);
  for (auto _ : state) {
    std::atomic<int> next = 0;
    {
      std::vector<std::jthread> workers;
      for (int w = 0; w < kWorkers; ++w) {
        workers.emplace_back([&] {
          for (int i; (i = next++) < kTasks;) {
            results[i] = Compute(i, state.range(0));
          }
        });
      }
    }
    benchmark::DoNotOptimize(results.data());
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}

struct Message {
  int32_t task;
  uint32_t result;
};

struct Worker {
  pid_t pid;
  int socket;
};

Worker StartWorker(const std::vector<Worker>& others, int64_t microseconds) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return {-1, -1};
  }
  const pid_t pid = fork();
  if (pid == 0) {
    // Else a worker would not see the end of another's socket.
    for (const Worker& other : others) close(other.socket);
    close(ends[0]);
    Message message;
    while (read(ends[1], &message, sizeof(message)) > 0) {
      message.result = Compute(message.task, microseconds);
      if (write(ends[1], &message, sizeof(message)) < 0) _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  return {pid, ends[0]};
}

void Processes(benchmark::State& state) {
  std::vector<uint32_t> results(kTasks);
  for (auto _ : state) {
    std::vector<Worker> workers;
    std::vector<pollfd> entries;
    int sent = 0;
    bool ok = true;
    const auto send = [&](int socket) {
      if (sent == kTasks) return;
      const Message message = {sent++, 0};
      ok = ok && write(socket, &message, sizeof(message)) > 0;
    };
    for (int w = 0; w < kWorkers; ++w) {
      workers.push_back(StartWorker(workers, state.range(0)));
      entries.push_back({workers.back().socket, POLLIN, 0});
      send(entries.back().fd);
    }
    for (int received = 0; ok && received < kTasks;) {
      poll(entries.data(), entries.size(), -1);
      for (const pollfd& entry : entries) {
        if (entry.revents == 0) continue;
        Message message;
        ok = ok && read(entry.fd, &message, sizeof(message)) > 0;
        if (!ok) break;
        results[message.task] = message.result;
        ++received;
        send(entry.fd);
      }
    }
    for (const Worker& worker : workers) {
      close(worker.socket);
      int status = -1;
      ok = ok && waitpid(worker.pid, &status, 0) == worker.pid && status == 0;
    }
    if (!ok) {
      state.SkipWithError("a worker process has failed");
      return;
    }
    benchmark::DoNotOptimize(results.data());
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}

#define TASKS \
  ->Arg(1)->Arg(3)->Arg(10)->Arg(30)->Arg(100)->Arg(300)->UseRealTime()
BENCHMARK(Serially)->Name("one after the other") TASKS;
BENCHMARK(Threads)->Name("2 threads") TASKS;
BENCHMARK(Processes)->Name("2 processes") TASKS;

}  // namespace
