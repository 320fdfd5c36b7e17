// SPDX-License-Identifier: Apache-2.0
//
// Graphs of small bodies: as many schedules as arithmetic says, and every path
// is a schedule that lockstep can run, with the verdict that the graph states.

#include "lockstep/graph.h"

#include <atomic>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lockstep/lockstep.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/strategy/every_schedule.h"

namespace lockstep {
namespace {

// A graph's program has its variables at namespace scope.
std::atomic<int> number;
std::atomic<int> other_number;
std::mutex mu;
std::mutex other_mu;
std::condition_variable changed;
int items;  // Guarded by mu.

void Add(int times) {
  for (int i = 0; i < times; ++i) number.fetch_add(1);
}

void LostUpdate() {
  number = 0;
  const auto visit = [] { number = number + 1; };
  std::thread other(visit);
  visit();
  other.join();
  if (number != 2) FailSchedule("an update was lost");
}

void CrossedLocks() {
  std::thread other([] {
    std::lock_guard first(other_mu);
    std::lock_guard second(mu);
  });
  {
    std::lock_guard first(mu);
    std::lock_guard second(other_mu);
  }
  other.join();
}

// Two wait, and one of them is told.
void OneIsTold() {
  items = 0;
  const auto take = [] {
    std::unique_lock lock(mu);
    changed.wait(lock, [] { return items > 0; });
    --items;
  };
  std::thread a(take);
  std::thread b(take);
  {
    std::lock_guard lock(mu);
    items = 2;
    changed.notify_one();
  }
  a.join();
  b.join();
}

class GraphTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Supported()) GTEST_SKIP() << "schedules cannot be explored here";
  }
};

// A way through a graph.
struct Path {
  struct Choice {
    ThreadId thread = 0;
    uint32_t which = 0;  // of the moves of this thread
  };
  std::vector<Choice> choices;
  Verdict verdict = Verdict::kNone;
};

void AllPaths(const Graph& graph, size_t node, Path path,
              std::vector<Path>* paths) {
  const GraphNode& here = graph.nodes[node];
  if (here.moves.empty()) {
    path.verdict = here.verdict;
    paths->push_back(std::move(path));
    return;
  }
  for (size_t i = 0; i < here.moves.size(); ++i) {
    uint32_t which = 0;
    for (size_t k = 0; k < i; ++k) {
      which += here.moves[k].thread == here.moves[i].thread ? 1 : 0;
    }
    Path longer = path;
    longer.choices.push_back({here.moves[i].thread, which});
    AllPaths(graph, here.moves[i].to, longer, paths);
  }
}

// Runs a path of a graph, and nothing else.
class Walk : public Strategy {
 public:
  explicit Walk(const Path& path) : path_(path) {}
  const char* Name() const override { return "walk"; }
  bool BeginSchedule() override { return true; }
  uint32_t Choose(const lockstep::Choice& choice) override {
    chosen_ = false;
    const auto n = static_cast<uint32_t>(choice.runnable.size());
    for (uint32_t i = 0; i < n; ++i) {
      if (!EverySchedule::IsNoticed(choice.runnable[i].op)) return i;
    }
    if (n == 1) return 0;
    const Path::Choice& next = Next();
    chosen_ = true;
    for (uint32_t i = 0; i < n; ++i) {
      if (choice.runnable[i].thread == next.thread) return i;
    }
    lost_ = true;
    return 0;
  }
  uint32_t ChooseOneOf(Decision::Kind, uint32_t count) override {
    const uint32_t which =
        chosen_ && next_ > 0 ? path_.choices[next_ - 1].which : Next().which;
    chosen_ = true;
    if (which >= count) lost_ = true;
    return which;
  }
  void EndSchedule(const Counters&) override {}
  bool WantsEveryPoint() const override { return true; }
  bool arrived() const { return !lost_ && next_ == path_.choices.size(); }

 private:
  const Path::Choice& Next() {
    static constexpr Path::Choice kNowhere;
    if (next_ < path_.choices.size()) return path_.choices[next_++];
    lost_ = true;
    return kNowhere;
  }

  const Path& path_;
  size_t next_ = 0;
  bool chosen_ = false;  // the choice before this point was ours
  bool lost_ = false;
};

