// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/graph.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "lockstep/report/json.h"

namespace lockstep {
namespace {

bool IsShown(const StoryStep& step) {
  const Op op = step.step.op;
  return op != Op::kStart && op != Op::kRead && op != Op::kWrite &&
         op != Op::kFree;
}

// The places where a failure shows, beyond the steps of the schedule.
std::vector<const StorySite*> FinalSites(const Story& story) {
  std::vector<const StorySite*> sites;
  switch (story.verdict) {
    case Verdict::kNone:
    case Verdict::kDeadlock:
    case Verdict::kLostWakeup:
    case Verdict::kLivelock:
      break;
    default:
      for (const StorySite& site : story.sites) {
        if (site.thread == kNoThread) continue;
        if (story.verdict == Verdict::kDataRace || sites.empty()) {
          sites.push_back(&site);
        }
      }
  }
  return sites;
}

std::string SiteText(const Story& story, const StorySite& site) {
  if (story.verdict == Verdict::kWrongResult) return "the expectation fails";
  const std::string name = story.ObjectName(site.object);
  std::string text = site.what.empty() ? VerdictName(story.verdict) : site.what;
  if (!name.empty() && !absl::StrContains(text, name)) {
    absl::StrAppend(&text, " of ", name);
  }
  return text;
}

std::string MoveJson(const GraphNode::Move& move) {
  return absl::StrCat("[", move.thread, ",[", absl::StrJoin(move.steps, ","),
                      "],", move.to, "]");
}

std::string NodeJson(const GraphNode& node) {
  if (node.moves.empty()) {
    return absl::StrCat("{\"verdict\":", JsonString(VerdictName(node.verdict)),
                        ",\"message\":", JsonString(node.message), "}");
  }
  std::string json = "[";
  for (const GraphNode::Move& move : node.moves) {
    absl::StrAppend(&json, json.size() > 1 ? "," : "", MoveJson(move));
  }
  return absl::StrCat(json, "]");
}

template <typename T>
size_t Lookup(std::map<std::string, size_t>* numbers, const std::string& key,
              std::vector<T>* values, T value) {
  const auto [it, inserted] = numbers->emplace(key, values->size());
  if (inserted) values->push_back(std::move(value));
  return it->second;
}

}  // namespace

size_t GraphBuilder::Intern(GraphNode node) {
  const std::string json = NodeJson(node);
  return Lookup(&node_numbers_, json, &nodes_, std::move(node));
}

size_t GraphBuilder::StepNumber(const std::string& json) {
  return Lookup(&step_numbers_, json, &steps_, json);
}

std::string GraphBuilder::PlaceNumber(const Place& place) {
  if (!place.known()) return "";
  const std::string json = JsonPlace(place);
  return absl::StrCat(",\"at\":",
                      Lookup(&place_numbers_, json, &places_, json));
}

bool GraphBuilder::Number(const Trace& trace, const Story& story,
                          std::vector<size_t>* numbers) {
  // Objects are numbered in order of first use, which differs from schedule to
  // schedule. Their names do not, if they are variables of the program.
  const auto number = [&](ObjectId id) -> size_t {
    const std::string name = symbolizer_.GlobalName(
        id > 0 && id <= trace.objects.size() ? trace.objects[id - 1].address
                                             : 0);
    if (name.empty()) {
      error_ = absl::StrCat(
          "the program uses ", story.ObjectName(id),
          ", which is no variable at namespace scope, so it has no name that "
          "is the same in every schedule");
      return 0;
    }
    const auto [it, inserted] =
        object_numbers_.emplace(name, object_numbers_.size() + 1);
    if (inserted) {
      objects_.push_back(absl::StrCat(
          "{\"id\":", it->second,
          ",\"kind\":", JsonString(ObjectKindName(story.objects[id - 1].kind)),
          ",\"name\":", JsonString(name), "}"));
    }
    return it->second;
  };
  Holders holders;
  for (const StoryStep& told : story.steps) {
    const Step& step = told.step;
    std::string json = absl::StrCat("{\"thread\":", step.thread,
                                    ",\"op\":", JsonString(OpName(step.op)),
                                    ",\"text\":", JsonString(told.text));
    if (step.object != 0) {
      absl::StrAppend(&json, ",\"object\":", number(step.object));
    }
    if (step.mutex != 0) {
      absl::StrAppend(&json, ",\"mutex\":", number(step.mutex));
    }
    if (step.blocked) json += ",\"blocked\":true";
    if (step.other != kNoThread) {
      absl::StrAppend(&json, ",\"other\":", step.other);
    }
    json += PlaceNumber(told.place);
    const std::vector<Holders::Change> changes = holders.Take(step);
    if (!changes.empty()) {
      json += ",\"changes\":[";
      std::map<size_t, std::string> in_order;
      for (const Holders::Change& change : changes) {
        const size_t object = number(change.object);
        in_order[object] =
            absl::StrCat("[", object, ",[", absl::StrJoin(change.holders, ","),
                         "],[", absl::StrJoin(change.waiters, ","), "]]");
      }
      const char* separator = "";
      for (const auto& [object, text] : in_order) {
        absl::StrAppend(&json, separator, text);
        separator = ",";
      }
      json += "]";
    }
    json += "}";
    if (!error_.empty()) return false;
    numbers->push_back(StepNumber(json));
  }
  for (const StorySite* site : FinalSites(story)) {
    numbers->push_back(StepNumber(absl::StrCat(
        "{\"thread\":", site->thread, ",\"op\":\"\",\"text\":",
        JsonString(SiteText(story, *site)), PlaceNumber(site->place), "}")));
  }
  return true;
}

void GraphBuilder::Close(size_t keep) {
  size_t child = leaf_;
  while (open_.size() > keep) {
    OpenNode& node = open_.back();
    node.moves.push_back(
        {node.last.turn.thread, std::move(node.last.steps), child});
    if (open_.size() == keep + 1) return;
    child = Intern({std::move(node.moves), Verdict::kNone, ""});
    open_.pop_back();
  }
}

bool GraphBuilder::Add(const Trace& trace, const std::vector<Turn>& turns) {
  if (!error_.empty()) return false;
  const Story story = TellStory(trace, symbolizer_);
  std::vector<size_t> numbers;
  if (!Number(trace, story, &numbers)) return false;
  if (story.threads.size() > threads_.size()) threads_ = story.threads;

  // The steps of each turn; segments[0] comes before the first choice.
  std::vector<std::vector<size_t>> segments(turns.size() + 1);
  size_t turn = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i < story.steps.size()) {
      while (turn < turns.size() &&
             turns[turn].first_step <= story.steps[i].index) {
        ++turn;
      }
      if (!IsShown(story.steps[i])) continue;
    } else {
      turn = turns.size();
    }
    segments[turn].push_back(numbers[i]);
  }

  const auto same = [](const Turn& a, const Turn& b) {
    return a.thread == b.thread && a.answers == b.answers;
  };
  size_t common = 0;
  while (common < open_.size() && common < turns.size() &&
         same(open_[common].last.turn, turns[common])) {
    ++common;
  }
  bool repeats = schedules_ == 0 || start_ == segments[0];
  for (size_t i = 0; i < common && repeats; ++i) {
    repeats = open_[i].last.steps == segments[i + 1];
  }
  if (!repeats || (schedules_ > 0 && common >= open_.size()) ||
      (schedules_ > 0 && common >= turns.size())) {
    error_ =
        "the same choices, made again, led to another execution: the program "
        "depends on something besides its own state";
    return false;
  }
  if (schedules_ == 0) {
    start_ = segments[0];
  } else {
    Close(common);
  }
  for (size_t i = common; i < turns.size(); ++i) {
    if (i == open_.size()) open_.emplace_back();
    open_[i].last = {turns[i], segments[i + 1]};
  }
  GraphNode leaf;
  leaf.verdict = story.verdict;
  leaf.message = story.message;
  leaf_ = Intern(std::move(leaf));
  ++schedules_;
  if (story.verdict != Verdict::kNone) ++failing_;
  return true;
}

