// SPDX-License-Identifier: Apache-2.0
//
// RecordGraph() in builds without the explorer.

#include "lockstep/graph.h"

namespace lockstep {

Graph RecordGraph(const GraphOptions&, absl::FunctionRef<void()>) {
  Graph graph;
  graph.error = "schedules cannot be explored in this build";
  return graph;
}

}  // namespace lockstep
