// SPDX-License-Identifier: Apache-2.0
//
// Mistake: every thread gets an equal share of the chunks, and the share is
// computed by a division by the number of threads, which is 0 for no items.
// Verdict: crash
// Rule: NoItemsGiveNoResults

#ifndef TESTS_06_POOL_MAP_MISTAKES_NO_ITEMS_NO_SHARE_H_
#define TESTS_06_POOL_MAP_MISTAKES_NO_ITEMS_NO_SHARE_H_

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
  std::exception_ptr error;  // The first one. Guarded by mu.

  const size_t chunks = items.size() / chunk + (items.size() % chunk != 0);
  const size_t workers = std::min(threads, chunks);
  const size_t share = (chunks + workers - 1) / workers;

  const auto work = [&](size_t worker) {
    const size_t last = std::min(chunks, (worker + 1) * share);
    for (size_t number = worker * share; number < last; ++number) {
      const size_t begin = number * chunk;
      const size_t end = begin + std::min(chunk, items.size() - begin);
      try {
        for (size_t i = begin; i < end; ++i) places[i].emplace(fn(items[i]));
      } catch (...) {
        std::lock_guard lock(mu);
        if (error == nullptr) error = std::current_exception();
      }
    }
  };

  {
    // jthread: joined here even if a later thread cannot be started.
    std::vector<std::jthread> started;
    for (size_t i = 0; i < workers; ++i) started.emplace_back(work, i);
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

#endif  // TESTS_06_POOL_MAP_MISTAKES_NO_ITEMS_NO_SHARE_H_
