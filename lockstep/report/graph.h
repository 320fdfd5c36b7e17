// SPDX-License-Identifier: Apache-2.0
//
// Puts the schedules of a small body together into a graph, for readers who
// choose themselves who runs next. Schema: JSON.md.

#ifndef LOCKSTEP_REPORT_GRAPH_H_
#define LOCKSTEP_REPORT_GRAPH_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lockstep/report/holders.h"
#include "lockstep/report/story.h"
#include "lockstep/report/symbolizer.h"
#include "lockstep/trace.h"

namespace lockstep {

// A place where somebody chooses, or an end. Two nodes are the same if the same
// can happen from there on, step by step and word by word: they are found by
// hash-consing the tree of schedules from its leaves, which merges nothing that
// a reader could tell apart later.
struct GraphNode {
  struct Move {
    ThreadId thread = 0;        // who runs
    std::vector<size_t> steps;  // what happens until the next choice
    size_t to = 0;              // the node that this leads to
  };
  std::vector<Move> moves;  // empty: an end
  Verdict verdict = Verdict::kNone;
  std::string message;
};

class GraphBuilder {
 public:
  // What a thread did from a choice on.
  struct Turn {
    ThreadId thread = 0;
    // Tells apart what may happen if the same thread runs: which of several
    // waiters it wakes.
    std::vector<uint32_t> answers;
    size_t first_step = 0;  // into Trace::steps
  };

  // `symbolizer` must outlive the builder.
  explicit GraphBuilder(Symbolizer& symbolizer) : symbolizer_(symbolizer) {}

  // Adds a schedule: its trace, and where in it a choice was made. Schedules
  // come in depth-first order: those that begin alike are neighbours. Returns
  // false, and sets error(), if the schedule cannot be part of a graph.
  bool Add(const Trace& trace, const std::vector<Turn>& turns);

  // No more schedules. Returns the node where everything begins.
  size_t Finish();

  const std::vector<GraphNode>& nodes() const { return nodes_; }
  uint64_t schedules() const { return schedules_; }
  uint64_t failing() const { return failing_; }
  const std::string& error() const { return error_; }

  // REQUIRES: Finish() has been called.
  std::string Json() const;

 private:
  struct OpenMove {
    Turn turn;
    std::vector<size_t> steps;
  };
  // A node on the way to the schedule added last. Its last move leads on.
  struct OpenNode {
    std::vector<GraphNode::Move> moves;
    OpenMove last;
  };

  // The steps of a story as numbers of steps_; parallel to story.steps, then
  // those that show the failure. Returns false if an object has no name.
  bool Number(const Trace& trace, const Story& story,
              std::vector<size_t>* numbers);
  size_t Intern(GraphNode node);
  size_t StepNumber(const std::string& json);
  std::string PlaceNumber(const Place& place);
  // Ends what was begun below depth `keep`.
  void Close(size_t keep);

  Symbolizer& symbolizer_;
  std::vector<GraphNode> nodes_;
  std::map<std::string, size_t> node_numbers_;  // by JSON
  std::vector<std::string> steps_;              // JSON
  std::map<std::string, size_t> step_numbers_;
  std::vector<std::string> places_;  // JSON
  std::map<std::string, size_t> place_numbers_;
  std::vector<std::string> objects_;              // JSON
  std::map<std::string, size_t> object_numbers_;  // by name, from 1
  std::vector<std::string> threads_;
  std::vector<size_t> start_;  // steps before the first choice
  std::vector<OpenNode> open_;
  size_t leaf_ = 0;
  size_t root_ = 0;
  uint64_t schedules_ = 0;
  uint64_t failing_ = 0;
  std::string error_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_GRAPH_H_
