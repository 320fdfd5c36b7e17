// SPDX-License-Identifier: Apache-2.0
//
// Mistake: every element is added to the shared total, without a lock.
// Verdict: data race
// Rule: NoRangeIsLost

#ifndef TESTS_07_MAP_COST_MISTAKES_SHARED_TOTAL_H_
#define TESTS_07_MAP_COST_MISTAKES_SHARED_TOTAL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

namespace workbook {

inline size_t DefaultChunk(size_t n, size_t workers) {
  if (workers == 0) throw std::invalid_argument("at least one worker");
  const size_t chunks = 4 * workers;
  return std::max<size_t>(1, n / chunks + (n % chunks != 0));
}

template <typename Fn>
size_t ForEachChunk(size_t n, size_t workers, size_t chunk, Fn fn) {
  const size_t default_chunk = DefaultChunk(n, workers);
  if (chunk == 0) chunk = default_chunk;
  const size_t ranges = n / chunk + (n % chunk != 0);

  // Ranges are numbered, so that a counter is all there is to share. It cannot
  // run past ranges + workers, whereas begin + chunk might overflow.
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (;;) {
      // Relaxed: it hands out numbers and publishes nothing. The results are
      // published by join().
      const size_t range = next.fetch_add(1, std::memory_order_relaxed);
      if (range >= ranges) return;
      const size_t begin = range * chunk;
      fn(begin, begin + std::min(chunk, n - begin));
    }
  };

  std::vector<std::jthread> threads;
  for (size_t i = 1; i < workers; ++i) threads.emplace_back(work);
  work();
  return ranges;
}

template <typename Value>
double ChunkedSum(size_t n, size_t workers, size_t chunk, Value value) {
  if (chunk == 0) chunk = DefaultChunk(n, workers);
  double total = 0;
  ForEachChunk(n, workers, chunk, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) total += value(i);
  });
  return total;
}

}  // namespace workbook

#endif  // TESTS_07_MAP_COST_MISTAKES_SHARED_TOTAL_H_
