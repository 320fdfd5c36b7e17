// SPDX-License-Identifier: Apache-2.0

#include "lockstep/graph.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lockstep/report/symbolizer.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/strategy/every_schedule.h"

namespace lockstep {
namespace {

// Who had the choice to run, and when. Where only one thing could happen, it is
// part of the turn before.
std::vector<GraphBuilder::Turn> Turns(
    const std::vector<EverySchedule::Branch>& path) {
  std::vector<GraphBuilder::Turn> turns;
  const EverySchedule::Branch* running = nullptr;
  bool has_turn = false;  // whether turns.back() is that of `running`
  for (const EverySchedule::Branch& branch : path) {
    const bool is_thread = branch.kind == Decision::Kind::kThread;
    if (is_thread) {
      running = &branch;
      has_turn = false;
    }
    if (branch.options < 2) continue;
    if (!has_turn && running != nullptr) {
      turns.push_back({running->thread, {}, running->steps});
      has_turn = true;
    }
    if (!is_thread && has_turn) turns.back().answers.push_back(branch.chosen);
  }
  return turns;
}

}  // namespace

Graph RecordGraph(const GraphOptions& options, absl::FunctionRef<void()> body) {
  Graph graph;
  Trace trace;
  RunOptions run;
  run.record_steps = true;
  const auto play = [&](Strategy& strategy) {
    RunOnce(run, strategy, body, &trace);
    strategy.EndSchedule(trace.counters);
  };
  {
    // The first run initialises what is initialised once per process.
    EverySchedule warm_up(trace, options.max_points);
    warm_up.BeginSchedule();
    play(warm_up);
  }
  const std::unique_ptr<Symbolizer> symbolizer = MakeProcessSymbolizer();
  GraphBuilder builder(*symbolizer);
  EverySchedule every(trace, options.max_points);
  while (every.BeginSchedule()) {
    if (builder.schedules() == options.max_schedules) {
      graph.error = absl::StrCat(
          "it has more than ", options.max_schedules,
          " schedules; fewer threads or operations make it small enough");
      return graph;
    }
    play(every);
    if (every.endless()) {
      graph.error = absl::StrCat(
          "a thread waits by asking again and again, or a schedule has more "
          "than ",
          options.max_points,
          " steps; only programs that end soon, whatever "
          "the schedule, have a graph");
      return graph;
    }
    if (!builder.Add(trace, Turns(every.path()))) {
      graph.error = builder.error();
      return graph;
    }
  }
  if (every.diverged()) {
    graph.error = "the same choices, made again, led to another execution";
    return graph;
  }
  graph.root = builder.Finish();
  graph.schedules = builder.schedules();
  graph.failing = builder.failing();
  graph.nodes = builder.nodes();
  graph.json = builder.Json();
  if (graph.json.size() > options.max_bytes) {
    graph.error = absl::StrCat("its graph has ", graph.json.size(),
                               " bytes, and a page should not carry more than ",
                               options.max_bytes,
                               "; fewer threads or operations make it smaller");
  }
  return graph;
}

}  // namespace lockstep
