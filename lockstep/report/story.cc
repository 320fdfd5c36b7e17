// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/story.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "lockstep/report/names.h"

namespace lockstep {
namespace {

Place Locate(Symbolizer& symbolizer, const std::vector<CodeAddress>& stack,
             bool* in_gtest = nullptr) {
  Place place;
  const Frame frame = StudentFrame(symbolizer, stack, in_gtest);
  if (!frame.known()) return place;
  place.file = frame.file;
  place.line = frame.line;
  place.function = frame.function;
  place.source = symbolizer.SourceLine(frame.file, frame.line);
  return place;
}

std::string Duration(int64_t ns) {
  if (ns % 1'000'000'000 == 0) return absl::StrCat(ns / 1'000'000'000, " s");
  if (ns % 1'000'000 == 0) return absl::StrCat(ns / 1'000'000, " ms");
  if (ns % 1'000 == 0) return absl::StrCat(ns / 1'000, " µs");
  return absl::StrCat(ns, " ns");
}

std::string Bytes(uint64_t n) {
  return n == 1 ? "1 byte" : absl::StrCat(n, " bytes");
}

// A value as a reader would write it: small numbers plainly, negative ones
// with a sign, addresses not at all.
std::string Value(uint64_t value, uint8_t size) {
  int64_t number = static_cast<int64_t>(value);
  if (size == 1) number = static_cast<int8_t>(value);
  if (size == 2) number = static_cast<int16_t>(value);
  if (size == 4) number = static_cast<int32_t>(value);
  if (number > -1'000'000'000 && number < 1'000'000'000) {
    return absl::StrCat(number);
  }
  return "";
}

std::string Describe(const Story& story, const Step& step) {
  const std::string object = story.ObjectName(step.object);
  const std::string other =
      step.other == kNoThread ? "" : story.ThreadName(step.other);
  const std::string held = other.empty() ? "" : " ─ held by " + other;
  const std::string value = Value(step.value, step.size);
  switch (step.op) {
    case Op::kStart:
      return "begins";
    case Op::kEnd:
      return "ends";
    case Op::kSpawn:
      return absl::StrCat("starts ", other.empty() ? "a thread" : other);
    case Op::kJoin:
      if (step.blocked) {
        return absl::StrCat("waits for ", other.empty() ? "a thread" : other,
                            " to end");
      }
      return absl::StrCat("joins ", other.empty() ? "a thread" : other);
    case Op::kDetach:
      return absl::StrCat("detaches ", other.empty() ? "a thread" : other);
    case Op::kLock:
    case Op::kTimedLock:
      if (step.blocked) return absl::StrCat("waits for ", object, held);
      return absl::StrCat("locks ", object);
    case Op::kLockShared:
    case Op::kTimedLockShared:
      if (step.blocked) return absl::StrCat("waits for ", object, held);
      return absl::StrCat("locks ", object, " (shared)");
    case Op::kTryLock:
    case Op::kTryLockShared:
      if (step.value == 0) {
        return absl::StrCat("tries to lock ", object, ": no", held);
      }
      return absl::StrCat("locks ", object, " (try)");
    case Op::kUnlock:
      return absl::StrCat("unlocks ", object);
    case Op::kUnlockShared:
      return absl::StrCat("unlocks ", object, " (shared)");
    case Op::kWait:
    case Op::kTimedWait: {
      std::string text = absl::StrCat("waits on ", object);
      if (step.mutex != 0) {
        absl::StrAppend(&text, ", unlocking ", story.ObjectName(step.mutex));
      }
      return text;
    }
    case Op::kWake:
      return step.blocked ? absl::StrCat("wakes up, waits for ", object, held)
                          : absl::StrCat("wakes up, locks ", object);
    case Op::kNotifyOne:
    case Op::kNotifyAll:
      return absl::StrCat(
          step.op == Op::kNotifyOne ? "notifies " : "notifies all on ", object,
          other.empty() ? " ─ nobody waits" : " ─ wakes " + other);
    case Op::kAwait:
    case Op::kTimedAwait:
      return absl::StrCat(step.blocked ? "waits for its condition on "
                                       : "finds its condition true on ",
                          object);
    case Op::kSemaphoreWait:
      return absl::StrCat(step.blocked ? "waits for " : "acquires ", object);
    case Op::kSemaphorePost:
      return absl::StrCat("releases ", object,
                          other.empty() ? "" : " ─ wakes " + other);
    case Op::kOnce:
      return absl::StrCat(step.blocked ? "waits for call_once " : "call_once ",
                          object);
    case Op::kAtomicLoad:
      return absl::StrCat("reads ", object, value.empty() ? "" : " = " + value);
    case Op::kAtomicStore:
      return absl::StrCat("writes ", object,
                          value.empty() ? "" : " = " + value);
    case Op::kAtomicReadModifyWrite:
      return absl::StrCat("updates ", object,
                          value.empty() ? "" : " to " + value);
    case Op::kFence:
      return "fence";
    case Op::kFutexWait:
      return absl::StrCat(step.blocked ? "waits until " : "checks ", object,
                          step.blocked ? " changes" : "");
    case Op::kFutexWake:
      return absl::StrCat("wakes those waiting for ", object,
                          other.empty() ? " ─ nobody waits" : " ─ " + other);
    case Op::kSleep:
      return step.value == 0
                 ? std::string("sleeps")
                 : "sleeps " + Duration(static_cast<int64_t>(step.value));
    case Op::kYield:
      return "yields";
    case Op::kRead:
      return absl::StrCat("reads ", object, " (", Bytes(step.size), ")");
    case Op::kWrite:
      return absl::StrCat("writes ", object, " (", Bytes(step.size), ")");
    case Op::kFree:
      return absl::StrCat("frees ", object);
    case Op::kTimeout:
      return absl::StrCat("gives up waiting", object.empty() ? "" : " for ",
                          object, ": time is out");
  }
  return OpName(step.op);
}

// Up to version 15, libstdc++ keeps a table of its own with counts of those who
// sleep in std::atomic::wait, std::latch::wait, ...; larger atomics are waited
// for through it. This puts the atomic in its place and leaves the rest out.
class WaiterTable {
 public:
  WaiterTable(const Trace& trace, Symbolizer& symbolizer) {
    for (const Object& object : trace.objects) {
      in_table_.push_back(
          object.kind == ObjectKind::kAtomic &&
          absl::StrContains(symbolizer.GlobalName(object.address),
                            "__waiter_pool"));
    }
  }

