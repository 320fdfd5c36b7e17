// SPDX-License-Identifier: Apache-2.0
//
// Explore(): runs schedules until one fails or the budget is used up; then
// makes sure the failure can be repeated, shrinks it and reports it.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "lockstep/lockstep.h"
#include "lockstep/report/json.h"
#include "lockstep/report/report.h"
#include "lockstep/report/story.h"
#include "lockstep/report/symbolizer.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/strategy/portfolio.h"
#include "lockstep/strategy/replay.h"
#include "lockstep/strategy/run_until_blocked.h"
#include "lockstep/strategy/shrink.h"

namespace lockstep {
namespace {

// Replays that shrinking may use: enough for textbook bugs to reach their
// shortest form, and a fraction of a second for the largest.
constexpr uint64_t kShrinkRuns = 400;
// Points that shrinking may execute in all: a livelock is as long as the step
// bound lets it be, and hardly gets shorter.
constexpr uint64_t kShrinkPoints = 400'000;

FatalReportHandler fatal_report_handler = nullptr;

class Explorer {
 public:
  Explorer(const Options& options, absl::FunctionRef<void()> body)
      : options_(options), body_(body) {
    run_options_.execution =
        options.use_os_threads ? Execution::kOsThreads : DefaultExecution();
    run_options_.detect_races = options.detect_races;
    run_options_.max_steps = options.max_steps;
    run_options_.forbid_busy_waiting = options.forbid_busy_waiting;
    run_options_.spurious_wakeups = options.spurious_wakeups;
    run_options_.early_timeouts = options.early_timeouts;
    active_ = this;
    SetFatalHandler(&Explorer::OnFatal);
  }
  ~Explorer() { active_ = nullptr; }

  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;

  Report Run() {
    if (!options_.replay.empty()) return RunReplay();
    std::unique_ptr<Strategy> strategy = MakeStrategy(
        options_.strategy, {.schedules = options_.schedules,
                            .seed = options_.seed,
                            .max_preemptions = options_.max_preemptions});
    if (strategy == nullptr) {
      return Unusable(
          absl::StrCat("there is no strategy \"", options_.strategy, "\""));
    }
    WarmUp();
    while (report_.schedules < options_.schedules &&
           strategy->BeginSchedule()) {
      ++report_.schedules;
      report_.strategy = strategy->Name();
      const bool failed = RunOne(*strategy);
      strategy->EndSchedule(trace_.counters);
      report_.points += trace_.counters.points;
      report_.hash = (report_.hash ^ LastRunHash()) * 0x100000001b3u;
      if (failed) return Failed();
    }
    const std::string guarantee = strategy->Guarantee();
    if (!RepeatsItself()) return Failed();
    if (warm_up_failure_.verdict != Verdict::kNone) {
      trace_.finding = warm_up_failure_;
      report_.strategy = "first run";
      return MakeReport(
          "Only the very first run of the body failed, and it cannot be "
          "repeated in this process: the body depends on state that it left "
          "behind then (a static or global variable?).",
          {});
    }
    report_.guarantee = guarantee;
    return std::move(report_);
  }

 private:
  // Runs the schedule that `strategy` has begun; trace_ then has its finding.
  bool RunOne(Strategy& strategy) {
    RunOnce(run_options_, strategy, body_, &trace_);
    Judge();
    return trace_.finding.verdict != Verdict::kNone;
  }

  // Applies the options that the runtime knows nothing of.
  void Judge() {
    Finding& finding = trace_.finding;
    if (finding.verdict == Verdict::kThreadLeak &&
        options_.allow_running_threads) {
      finding = Finding();
    }
    if (finding.verdict != Verdict::kNone) return;
    const Counters& used = trace_.counters;
    const CostBudget& budget = options_.cost_budget;
    const auto check = [&](const char* what, uint64_t count, uint64_t limit) {
      if (count <= limit || finding.verdict != Verdict::kNone) return;
      finding.verdict = Verdict::kTooMuchSynchronisation;
      finding.message = absl::StrCat("this schedule has ", count, " ", what,
                                     "; the test allows ", limit);
    };
    check("lock operations", used.lock_operations, budget.lock_operations);
    check("wake-ups", used.wakeups, budget.wakeups);
    check("notifications", used.notifications, budget.notifications);
    check("context switches", used.context_switches, budget.context_switches);
    check("atomic operations", used.atomic_operations,
          budget.atomic_operations);
    check("threads created", used.threads_created, budget.threads_created);
  }

