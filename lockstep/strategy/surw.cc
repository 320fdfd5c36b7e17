// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/surw.h"

namespace lockstep {

Surw::Thread& Surw::Of(ThreadId thread) {
  while (threads_.size() <= thread) threads_.emplace_back();
  return threads_[thread];
}

bool Surw::BeginSchedule() {
  rng_ = Rng(seed_, ++schedule_);
  intended_ = kNoThread;
  last_ = 0;
  for (Thread& thread : threads_) {
    thread.seen = false;
    thread.weight = thread.credit = 0;
  }
  if (profiling_ || candidates_.empty()) return true;
  object_ =
      candidates_[rng_.Below(static_cast<uint32_t>(candidates_.size()))].object;
  for (const Count& count : counts_) {
    if (count.object != object_) continue;
    Of(count.thread).weight += count.times;
    // Until the thread exists its work weighs on those that will create it.
    for (ThreadId t = count.thread; t != 0;) {
      const ThreadId parent = Of(t).parent;
      if (parent >= t) break;
      Of(parent).credit += count.times;
      t = parent;
    }
  }
  return true;
}

// Notes the threads that have appeared since the last point.
void Surw::See(const Choice& choice) {
  for (const Pending& pending : choice.runnable) {
    Thread& thread = Of(pending.thread);
    if (thread.seen) continue;
    thread.seen = true;
    if (profiling_) thread.parent = last_;
    const uint32_t all = thread.weight + thread.credit;
    for (ThreadId t = pending.thread; t != 0;) {
      const ThreadId parent = Of(t).parent;
      if (parent >= t) break;
      Thread& creator = Of(parent);
      creator.credit -= creator.credit < all ? creator.credit : all;
      t = parent;
    }
  }
}

uint32_t Surw::Profile(const Choice& choice) {
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  const uint32_t current = CurrentIndex(choice);
  uint32_t index = current;
  if (current == n || choice.current_yields || rng_.Below(8) == 0) {
    index = rng_.Below(n);
    if (index == current && choice.current_yields) index = NextIndex(choice);
  }
  const Pending& chosen = choice.runnable[index];
  for (const ObjectId object : {chosen.object, chosen.second}) {
    if (object == 0) continue;
    bool found = false;
    for (Count& count : counts_) {
      if (count.thread == chosen.thread && count.object == object) {
        ++count.times;
        found = true;
        break;
      }
    }
    // A profile is a hint: of a body with very many objects a part will do.
    if (!found && counts_.size() < 4096) {
      counts_.push_back({chosen.thread, object, 1});
    }
  }
  return index;
}

uint32_t Surw::Choose(const Choice& choice) {
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  See(choice);
  uint32_t index;
  if (profiling_) {
    index = Profile(choice);
    last_ = choice.runnable[index].thread;
    return index;
  }
  const bool avoid_current = choice.current_yields && choice.current_runnable;
  const auto may_run = [&](const Pending& pending) {
    return !(avoid_current && pending.thread == choice.current && n > 1) &&
           (pending.thread == intended_ || !Interesting(pending));
  };
  uint32_t allowed = 0;
  if (intended_ != kNoThread) {
    for (const Pending& pending : choice.runnable) allowed += may_run(pending);
  }
  if (allowed == 0) {
    // Draw who performs the next interesting operation.
    const auto share = [this](const Pending& pending) {
      const Thread& thread = Of(pending.thread);
      const uint64_t left = uint64_t{thread.weight} + thread.credit;
      // More to do than the profile knew of.
      return left == 0 && Interesting(pending) ? uint64_t{1} : left;
    };
    uint64_t total = 0;
    for (const Pending& pending : choice.runnable) total += share(pending);
    intended_ = choice.runnable[rng_.Below(n)].thread;
    if (total > 0 && total < UINT32_MAX) {
      uint64_t draw = rng_.Below(static_cast<uint32_t>(total));
      for (const Pending& pending : choice.runnable) {
        if (draw < share(pending)) {
          intended_ = pending.thread;
          break;
        }
        draw -= share(pending);
      }
    }
    for (const Pending& pending : choice.runnable) allowed += may_run(pending);
  }
  if (allowed == 0) {
    // Everybody else is held back and the intended thread yields.
    index = rng_.Below(n);
    if (avoid_current && choice.runnable[index].thread == choice.current) {
      index = NextIndex(choice);
    }
  } else {
    uint32_t pick = rng_.Below(allowed);
    index = 0;
    while (true) {
      if (may_run(choice.runnable[index])) {
        if (pick == 0) break;
        --pick;
      }
      ++index;
    }
  }
  const Pending& chosen = choice.runnable[index];
  if (Interesting(chosen)) {
    Thread& thread = Of(chosen.thread);
    if (thread.weight > 0) --thread.weight;
    intended_ = kNoThread;
  }
  last_ = chosen.thread;
  return index;
}

uint32_t Surw::ChooseOneOf(Decision::Kind, uint32_t count) {
  return rng_.Below(count);
}

void Surw::EndSchedule(const Counters&) {
  if (!profiling_) return;
  profiling_ = false;
  for (const Count& count : counts_) {
    bool shared = false;
    for (const Count& other : counts_) {
      shared |= other.object == count.object && other.thread != count.thread;
    }
    for (const Candidate& candidate : candidates_) {
      shared &= candidate.object != count.object;
    }
    if (shared) candidates_.push_back({count.object});
  }
}

}  // namespace lockstep
