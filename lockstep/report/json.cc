// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/json.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "lockstep/report/picture.h"
#include "lockstep/report/words.h"

namespace lockstep {
namespace {

// The length of the valid UTF-8 sequence at the start of `text`, or 0.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char first = byte(0);
  size_t length = first < 0x80                    ? 1
                  : first >= 0xC2 && first < 0xE0 ? 2
                  : first >= 0xE0 && first < 0xF0 ? 3
                  : first >= 0xF0 && first < 0xF5 ? 4
                                                  : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
      (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

void AppendPlace(const Place& place, std::string* json) {
  if (!place.known()) {
    *json += "null";
    return;
  }
  absl::StrAppend(json, "{\"file\":", JsonString(place.file),
                  ",\"line\":", place.line,
                  ",\"function\":", JsonString(place.function),
                  ",\"source\":", JsonString(place.source), "}");
}

// Who holds and who waits for each object, as steps go by.
class State {
 public:
  // What changed: object -> (holders, waiters).
  struct Lists {
    std::vector<ThreadId> holders;
    std::vector<ThreadId> waiters;
  };

  // Takes a step and appends the objects whose state it changed, as a JSON
  // array.
  void Take(const Step& step, std::string* json) {
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
      case Op::kWake:
        hold(step.mutex);
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
    *json += "[";
    bool first = true;
    for (const auto& [object, old] : before) {
      const Lists& now = objects_[object];
      if (now.holders == old.holders && now.waiters == old.waiters) continue;
      absl::StrAppend(json, first ? "" : ",", "{\"object\":", object,
                      ",\"holders\":");
      AppendThreads(now.holders, json);
      *json += ",\"waiters\":";
      AppendThreads(now.waiters, json);
      *json += "}";
      first = false;
    }
    *json += "]";
  }

 private:
  static void Add(ThreadId thread, std::vector<ThreadId>* to) {
    if (std::find(to->begin(), to->end(), thread) == to->end()) {
      to->push_back(thread);
    }
  }
  static void Remove(ThreadId thread, std::vector<ThreadId>* from) {
    from->erase(std::remove(from->begin(), from->end(), thread), from->end());
  }
  static void AppendThreads(const std::vector<ThreadId>& threads,
                            std::string* json) {
    *json += "[";
    for (size_t i = 0; i < threads.size(); ++i) {
      absl::StrAppend(json, i == 0 ? "" : ",", threads[i]);
    }
    *json += "]";
  }

  std::map<ObjectId, Lists> objects_;
  std::map<ThreadId, ObjectId> waits_for_;
};

}  // namespace

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const char c = text[0];
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      json += absl::StrFormat("\\u%04x", c);
    } else {
      const size_t length = Utf8Length(text);
      if (length == 0) {
        json += "\xEF\xBF\xBD";
      } else {
        json.append(text.data(), length);
        text.remove_prefix(length);
        continue;
      }
    }
    text.remove_prefix(1);
  }
  json += '"';
  return json;
}

std::string ToJson(const Story& story, const std::string& replay) {
  std::string json = "{\"version\":1";
  absl::StrAppend(&json,
                  ",\n\"verdict\":", JsonString(VerdictName(story.verdict)),
                  ",\n\"message\":", JsonString(story.message),
                  ",\n\"rule\":", JsonString(Rule(story.verdict)),
                  ",\n\"ending\":", JsonString(Ending(story.verdict)),
                  ",\n\"picture\":", JsonString(DrawPicture(story, {})),
                  ",\n\"replay\":", JsonString(replay), ",\n\"facts\":[");
  const std::vector<std::string> facts = Facts(story);
  for (size_t i = 0; i < facts.size(); ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", JsonString(facts[i]));
  }
  json += "],\n\"threads\":[";
  for (size_t i = 0; i < story.threads.size(); ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", "{\"id\":", i,
                    ",\"name\":", JsonString(story.threads[i]), "}");
  }
  json += "],\n\"objects\":[";
  for (size_t i = 0; i < story.objects.size(); ++i) {
    const StoryObject& object = story.objects[i];
    absl::StrAppend(&json, i == 0 ? "\n" : ",\n", "{\"id\":", i + 1,
                    ",\"kind\":", JsonString(ObjectKindName(object.kind)),
                    ",\"name\":", JsonString(object.name), ",\"firstUse\":");
    AppendPlace(object.first_use, &json);
    json += ",\"allocatedAt\":";
    AppendPlace(object.allocated_at, &json);
    json += "}";
  }
  json += "],\n\"steps\":[";
  State state;
  for (size_t i = 0; i < story.steps.size(); ++i) {
    const StoryStep& told = story.steps[i];
    const Step& step = told.step;
    absl::StrAppend(
        &json, i == 0 ? "\n" : ",\n", "{\"index\":", told.index,
        ",\"thread\":", step.thread, ",\"op\":", JsonString(OpName(step.op)),
        ",\"text\":", JsonString(told.text),
        ",\"object\":", step.object == 0 ? "null" : absl::StrCat(step.object),
        ",\"mutex\":", step.mutex == 0 ? "null" : absl::StrCat(step.mutex),
        ",\"blocked\":", step.blocked ? "true" : "false", ",\"other\":",
        step.other == kNoThread ? "null" : absl::StrCat(step.other),
        ",\"timeNs\":", step.time_ns, ",\"at\":");
    AppendPlace(told.place, &json);
    json += ",\"changes\":";
    state.Take(step, &json);
    json += "}";
  }
  json += "],\n\"sites\":[";
  for (size_t i = 0; i < story.sites.size(); ++i) {
    const StorySite& site = story.sites[i];
    absl::StrAppend(
        &json, i == 0 ? "\n" : ",\n", "{\"thread\":",
        site.thread == kNoThread ? "null" : absl::StrCat(site.thread),
        ",\"what\":", JsonString(site.what),
        ",\"object\":", site.object == 0 ? "null" : absl::StrCat(site.object),
        ",\"at\":");
    AppendPlace(site.place, &json);
    json += ",\"locksHeld\":[";
    for (size_t k = 0; k < site.locks_held.size(); ++k) {
      absl::StrAppend(&json, k == 0 ? "" : ",", site.locks_held[k]);
    }
    absl::StrAppend(&json, "],\"step\":",
                    site.step == UINT32_MAX ? "null" : absl::StrCat(site.step),
                    "}");
  }
  json += "],\n\"failingStep\":";
  if (story.steps.empty()) {
    json += "null";
  } else {
    absl::StrAppend(&json, story.steps.size() - 1);
  }
  json += "}\n";
  return json;
}

}  // namespace lockstep
