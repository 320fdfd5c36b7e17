// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/words.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace lockstep {
namespace {

std::string At(const Place& place) {
  if (!place.known()) return "";
  std::string text = absl::StrCat(" at ", place.file, ":", place.line);
  if (!place.source.empty()) absl::StrAppend(&text, ":  ", place.source);
  return text;
}

std::string Locks(const Story& story, const std::vector<ObjectId>& locks) {
  if (locks.empty()) return "holding no lock";
  std::string text = "holding ";
  for (size_t i = 0; i < locks.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", story.ObjectName(locks[i]));
  }
  return text;
}

// The notifications on a condition variable, before and after a wait began.
void NotificationFacts(const Story& story, const StoryWaiter& waiter,
                       std::vector<std::string>* facts) {
  const ObjectId object = story.steps[waiter.step].step.object;
  const std::string name = story.ObjectName(object);
  const StoryStep* early = nullptr;
  const StoryStep* elsewhere = nullptr;
  for (size_t i = 0; i < story.steps.size(); ++i) {
    const Step& step = story.steps[i].step;
    if ((step.op != Op::kNotifyOne && step.op != Op::kNotifyAll) ||
        step.object != object) {
      continue;
    }
    if (i < waiter.step) early = &story.steps[i];
    if (i > waiter.step) elsewhere = &story.steps[i];
  }
  if (elsewhere != nullptr && elsewhere->step.other != kNoThread &&
      elsewhere->step.other != waiter.thread) {
    facts->push_back(absl::StrCat("the last notification on ", name, ", from ",
                                  story.ThreadName(elsewhere->step.thread),
                                  ", woke ",
                                  story.ThreadName(elsewhere->step.other),
                                  " instead", At(elsewhere->place)));
  } else if (early != nullptr) {
    facts->push_back(absl::StrCat(
        "the last notification on ", name, " came too early, from ",
        story.ThreadName(early->step.thread), At(early->place)));
  } else if (elsewhere == nullptr) {
    facts->push_back(
        absl::StrCat("nobody ever notified ", name, " in this schedule"));
  }
}

void WaiterFacts(const Story& story, std::vector<std::string>* facts) {
  for (const StoryWaiter& waiter : story.waiters) {
    const StoryStep& step = story.steps[waiter.step];
    facts->push_back(absl::StrCat(story.ThreadName(waiter.thread), " ",
                                  step.text, At(step.place)));
    if (step.step.op == Op::kWait || step.step.op == Op::kTimedWait) {
      NotificationFacts(story, waiter, facts);
    }
  }
  // Where the locks that are waited for were taken.
  for (const StoryWaiter& waiter : story.waiters) {
    const Step& wait = story.steps[waiter.step].step;
    if (wait.other == kNoThread || wait.object == 0) continue;
    if (wait.op == Op::kJoin || wait.op == Op::kWait) continue;
    for (size_t i = story.steps.size(); i > 0; --i) {
      const StoryStep& step = story.steps[i - 1];
      const Op op = step.step.op;
      if (step.step.thread == wait.other && step.step.object == wait.object &&
          !step.step.blocked && op != Op::kUnlock && op != Op::kUnlockShared) {
        facts->push_back(absl::StrCat(story.ThreadName(wait.other), " locked ",
                                      story.ObjectName(wait.object),
                                      At(step.place)));
        break;
      }
    }
  }
}

// For livelocks: the places that the last steps visit again and again.
void LoopFacts(const Story& story, std::vector<std::string>* facts) {
  constexpr size_t kTail = 60;
  const size_t n = story.steps.size();
  std::map<std::string, int> times;
  std::vector<std::string> order;
  for (size_t i = n > kTail ? n - kTail : 0; i < n; ++i) {
    const StoryStep& step = story.steps[i];
    const std::string line = absl::StrCat(story.ThreadName(step.step.thread),
                                          " ", step.text, At(step.place));
    if (times[line]++ == 0) order.push_back(line);
  }
  int shown = 0;
  for (const std::string& line : order) {
    if (times[line] < 3 || shown == 6) continue;
    if (shown++ == 0) facts->push_back("the loop that never ends:");
    facts->push_back(absl::StrCat("  ", line));
  }
}

}  // namespace

