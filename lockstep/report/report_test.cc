// SPDX-License-Identifier: Apache-2.0
//
// Reports on traces written by hand: the text that a student would read.

#include "lockstep/report/report.h"

#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "lockstep/report/json.h"
#include "lockstep/report/names.h"
#include "lockstep/report/picture.h"
#include "lockstep/report/symbolizer.h"
#include "lockstep/report/words.h"

namespace lockstep {
namespace {

// Address n is line n of account.h, called from std::thread.
class FakeSymbolizer : public Symbolizer {
 public:
  void Prepare(const std::vector<CodeAddress>&) override {}
  const std::vector<Frame>& Frames(CodeAddress address) override {
    std::vector<Frame>& frames = frames_[address];
    if (frames.empty()) {
      frames.push_back(
          {"std::mutex::lock()", "/usr/include/c++/12/mutex", 100});
      frames.push_back({"Transfer(Account&, Account&)", "bank/account.h",
                        static_cast<int>(address)});
    }
    return frames;
  }
  std::string GlobalName(uintptr_t address) override {
    if (address == 0x600) return "g_total";
    return address < 0x700 ? ""
                           : "std::__detail::__waiter_pool_base::_S_for(void "
                             "const*)::__w+1024";
  }
  std::string SourceLine(const std::string&, int line) override {
    const auto found = source.find(line);
    return found == source.end() ? "" : found->second;
  }

  std::map<int, std::string> source;

