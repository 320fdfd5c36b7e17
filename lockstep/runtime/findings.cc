// SPDX-License-Identifier: Apache-2.0
//
// See findings.h.

#include "lockstep/runtime/findings.h"

#include <cstdio>

namespace lockstep::internal {
namespace {

const char* KindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kMutex:
      return "mutex";
    case ObjectKind::kRecursiveMutex:
      return "recursive mutex";
    case ObjectKind::kSharedMutex:
      return "shared mutex";
    case ObjectKind::kAbslMutex:
      return "absl::Mutex";
    case ObjectKind::kConditionVariable:
      return "condition variable";
    case ObjectKind::kAbslCondVar:
      return "absl::CondVar";
    case ObjectKind::kSemaphore:
      return "semaphore";
    case ObjectKind::kOnceFlag:
      return "once flag";
    case ObjectKind::kAtomic:
      return "atomic variable";
    case ObjectKind::kThread:
      return "thread";
    case ObjectKind::kMemory:
    case ObjectKind::kUnknown:
      break;
  }
  return "object";
}

// What `t` sleeps on, as the student would say.
SyncObject* WaitObject(const Thread* t) {
  return t->meaning != nullptr ? t->meaning : t->waits_on;
}
Op WaitOp(const Thread* t) {
  return t->meaning != nullptr ? t->meaning_op : t->wait_op;
}
Op ResumeOp(const Thread* t) {
  return t->meaning != nullptr ? t->meaning_op : t->resume_op;
}

bool IsAsleep(const Thread* t) { return t->state == ThreadState::kBlocked; }

bool WaitsForLock(const Thread* t) {
  switch (ResumeOp(t)) {
    case Op::kLock:
    case Op::kTimedLock:
    case Op::kLockShared:
    case Op::kTimedLockShared:
    case Op::kWake:
      return true;
    default:
      return false;
  }
}

// Sleeps until somebody signals: a condition variable, a condition, a futex.
bool WaitsForSignal(const Thread* t) {
  switch (WaitOp(t)) {
    case Op::kWait:
    case Op::kTimedWait:
      return ResumeOp(t) != Op::kWake;
    case Op::kAwait:
    case Op::kTimedAwait:
    case Op::kFutexWait:
      return true;
    default:
      return false;
  }
}

// Calls visit(other) for every thread that could end the wait of `t` by going
// on: the lock's holders, the thread it joins, who last changed the variable.
template <typename Visit>
void ForEachBlocker(Thread* t, Visit visit) {
  if (t->joins != nullptr) return visit(t->joins);
  SyncObject* object = WaitObject(t);
  if (object == nullptr) return;
  if (WaitsForLock(t) || object->kind == ObjectKind::kOnceFlag) {
    if (object->owner != nullptr) return visit(object->owner);
    for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
      Thread* other = g_scheduler.thread(i);
      for (const HeldLock& lock : other->held) {
        if (lock.object == object) visit(other);
      }
    }
    return;
  }
  if (object->kind != ObjectKind::kSemaphore &&
      object->kind != ObjectKind::kAtomic) {
    return;
  }
  // A waiter often announces itself in the very word it waits for.
  Thread* writer =
      object->last_writer != t ? object->last_writer : object->previous_writer;
  if (writer != nullptr && writer != t) visit(writer);
}

// Depth-first search for a way from `t` back to `goal`.
bool Reaches(Thread* t, Thread* goal, Array<bool>* seen) {
  bool found = false;
  ForEachBlocker(t, [&](Thread* other) {
    if (found || !IsAsleep(other)) return;
    if (other == goal) {
      found = true;
      return;
    }
    if ((*seen)[other->id]) return;
    (*seen)[other->id] = true;
    found = Reaches(other, goal, seen);
  });
  return found;
}

bool InCycle(Thread* t) {
  Array<bool> seen;
  seen.resize(g_scheduler.thread_count());
  const bool result = Reaches(t, t, &seen);
  seen.clear();
  return result;
}

void DescribeWait(Thread* t, char* text, size_t size) {
  if (t->joins != nullptr) {
    std::snprintf(text, size, "waits for T%u to end", t->joins->id);
    return;
  }
  SyncObject* object = WaitObject(t);
  if (object == nullptr) {
    std::snprintf(text, size, "sleeps");
    return;
  }
  const char* name = KindName(object->kind);
  if (WaitsForLock(t)) {
    ThreadId holder = kNoThread;
    ForEachBlocker(t, [&](Thread* other) { holder = other->id; });
    const char* again = ResumeOp(t) == Op::kWake ? " again" : "";
    if (holder != kNoThread) {
      std::snprintf(text, size, "waits for %s%s held by T%u", name, again,
                    holder);
    } else {
      std::snprintf(text, size, "waits for %s%s", name, again);
    }
    return;
  }
  if (WaitOp(t) == Op::kAwait || WaitOp(t) == Op::kTimedAwait) {
    std::snprintf(text, size, "waits for a condition on %s", name);
  } else if (WaitsForSignal(t)) {
    std::snprintf(text, size, "sleeps on %s; nobody is left to wake it", name);
  } else {
    std::snprintf(text, size, "waits for %s", name);
  }
}

