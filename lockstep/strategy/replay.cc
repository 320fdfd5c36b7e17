// SPDX-License-Identifier: Apache-2.0

#include "lockstep/strategy/replay.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "lockstep/strategy/choosing.h"

namespace lockstep {

uint32_t Replay::Choose(const Choice& choice) {
  if (next_ == decisions_.size()) return DefaultIndex(choice);
  const Decision& decision = decisions_[next_++];
  if (decision.kind == Decision::Kind::kThread) {
    const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
    for (uint32_t i = 0; i < n; ++i) {
      if (choice.runnable[i].thread == decision.chosen) return i;
    }
  }
  diverged_ = true;
  return DefaultIndex(choice);
}

uint32_t Replay::ChooseOneOf(Decision::Kind kind, uint32_t count) {
  if (next_ == decisions_.size()) return 0;
  const Decision& decision = decisions_[next_++];
  if (decision.kind == kind && decision.chosen < count) return decision.chosen;
  diverged_ = true;
  return 0;
}

uint32_t Recorder::Choose(const Choice& choice) {
  const bool ask = choice.runnable.size() > 1 || strategy_.WantsEveryPoint();
  const uint32_t index = ask ? strategy_.Choose(choice) : 0;
  const ThreadId thread = choice.runnable[index].thread;
  if (every_point_) {
    if (blocks_.empty() || blocks_.back().thread != thread) {
      blocks_.push_back({thread, 0});
    }
    ++blocks_.back().points;
  }
  if (choice.runnable.size() > 1) {
    Entry entry;
    entry.decision = {Decision::Kind::kThread, thread};
    entry.is_default = index == DefaultIndex(choice);
    entry.is_switch = thread != choice.current;
    entry.is_preemption =
        entry.is_switch && choice.current_runnable && !choice.current_yields;
    entries_.push_back(entry);
  }
  return index;
}

uint32_t Recorder::ChooseOneOf(Decision::Kind kind, uint32_t count) {
  const uint32_t answer = strategy_.ChooseOneOf(kind, count);
  Entry entry;
  entry.decision = {kind, answer};
  entry.is_default = answer == 0;
  entries_.push_back(entry);
  return answer;
}

std::vector<Decision> Recorder::Decisions() const {
  size_t size = entries_.size();
  while (size > 0 && entries_[size - 1].is_default) --size;
  std::vector<Decision> decisions;
  decisions.reserve(size);
  for (size_t i = 0; i < size; ++i) decisions.push_back(entries_[i].decision);
  return decisions;
}

uint64_t Recorder::Preemptions() const {
  uint64_t count = 0;
  for (const Entry& entry : entries_) count += entry.is_preemption;
  return count;
}

uint64_t Recorder::Switches() const {
  uint64_t count = 0;
  for (const Entry& entry : entries_) count += entry.is_switch;
  return count;
}

uint32_t Guide::Choose(const Choice& choice) {
  const uint32_t n = static_cast<uint32_t>(choice.runnable.size());
  while (block_ < blocks_.size()) {
    if (used_ < blocks_[block_].points) {
      for (uint32_t i = 0; i < n; ++i) {
        if (choice.runnable[i].thread == blocks_[block_].thread) {
          ++used_;
          return i;
        }
      }
    }
    ++block_;
    used_ = 0;
  }
  return DefaultIndex(choice);
}

uint32_t Guide::ChooseOneOf(Decision::Kind kind, uint32_t count) {
  if (answer_ == answers_.size()) return 0;
  const Decision& answer = answers_[answer_++];
  return answer.kind == kind && answer.chosen < count ? answer.chosen : 0;
}

std::string FormatReplay(const std::vector<Decision>& decisions) {
  std::string text = "v1:";
  const size_t n = decisions.size();
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && decisions[end] == decisions[i]) ++end;
    const char* prefix = "";
    switch (decisions[i].kind) {
      case Decision::Kind::kThread:
        break;
      case Decision::Kind::kWaiter:
        prefix = "w";
        break;
      case Decision::Kind::kTimeout:
        prefix = "t";
        break;
      case Decision::Kind::kSpurious:
        prefix = "s";
        break;
    }
    absl::StrAppend(&text, i == 0 ? "" : ",", prefix, decisions[i].chosen);
    if (end - i > 1) absl::StrAppend(&text, "x", end - i);
    i = end;
  }
  return text;
}

bool ParseReplay(absl::string_view text, std::vector<Decision>* decisions,
                 std::string* error) {
  constexpr uint32_t kMaxThread = 1'000'000;
  constexpr size_t kMaxDecisions = 10'000'000;
  decisions->clear();
  text = absl::StripAsciiWhitespace(text);
  if (!absl::ConsumePrefix(&text, "v1:")) {
    *error = absl::StrCat(
        "a replay starts with \"v1:\" and is copied whole from a report; "
        "this one starts with \"",
        text.substr(0, 12), "\"");
    return false;
  }
  if (text.empty()) return true;
  for (absl::string_view item : absl::StrSplit(text, ',')) {
    const absl::string_view whole = item;
    Decision decision;
    if (absl::ConsumePrefix(&item, "w")) {
      decision.kind = Decision::Kind::kWaiter;
    } else if (absl::ConsumePrefix(&item, "t")) {
      decision.kind = Decision::Kind::kTimeout;
    } else if (absl::ConsumePrefix(&item, "s")) {
      decision.kind = Decision::Kind::kSpurious;
    }
    const size_t x = item.find('x');
    uint32_t times = 1;
    const bool numbers =
        !item.empty() && absl::ascii_isdigit(item[0]) &&
        absl::SimpleAtoi(item.substr(0, x), &decision.chosen) &&
        (x == absl::string_view::npos ||
         (x + 1 < item.size() && absl::ascii_isdigit(item[x + 1]) &&
          absl::SimpleAtoi(item.substr(x + 1), &times)));
    if (!numbers || times == 0 || decision.chosen > kMaxThread ||
        times > kMaxDecisions - decisions->size()) {
      *error = absl::StrCat("\"", whole, "\" in the replay is not of the form ",
                            "2, 2x5, w1, t1 or s1");
      decisions->clear();
      return false;
    }
    decisions->insert(decisions->end(), times, decision);
  }
  return true;
}

}  // namespace lockstep
