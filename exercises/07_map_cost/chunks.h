// SPDX-License-Identifier: Apache-2.0
//
// Chapter 07: pay for handing out work once per chunk, not once per element.
// Read chapters/07_map_cost/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/07_map_cost/...

#ifndef EXERCISES_07_MAP_COST_CHUNKS_H_
#define EXERCISES_07_MAP_COST_CHUNKS_H_

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

namespace workbook {

// The usual compromise: about four chunks per worker. Fewer, and one slow chunk
// keeps everybody waiting; more, and handing out costs too much.
// Returns n / (4 * workers), rounded up, and 1 for n = 0.
// Throws std::invalid_argument if `workers` is 0. (Python's Pool.map.)
inline size_t DefaultChunk(size_t n, size_t workers) {
  // TODO(1)
  (void)n;
  (void)workers;
  return 1;
}

// Calls fn(begin, end) for consecutive ranges that cover [0, n) once, each
// `chunk` long but for the last one, which may be shorter. A chunk of 0 means
// DefaultChunk(n, workers).
//
// The ranges are handed out to `workers` threads, this one among them, so that
// workers - 1 are made. Handing out costs one synchronised operation (an atomic
// one, or one lock) per range, and one more per worker, which learns that
// nothing is left. fn must not throw. Returns the number of ranges.
template <typename Fn>
size_t ForEachChunk(size_t n, size_t workers, size_t chunk, Fn fn) {
  // TODO(2): the default chunk; how many ranges are there?
  (void)n, (void)workers, (void)chunk, (void)fn;

  // TODO(3): what a worker does.

  // TODO(4): start workers - 1 threads, work here too, join them.
  return 0;
}

// The sum of value(i) for all i in [0, n). Each range is summed on its own, and
// shared data is touched once per range. The ranges' sums are added in the
// order of the ranges: the result does not depend on who was faster, not even
// in floating point. `workers` and `chunk` as for ForEachChunk.
template <typename Value>
double ChunkedSum(size_t n, size_t workers, size_t chunk, Value value) {
  // TODO(5): a place for the sum of each range.
  (void)n, (void)workers, (void)chunk, (void)value;
  return 0;
}

}  // namespace workbook

#endif  // EXERCISES_07_MAP_COST_CHUNKS_H_
