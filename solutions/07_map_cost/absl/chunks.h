// SPDX-License-Identifier: Apache-2.0
//
// Chapter 07, reference answer with a lock per range, in Abseil's style: the
// counter is a class with an annotated member. It costs more than an atomic
// counter and can hand out anything, not only numbers.

#ifndef SOLUTIONS_07_MAP_COST_ABSL_CHUNKS_H_
#define SOLUTIONS_07_MAP_COST_ABSL_CHUNKS_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace workbook {

inline size_t DefaultChunk(size_t n, size_t workers) {
  if (workers == 0) throw std::invalid_argument("at least one worker");
  const size_t chunks = 4 * workers;
  return std::max<size_t>(1, n / chunks + (n % chunks != 0));
}

// Hands out the numbers below `count`, each once.
class Dispenser {
 public:
  explicit Dispenser(size_t count) : count_(count) {}

  std::optional<size_t> Take() {
    absl::MutexLock lock(&mu_);
    if (next_ == count_) return std::nullopt;
    return next_++;
  }

 private:
  const size_t count_;
  absl::Mutex mu_;
  size_t next_ ABSL_GUARDED_BY(mu_) = 0;
};

template <typename Fn>
size_t ForEachChunk(size_t n, size_t workers, size_t chunk, Fn fn) {
  const size_t default_chunk = DefaultChunk(n, workers);
  if (chunk == 0) chunk = default_chunk;
  const size_t ranges = n / chunk + (n % chunk != 0);
  Dispenser dispenser(ranges);
  const auto work = [&] {
    while (const std::optional<size_t> range = dispenser.Take()) {
      const size_t begin = *range * chunk;
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
  std::vector<double> sums(n / chunk + (n % chunk != 0));
  ForEachChunk(n, workers, chunk, [&](size_t begin, size_t end) {
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += value(i);
    sums[begin / chunk] = sum;
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace workbook

#endif  // SOLUTIONS_07_MAP_COST_ABSL_CHUNKS_H_
