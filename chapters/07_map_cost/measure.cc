// SPDX-License-Identifier: Apache-2.0
//
// What one element of a parallel map costs, by the size of the chunks in which
// elements are handed out: with an atomic counter, with a lock, and, as the
// measure of both, without any handing out.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"

namespace {

constexpr size_t kElements = 1 << 17;

// Cheap, so that handing out shows: a few nanoseconds.
uint32_t Compute(uint32_t x) {
  for (int i = 0; i < 12; ++i) x = x * 1664525 + 1013904223;
  return x;
}

// Not inlined, so that all curves run the same machine code.
[[gnu::noinline]] void ComputeRange(std::vector<uint32_t>& out, size_t begin,
                                    size_t end) {
  for (size_t i = begin; i < end; ++i) {
    out[i] = Compute(static_cast<uint32_t>(i));
  }
}

// Two workers, of which the caller is one. `take` returns the number of the
// next chunk.
template <typename Take>
void MapInChunks(benchmark::State& state, Take take) {
  const size_t chunk = static_cast<size_t>(state.range(0));
  std::vector<uint32_t> out(kElements);
  for (auto _ : state) {
    size_t next = 0;
    const auto work = [&] {
      while (true) {
        const size_t begin = take(next) * chunk;
        if (begin >= kElements) return;
        ComputeRange(out, begin, std::min(begin + chunk, kElements));
      }
    };
    std::jthread other(work);
    work();
    other.join();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kElements);
}

void AtomicCounter(benchmark::State& state) {
  MapInChunks(state, [](size_t& next) {
    return std::atomic_ref(next).fetch_add(1, std::memory_order_relaxed);
  });
}

void Locked(benchmark::State& state) {
  std::mutex mu;
  MapInChunks(state, [&mu](size_t& next) {
    std::lock_guard lock(mu);
    return next++;
  });
}

void PlainLoop(benchmark::State& state) {
  std::vector<uint32_t> out(kElements);
  for (auto _ : state) {
    ComputeRange(out, 0, kElements);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kElements);
}

#define CHUNKS ->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000)->UseRealTime()
BENCHMARK(Locked)->Name("chunks, a lock") CHUNKS;
BENCHMARK(AtomicCounter)->Name("chunks, an atomic") CHUNKS;
// The same at every place: it has no chunks.
BENCHMARK(PlainLoop)->Name("a plain loop") CHUNKS;

}  // namespace
