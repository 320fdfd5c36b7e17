// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/holders.h"

#include <algorithm>

namespace lockstep {
namespace {

void Add(ThreadId thread, std::vector<ThreadId>* to) {
  if (std::find(to->begin(), to->end(), thread) == to->end()) {
    to->push_back(thread);
  }
}

void Remove(ThreadId thread, std::vector<ThreadId>* from) {
  from->erase(std::remove(from->begin(), from->end(), thread), from->end());
}

}  // namespace

std::vector<Holders::Change> Holders::Take(const Step& step) {
  std::map<ObjectId, Lists> before;
  const auto lists = [&](ObjectId object) -> Lists& {
    before.emplace(object, objects_[object]);
    return objects_[object];
  };
  // A thread that acts waits no longer.
  if (const auto it = waits_for_.find(step.thread); it != waits_for_.end()) {
    Remove(step.thread, &lists(it->second).waiters);
    waits_for_.erase(it);
  }
  const auto hold = [&](ObjectId object) {
    if (object != 0) Add(step.thread, &lists(object).holders);
  };
  const auto let_go = [&](ObjectId object) {
    if (object != 0) Remove(step.thread, &lists(object).holders);
  };
  if (step.blocked && step.object != 0) {
    Add(step.thread, &lists(step.object).waiters);
    waits_for_[step.thread] = step.object;
  }
  switch (step.op) {
    case Op::kLock:
    case Op::kTimedLock:
    case Op::kLockShared:
    case Op::kTimedLockShared:
    case Op::kWake:
      if (!step.blocked) hold(step.object);
      break;
    case Op::kTryLock:
    case Op::kTryLockShared:
      if (step.value != 0) hold(step.object);
      break;
    case Op::kUnlock:
    case Op::kUnlockShared:
      let_go(step.object);
      break;
    case Op::kWait:
    case Op::kTimedWait:
      let_go(step.mutex);
      break;
    case Op::kAwait:
    case Op::kTimedAwait:
      if (step.blocked) {
        let_go(step.object);
      } else {
        hold(step.object);
      }
      break;
    default:
      break;
  }
  std::vector<Change> changes;
  for (const auto& [object, old] : before) {
    const Lists& now = objects_[object];
    if (now.holders == old.holders && now.waiters == old.waiters) continue;
    changes.push_back({object, now.holders, now.waiters});
  }
  return changes;
}

}  // namespace lockstep