size_t GraphBuilder::Finish() {
  root_ = leaf_;
  if (!open_.empty()) {
    Close(0);
    root_ = Intern({std::move(open_[0].moves), Verdict::kNone, ""});
    open_.clear();
  }
  return root_;
}

std::string GraphBuilder::Json() const {
  std::string json =
      absl::StrCat("{\"version\":1,\n\"schedules\":", schedules_,
                   ",\n\"failing\":", failing_, ",\n\"threads\":[");
  for (size_t i = 0; i < threads_.size(); ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", "{\"id\":", i,
                    ",\"name\":", JsonString(threads_[i]), "}");
  }
  std::vector<std::string> nodes;
  for (const GraphNode& node : nodes_) nodes.push_back(NodeJson(node));
  absl::StrAppend(&json, "],\n\"objects\":[\n", absl::StrJoin(objects_, ",\n"),
                  "],\n\"places\":[\n", absl::StrJoin(places_, ",\n"),
                  "],\n\"steps\":[\n", absl::StrJoin(steps_, ",\n"),
                  "],\n\"start\":[", absl::StrJoin(start_, ","),
                  "],\n\"root\":", root_, ",\n\"nodes\":[\n",
                  absl::StrJoin(nodes, ",\n"), "]}\n");
  return json;
}

}  // namespace lockstep
