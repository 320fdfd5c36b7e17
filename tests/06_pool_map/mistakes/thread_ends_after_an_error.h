// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a thread that has caught an exception ends. If all of them do, then
// nobody is left for the other chunks.
// Verdict: wrong result
// Rule: AThreadGoesOnAfterAnError

#ifndef TESTS_06_POOL_MAP_MISTAKES_THREAD_ENDS_AFTER_AN_ERROR_H_
#define TESTS_06_POOL_MAP_MISTAKES_THREAD_ENDS_AFTER_AN_ERROR_H_

#include <algorithm>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace workbook {

template <typename Item, typename Fn>
auto PoolMap(const std::vector<Item>& items, Fn fn, size_t threads,
             size_t chunk = 1) {
  using Result = std::invoke_result_t<Fn&, const Item&>;
  if (threads == 0 || chunk == 0) {
    throw std::invalid_argument("PoolMap: threads and chunk must be positive");
  }
  // Not std::vector<Result>: neighbours of a std::vector<bool> share a byte.
  std::vector<std::optional<Result>> places(items.size());

  std::mutex mu;
  size_t next = 0;           // First item that nobody took. Guarded by mu.
  std::exception_ptr error;  // The first one. Guarded by mu.

  const auto work = [&] {
    for (;;) {
      size_t begin, end;
      {
        std::lock_guard lock(mu);
        begin = next;
        end = begin + std::min(chunk, items.size() - begin);
        next = end;
      }
      if (begin == end) return;
      try {
        for (size_t i = begin; i < end; ++i) places[i].emplace(fn(items[i]));
      } catch (...) {
        std::lock_guard lock(mu);
        if (error == nullptr) error = std::current_exception();
        return;
      }
    }
  };

  {
    const size_t chunks = items.size() / chunk + (items.size() % chunk != 0);
    // jthread: joined here even if a later thread cannot be started.
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < std::min(threads, chunks); ++i) {
      workers.emplace_back(work);
    }
  }
  if (error != nullptr) std::rethrow_exception(error);

  std::vector<Result> results;
  results.reserve(places.size());
  for (std::optional<Result>& place : places) {
    results.push_back(*std::move(place));
  }
  return results;
}

}  // namespace workbook

#endif  // TESTS_06_POOL_MAP_MISTAKES_THREAD_ENDS_AFTER_AN_ERROR_H_
