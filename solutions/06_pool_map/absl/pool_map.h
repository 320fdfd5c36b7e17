// SPDX-License-Identifier: Apache-2.0
//
// Chapter 06, reference answer with Abseil: what the threads share is a class
// of its own, so that the annotations can say what guards it.

#ifndef SOLUTIONS_06_POOL_MAP_ABSL_POOL_MAP_H_
#define SOLUTIONS_06_POOL_MAP_ABSL_POOL_MAP_H_

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace workbook {

// Deals out the numbers below `size`, `chunk` at a time, and keeps the first
// error.
class ChunkDealer {
 public:
  ChunkDealer(size_t size, size_t chunk) : size_(size), chunk_(chunk) {}

  // The half-open range of the next chunk; empty if there is none.
  std::pair<size_t, size_t> Take() {
    absl::MutexLock lock(&mu_);
    const size_t begin = next_;
    next_ += std::min(chunk_, size_ - begin);
    return {begin, next_};
  }

  void Fail(std::exception_ptr error) {
    absl::MutexLock lock(&mu_);
    if (error_ == nullptr) error_ = std::move(error);
  }

  std::exception_ptr Error() {
    absl::MutexLock lock(&mu_);
    return error_;
  }

 private:
  const size_t size_;
  const size_t chunk_;
  absl::Mutex mu_;
  size_t next_ ABSL_GUARDED_BY(mu_) = 0;
  std::exception_ptr error_ ABSL_GUARDED_BY(mu_);
};

template <typename Item, typename Fn>
auto PoolMap(const std::vector<Item>& items, Fn fn, size_t threads,
             size_t chunk = 1) {
  using Result = std::invoke_result_t<Fn&, const Item&>;
  if (threads == 0 || chunk == 0) {
    throw std::invalid_argument("PoolMap: threads and chunk must be positive");
  }
  // Not std::vector<Result>: neighbours of a std::vector<bool> share a byte.
  std::vector<std::optional<Result>> places(items.size());
  ChunkDealer dealer(items.size(), chunk);

  const auto work = [&] {
    for (;;) {
      const auto [begin, end] = dealer.Take();
      if (begin == end) return;
      try {
        for (size_t i = begin; i < end; ++i) places[i].emplace(fn(items[i]));
      } catch (...) {
        dealer.Fail(std::current_exception());
      }
    }
  };

  {
    const size_t chunks = items.size() / chunk + (items.size() % chunk != 0);
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < std::min(threads, chunks); ++i) {
      workers.emplace_back(work);
    }
  }
  if (std::exception_ptr error = dealer.Error()) std::rethrow_exception(error);

  std::vector<Result> results;
  results.reserve(places.size());
  for (std::optional<Result>& place : places) {
    results.push_back(*std::move(place));
  }
  return results;
}

}  // namespace workbook

#endif  // SOLUTIONS_06_POOL_MAP_ABSL_POOL_MAP_H_
