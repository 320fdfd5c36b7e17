// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the workers are detached, and the caller does not wait for their
// last ranges.
// Verdict: data race
// Rule: WhatTheWorkersWroteIsVisibleAfterwards

#ifndef TESTS_07_MAP_COST_MISTAKES_DETACHED_H_
#define TESTS_07_MAP_COST_MISTAKES_DETACHED_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
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
  auto shared_next = std::make_shared<std::atomic<size_t>>(0);
  const auto work = [=] {
    std::atomic<size_t>& next = *shared_next;
    for (;;) {
      // Relaxed: it hands out numbers and publishes nothing. The results are
      // published by join().
      const size_t range = next.fetch_add(1, std::memory_order_relaxed);
      if (range >= ranges) return;
      const size_t begin = range * chunk;
      fn(begin, begin + std::min(chunk, n - begin));
    }
  };

  for (size_t i = 1; i < workers; ++i) std::thread(work).detach();
  work();
  return ranges;
}

template <typename Value>
double ChunkedSum(size_t n, size_t workers, size_t chunk, Value value) {
  if (chunk == 0) chunk = DefaultChunk(n, workers);
  std::vector<double> sums(n / chunk + (n % chunk != 0));
  ForEachChunk(n, workers, chunk, [&](size_t begin, size_t end) {
    // A local sum: neighbours in `sums` share a cache line.
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += value(i);
    sums[begin / chunk] = sum;
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace workbook

#endif  // TESTS_07_MAP_COST_MISTAKES_DETACHED_H_