const char* Rule(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone:
      return "";
    case Verdict::kWrongResult:
      return "A result must be right in every schedule.";
    case Verdict::kDeadlock:
      return "Threads must not wait for each other in a circle.";
    case Verdict::kLostWakeup:
      return "A thread that waits must be told when what it waits for "
             "happens, and must look before it sleeps.";
    case Verdict::kDataRace:
      return "Two threads must not access the same memory at the same time "
             "if one of them writes, unless both use a lock or an atomic.";
    case Verdict::kWrongLock:
      return "Whatever threads share is guarded by one lock, and every access "
             "to it holds that lock.";
    case Verdict::kLivelock:
      return "Every thread must get somewhere in the end.";
    case Verdict::kMutexMisuse:
      return "A mutex is unlocked by the thread that locked it, once, and "
             "outlives its users.";
    case Verdict::kThreadMisuse:
      return "A std::thread is joined or detached once, by one thread, before "
             "it is destroyed.";
    case Verdict::kUseAfterFree:
      return "Memory must not be used after it was freed.";
    case Verdict::kTooMuchSynchronisation:
      return "The test allows only so many synchronisation operations.";
    case Verdict::kUncaughtException:
      return "An exception must not leave a thread's function.";
    case Verdict::kCrash:
      return "The program must not crash in any schedule.";
    case Verdict::kStackOverflow:
      return "Recursion must end before the stack does.";
    case Verdict::kExit:
      return "Code under test must return, not end the process.";
    case Verdict::kThreadLeak:
      return "Every thread that is started must be joined before the test "
             "returns.";
    case Verdict::kUncontrolledBlocking:
      return "Code under test must not block in a call that lockstep does "
             "not control.";
    case Verdict::kNondeterminism:
      return "The same schedule must give the same execution.";
  }
  return "";
}

const char* Ending(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDeadlock:
      return "every thread is waiting: nothing can ever run again";
    case Verdict::kLostWakeup:
      return "nobody is left who could wake the waiting thread";
    case Verdict::kDataRace:
      return "nothing orders these two accesses: they can happen at the same "
             "time";
    case Verdict::kWrongLock:
      return "two locks, so neither thread keeps the other out: the accesses "
             "can happen at the same time";
    case Verdict::kLivelock:
      return "threads keep running and none gets anywhere";
    default:
      return "";
  }
}

std::vector<std::string> Facts(const Story& story) {
  std::vector<std::string> facts;
  switch (story.verdict) {
    case Verdict::kDeadlock:
    case Verdict::kLostWakeup:
      WaiterFacts(story, &facts);
      if (!facts.empty()) return facts;
      break;
    case Verdict::kLivelock:
      LoopFacts(story, &facts);
      if (!facts.empty()) return facts;
      break;
    default:
      break;
  }
  for (const StorySite& site : story.sites) {
    std::string line;
    if (site.thread != kNoThread) line = story.ThreadName(site.thread);
    if (absl::StrContains(story.message, site.what) ||
        absl::StrContains(site.what, story.message)) {
      // Said already.
      if (!line.empty()) line = absl::StrCat("in ", line);
    } else if (!site.what.empty()) {
      absl::StrAppend(&line, line.empty() ? "" : " ", site.what);
    }
    if (IsRace(story.verdict)) {
      const std::string name = story.ObjectName(site.object);
      if (!name.empty() && site.what.find(name) == std::string::npos) {
        absl::StrAppend(&line, " of ", name);
      }
      absl::StrAppend(&line, ", ", Locks(story, site.locks_held), ",");
    }
    absl::StrAppend(&line, At(site.place));
    if (!line.empty() && line.back() == ',') line.pop_back();
    if (!line.empty()) facts.push_back(std::move(line));
  }
  if (IsRace(story.verdict) || story.verdict == Verdict::kUseAfterFree) {
    for (const StorySite& site : story.sites) {
      if (site.object == 0 || site.object > story.objects.size()) continue;
      const Place& place = story.objects[site.object - 1].allocated_at;
      if (!place.known()) continue;
      facts.push_back(absl::StrCat("the memory was allocated", At(place)));
      break;
    }
  }
  if (story.verdict == Verdict::kThreadLeak) WaiterFacts(story, &facts);
  return facts;
}

}  // namespace lockstep
