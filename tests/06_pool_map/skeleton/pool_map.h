// SPDX-License-Identifier: Apache-2.0
//
// Chapter 06: a map that runs on several threads and still returns its results
// in order. Read chapters/06_pool_map/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/06_pool_map/...

#ifndef EXERCISES_06_POOL_MAP_POOL_MAP_H_
#define EXERCISES_06_POOL_MAP_POOL_MAP_H_

#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <vector>

namespace workbook {

// Returns {fn(items[0]), fn(items[1]), ...}, computed by `threads` new threads
// at most. (Python's multiprocessing.pool.ThreadPool.map.)
//
//   - Results stand in the order of the items, whatever finished first.
//   - fn is called once per item, by several threads at the same time. `chunk`
//     neighbouring items are taken from the list at a time, and one thread
//     works through them in order.
//   - If fn throws, the rest of its chunk is not run, all other chunks are;
//     then the exception that was caught first is thrown to the caller.
//   - All threads have ended when PoolMap returns or throws.
//
// Throws std::invalid_argument if `threads` or `chunk` is 0. Results need not
// be default-constructible.
template <typename Item, typename Fn>
auto PoolMap(const std::vector<Item>& items, Fn fn, size_t threads,
             size_t chunk = 1) {
  using Result = std::invoke_result_t<Fn&, const Item&>;
  // TODO(1): refuse arguments that make no sense.
  (void)threads;
  (void)chunk;

  // A place for every result, so that no two threads write to the same object.
  std::vector<std::optional<Result>> places(items.size());

  // TODO(2): what do the threads share? The next item that nobody has taken,
  // and the first exception. Guard both.

  // TODO(3): what a thread does: take a chunk, work through it, until there is
  // none. Call fn without holding the mutex.
  (void)fn;

  // TODO(4): start the threads, no more than there are chunks; wait for all.

  // TODO(5): throw the first exception, if there was one.

  std::vector<Result> results;
  for (std::optional<Result>& place : places) {
    if (place.has_value()) results.push_back(*std::move(place));
  }
  return results;
}

}  // namespace workbook

#endif  // EXERCISES_06_POOL_MAP_POOL_MAP_H_
