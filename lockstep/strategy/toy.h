// SPDX-License-Identifier: Apache-2.0
//
// A simulated program for testing strategies without real threads: each thread
// is a list of operations, and each operation is one scheduling point.

#ifndef LOCKSTEP_STRATEGY_TOY_H_
#define LOCKSTEP_STRATEGY_TOY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lockstep/strategy/strategy.h"

namespace lockstep {

struct ToyOp {
  enum Kind {
    kLock,
    kUnlock,
    kLoad,       // of a variable, into the thread's register
    kIncrement,  // register += 1
    kStore,      // the register to a variable
    kSpinUntil,  // yields until the variable is not 0
    kStoreOne,   // 1 to a variable
  };
  Kind kind;
  ObjectId object = 0;
};

using ToyThread = std::vector<ToyOp>;
using ToyProgram = std::vector<ToyThread>;

struct ToyResult {
  std::string order;  // who ran at each point: "0110"
  bool deadlock = false;
  bool endless = false;  // gave up after too many steps
  uint64_t preemptions = 0;
  std::map<ObjectId, int> variables;
  std::vector<Decision> decisions;
};

// Runs one schedule; the strategy's BeginSchedule must have returned true.
// Calls EndSchedule.
inline ToyResult RunToy(const ToyProgram& program, Strategy& strategy) {
  const uint32_t n = static_cast<uint32_t>(program.size());
  ToyResult result;
  std::vector<size_t> at(n, 0);
  std::vector<int> registers(n, 0);
  std::map<ObjectId, ThreadId> owner;
  const bool every_point = strategy.WantsEveryPoint();
  ThreadId current = 0;
  Counters counters;
  counters.threads_created = n - 1;
  for (int steps = 0;; ++steps) {
    std::vector<Pending> runnable;
    bool done = true;
    for (ThreadId t = 0; t < n; ++t) {
      if (at[t] == program[t].size()) continue;
      done = false;
      const ToyOp& op = program[t][at[t]];
      if (op.kind == ToyOp::kLock && owner.count(op.object) != 0) continue;
      Pending pending;
      pending.thread = t;
      pending.object = op.object;
      switch (op.kind) {
        case ToyOp::kLock:
          pending.op = Op::kLock;
          break;
        case ToyOp::kUnlock:
          pending.op = Op::kUnlock;
          break;
        case ToyOp::kLoad:
        case ToyOp::kSpinUntil:
          pending.op = Op::kAtomicLoad;
          pending.writes = false;
          break;
        default:
          pending.op = Op::kAtomicStore;
      }
      runnable.push_back(pending);
    }
    if (done) break;
    if (runnable.empty()) {
      result.deadlock = true;
      break;
    }
    if (steps == 10'000) {
      result.endless = true;
      break;
    }
    Choice choice;
    choice.runnable = runnable;
    choice.current = current;
    for (const Pending& pending : runnable) {
      // At the very beginning nobody is running yet.
      if (steps > 0 && pending.thread == current) {
        choice.current_runnable = true;
        const ToyOp& op = program[current][at[current]];
        choice.current_yields =
            op.kind == ToyOp::kSpinUntil &&
            result.order.back() == '0' + static_cast<char>(current) &&
            result.variables[op.object] == 0;
      }
    }
    uint32_t index = 0;
    if (runnable.size() > 1 || every_point) index = strategy.Choose(choice);
    const ThreadId t = runnable[index].thread;
    if (runnable.size() > 1) {
      result.decisions.push_back({Decision::Kind::kThread, t});
    }
    if (choice.current_runnable && t != current && !choice.current_yields) {
      ++result.preemptions;
    }
    current = t;
    result.order += static_cast<char>('0' + t);
    ++counters.points;
    const ToyOp& op = program[t][at[t]];
    int& variable = result.variables[op.object];
    switch (op.kind) {
      case ToyOp::kLock:
        owner[op.object] = t;
        break;
      case ToyOp::kUnlock:
        owner.erase(op.object);
        break;
      case ToyOp::kLoad:
        registers[t] = variable;
        break;
      case ToyOp::kIncrement:
        ++registers[t];
        break;
      case ToyOp::kStore:
        variable = registers[t];
        break;
      case ToyOp::kStoreOne:
        variable = 1;
        break;
      case ToyOp::kSpinUntil:
        if (variable == 0) continue;  // stays at this operation
        break;
    }
    ++at[t];
  }
  strategy.EndSchedule(counters);
  return result;
}

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_TOY_H_