 private:
  std::map<CodeAddress, std::vector<Frame>> frames_;
};

Step MakeStep(ThreadId thread, Op op, ObjectId object = 0, CodeAddress at = 0) {
  Step step;
  step.thread = thread;
  step.op = op;
  step.object = object;
  if (at != 0) step.stack = {at};
  return step;
}

Step Blocked(Step step, ThreadId other = kNoThread) {
  step.blocked = true;
  step.other = other;
  return step;
}

Step WithOther(Step step, ThreadId other) {
  step.other = other;
  return step;
}

Object MakeObject(ObjectKind kind, uintptr_t address = 0) {
  Object object;
  object.kind = kind;
  object.address = address;
  return object;
}

// Two transfers in opposite directions.
Trace Deadlock() {
  Trace trace;
  trace.threads = 3;
  trace.objects = {MakeObject(ObjectKind::kMutex),
                   MakeObject(ObjectKind::kMutex)};
  trace.steps = {
      MakeStep(0, Op::kStart),
      WithOther(MakeStep(0, Op::kSpawn, 0, 50), 1),
      WithOther(MakeStep(0, Op::kSpawn, 0, 51), 2),
      MakeStep(1, Op::kStart),
      MakeStep(1, Op::kLock, 1, 31),
      MakeStep(2, Op::kStart),
      MakeStep(2, Op::kLock, 2, 31),
      Blocked(MakeStep(1, Op::kLock, 2, 32), 2),
      Blocked(MakeStep(2, Op::kLock, 1, 32), 1),
      Blocked(MakeStep(0, Op::kJoin, 0, 52), 1),
  };
  trace.finding.verdict = Verdict::kDeadlock;
  trace.finding.message = "threads wait for each other in a circle";
  return trace;
}

Trace LostWakeup() {
  Trace trace;
  trace.threads = 2;
  trace.objects = {MakeObject(ObjectKind::kMutex),
                   MakeObject(ObjectKind::kConditionVariable)};
  Step wait = Blocked(MakeStep(0, Op::kWait, 2, 12));
  wait.mutex = 1;
  trace.steps = {
      WithOther(MakeStep(0, Op::kSpawn, 0, 10), 1),
      MakeStep(1, Op::kNotifyOne, 2, 21),
      MakeStep(1, Op::kEnd),
      MakeStep(0, Op::kLock, 1, 11),
      wait,
  };
  trace.finding.verdict = Verdict::kLostWakeup;
  trace.finding.message = "main sleeps and nobody is left to wake it";
  return trace;
}

Trace Race() {
  Trace trace;
  trace.threads = 2;
  trace.objects = {MakeObject(ObjectKind::kMemory, 0x600),
                   MakeObject(ObjectKind::kMutex)};
  Step read = MakeStep(1, Op::kRead, 1, 21);
  read.size = 4;
  Step write = MakeStep(0, Op::kWrite, 1, 12);
  write.size = 4;
  trace.steps = {
      WithOther(MakeStep(0, Op::kSpawn, 0, 10), 1),
      MakeStep(0, Op::kLock, 2, 11),
      read,
      write,
  };
  trace.finding.verdict = Verdict::kDataRace;
  trace.finding.message = "two threads access the same memory at once";
  Site reader{1, "reads 4 bytes", 1, {21}, {}};
  Site writer{0, "writes 4 bytes", 1, {12}, {2}};
  trace.finding.sites = {writer, reader};
  return trace;
}

std::string Text(const Trace& trace, FakeSymbolizer symbolizer = {},
                 bool color = false) {
  ReportContext context;
  context.schedule = 3;
  context.budget = 2000;
  context.strategy = "random walk";
  context.replay_command = "bazel test //bank --test_arg=--lockstep_replay=";
  context.replay = "v1:0x2,1";
  return RenderReport(TellStory(trace, symbolizer), context, color);
}

size_t Columns(const std::string& line) {
  size_t columns = 0;
  for (const char c : line) {
    columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }
  return columns;
}

std::string WithoutColor(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else {
      plain += text[i];
    }
  }
  return plain;
}

TEST(ReportTest, Deadlock) {
  EXPECT_EQ(Text(Deadlock()),
            R"(deadlock   (schedule 3 of 2,000, random walk)
  threads wait for each other in a circle
  Threads must not wait for each other in a circle.
    main waits for T1 to end at bank/account.h:52
    T1 waits for mutex B ─ held by T2 at bank/account.h:32
    T2 waits for mutex A ─ held by T1 at bank/account.h:32
    T2 locked mutex B at bank/account.h:31
    T1 locked mutex A at bank/account.h:31

     main                     T1                       T2
  1  starts T1, T2
  2                           locks mutex A         account.h:31
  3                                                    locks mutex B         account.h:31
  4                           waits for mutex B ─ held by T2  account.h:32
  5                                                    waits for mutex A ─ held by T1  account.h:32
  6  waits for T1 to end   account.h:52
     every thread is waiting: nothing can ever run again

To run exactly this schedule again:
  bazel test //bank --test_arg=--lockstep_replay=v1:0x2,1
)");
}

TEST(ReportTest, LostWakeup) {
  FakeSymbolizer symbolizer;
  symbolizer.source = {{11, "std::unique_lock lock(mu_);"},
                       {12, "if (!done_) ready_.wait(lock);"},
                       {21, "ready_.notify_one();"}};
  EXPECT_EQ(Text(LostWakeup(), symbolizer),
            R"(lost wake-up   (schedule 3 of 2,000, random walk)
  main sleeps and nobody is left to wake it
  A thread that waits must be told when what it waits for happens, and must look before it sleeps.
    main waits on ready_, unlocking mu_ at bank/account.h:12:  if (!done_) ready_.wait(lock);
    the last notification on ready_ came too early, from T1 at bank/account.h:21:  ready_.notify_one();

     main                          T1
  1  starts T1             account.h:10
  2                                notifies ready_ ─ nobody waits  account.h:21
  3                                ends
  4  locks mu_             account.h:11
  5  waits on ready_, unlocking mu_  account.h:12
     nobody is left who could wake the waiting thread

To run exactly this schedule again:
  bazel test //bank --test_arg=--lockstep_replay=v1:0x2,1
)");
}

TEST(ReportTest, DataRace) {
  EXPECT_EQ(Text(Race()),
            R"(data race   (schedule 3 of 2,000, random walk)
  two threads access the same memory at once
  Two threads must not access the same memory at the same time if one of them writes, unless both use a lock or an atomic.
    main writes 4 bytes of g_total, holding mutex A, at bank/account.h:12
    T1 reads 4 bytes of g_total, holding no lock, at bank/account.h:21

     main                          T1
  1  starts T1             account.h:10
  2  locks mutex A         account.h:11
  3                                reads g_total (4 bytes)  account.h:21
  4  writes g_total (4 bytes)  account.h:12
     nothing orders these two accesses: they can happen at the same time

To run exactly this schedule again:
  bazel test //bank --test_arg=--lockstep_replay=v1:0x2,1
)");
}

TEST(ReportTest, WrongLock) {
  Trace trace = Race();
  trace.finding.verdict = Verdict::kWrongLock;
  trace.objects.push_back(MakeObject(ObjectKind::kMutex));
  trace.finding.sites[1].locks_held = {3};
  const std::string text = Text(trace);
  EXPECT_TRUE(absl::StartsWith(text, "wrong lock   (")) << text;
  EXPECT_TRUE(absl::StrContains(
      text, "main writes 4 bytes of g_total, holding mutex A,"))
      << text;
  EXPECT_TRUE(
      absl::StrContains(text, "T1 reads 4 bytes of g_total, holding mutex B,"))
      << text;
}

// std::latch and the like wait through a table inside libstdc++.
TEST(ReportTest, TheLibrarysTableOfSleepersIsNotShown) {
  Trace trace;
  trace.threads = 2;
  trace.objects = {MakeObject(ObjectKind::kAtomic, 0x600),
                   MakeObject(ObjectKind::kAtomic, 0x700),
                   MakeObject(ObjectKind::kAtomic, 0x704)};
  trace.steps = {
      WithOther(MakeStep(0, Op::kSpawn, 0, 10), 1),
      MakeStep(1, Op::kAtomicReadModifyWrite, 1, 21),
      MakeStep(1, Op::kAtomicLoad, 2, 21),
      MakeStep(1, Op::kFutexWake, 3, 21),
      MakeStep(0, Op::kAtomicLoad, 1, 12),
      MakeStep(0, Op::kAtomicReadModifyWrite, 2, 12),
      Blocked(MakeStep(0, Op::kFutexWait, 3, 12)),
  };
  trace.finding.verdict = Verdict::kLostWakeup;
  trace.finding.message = "main sleeps and nobody is left to wake it";
  Site sleeper{0, "sleeps on atomic variable", 3, {12}, {}};
  trace.finding.sites = {sleeper};
  FakeSymbolizer symbolizer;
  const Story story = TellStory(trace, symbolizer);
  EXPECT_EQ(DrawPicture(story, {}),
            R"(     main                          T1
  1  starts T1             account.h:10
  2                                updates g_total to 0  account.h:21
  3                                wakes those waiting for g_total ─ nobody waits  account.h:21
  4  reads g_total = 0     account.h:12
  5  waits until g_total changes  account.h:12
)");
  EXPECT_EQ(story.sites[0].object, 1u);
  EXPECT_FALSE(absl::StrContains(ToJson(story, ""), "__waiter_pool"));
}

TEST(ReportTest, ColorsChangeNothingElse) {
  for (const Trace& trace : {Deadlock(), LostWakeup(), Race()}) {
    const std::string colored = Text(trace, {}, /*color=*/true);
    EXPECT_TRUE(absl::StrContains(colored, "\x1b[1;31m"));
    EXPECT_EQ(WithoutColor(colored), Text(trace));
  }
}

TEST(ReportTest, EveryVerdictHasARule) {
  for (int v = 1; v <= static_cast<int>(Verdict::kNondeterminism); ++v) {
    const Verdict verdict = static_cast<Verdict>(v);
    EXPECT_STRNE(Rule(verdict), "") << VerdictName(verdict);
    Trace trace;
    trace.finding.verdict = verdict;
    trace.finding.sites.push_back({0, "does it", 0, {5}, {}});
    const std::string text = Text(trace);
    EXPECT_TRUE(absl::StartsWith(text, VerdictName(verdict))) << text;
    EXPECT_TRUE(absl::StrContains(text, "account.h:5")) << text;
  }
}

TEST(PictureTest, LongSchedulesAreCutInTheMiddleAndCounted) {
  Trace trace = Deadlock();
  std::vector<Step> steps;
  for (int i = 0; i < 500; ++i) {
    steps.push_back(MakeStep(static_cast<ThreadId>(i * i % 7 % 3),
                             i % 3 == 0 ? Op::kLock : Op::kUnlock,
                             static_cast<ObjectId>(i * i % 11 % 2 + 1),
                             static_cast<CodeAddress>(100 + i)));
  }
  trace.steps.insert(trace.steps.begin(), steps.begin(), steps.end());
  FakeSymbolizer symbolizer;
  const std::string picture = DrawPicture(TellStory(trace, symbolizer), {});
  const std::vector<std::string> lines = absl::StrSplit(picture, '\n');
  EXPECT_LE(lines.size(), 24u) << picture;
  EXPECT_TRUE(absl::StrContains(picture, "⋮")) << picture;
  EXPECT_TRUE(absl::StrContains(picture, " steps …")) << picture;
  EXPECT_TRUE(absl::StrContains(picture, "waits for mutex A ─ held by T1"));
}

TEST(PictureTest, LoopsAreFolded) {
  Trace trace;
  trace.threads = 2;
  trace.objects = {MakeObject(ObjectKind::kAtomic, 0x600)};
  for (int i = 0; i < 200; ++i) {
    trace.steps.push_back(MakeStep(1, Op::kAtomicLoad, 1, 7));
    trace.steps.push_back(MakeStep(0, Op::kAtomicStore, 1, 8));
  }
  trace.finding.verdict = Verdict::kLivelock;
  FakeSymbolizer symbolizer;
  const std::string picture = DrawPicture(TellStory(trace, symbolizer), {});
  EXPECT_TRUE(absl::StrContains(picture, "the last 2 rows 199 more times"))
      << picture;
  const std::vector<std::string> facts = Facts(TellStory(trace, symbolizer));
  ASSERT_EQ(facts.size(), 3u);
  EXPECT_EQ(facts[1], "  T1 reads g_total = 0 at bank/account.h:7");
}

TEST(PictureTest, StaysWithinItsWidthWithManyThreads) {
  for (const ThreadId threads : {2u, 5u, 10u, 50u}) {
    Trace trace;
    trace.threads = threads;
    trace.objects = {MakeObject(ObjectKind::kMutex)};
    for (ThreadId t = 0; t < threads; ++t) {
      trace.steps.push_back(Blocked(MakeStep(t, Op::kLock, 1, 1000 + t), 0));
    }
    trace.finding.verdict = Verdict::kDeadlock;
    FakeSymbolizer symbolizer;
    const Story story = TellStory(trace, symbolizer);
    for (const std::string& line : std::vector<std::string>(
             absl::StrSplit(DrawPicture(story, {.width = 100}), '\n'))) {
      // Headings of very many threads are the exception.
      if (threads > 10) continue;
      EXPECT_LE(Columns(line), 100u) << line;
    }
  }
}

TEST(NamesTest, FindsTheExpressionThatNamesAnObject) {
  const ObjectKind mutex = ObjectKind::kMutex;
  const ObjectKind condvar = ObjectKind::kConditionVariable;
  EXPECT_EQ(ExpressionIn("std::lock_guard lock(a.mu);", mutex), "a.mu");
  EXPECT_EQ(ExpressionIn("std::lock_guard<std::mutex> l{from->mu_};", mutex),
            "from->mu_");
  EXPECT_EQ(ExpressionIn("absl::MutexLock lock(&mu_);", mutex), "mu_");
  EXPECT_EQ(ExpressionIn("this->mu_.lock();", mutex), "mu_");
  EXPECT_EQ(ExpressionIn("accounts[i].mu.lock();", mutex), "accounts[i].mu");
  EXPECT_EQ(ExpressionIn("if (!q->mu_.try_lock()) return;", mutex), "q->mu_");
  EXPECT_EQ(ExpressionIn("a.lock(); b.lock();", mutex), "");
  EXPECT_EQ(ExpressionIn("}", mutex), "");
  EXPECT_EQ(ExpressionIn("block(x);", mutex), "");
  EXPECT_EQ(
      ExpressionIn("not_empty_.wait(lock, [&] { return n > 0; });", condvar),
      "not_empty_");
  EXPECT_EQ(ExpressionIn("while (flag.load() == 0) {}", ObjectKind::kAtomic),
            "flag");
  EXPECT_EQ(ExpressionIn("slots.acquire();", ObjectKind::kSemaphore), "slots");
}

TEST(NamesTest, TellsObjectsApartThatTheSourceNamesAlike) {
  FakeSymbolizer symbolizer;
  symbolizer.source = {{31, "std::lock_guard first(from.mu);"},
                       {32, "std::lock_guard second(to.mu);"}};
  const Story story = TellStory(Deadlock(), symbolizer);
  EXPECT_EQ(story.ObjectName(1), "mu A");
  EXPECT_EQ(story.ObjectName(2), "mu B");
}

TEST(SymbolizerTest, KnowsWhichFramesAreTheStudents) {
  for (const char* library :
       {"/usr/include/c++/12/bits/std_mutex.h",
        "/usr/bin/../lib/gcc/x86_64-linux-gnu/12/../../../../include/"
        "x86_64-linux-gnu/c++/12/bits/gthr-default.h",
        "external/com_google_absl/absl/synchronization/mutex.cc",
        "external/com_google_googletest/googletest/src/gtest.cc",
        "lockstep/runtime/intercept_pthread.cc", "lockstep/gtest.h"}) {
    EXPECT_TRUE(IsLibraryFrame({"f", library, 3})) << library;
  }
  for (const char* own :
       {"exercises/08_mutex/lock.h", "tests/08_mutex/lock_test.cc",
        "lockstep/runtime/some_test.cc", "lockstep/tests/bugs.cc"}) {
    EXPECT_FALSE(IsLibraryFrame({"f", own, 3})) << own;
  }
  EXPECT_TRUE(IsLibraryFrame({"f", "", 0}));
}

int g_array[4];

__attribute__((noinline)) CodeAddress Here() {
  return reinterpret_cast<CodeAddress>(__builtin_return_address(0));
}

TEST(SymbolizerTest, FindsItself) {
  const std::unique_ptr<Symbolizer> symbolizer = MakeProcessSymbolizer();
  const CodeAddress here = Here();
  const int line = __LINE__ - 1;
  const Frame frame = StudentFrame(*symbolizer, {0, here});
  EXPECT_EQ(frame.line, line);
  EXPECT_TRUE(absl::EndsWith(frame.file, "lockstep/report/report_test.cc"))
      << frame.file;
  EXPECT_TRUE(absl::StrContains(frame.function, "TestBody")) << frame.function;
  EXPECT_EQ(symbolizer->GlobalName(reinterpret_cast<uintptr_t>(g_array)),
            "lockstep::g_array");
  EXPECT_EQ(symbolizer->GlobalName(reinterpret_cast<uintptr_t>(&g_array[2])),
            "lockstep::g_array+8");
  int local;
  EXPECT_EQ(symbolizer->GlobalName(reinterpret_cast<uintptr_t>(&local)), "");
  EXPECT_FALSE(StudentFrame(*symbolizer, {12345}).known());
}

// A checker for JSON that accepts no more than the standard does.
class JsonChecker {
 public:
  explicit JsonChecker(const std::string& text) : text_(text) {}
  bool Valid() { return Value() && (Space(), at_ == text_.size()); }

