// SPDX-License-Identifier: Apache-2.0
//
// Every schedule of a small body, as a graph: at each node, who may run next
// and what happens then. The book's "Try it" lets a reader walk it.

#ifndef LOCKSTEP_GRAPH_H_
#define LOCKSTEP_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "lockstep/report/graph.h"

namespace lockstep {

struct GraphOptions {
  // More than this, and there is no graph: Graph::error says so.
  uint64_t max_schedules = 20'000;
  size_t max_points = 300;    // scheduling points in one schedule
  size_t max_bytes = 60'000;  // of JSON
};

struct Graph {
  // Empty, or why there is no graph, and what to do about it.
  std::string error;
  uint64_t schedules = 0;
  uint64_t failing = 0;
  std::vector<GraphNode> nodes;
  size_t root = 0;
  std::string json;  // schema in lockstep/report/JSON.md
};

// Runs `body` in every schedule; see Explore() for what a body may do. Beyond
// that, all its locks, atomics and so on must be variables at namespace scope,
// and it must set them back itself. Never throws. Takes time proportional to
// the number of schedules.
Graph RecordGraph(const GraphOptions& options, absl::FunctionRef<void()> body);

}  // namespace lockstep

#endif  // LOCKSTEP_GRAPH_H_