  // False if nobody wants to see this step. Else `step` is about the program's
  // own atomic: the last that the thread used, as that is the one it waits for
  // or wakes others from.
  bool Adapt(Step* step) {
    if (step->object == 0 || step->object > in_table_.size()) return true;
    const bool accesses = step->op == Op::kAtomicLoad ||
                          step->op == Op::kAtomicStore ||
                          step->op == Op::kAtomicReadModifyWrite;
    if (in_table_[step->object - 1]) {
      step->object = last_[step->thread];
      return !accesses && step->object != 0;
    }
    if (accesses) last_[step->thread] = step->object;
    return true;
  }

  void Adapt(Site* site) const {
    if (site->object == 0 || site->object > in_table_.size() ||
        !in_table_[site->object - 1]) {
      return;
    }
    const auto last = last_.find(site->thread);
    site->object = last == last_.end() ? 0 : last->second;
  }

 private:
  std::vector<bool> in_table_;
  std::map<ThreadId, ObjectId> last_;
};

}  // namespace

std::string RenameMain(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto word = [&](size_t at) {
      return at < text.size() &&
             isalnum(static_cast<unsigned char>(text[at])) != 0;
    };
    if (text.compare(i, 2, "T0") == 0 && !word(i + 2) &&
        (i == 0 || !word(i - 1))) {
      result += "main";
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string Place::Short() const {
  if (!known()) return "";
  const size_t slash = file.rfind('/');
  return absl::StrCat(
      slash == std::string::npos ? file : file.substr(slash + 1), ":", line);
}

std::string DefaultThreadName(ThreadId thread) {
  return thread == 0 ? "main" : absl::StrCat("T", thread);
}

std::string Story::ThreadName(ThreadId thread) const {
  if (thread == kNoThread) return "nobody";
  return thread < threads.size() ? threads[thread] : DefaultThreadName(thread);
}

std::string Story::ObjectName(ObjectId object) const {
  if (object == 0 || object > objects.size()) return "";
  return objects[object - 1].name;
}

const char* ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kUnknown:
      return "object";
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
      return "atomic";
    case ObjectKind::kMemory:
      return "memory";
    case ObjectKind::kThread:
      return "thread";
  }
  return "object";
}

Story TellStory(const Trace& trace, Symbolizer& symbolizer) {
  std::vector<CodeAddress> addresses;
  const auto want = [&](const std::vector<CodeAddress>& stack) {
    addresses.insert(addresses.end(), stack.begin(), stack.end());
  };
  for (const Step& step : trace.steps) want(step.stack);
  for (const Site& site : trace.finding.sites) want(site.stack);
  for (const Object& object : trace.objects) {
    want(object.first_use);
    want(object.allocated_at);
  }
  symbolizer.Prepare(addresses);

  Story story;
  story.verdict = trace.finding.verdict;
  // (An expectation's message may name things itself.)
  story.message = trace.finding.verdict == Verdict::kWrongResult
                      ? trace.finding.message
                      : RenameMain(trace.finding.message);
  while (!story.message.empty() &&
         isspace(static_cast<unsigned char>(story.message.back()))) {
    story.message.pop_back();
  }
  story.counters = trace.counters;
  for (const Object& object : trace.objects) {
    StoryObject told;
    told.kind = object.kind;
    told.first_use = Locate(symbolizer, object.first_use);
    told.allocated_at = Locate(symbolizer, object.allocated_at);
    story.objects.push_back(std::move(told));
  }
  ThreadId threads = trace.threads;
  WaiterTable waiter_table(trace, symbolizer);
  for (const Step& step : trace.steps) {
    StoryStep told;
    told.step = step;
    told.index = static_cast<size_t>(&step - trace.steps.data());
    // GoogleTest's own locks, taken while it reports, are nobody's business.
    bool in_gtest = false;
    told.place = Locate(symbolizer, step.stack, &in_gtest);
    threads = std::max(threads, step.thread + 1);
    if (in_gtest || !waiter_table.Adapt(&told.step)) continue;
    // Nor is what the standard library sets up behind the scenes (locales).
    if (step.op == Op::kOnce && !step.stack.empty() &&
        !symbolizer.InProgram(step.stack[0])) {
      continue;
    }
    // A wait releases its mutex: one step, not two.
    if (step.op == Op::kUnlock) {
      const auto last = std::find_if(
          story.steps.rbegin(), story.steps.rend(),
          [&](const StoryStep& s) { return s.step.thread == step.thread; });
      if (last != story.steps.rend() && last->step.mutex == step.object &&
          step.object != 0 &&
          (last->step.op == Op::kWait || last->step.op == Op::kTimedWait)) {
        continue;
      }
    }
    story.steps.push_back(std::move(told));
  }
  for (ThreadId t = 0; t < threads; ++t) {
    story.threads.push_back(DefaultThreadName(t));
  }
  for (Site site : trace.finding.sites) {
    waiter_table.Adapt(&site);
    StorySite told;
    told.thread = site.thread;
    told.what = RenameMain(site.what);
    told.object = site.object;
    told.place = Locate(symbolizer, site.stack);
    told.locks_held = site.locks_held;
    told.step = site.step;
    story.sites.push_back(std::move(told));
  }
  NameObjects(trace, symbolizer, &story);
  for (StoryStep& step : story.steps) {
    step.text = Describe(story, step.step);
  }
  // Who is asleep at the end: threads whose last step blocked.
  std::map<ThreadId, size_t> last;
  for (size_t i = 0; i < story.steps.size(); ++i) {
    last[story.steps[i].step.thread] = i;
  }
  for (const auto& [thread, step] : last) {
    if (story.steps[step].step.blocked) story.waiters.push_back({thread, step});
  }
  return story;
}

}  // namespace lockstep