 private:
  void Space() {
    while (at_ < text_.size() &&
           isspace(static_cast<unsigned char>(text_[at_])))
      ++at_;
  }
  bool Eat(const std::string& token) {
    Space();
    if (text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }
  bool String() {
    if (!Eat("\"")) return false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] != '\\') continue;
      ++at_;
      if (text_[at_] == 'u') {
        for (int i = 0; i < 4; ++i) {
          if (!isxdigit(static_cast<unsigned char>(text_[++at_]))) return false;
        }
      } else if (std::string("\"\\/bfnrt").find(text_[at_]) ==
                 std::string::npos) {
        return false;
      }
    }
    return Eat("\"");
  }
  bool Value() {
    Space();
    if (Eat("null") || Eat("true") || Eat("false")) return true;
    if (at_ < text_.size() && text_[at_] == '"') return String();
    if (Eat("[")) {
      if (Eat("]")) return true;
      do {
        if (!Value()) return false;
      } while (Eat(","));
      return Eat("]");
    }
    if (Eat("{")) {
      if (Eat("}")) return true;
      do {
        if (!String() || !Eat(":") || !Value()) return false;
      } while (Eat(","));
      return Eat("}");
    }
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (isdigit(static_cast<unsigned char>(text_[at_])) ||
            text_[at_] == '-')) {
      ++at_;
    }
    return at_ > begin;
  }

  const std::string& text_;
  size_t at_ = 0;
};