  // The first run initialises what is initialised once per process, and so
  // differs from all others.
  void WarmUp() {
    RunUntilBlocked strategy(RunUntilBlocked::Order::kCreation);
    strategy.BeginSchedule();
    RunOne(strategy);
    strategy.EndSchedule(trace_.counters);
    warm_up_failure_ = trace_.finding;
  }

  // Runs `decisions`. Returns the run's hash.
  uint64_t RunDecisions(const std::vector<Decision>& decisions,
                        bool* diverged = nullptr) {
    Replay replay(decisions);
    replay.BeginSchedule();
    RunOne(replay);
    replay.EndSchedule(trace_.counters);
    if (diverged != nullptr) *diverged = replay.diverged();
    return LastRunHash();
  }

  // After a budget without failure: does the last schedule give the same
  // execution again? If not, trace_ has the finding.
  bool RepeatsItself() {
    if (report_.schedules == 0) return true;
    const std::vector<Decision> decisions = trace_.decisions;
    const uint64_t first = LastRunHash();
    if (RunDecisions(decisions) == first) {
      return trace_.finding.verdict == Verdict::kNone;
    }
    // Something may have been initialised in that very schedule.
    const uint64_t second = RunDecisions(decisions);
    if (RunDecisions(decisions) == second) {
      return trace_.finding.verdict == Verdict::kNone;
    }
    SetNondeterminism("");
    return false;
  }

  void SetNondeterminism(const std::string& was) {
    trace_.finding = Finding();
    trace_.finding.verdict = Verdict::kNondeterminism;
    trace_.finding.message = absl::StrCat(
        was.empty() ? "the same schedule, run twice, went different ways"
                    : absl::StrCat("a schedule failed (", was,
                                   ") and, run again, went another way"),
        ": the body depends on something besides its own state, such as real "
        "time, random numbers, addresses, or globals that an earlier run "
        "changed");
  }

  // trace_ is a schedule that failed.
  Report Failed() {
    const Verdict verdict = trace_.finding.verdict;
    if (verdict == Verdict::kNondeterminism) return MakeReport("", {});
    const Finding finding = trace_.finding;
    std::vector<Decision> decisions = trace_.decisions;
    // Twice: the first time, the path that fails may initialise something.
    bool diverged = false;
    const uint64_t once = RunDecisions(decisions);
    const bool same_verdict = trace_.finding.verdict == verdict;
    const uint64_t twice = RunDecisions(decisions, &diverged);
    if (!same_verdict || trace_.finding.verdict != verdict || diverged ||
        once != twice) {
      SetNondeterminism(absl::StrCat(VerdictName(verdict),
                                     finding.message.empty() ? "" : ": ",
                                     finding.message));
      return MakeReport("", {});
    }
    // Only a recorded run knows the locks held at both ends of a race.
    if (!options_.explain && verdict == Verdict::kDataRace) {
      return Record(decisions, verdict, finding);
    }
    if (!options_.explain) return MakeReport("", decisions);
    const uint64_t points =
        std::max<uint64_t>(trace_.counters.points, kShrinkPoints / kShrinkRuns);
    decisions = Shrink(
        std::move(decisions),
        /*search_preemptions=*/!absl::StartsWith(report_.strategy, "search"),
        kShrinkPoints / points, [&](Strategy& strategy) {
          RunOne(strategy);
          return trace_.finding.verdict == verdict;
        });
    return Record(decisions, verdict, finding);
  }

  // Runs a failing schedule once more, with all its steps recorded.
  Report Record(const std::vector<Decision>& decisions, Verdict verdict,
                const Finding& finding) {
    run_options_.record_steps = true;
    RunDecisions(decisions);
    run_options_.record_steps = false;
    std::string note;
    if (trace_.finding.verdict != verdict) {
      // Recording must not change an execution; say so rather than mislead.
      note =
          "The picture could not be recorded: with recording on, the "
          "schedule went another way.";
      trace_.finding = finding;
      trace_.steps.clear();
    }
    NameTheLocks();
    return MakeReport(note, decisions);
  }

  // A data race between accesses that both hold locks, but not the same one,
  // has a remedy of its own, and so a verdict. (The idea of comparing the locks
  // that accesses hold is that of Eraser: Savage et al., SOSP 1997.)
  void NameTheLocks() {
    Finding& finding = trace_.finding;
    if (finding.verdict != Verdict::kDataRace || finding.sites.size() != 2) {
      return;
    }
    const std::vector<ObjectId>& one = finding.sites[0].locks_held;
    const std::vector<ObjectId>& other = finding.sites[1].locks_held;
    if (one.empty() || other.empty() ||
        std::find_first_of(one.begin(), one.end(), other.begin(),
                           other.end()) != one.end()) {
      return;
    }
    finding.verdict = Verdict::kWrongLock;
    finding.message = absl::StrCat(
        "T", finding.sites[0].thread, " and T", finding.sites[1].thread,
        " access the same memory, at least one of them writes, "
        "and the locks they hold are not the same");
  }

