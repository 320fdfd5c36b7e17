// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/json.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "lockstep/report/holders.h"
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
  *json += place.known() ? JsonPlace(place) : "null";
}

void AppendThreads(const std::vector<ThreadId>& threads, std::string* json) {
  absl::StrAppend(json, "[", absl::StrJoin(threads, ","), "]");
}

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

std::string JsonPlace(const Place& place) {
  return absl::StrCat("{\"file\":", JsonString(place.file),
                      ",\"line\":", place.line,
                      ",\"function\":", JsonString(place.function),
                      ",\"source\":", JsonString(place.source), "}");
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
  Holders holders;
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
    json += ",\"changes\":[";
    const char* separator = "";
    for (const Holders::Change& change : holders.Take(step)) {
      absl::StrAppend(&json, separator, "{\"object\":", change.object,
                      ",\"holders\":");
      AppendThreads(change.holders, &json);
      json += ",\"waiters\":";
      AppendThreads(change.waiters, &json);
      json += "}";
      separator = ",";
    }
    json += "]}";
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