// Runs every path of `graph`; counts.
void ReplayAll(const Graph& graph, void (*body)()) {
  ASSERT_EQ(graph.error, "");
  std::vector<Path> paths;
  AllPaths(graph, graph.root, {}, &paths);
  EXPECT_EQ(paths.size(), graph.schedules);
  uint64_t failing = 0;
  for (const Path& path : paths) {
    if (path.verdict != Verdict::kNone) ++failing;
    Walk walk(path);
    Trace trace;
    RunOnce({}, walk, body, &trace);
    EXPECT_TRUE(walk.arrived());
    EXPECT_STREQ(VerdictName(trace.finding.verdict), VerdictName(path.verdict));
  }
  EXPECT_EQ(failing, graph.failing);
}

TEST_F(GraphTest, HasAsManySchedulesAsThereAreInterleavings) {
  const auto two_of = [](int operations) {
    return RecordGraph({}, [operations] {
      number = 0;
      std::thread other([operations] { Add(operations); });
      Add(operations);
      other.join();
    });
  };
  // 2n over n.
  EXPECT_EQ(two_of(1).schedules, 2u);
  EXPECT_EQ(two_of(2).schedules, 6u);
  EXPECT_EQ(two_of(3).schedules, 20u);
  EXPECT_EQ(two_of(4).schedules, 70u);
  const Graph three = RecordGraph({}, [] {
    number = 0;
    std::thread a([] { Add(2); });
    std::thread b([] { Add(2); });
    Add(2);
    a.join();
    b.join();
  });
  EXPECT_EQ(three.error, "");
  EXPECT_EQ(three.schedules, 90u);  // 6! / (2! 2! 2!)
}

TEST_F(GraphTest, MergesWhatCannotBeToldApart) {
  // How far each thread is is all there is to know: the order in which they
  // got there changes nothing that is still to come.
  const Graph graph = RecordGraph({}, [] {
    number = other_number = 0;
    std::thread other([] {
      for (int i = 0; i < 4; ++i) other_number.fetch_add(1);
    });
    Add(4);
    other.join();
  });
  EXPECT_EQ(graph.schedules, 70u);
  // A node where both have something left to do, and the end.
  EXPECT_EQ(graph.nodes.size(), 4u * 4 + 1) << graph.json;
}

TEST_F(GraphTest, EveryPathReplaysToItsVerdict) {
  const Graph lost_update = RecordGraph({}, LostUpdate);
  EXPECT_EQ(lost_update.failing, 4u);
  ReplayAll(lost_update, LostUpdate);
  const Graph crossed = RecordGraph({}, CrossedLocks);
  EXPECT_EQ(crossed.failing, 2u);
  ReplayAll(crossed, CrossedLocks);
  ReplayAll(RecordGraph({}, OneIsTold), OneIsTold);
}

TEST_F(GraphTest, WhoIsWokenIsAChoiceToo) {
  const Graph graph = RecordGraph({}, OneIsTold);
  ASSERT_EQ(graph.error, "");
  bool found = false;
  for (const GraphNode& node : graph.nodes) {
    for (size_t i = 1; i < node.moves.size(); ++i) {
      found |= node.moves[i].thread == node.moves[i - 1].thread;
    }
  }
  EXPECT_TRUE(found) << graph.json;
  EXPECT_TRUE(absl::StrContains(graph.json, "wakes T2")) << graph.json;
  EXPECT_GT(graph.failing, 0u);
  EXPECT_LT(graph.failing, graph.schedules);
}

TEST_F(GraphTest, IsTheSameEveryTime) {
  const std::string json = RecordGraph({}, OneIsTold).json;
  EXPECT_EQ(RecordGraph({}, OneIsTold).json, json);
}

TEST_F(GraphTest, SaysWhyThereIsNone) {
  const Graph local = RecordGraph({}, [] {
    std::mutex mine;
    std::lock_guard lock(mine);
  });
  EXPECT_TRUE(absl::StrContains(local.error, "namespace scope")) << local.error;
  const Graph spinning = RecordGraph({}, [] {
    number = 0;
    std::thread other([] { number = 1; });
    while (number == 0) std::this_thread::yield();
    other.join();
  });
  EXPECT_TRUE(absl::StrContains(spinning.error, "asking again"))
      << spinning.error;
  GraphOptions few;
  few.max_schedules = 5;
  const Graph many = RecordGraph(few, LostUpdate);
  EXPECT_TRUE(absl::StrContains(many.error, "more than 5 schedules"))
      << many.error;
  GraphOptions small;
  small.max_bytes = 100;
  EXPECT_TRUE(absl::StrContains(RecordGraph(small, LostUpdate).error, "bytes"));
}

}  // namespace
}  // namespace lockstep