TEST(JsonTest, IsValidAndTracksHoldersAndWaiters) {
  FakeSymbolizer symbolizer;
  symbolizer.source = {{31, "tab\there \"quoted\" \\ \x01 \xff ü"}};
  const std::string json = ToJson(TellStory(Deadlock(), symbolizer), "v1:0");
  EXPECT_TRUE(JsonChecker(json).Valid()) << json;
  EXPECT_TRUE(absl::StrContains(
      json, R"("changes":[{"object":1,"holders":[1],"waiters":[]}])"))
      << json;
  EXPECT_TRUE(absl::StrContains(
      json, R"("changes":[{"object":2,"holders":[2],"waiters":[1]}])"))
      << json;
  EXPECT_TRUE(absl::StrContains(json, R"("failingStep":9)")) << json;
  EXPECT_TRUE(JsonChecker(ToJson(Story(), "")).Valid());
}

TEST(JsonTest, AWaitReleasesItsMutex) {
  FakeSymbolizer symbolizer;
  const std::string json = ToJson(TellStory(LostWakeup(), symbolizer), "");
  EXPECT_TRUE(absl::StrContains(
      json, R"("changes":[{"object":1,"holders":[],"waiters":[]},)"
            R"({"object":2,"holders":[],"waiters":[0]}])"))
      << json;
}

TEST(JsonTest, AThreadThatWakesUpHoldsItsMutexAgain) {
  Trace trace = LostWakeup();
  trace.steps.push_back(Blocked(MakeStep(0, Op::kWake, 1, 12), 1));
  trace.steps.push_back(MakeStep(0, Op::kWake, 1, 12));
  FakeSymbolizer symbolizer;
  const std::string json = ToJson(TellStory(trace, symbolizer), "v1:");
  EXPECT_TRUE(absl::StrContains(json, "\"text\":\"wakes up, waits for mu"))
      << json;
  EXPECT_TRUE(absl::StrContains(json, "\"text\":\"wakes up, locks mu")) << json;
  EXPECT_TRUE(absl::StrContains(
      json, "\"changes\":[{\"object\":1,\"holders\":[0],\"waiters\":[]}]}]"))
      << json;
}

TEST(JsonTest, StringsAreEscaped) {
  EXPECT_EQ(JsonString("a\"b\\c\n\t"), "\"a\\\"b\\\\c\\n\\u0009\"");
  EXPECT_EQ(JsonString("\xff\xc0\x80ü─"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDü─\"");
}

}  // namespace
}  // namespace lockstep