void AddWaitingSites() {
  char text[160];
  for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
    Thread* t = g_scheduler.thread(i);
    if (t->state == ThreadState::kDone) continue;
    DescribeWait(t, text, sizeof(text));
    g_scheduler.AddSite(t, text, t->pc, WaitObject(t));
  }
}

// The notification that came too early, if that is what happened.
void AddLostNotifications() {
  for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
    Thread* t = g_scheduler.thread(i);
    if (!IsAsleep(t) || !WaitsForSignal(t)) continue;
    SyncObject* object = WaitObject(t);
    if (object == nullptr || object->lost_notifier == nullptr) continue;
    RuntimeScope scope;
    Site& site = g_scheduler.finding()->sites.emplace_back();
    site.thread = object->lost_notifier->id;
    site.what = "notified here when no thread was waiting";
    site.object = object->id;
    site.stack.push_back(object->lost_notify_pc);
    object->lost_notifier = nullptr;  // once per object
  }
}

}  // namespace

void ReportStuck(Thread* me, bool body_done) {
  if (g_scheduler.has_finding()) g_scheduler.EndSchedule(me);
  bool cycle = false;
  bool lock_behind_sleeper = false;
  Thread* sleeper = nullptr;
  for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
    Thread* t = g_scheduler.thread(i);
    if (!IsAsleep(t)) continue;
    if (InCycle(t)) cycle = true;
    if (WaitsForSignal(t) && sleeper == nullptr) sleeper = t;
    if (WaitsForLock(t)) {
      ForEachBlocker(t, [&](Thread* other) {
        if (IsAsleep(other) && WaitsForSignal(other)) {
          lock_behind_sleeper = true;
        }
      });
    }
  }
  char message[200];
  if (cycle) {
    g_scheduler.SetFinding(Verdict::kDeadlock,
                           "threads wait for each other in a circle: none of "
                           "them can ever run again");
  } else if (lock_behind_sleeper) {
    g_scheduler.SetFinding(Verdict::kDeadlock,
                           "a thread sleeps while it holds a lock that the "
                           "thread which could wake it needs");
  } else if (body_done) {
    g_scheduler.SetFinding(Verdict::kThreadLeak,
                           "the body returned and left threads waiting that "
                           "nobody can wake");
  } else if (sleeper != nullptr) {
    std::snprintf(message, sizeof(message),
                  "T%u sleeps on %s and no thread is left that could wake it",
                  sleeper->id,
                  WaitObject(sleeper) != nullptr
                      ? KindName(WaitObject(sleeper)->kind)
                      : "an object");
    g_scheduler.SetFinding(Verdict::kLostWakeup, message);
  } else {
    g_scheduler.SetFinding(
        Verdict::kDeadlock,
        "every thread is waiting: nothing can ever run again");
  }
  AddWaitingSites();
  AddLostNotifications();
  g_scheduler.EndSchedule(me);
}

void ReportLivelock(Thread* me) {
  if (g_scheduler.has_finding()) g_scheduler.EndSchedule(me);
  if (g_scheduler.body_done()) {
    g_scheduler.SetFinding(Verdict::kThreadLeak,
                           "the body returned and left threads running that "
                           "do not come to an end");
  } else {
    g_scheduler.SetFinding(Verdict::kLivelock,
                           "the threads run and run, each in its turn, and "
                           "never come to an end");
  }
  for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
    Thread* t = g_scheduler.thread(i);
    if (t->state == ThreadState::kDone) continue;
    if (t->state == ThreadState::kBlocked) {
      char text[160];
      DescribeWait(t, text, sizeof(text));
      g_scheduler.AddSite(t, text, t->pc, WaitObject(t));
    } else {
      g_scheduler.AddSite(t, "still running here", t->pc, nullptr);
    }
  }
  g_scheduler.EndSchedule(me);
}

void CheckLocksAtThreadEnd(Thread* me) {
  for (const HeldLock& lock : me->held) {
    if (g_scheduler.has_finding()) return;
    char text[160];
    std::snprintf(text, sizeof(text), "locked the %s here",
                  KindName(lock.object->kind));
    g_scheduler.SetFinding(Verdict::kMutexMisuse,
                           "a thread ends while it holds a lock");
    g_scheduler.AddSite(me, text, lock);
    g_scheduler.EndSchedule(me);
  }
}

}  // namespace lockstep::internal
