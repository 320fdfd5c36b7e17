// SPDX-License-Identifier: Apache-2.0
//
// A failed schedule in a reader's terms: threads and objects have names, steps
// have source lines, and it is known who holds and who waits for what. Words,
// picture and JSON are all made from it.

#ifndef LOCKSTEP_REPORT_STORY_H_
#define LOCKSTEP_REPORT_STORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/report/symbolizer.h"
#include "lockstep/trace.h"

namespace lockstep {

// A place in the source.
struct Place {
  std::string file;  // relative to the workspace
  int line = 0;      // 0: unknown
  std::string function;
  std::string source;  // the text of the line, if readable

  bool known() const { return line > 0; }
  // "account.h:31", or "" if unknown.
  std::string Short() const;
};

struct StoryObject {
  ObjectKind kind = ObjectKind::kUnknown;
  std::string name;  // "mutex A", "a.mu", ...
  Place first_use;
  Place allocated_at;
};

struct StoryStep {
  Step step;
  size_t index = 0;  // into Trace::steps, of which some are left out
  std::string text;  // "waits for a.mu ─ held by T2"
  Place place;
};

struct StorySite {
  ThreadId thread = kNoThread;
  std::string what;
  ObjectId object = 0;
  Place place;
  std::vector<ObjectId> locks_held;
  uint32_t step = UINT32_MAX;  // as in Site
};

// A thread that can never go on, at the end of the schedule.
struct StoryWaiter {
  ThreadId thread = 0;
  size_t step = 0;  // into Story::steps
};

struct Story {
  Verdict verdict = Verdict::kNone;
  std::string message;
  std::vector<std::string> threads;
  std::vector<StoryObject> objects;  // objects[id - 1]
  std::vector<StoryStep> steps;
  std::vector<StorySite> sites;
  std::vector<StoryWaiter> waiters;
  Counters counters;

  std::string ThreadName(ThreadId thread) const;
  std::string ObjectName(ObjectId object) const;
};

// "main" for thread 0, else "T1", "T2", ...
std::string DefaultThreadName(ThreadId thread);

// `text` with "main" for the runtime's T0.
std::string RenameMain(const std::string& text);

// "mutex", "absl::Mutex", "condition variable", ...
const char* ObjectKindName(ObjectKind kind);

// Looks everything up. O(steps + objects) and one run of addr2line.
Story TellStory(const Trace& trace, Symbolizer& symbolizer);

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_STORY_H_
