// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/picture.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lockstep {
namespace {

struct Row {
  ThreadId thread = 0;
  std::string text;
  std::string place;   // "account.h:31"
  bool final = false;  // part of the failure: shown in red
  bool dull = false;   // may be left out if space is short
  // A row that stands for steps left out; thread is not used.
  size_t left_out = 0;
  ObjectId object = 0;
  Op op = Op::kStart;
  bool blocked = false;
  size_t index = SIZE_MAX;  // into Trace::steps, if it is a step
};

size_t DisplayWidth(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The first `columns` columns of `text`; the last becomes an ellipsis if
// something is cut off.
std::string Cut(const std::string& text, size_t columns) {
  if (DisplayWidth(text) <= columns) return text;
  if (columns == 0) return "";
  std::string result;
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    size_t next = i + 1;
    while (next < text.size() &&
           (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80) {
      ++next;
    }
    if (width + 1 == columns) break;
    result += text.substr(i, next - i);
    ++width;
    i = next;
  }
  return result + "…";
}

// Rows for all steps that a reader may want to see.
std::vector<Row> MakeRows(const Story& story) {
  // Plain reads and writes are shown only where they are the point.
  std::set<ObjectId> subjects;
  for (const StorySite& site : story.sites) {
    if (site.object != 0) subjects.insert(site.object);
  }
  std::set<size_t> final_steps;
  for (const StoryWaiter& waiter : story.waiters) {
    final_steps.insert(waiter.step);
  }
  std::set<ObjectId> sleepers_objects;
  for (const StoryWaiter& waiter : story.waiters) {
    const Step& step = story.steps[waiter.step].step;
    sleepers_objects.insert(step.object);
    sleepers_objects.insert(step.mutex);
  }
  const bool waits = story.verdict == Verdict::kDeadlock ||
                     story.verdict == Verdict::kLostWakeup;
  std::vector<Row> rows;
  for (size_t i = 0; i < story.steps.size(); ++i) {
    const StoryStep& step = story.steps[i];
    const Op op = step.step.op;
    const ObjectId object = step.step.object;
    const bool subject = object != 0 && subjects.count(object) != 0;
    if ((op == Op::kRead || op == Op::kWrite || op == Op::kFree) && !subject) {
      continue;
    }
    Row row;
    row.thread = step.step.thread;
    row.text = step.text;
    row.place = step.place.Short();
    row.object = object;
    row.op = op;
    row.blocked = step.step.blocked;
    row.index = step.index;
    row.final = waits && final_steps.count(i) != 0;
    row.dull = !row.final && !subject &&
               (op == Op::kStart || op == Op::kEnd || op == Op::kDetach ||
                op == Op::kFence || op == Op::kYield ||
                (op == Op::kJoin && !step.step.blocked));
    rows.push_back(std::move(row));
  }
  if (IsRace(story.verdict) || story.verdict == Verdict::kUseAfterFree) {
    // The last access of each side is the failure.
    for (const StorySite& site : story.sites) {
      bool found = false;
      for (size_t i = rows.size(); i > 0 && !found; --i) {
        Row& row = rows[i - 1];
        found = row.thread == site.thread && row.object == site.object &&
                row.object != 0 && row.place == site.place.Short();
        if (found) row.final = true;
      }
      if (!found && site.thread != kNoThread) {
        Row row;
        row.thread = site.thread;
        const std::string name = story.ObjectName(site.object);
        row.text = site.what;
        if (!name.empty() && !absl::StrContains(row.text, name)) {
          absl::StrAppend(&row.text, " of ", name);
        }
        row.place = site.place.Short();
        row.object = site.object;
        row.final = true;
        // Plain accesses are not steps, but it is known which they came after.
        const auto next =
            std::find_if(rows.begin(), rows.end(), [&](const Row& other) {
              return other.index != SIZE_MAX && other.index >= site.step;
            });
        rows.insert(next, std::move(row));
      }
    }
  } else if (!waits && !story.sites.empty() &&
             story.sites[0].thread != kNoThread &&
             story.verdict != Verdict::kLivelock) {
    const StorySite& site = story.sites[0];
    Row row;
    row.thread = site.thread;
    row.text = story.verdict == Verdict::kWrongResult ? "the expectation fails"
               : site.what.empty() ? VerdictName(story.verdict)
                                   : site.what;
    const size_t newline = row.text.find('\n');
    if (newline != std::string::npos) row.text.resize(newline);
    row.place = site.place.Short();
    row.final = true;
    if (rows.empty() || rows.back().text != row.text ||
        rows.back().thread != row.thread) {
      rows.push_back(std::move(row));
    } else {
      rows.back().final = true;
    }
  }
  return rows;
}

void Drop(std::vector<Row>* rows, bool (*unwanted)(const Row&)) {
  rows->erase(std::remove_if(rows->begin(), rows->end(), unwanted),
              rows->end());
}

// Goes through all rows; where merge(&row, next) is true, it has put `next`
// into the row before. O(rows): a livelock has a hundred thousand.
template <typename Merge>
void MergeNeighbours(std::vector<Row>* rows, Merge merge) {
  std::vector<Row> result;
  for (Row& row : *rows) {
    if (result.empty() || !merge(&result.back(), row)) {
      result.push_back(std::move(row));
    }
  }
  *rows = std::move(result);
}

// "starts T1", "starts T2" -> "starts T1, T2".
void MergeStarts(std::vector<Row>* rows) {
  MergeNeighbours(rows, [](Row* row, const Row& next) {
    const std::string prefix = "starts ";
    if (row->op != Op::kSpawn || next.op != Op::kSpawn ||
        row->thread != next.thread || next.text.rfind(prefix, 0) != 0) {
      return false;
    }
    absl::StrAppend(&row->text, ", ", next.text.substr(prefix.size()));
    if (row->place != next.place) row->place.clear();
    return true;
  });
}

// "locks m", "unlocks m" by one thread, nobody between -> one row.
void MergeLockPairs(std::vector<Row>* rows) {
  MergeNeighbours(rows, [](Row* row, const Row& next) {
    if ((row->op != Op::kLock && row->op != Op::kLockShared) || row->blocked ||
        (next.op != Op::kUnlock && next.op != Op::kUnlockShared) ||
        row->thread != next.thread || row->object != next.object ||
        row->final || next.final) {
      return false;
    }
    const size_t name = row->text.find(' ');
    if (name == std::string::npos) return false;
    row->text = "locks and unlocks" + row->text.substr(name);
    row->op = Op::kUnlock;
    return true;
  });
}

bool SameRow(const Row& a, const Row& b) {
  return a.thread == b.thread && a.text == b.text && a.place == b.place &&
         a.left_out == 0 && b.left_out == 0 && !a.final && !b.final;
}

// A group of up to eight rows that repeats -> the group and a count.
void MergeLoops(std::vector<Row>* rows) {
  for (size_t period = 1; period <= 8; ++period) {
    for (size_t i = 0; i + 2 * period <= rows->size(); ++i) {
      size_t times = 1;
      while (i + (times + 1) * period <= rows->size()) {
        bool same = true;
        for (size_t k = 0; k < period && same; ++k) {
          same = SameRow((*rows)[i + k], (*rows)[i + times * period + k]);
        }
        if (!same) break;
        ++times;
      }
      if (times < 3 && (times - 1) * period < 4) continue;
      Row gap;
      gap.left_out = (times - 1) * period;
      gap.text = period == 1
                     ? absl::StrCat("the same ", times - 1, " more times")
                     : absl::StrCat("the last ", period, " rows ", times - 1,
                                    " more times");
      const auto begin = rows->begin() + static_cast<ptrdiff_t>(i + period);
      rows->erase(begin, begin + static_cast<ptrdiff_t>((times - 1) * period));
      rows->insert(rows->begin() + static_cast<ptrdiff_t>(i + period), gap);
      i += period;
    }
  }
}

// Cuts the middle: the beginning explains who is who, the end what happened.
void Elide(std::vector<Row>* rows, size_t max_rows) {
  if (rows->size() <= max_rows || max_rows < 4) return;
  const size_t head = max_rows / 4;
  const size_t tail = max_rows - head - 1;
  // Steps of the failure are never cut.
  std::vector<Row> result;
  size_t left_out = 0;
  const auto flush = [&] {
    if (left_out == 0) return;
    Row gap;
    gap.left_out = left_out;
    gap.text = left_out == 1 ? "1 step" : absl::StrCat(left_out, " steps");
    result.push_back(gap);
    left_out = 0;
  };
  for (size_t i = 0; i < rows->size(); ++i) {
    Row& row = (*rows)[i];
    if (i < head || i + tail >= rows->size() || row.final) {
      flush();
      result.push_back(std::move(row));
    } else {
      left_out += row.left_out > 0 ? row.left_out : 1;
    }
  }
  flush();
  *rows = std::move(result);
}

}  // namespace

std::string DrawPicture(const Story& story, const PictureOptions& options) {
  std::vector<Row> rows = MakeRows(story);
  if (rows.empty()) return "";
  Drop(&rows, [](const Row& row) { return row.op == Op::kStart && row.dull; });
  MergeStarts(&rows);
  if (rows.size() > options.max_rows) {
    Drop(&rows, [](const Row& row) { return row.dull; });
  }
  if (rows.size() > options.max_rows) MergeLockPairs(&rows);
  if (rows.size() > options.max_rows) MergeLoops(&rows);
  Elide(&rows, options.max_rows);

  // A column for every thread that does something, in order of creation.
  std::set<ThreadId> acting;
  for (const Row& row : rows) {
    if (row.left_out == 0) acting.insert(row.thread);
  }
  const std::vector<ThreadId> columns(acting.begin(), acting.end());
  const size_t margin = 5;
  // A cell may flow over into the columns on its right, which are empty in
  // the same row; so columns are as far apart as the right edge allows.
  static constexpr size_t kTextWidth = 20;
  const auto cell_width = [](const Row& row) {
    const size_t text = DisplayWidth(row.text);
    return row.place.empty()
               ? text
               : std::max(text, kTextWidth) + 2 + DisplayWidth(row.place);
  };
  size_t spacing = 30;
  for (const Row& row : rows) {
    if (row.left_out > 0) continue;
    const size_t column = static_cast<size_t>(
        std::find(columns.begin(), columns.end(), row.thread) -
        columns.begin());
    if (column == 0) continue;
    const size_t needed = margin + cell_width(row);
    spacing = std::min(spacing, needed < options.width
                                    ? (options.width - needed) / column
                                    : size_t{0});
  }
  // Not so close together that the columns cannot be told apart.
  const size_t closest =
      columns.size() < 2
          ? 0
          : std::min<size_t>(16, (options.width - margin - kTextWidth) /
                                     (columns.size() - 1));
  spacing = std::max(spacing, closest);
  const auto start_of = [&](ThreadId thread) {
    const size_t column = static_cast<size_t>(
        std::find(columns.begin(), columns.end(), thread) - columns.begin());
    return std::min(margin + column * spacing,
                    options.width > 20 ? options.width - 20 : size_t{0});
  };
  static constexpr const char* kColors[] = {"\x1b[36m", "\x1b[33m", "\x1b[35m",
                                            "\x1b[32m", "\x1b[34m"};
  const auto color = [&](ThreadId thread) {
    return options.color ? kColors[thread % 5] : "";
  };
  const char* const reset = options.color ? "\x1b[0m" : "";
  const char* const dim = options.color ? "\x1b[2m" : "";
  const char* const red = options.color ? "\x1b[1;31m" : "";

  std::string picture;
  std::string line;
  size_t width = 0;
  for (const ThreadId thread : columns) {
    const size_t start = start_of(thread);
    if (width >= start && width > 0) {
      // Names touch: too many threads for headings.
      line += " ";
      ++width;
    } else {
      line.append(start - width, ' ');
      width = start;
    }
    const std::string name = Cut(story.ThreadName(thread), 24);
    absl::StrAppend(&line, color(thread), name, reset);
    width += DisplayWidth(name);
  }
  absl::StrAppend(&picture, line, "\n");

  size_t number = 0;
  for (const Row& row : rows) {
    if (row.left_out > 0) {
      absl::StrAppend(&picture, dim, "  ⋮  … ", row.text, " …", reset, "\n");
      continue;
    }
    ++number;
    const size_t start = start_of(row.thread);
    const size_t room = options.width > start ? options.width - start : 1;
    // Where there is no room for both, the text goes before the place.
    const bool place =
        !row.place.empty() &&
        DisplayWidth(row.text) + 2 + DisplayWidth(row.place) <= room;
    const std::string text = Cut(row.text, room);
    absl::StrAppend(&picture, absl::StrFormat("%3d", number),
                    std::string(start - 3, ' '),
                    row.final ? red : color(row.thread), text, reset);
    if (place) {
      // Line up the places of a column where the text is short.
      const size_t used = DisplayWidth(text);
      const size_t pad = used < kTextWidth ? kTextWidth - used : 0;
      const bool fits = used + pad + 2 + DisplayWidth(row.place) <= room;
      absl::StrAppend(&picture, std::string(fits ? pad : 0, ' '), "  ", dim,
                      row.place, reset);
    }
    picture += "\n";
  }
  return picture;
}

}  // namespace lockstep