  Report RunReplay() {
    std::vector<Decision> decisions;
    std::string error;
    if (!ParseReplay(options_.replay, &decisions, &error)) {
      return Unusable(error);
    }
    // From the start: a body that crashes may do so in any run.
    run_options_.record_steps = true;
    WarmUp();
    bool diverged = false;
    RunDecisions(decisions, &diverged);
    report_.schedules = 1;
    report_.strategy = "replay";
    report_.points = trace_.counters.points;
    std::string note;
    if (diverged) {
      note =
          "The replay could not be followed to its end: it was made with "
          "other code, or by another test.";
      if (trace_.finding.verdict == Verdict::kNone) {
        trace_.finding.verdict = Verdict::kNondeterminism;
        trace_.finding.message = "the recorded schedule does not fit this body";
      }
    }
    NameTheLocks();
    report_.hash = LastRunHash();
    if (trace_.finding.verdict == Verdict::kNone) return std::move(report_);
    return MakeReport(note, decisions);
  }

  // A report that nothing could be run.
  Report Unusable(const std::string& why) {
    trace_ = Trace();
    trace_.finding.verdict = Verdict::kNondeterminism;
    trace_.finding.message = why;
    return MakeReport("", {});
  }

  // The report on trace_.
  Report MakeReport(const std::string& note,
                    const std::vector<Decision>& decisions) {
    report_.verdict = trace_.finding.verdict;
    report_.replay = FormatReplay(decisions);
    if (options_.replay.empty() &&
        report_.verdict != Verdict::kNondeterminism) {
      report_.hash = LastRunHash();
    }
    if (!options_.explain) {
      report_.trace = std::move(trace_);
      return std::move(report_);
    }
    const std::unique_ptr<Symbolizer> symbolizer = MakeProcessSymbolizer();
    const Story story = TellStory(trace_, *symbolizer);
    ReportContext context;
    context.schedule = report_.schedules;
    context.budget = options_.replay.empty() ? options_.schedules : 0;
    context.strategy = report_.strategy;
    context.replay_command = options_.replay_command;
    context.replay =
        report_.verdict == Verdict::kNondeterminism ? "" : report_.replay;
    context.note = note;
    report_.text = RenderReport(story, context, /*color=*/false);
    report_.colored_text = RenderReport(story, context, /*color=*/true);
    report_.json = ToJson(story, report_.replay);
    report_.trace = std::move(trace_);
    return std::move(report_);
  }

  // The body is about to end the process; `trace` is the schedule so far.
  static void OnFatal(const Trace& trace) {
    Report report;
    if (active_ != nullptr) {
      Explorer& self = *active_;
      active_ = nullptr;
      self.trace_ = trace;
      self.report_.schedules = std::max<uint64_t>(self.report_.schedules, 1);
      report = self.MakeReport(
          trace.steps.empty()
              ? "The process cannot go on after this, so the schedule was not "
                "shrunk. Replay it to see its steps."
              : "",
          trace.decisions);
    } else {
      report.verdict = trace.finding.verdict;
      report.text = absl::StrCat(VerdictName(report.verdict), "\n  ",
                                 trace.finding.message, "\n");
    }
    if (fatal_report_handler != nullptr) {
      fatal_report_handler(report);
    } else {
      fputs(report.text.c_str(), stderr);
      fflush(stderr);
    }
    _exit(1);
  }

  static Explorer* active_;

  const Options& options_;
  const absl::FunctionRef<void()> body_;
  RunOptions run_options_;
  Trace trace_;
  Report report_;
  Finding warm_up_failure_;
};

Explorer* Explorer::active_ = nullptr;

}  // namespace

void SetFatalReportHandler(FatalReportHandler handler) {
  fatal_report_handler = handler;
}

bool Supported() { return true; }

bool FailSchedule(const std::string& message) {
  if (!InControlledThread()) return false;
  ReportFinding(Verdict::kWrongResult, message.c_str());
  return true;
}

Report Explore(const Options& options, absl::FunctionRef<void()> body) {
  Explorer explorer(options, body);
  return explorer.Run();
}

}  // namespace lockstep
