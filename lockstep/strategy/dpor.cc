// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/dpor.h"

#include "lockstep/strategy/choosing.h"
#include "lockstep/strategy/pos.h"

namespace lockstep {
namespace {

uint32_t Bit(ThreadId thread) { return uint32_t{1} << thread; }

bool IsLock(Op op) { return op == Op::kLock || op == Op::kLockShared; }
bool IsUnlock(Op op) { return op == Op::kUnlock || op == Op::kUnlockShared; }

const Pending* Find(const std::vector<Pending>& runnable, ThreadId thread) {
  for (const Pending& pending : runnable) {
    if (pending.thread == thread) return &pending;
  }
  return nullptr;
}

}  // namespace

bool Dpor::Known(Op op) {
  switch (op) {
    case Op::kStart:
    case Op::kEnd:
    case Op::kSpawn:
    case Op::kJoin:
    case Op::kLock:
    case Op::kTryLock:
    case Op::kUnlock:
    case Op::kLockShared:
    case Op::kTryLockShared:
    case Op::kUnlockShared:
    case Op::kOnce:
    case Op::kAtomicLoad:
    case Op::kAtomicStore:
    case Op::kAtomicReadModifyWrite:
      return true;
    default:
      return false;
  }
}

bool Dpor::Dependent(const Pending& a, const Pending& b) {
  // Threads are numbered in order of creation.
  if (a.op == Op::kSpawn && b.op == Op::kSpawn) return true;
  return Conflict(a, b);
}

bool Dpor::MayBeEnabledTogether(const Pending& a, const Pending& b) {
  // While one thread stands before an unlock, it holds the lock.
  return !(a.op == Op::kUnlock && IsLock(b.op)) &&
         !(b.op == Op::kUnlock && IsLock(a.op)) &&
         !(a.op == Op::kUnlockShared && b.op == Op::kLock) &&
         !(b.op == Op::kUnlockShared && a.op == Op::kLock) &&
         !(IsUnlock(a.op) && IsUnlock(b.op) &&
           (a.op == Op::kUnlock || b.op == Op::kUnlock));
}

bool Dpor::BeginSchedule() {
  if (gave_up_ || complete_) return false;
  if (schedules_ > 0) {
    // The deepest state with something left to try.
    while (!nodes_.empty()) {
      Node& node = nodes_.back();
      Threads left = node.backtrack & ~node.done & ~node.sleep;
      const Pending* next = nullptr;
      for (const Pending& pending : node.runnable) {
        if ((left & Bit(pending.thread)) != 0) {
          next = &pending;
          break;
        }
      }
      if (next != nullptr) {
        node.event = *next;
        node.done |= Bit(next->thread);
        break;
      }
      nodes_.pop_back();
    }
    if (nodes_.empty()) {
      complete_ = true;
      return false;
    }
    if (schedules_ >= max_schedules_) {
      gave_up_ = true;
      return false;
    }
  }
  prefix_ = nodes_.size();
  depth_ = 0;
  repeats_ = false;
  ++schedules_;
  return true;
}

void Dpor::Push(const Choice& choice) {
  Node node;
  for (const Pending& pending : choice.runnable) {
    if (pending.thread >= kMaxThreads || !Known(pending.op)) gave_up_ = true;
    node.runnable.push_back(pending);
  }
  if (gave_up_ || nodes_.size() == kMaxEvents) {
    gave_up_ = true;
    return;
  }
  if (!nodes_.empty()) {
    const Node& before = nodes_.back();
    const Threads asleep =
        (before.sleep | before.done) & ~Bit(before.event.thread);
    for (const Pending& pending : before.runnable) {
      if ((asleep & Bit(pending.thread)) != 0 &&
          !Dependent(pending, before.event)) {
        node.sleep |= Bit(pending.thread);
      }
    }
  }
  const Pending* next = nullptr;
  const Pending& preferred = node.runnable[DefaultIndex(choice)];
  if ((node.sleep & Bit(preferred.thread)) == 0) {
    next = &preferred;
  } else {
    for (const Pending& pending : node.runnable) {
      if ((node.sleep & Bit(pending.thread)) == 0) {
        next = &pending;
        break;
      }
    }
  }
  if (next == nullptr) {
    repeats_ = true;
    return;
  }
  node.event = *next;
  node.backtrack = node.done = Bit(next->thread);
  nodes_.push_back(std::move(node));
}

uint32_t Dpor::Choose(const Choice& choice) {
  if (choice.current_yields) gave_up_ = true;
  const size_t depth = depth_++;
  if (!gave_up_ && !repeats_ && depth >= prefix_) Push(choice);
  if (gave_up_ || depth >= nodes_.size()) return DefaultIndex(choice);
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  const Pending& event = nodes_[depth].event;
  for (uint32_t i = 0; i < n; ++i) {
    const Pending& pending = choice.runnable[i];
    if (pending.thread == event.thread && pending.op == event.op &&
        pending.object == event.object && n == nodes_[depth].runnable.size()) {
      return i;
    }
  }
  gave_up_ = true;  // the same choices led elsewhere
  return DefaultIndex(choice);
}

uint32_t Dpor::ChooseOneOf(Decision::Kind, uint32_t) {
  gave_up_ = true;
  return 0;
}

void Dpor::EndSchedule(const Counters&) {
  if (depth_ < prefix_) gave_up_ = true;
  if (gave_up_) {
    nodes_.clear();
    return;
  }
  if (!repeats_) ++classes_;
  FindRaces();
}

void Dpor::FindRaces() {
  const size_t n = nodes_.size();
  std::vector<Clock> clocks(n);
  Clock of_thread[kMaxThreads];
  Threads seen = 0;
  Threads joining = 0;  // not runnable since it began to join
  for (size_t j = 0; j < n; ++j) {
    Threads here = 0;
    for (const Pending& pending : nodes_[j].runnable) {
      here |= Bit(pending.thread);
    }
    // Who has just been created, or has just been released from a join, comes
    // after the event that did it.
    for (const Pending& pending : nodes_[j].runnable) {
      const Threads bit = Bit(pending.thread);
      if (j > 0 && ((seen & bit) == 0 || (joining & bit) != 0)) {
        of_thread[pending.thread].Join(clocks[j - 1]);
      }
    }
    seen |= here;
    joining &= ~here;

    const Pending& event = nodes_[j].event;
    const ThreadId p = event.thread;
    const Clock before = of_thread[p];
    Clock after = before;
    for (size_t i = 0; i < j; ++i) {
      const Pending& earlier = nodes_[i].event;
      // What comes before anyway (all of p's own, too) has been joined already.
      if (before.at[earlier.thread] > i || !Dependent(earlier, event)) continue;
      after.Join(clocks[i]);
      if (!MayBeEnabledTogether(earlier, event)) continue;
      // The two could have come the other way round. Somebody who leads to
      // `event` must be tried in the state before `earlier`.
      Node& node = nodes_[i];
      Threads candidates = 0;
      for (const Pending& pending : node.runnable) {
        const ThreadId q = pending.thread;
        if (q == p || before.at[q] > i + 1) candidates |= Bit(q);
      }
      candidates &= ~Bit(earlier.thread);
      if ((candidates & node.backtrack) != 0) continue;
      if ((candidates & Bit(p)) != 0) {
        node.backtrack |= Bit(p);
      } else if (candidates != 0) {
        node.backtrack |= candidates & (~candidates + 1);
      } else {
        for (const Pending& pending : node.runnable) {
          node.backtrack |= Bit(pending.thread);
        }
      }
    }
    after.at[p] = static_cast<uint16_t>(j + 1);
    clocks[j] = after;
    of_thread[p] = after;
    if (event.op == Op::kJoin && j + 1 < n &&
        Find(nodes_[j + 1].runnable, p) == nullptr) {
      joining |= Bit(p);
    }
  }
}

}  // namespace lockstep
