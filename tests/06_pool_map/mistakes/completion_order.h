// SPDX-License-Identifier: Apache-2.0
//
// Mistake: each result is appended when it is ready, so the fastest item
// comes first.
// Verdict: wrong result
// Rule: ResultsStandInTheOrderOfTheItems

#ifndef TESTS_06_POOL_MAP_MISTAKES_COMPLETION_ORDER_H_
#define TESTS_06_POOL_MAP_MISTAKES_COMPLETION_ORDER_H_

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
  std::vector<Result> results;

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
        for (size_t i = begin; i < end; ++i) {
          Result result = fn(items[i]);
          std::lock_guard lock(mu);
          results.push_back(std::move(result));
        }
      } catch (...) {
        std::lock_guard lock(mu);
        if (error == nullptr) error = std::current_exception();
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

  return results;
}

}  // namespace workbook

#endif  // TESTS_06_POOL_MAP_MISTAKES_COMPLETION_ORDER_H_
