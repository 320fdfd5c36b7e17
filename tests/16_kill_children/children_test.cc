// SPDX-License-Identifier: Apache-2.0
//
// What a group of children promises, with real processes, process groups and
// signals. Each name is a rule. The children are shells and what they run.
//
// Time is the tests' own: see TestClock. The calls that send signals and take
// statuses are recorded, so that a signal to a process that is already reaped
// shows even if nobody else has its number yet.
//
// Two mistakes have no rule. A signal handler that calls printf or takes a lock
// goes wrong only if the signal comes within another such call; the interface
// needs no handler, and one that is installed is noticed. And a status that a
// handler takes between the start of a child and the storing of its number is
// lost only in that moment; but such a handler takes the statuses of strangers,
// too, and that is noticed.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/data.h"
#include "tests/support/process_fixture.h"
#include "tests/support/processes.h"

// --- The system calls of the answer, recorded ------------------------------

namespace {

// What the answer asked of the kernel since the last ClearRecord().
struct Record {
  struct Signal {
    pid_t target;  // as in kill(): below zero for a process group
    int number;
  };
  std::vector<Signal> signals;
  std::set<pid_t> reaped;
  // Sentences about what must not happen in any test.
  std::vector<std::string> offences;
  int interruptions = 0;  // so many waits are interrupted by a signal, it seems
};
Record record;
pid_t test_process = 0;

}  // namespace

int RecordedKill(pid_t target, int number) {
  if (getpid() != test_process) return kill(target, number);
  if (target >= -1 && target <= 1) {
    // Not done: it would end this program, or the machine's.
    record.offences.push_back(
        absl::StrCat("kill(", target, ", ", number, ") is for ",
                     target == 0   ? "the caller and all of its group"
                     : target == 1 ? "the first process of the machine"
                                   : "every process there is"));
    errno = EPERM;
    return -1;
  }
  if (record.reaped.count(target) + record.reaped.count(-target) > 0) {
    record.offences.push_back(
        absl::StrCat("kill(", target, ", ", number,
                     ") after the child was reaped: by now "
                     "the number may be somebody else's"));
  }
  record.signals.push_back({target, number});
  return kill(target, number);
}

int RecordedKillpg(pid_t group, int number) {
  return RecordedKill(group == 0 ? 0 : -group, number);
}

pid_t RecordedWaitpid(pid_t pid, int* status, int options) {
  if (getpid() != test_process) return waitpid(pid, status, options);
  if (record.interruptions > 0 && (options & WNOHANG) == 0) {
    --record.interruptions;
    errno = EINTR;
    return -1;
  }
  int raw = 0;
  const pid_t got = waitpid(pid, &raw, options);
  if (status != nullptr) *status = raw;
  if (got > 0 && (WIFEXITED(raw) || WIFSIGNALED(raw))) {
    record.reaped.insert(got);
  }
  return got;
}

int RecordedWaitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  if (getpid() != test_process) return waitid(type, id, info, options);
  if (record.interruptions > 0 && (options & WNOHANG) == 0) {
    --record.interruptions;
    errno = EINTR;
    return -1;
  }
  siginfo_t mine = {};
  const int result = waitid(type, id, &mine, options);
  if (info != nullptr) *info = mine;
  if (result == 0 && mine.si_pid > 0 && (options & WNOWAIT) == 0 &&
      (mine.si_code == CLD_EXITED || mine.si_code == CLD_KILLED ||
       mine.si_code == CLD_DUMPED)) {
    record.reaped.insert(mine.si_pid);
  }
  return result;
}

// All headers that the answer may need have been read: only its own calls are
// renamed.
#define kill RecordedKill
#define killpg RecordedKillpg
#define waitpid RecordedWaitpid
#define waitid RecordedWaitid
#include "answer.h"
#undef kill
#undef killpg
#undef waitpid
#undef waitid

namespace {

using namespace std::chrono_literals;
using workbook::Children;
using Argv = std::vector<std::string>;
using Statuses = std::map<pid_t, int>;

// Time that passes when nothing else can happen. A wait for a process goes on,
// however long it takes, while one that WillEnd() has not ended; otherwise the
// clock jumps to the deadline. So an hour of grace costs nothing, and a busy
// machine changes nothing.
class TestClock : public workbook::Clock {
 public:
  workbook::TimePoint Now() override { return now_; }

  bool WaitForEnd(int pidfd, workbook::TimePoint deadline) override {
    while (true) {
      std::vector<pollfd> entries = {{pidfd, POLLIN, 0}};
      for (const auto& fd : will_end_) entries.push_back({*fd, POLLIN, 0});
      poll(entries.data(), entries.size(), 0);
      if (entries[0].revents != 0) return true;
      if (deadline <= now_) return false;
      if (on_wait_ != nullptr && PidOf(pidfd) == watched_) {
        std::exchange(on_wait_, nullptr)();
      }
      // Those that have ended are ready at once, for ever.
      std::erase_if(entries, [](const pollfd& e) { return e.revents != 0; });
      if (entries.size() == 1 && deadline - now_ < 24h * 365) {
        now_ = deadline;
        return false;
      }
      poll(entries.data(), entries.size(), 1000);
    }
  }

  // Time is to stand still until the child `pid` has ended.
  void WillEnd(pid_t pid) {
    will_end_.push_back(std::unique_ptr<int, void (*)(int*)>(
        new int(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
        [](int* fd) {
          close(*fd);
          delete fd;
        }));
  }

  // Calls `action` when the answer begins to wait for the child `pid`.
  void WhenWaitingFor(pid_t pid, std::function<void()> action) {
    watched_ = pid;
    on_wait_ = std::move(action);
  }

  std::chrono::nanoseconds passed() const { return now_ - kStart; }

 private:
  static pid_t PidOf(int pidfd) {
    std::ifstream info(absl::StrCat("/proc/self/fdinfo/", pidfd));
    for (std::string word; info >> word;) {
      pid_t pid = 0;
      if (word == "Pid:" && info >> pid) return pid;
    }
    return -1;
  }

  static constexpr workbook::TimePoint kStart{24h};
  workbook::TimePoint now_ = kStart;
  pid_t watched_ = 0;
  std::function<void()> on_wait_;
  std::vector<std::unique_ptr<int, void (*)(int*)>> will_end_;
};

// A shell that says that it is there, and then does `then`. It sleeps in the
// background and waits, because a shell runs its traps between commands.
constexpr char kSleep[] = "sleep 1000 & wait; wait";

class KillChildren : public support::ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    record = {};
    test_process = getpid();
    if (!HasFailure()) up_ = std::make_unique<support::Gate>(Path("up"));
  }

  void TearDown() override {
    for (const std::string& offence : record.offences) {
      ADD_FAILURE() << offence;
    }
    ProcessTest::TearDown();
  }

  std::string Path(const std::string& name) const {
    return absl::StrCat(directory(), "/", name);
  }

  // Starts `sh -c script`, whose script says when it is `up`.
  pid_t StartScript(Children& children, const std::string& script) {
    return Call([&] { return children.Start({"sh", "-c", script}); });
  }
  // The same, and returns when `before` has been done.
  pid_t StartUp(Children& children, const std::string& before,
                const std::string& then) {
    const pid_t pid = StartScript(
        children, absl::StrCat(before, "\necho > ", up_->path(), "\n", then));
    EXPECT_TRUE(up_->WaitForByte()) << "the child did not come up";
    return pid;
  }
  // One that ends when it gets SIGTERM.
  pid_t StartObedient(Children& children) {
    const pid_t pid = StartScript(children, "exec sleep 1000");
    clock_.WillEnd(pid);
    return pid;
  }
  // One that ignores SIGTERM.
  pid_t StartStubborn(Children& children) {
    return StartUp(children, "trap '' TERM", "exec sleep 1000");
  }

  Statuses EndAll(Children& children) {
    return Call([&] { return children.EndAll(); });
  }
  std::optional<int> WaitFor(Children& children, pid_t pid,
                             std::chrono::milliseconds timeout) {
    return Call([&] { return children.WaitFor(pid, timeout); });
  }

  // A child of the test and not of the answer.
  pid_t StartStranger(const std::string& script) {
    pid_t pid = -1;
    char sh[] = "sh", c[] = "-c";
    std::string text = script;
    char* argv[] = {sh, c, text.data(), nullptr};
    EXPECT_EQ(posix_spawnp(&pid, sh, nullptr, nullptr, argv, environ), 0);
    return pid;
  }

  // How often `signal` was sent to the child or to its group.
  static int Sent(pid_t pid, int signal) {
    return static_cast<int>(std::count_if(
        record.signals.begin(), record.signals.end(),
        [&](const Record::Signal& s) {
          return (s.target == pid || s.target == -pid) && s.number == signal;
        }));
  }

  // True if `pid`, or the group that `leader` leads, got a signal.
  static bool WasTold(pid_t pid, pid_t leader) {
    return std::any_of(record.signals.begin(), record.signals.end(),
                       [&](const Record::Signal& s) {
                         return s.target == pid || s.target == -leader;
                       });
  }

  TestClock clock_;
  std::unique_ptr<support::Gate> up_;
};

// Waits until `pid` has ended and returns its status, but leaves the zombie.
int StatusOfZombie(pid_t pid) {
  siginfo_t info = {};
  if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) != 0) return -1000;
  return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

// Waits until `pid` has ended, a grandchild that this process adopted if its
// parent ended first. Otherwise the parent may have reaped it.
void WaitForAdopted(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  EXPECT_FALSE(support::Exists(pid)) << "the grandchild lives on";
}

// --- All of them, and nothing left -----------------------------------------

TEST_F(KillChildren, EveryChildIsEndedAndReaped) {
  Children children(1h, clock_);
  const pid_t a = StartObedient(children), b = StartObedient(children);
  EXPECT_EQ(EndAll(children), (Statuses{{a, -SIGTERM}, {b, -SIGTERM}}));
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(KillChildren, AHundredChildrenAreEnded) {
  Children children(1h, clock_);
  Statuses expected;
  for (int i = 0; i < 100; ++i) {
    expected[StartObedient(children)] = -SIGTERM;
  }
  EXPECT_EQ(EndAll(children), expected);
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(KillChildren, NoChildrenAreNoProblem) {
  Children children(1h, clock_);
  EXPECT_TRUE(EndAll(children).empty());
  EXPECT_EQ(clock_.passed(), 0h);
}

TEST_F(KillChildren, TheEndOfTheScopeEndsTheChildren) {
  Call([&] {
    Children children(1h, clock_);
    StartObedient(children);
    StartStubborn(children);
  });
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(KillChildren, AnExceptionEndsTheChildrenAndGoesOn) {
  const auto body = [&] {
    Children children(1h, clock_);
    StartObedient(children);
    throw std::runtime_error("the body failed");
  };
  try {
    Call(body);
    ADD_FAILURE() << "the exception was lost";
  } catch (const support::DidNotReturn&) {
    throw;
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the body failed");
  }
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(KillChildren, NoDescriptorIsLeft) {
  const auto before = support::OpenDescriptors();
  Call([&] {
    Children children(1h);  // the clock of the tests has descriptors of its own
    children.Start({"sleep", "1000"});
    for (int i = 0; i < 50; ++i) {
      EXPECT_THROW(children.Start({"/no/such/program"}), std::system_error);
    }
  });
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "");
}

TEST_F(KillChildren, AReapedChildKeepsNoDescriptor) {
  Children children(1h);
  const auto before = support::OpenDescriptors();
  for (int i = 0; i < 5; ++i) {
    const pid_t pid = children.Start({"true"});
    EXPECT_EQ(WaitFor(children, pid, 1h), 0);
  }
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "");
}

// --- Politely, then by force -----------------------------------------------

TEST_F(KillChildren, TheEndOfTheScopeIsPoliteToo) {
  Call([&] {
    Children children(1h, clock_);
    clock_.WillEnd(StartUp(
        children,
        absl::StrCat("trap 'echo bye > ", Path("note"), "; exit 7' TERM"),
        kSleep));
  });
  EXPECT_EQ(support::ReadFile(Path("note")), "bye\n")
      << "its handler for SIGTERM was not run to the end";
}

TEST_F(KillChildren, AChildMayCleanUpBeforeItEnds) {
  Children children(1h, clock_);
  const pid_t pid =
      StartUp(children,
              absl::StrCat("trap 'echo bye > ", Path("note"), "; exit 7' TERM"),
              kSleep);
  clock_.WillEnd(pid);
  EXPECT_EQ(EndAll(children), (Statuses{{pid, 7}}));
  std::ifstream note(Path("note"));
  std::string text;
  note >> text;
  EXPECT_EQ(text, "bye") << "its handler for SIGTERM was not run to the end";
}

TEST_F(KillChildren, WhoIgnoresSigtermIsKilledAfterTheGrace) {
  Children children(1h, clock_);
  const pid_t pid = StartStubborn(children);
  EXPECT_EQ(EndAll(children), (Statuses{{pid, -SIGKILL}}));
  EXPECT_EQ(Sent(pid, SIGTERM), 1) << "it was not asked first";
  EXPECT_EQ(clock_.passed(), 1h) << "the grace is an hour";
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(KillChildren, TheGraceIsSharedByAll) {
  Children children(1h, clock_);
  Statuses expected;
  for (int i = 0; i < 10; ++i) expected[StartStubborn(children)] = -SIGKILL;
  EXPECT_EQ(EndAll(children), expected);
  EXPECT_EQ(clock_.passed(), 1h) << "ten stubborn children, one hour of grace";
}

// The second child answers only when somebody waits for it and the first has
// ended: it goes on when the gate opens.
TEST_F(KillChildren, OneAnswerDoesNotEndTheGraceOfTheOthers) {
  Children children(1h, clock_);
  support::Gate go(Path("go"));
  const pid_t quick = StartObedient(children);
  const pid_t slow = StartUp(
      children, absl::StrCat("trap 'read line < ", go.path(), "; exit 7' TERM"),
      kSleep);
  clock_.WillEnd(slow);
  clock_.WhenWaitingFor(slow, [&] { go.Open(); });
  EXPECT_EQ(EndAll(children), (Statuses{{quick, -SIGTERM}, {slow, 7}}));
}

TEST_F(KillChildren, AStubbornChildDoesNotShortenTheGraceOfAnother) {
  Children children(1h, clock_);
  const pid_t first = StartStubborn(children);
  const pid_t polite = StartUp(children, "trap 'exit 7' TERM", kSleep);
  const pid_t last = StartStubborn(children);
  clock_.WillEnd(polite);
  EXPECT_EQ(EndAll(children),
            (Statuses{{first, -SIGKILL}, {polite, 7}, {last, -SIGKILL}}));
}

TEST_F(KillChildren, NobodyWaitsLongerThanTheChildrenNeed) {
  Children children(1h, clock_);
  StartObedient(children);
  StartObedient(children);
  EndAll(children);
  EXPECT_EQ(clock_.passed(), 0h) << "all had ended; what was it waiting for?";
}

TEST_F(KillChildren, NoGraceMeansSigkillAtOnce) {
  Children children(0ms, clock_);
  const pid_t pid = StartUp(children, "trap 'exit 7' TERM", kSleep);
  EXPECT_EQ(EndAll(children), (Statuses{{pid, -SIGKILL}}));
  EXPECT_EQ(Sent(pid, SIGTERM), 0) << "who has no time needs no SIGTERM";
  EXPECT_EQ(clock_.passed(), 0h);
}

TEST_F(KillChildren, ANegativeGraceIsRefused) {
  EXPECT_THROW(Children(-1ms, clock_), std::invalid_argument);
}

TEST_F(KillChildren, AStoppedChildIsEndedToo) {
  Children children(1h, clock_);
  const pid_t pid = StartUp(children, "", "kill -STOP $$");
  siginfo_t info = {};
  ASSERT_EQ(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0);
  EXPECT_EQ(EndAll(children), (Statuses{{pid, -SIGKILL}}))
      << "SIGTERM waits until it goes on; SIGKILL does not";
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(KillChildren, TheRealClockEndsTheGraceToo) {
  Children children(20ms);
  const pid_t pid = StartStubborn(children);
  EXPECT_EQ(EndAll(children), (Statuses{{pid, -SIGKILL}}));
}

// A handler of the program interrupts the wait for the child.
TEST_F(KillChildren, AnInterruptedWaitGoesOn) {
  Children children(1h, clock_);
  const pid_t pid = StartStubborn(children);
  record.interruptions = 2;
  EXPECT_EQ(EndAll(children), (Statuses{{pid, -SIGKILL}}));
  EXPECT_EQ(support::ChildrenLeft(), "");
}

// --- The dead --------------------------------------------------------------

TEST_F(KillChildren, AChildThatHasEndedKeepsItsStatus) {
  Children children(1h, clock_);
  const pid_t exited = StartScript(children, "exit 3");
  const pid_t killed = StartScript(children, "kill -USR1 $$");
  EXPECT_EQ(StatusOfZombie(exited), 3);
  EXPECT_EQ(StatusOfZombie(killed), -SIGUSR1);
  EXPECT_EQ(EndAll(children), (Statuses{{exited, 3}, {killed, -SIGUSR1}}));
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(KillChildren, AReapedChildIsNotSignalled) {
  Children children(1h, clock_);
  const pid_t pid = StartScript(children, "exit 3");
  clock_.WillEnd(pid);
  EXPECT_EQ(WaitFor(children, pid, 1h), 3);
  const size_t signals = record.signals.size();
  EXPECT_EQ(EndAll(children), (Statuses{{pid, 3}}));
  EXPECT_EQ(record.signals.size(), signals);
}

TEST_F(KillChildren, EndingAllTwiceIsOnce) {
  Children children(1h, clock_);
  const pid_t pid = StartStubborn(children);
  EXPECT_EQ(EndAll(children), (Statuses{{pid, -SIGKILL}}));
  const size_t signals = record.signals.size();
  EXPECT_EQ(EndAll(children), (Statuses{{pid, -SIGKILL}}));
  EXPECT_EQ(record.signals.size(), signals);
  EXPECT_EQ(clock_.passed(), 1h);
}

TEST_F(KillChildren, AliveMeansNotEnded) {
  Children children(1h, clock_);
  EXPECT_TRUE(children.Alive().empty());
  const pid_t runs = StartObedient(children);
  const pid_t ended = StartScript(children, "exit 0");
  EXPECT_EQ(StatusOfZombie(ended), 0);
  EXPECT_EQ(children.Alive(), (std::vector<pid_t>{runs}))
      << "a zombie is not alive";
  EndAll(children);
  EXPECT_TRUE(children.Alive().empty());
}

// --- Waiting for one -------------------------------------------------------

TEST_F(KillChildren, WaitingReapsTheChildAndReturnsItsStatus) {
  Children children(1h, clock_);
  const pid_t exits = StartScript(children, "exit 47");
  const pid_t dies = StartScript(children, "kill -USR1 $$");
  clock_.WillEnd(exits);
  clock_.WillEnd(dies);
  EXPECT_EQ(WaitFor(children, exits, 1h), 47);
  EXPECT_EQ(WaitFor(children, dies, 1h), -SIGUSR1);
  EXPECT_EQ(support::ChildrenLeft(), "");
  EXPECT_EQ(WaitFor(children, exits, 1h), 47) << "the second time";
}

TEST_F(KillChildren, WaitingGivesUpAfterTheTimeout) {
  Children children(1h, clock_);
  const pid_t pid = StartStubborn(children);
  EXPECT_EQ(WaitFor(children, pid, 10min), std::nullopt);
  EXPECT_EQ(clock_.passed(), 10min);
  EXPECT_EQ(children.Alive(), (std::vector<pid_t>{pid}))
      << "waiting does no harm";
}

TEST_F(KillChildren, AHugeTimeoutDoesNotOverflow) {
  Children children(1h);
  const pid_t pid = children.Start({"sleep", "0.2"});
  EXPECT_EQ(WaitFor(children, pid, std::chrono::milliseconds::max()), 0)
      << "it gave up at once";
}

TEST_F(KillChildren, ATimeoutOfZeroOrLessOnlyLooks) {
  Children children(1h, clock_);
  const pid_t runs = StartStubborn(children);
  const pid_t ended = StartScript(children, "exit 3");
  EXPECT_EQ(StatusOfZombie(ended), 3);
  for (std::chrono::milliseconds timeout : {0ms, -1ms}) {
    EXPECT_EQ(WaitFor(children, runs, timeout), std::nullopt);
    EXPECT_EQ(WaitFor(children, ended, timeout), 3) << "it has ended";
  }
  EXPECT_EQ(clock_.passed(), 0h);
}

TEST_F(KillChildren, OnlyItsOwnChildrenCanBeWaitedFor) {
  Children children(1h, clock_);
  EXPECT_THROW(children.WaitFor(getpid(), 0ms), std::invalid_argument);
  EXPECT_THROW(children.WaitFor(-1, 0ms), std::invalid_argument);
}

// --- Others ----------------------------------------------------------------

TEST_F(KillChildren, OtherChildrenOfTheProgramAreLeftAlone) {
  const pid_t ended = StartStranger("exit 5");
  const pid_t runs = StartStranger("exec sleep 1000");
  EXPECT_EQ(StatusOfZombie(ended), 5);
  {
    Children children(1h, clock_);
    StartObedient(children);
    EndAll(children);
  }
  EXPECT_EQ(StatusOfZombie(ended), 5) << "somebody took the status of a child "
                                         "that Children did not start";
  siginfo_t info = {};
  EXPECT_EQ(waitid(P_PID, runs, &info, WEXITED | WNOHANG | WNOWAIT), 0);
  EXPECT_EQ(info.si_pid, 0) << "a stranger was ended";
}

TEST_F(KillChildren, AFailedStartIsAnErrorAndChangesNothing) {
  Children children(1h, clock_);
  try {
    Call([&] { children.Start({"/no/such/program"}); });
    ADD_FAILURE() << "no exception";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOENT) << error.what();
  }
  EXPECT_TRUE(children.Alive().empty());
  EXPECT_TRUE(EndAll(children).empty());
  EXPECT_TRUE(record.signals.empty()) << "signals, but no child";
}

// The child's child sleeps; the test adopts it when the child has ended.
TEST_F(KillChildren, GrandchildrenAreEndedToo) {
  Children children(1h, clock_);
  const pid_t pid = StartUp(
      children,
      absl::StrCat("trap 'exit 0' TERM; sleep 1000 & echo $! > ", Path("pid")),
      "wait");
  clock_.WillEnd(pid);
  pid_t grandchild = 0;
  std::ifstream(Path("pid")) >> grandchild;
  ASSERT_GT(grandchild, 0);
  EndAll(children);
  ASSERT_TRUE(WasTold(grandchild, pid)) << "nobody told the grandchild to end";
  Call([&] { WaitForAdopted(grandchild); });
}

TEST_F(KillChildren, WhatAChildLeavesBehindIsEndedWithIt) {
  Children children(1h, clock_);
  const pid_t pid = StartScript(
      children, absl::StrCat("trap '' TERM; sleep 1000 & echo $! > ",
                             Path("pid"), "; exit 3"));
  EXPECT_EQ(StatusOfZombie(pid), 3);
  pid_t orphan = 0;
  std::ifstream(Path("pid")) >> orphan;
  ASSERT_GT(orphan, 0);
  EXPECT_EQ(WaitFor(children, pid, 1h), 3);
  ASSERT_TRUE(WasTold(orphan, pid)) << "nobody told the orphan to end";
  Call([&] { WaitForAdopted(orphan); });
}

TEST_F(KillChildren, TheChildrenObeyEvenIfTheProgramIgnoresSigterm) {
  struct sigaction old;
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGTERM, &ignore, &old);
  Children children(1h, clock_);
  const pid_t pid = StartObedient(children);
  sigaction(SIGTERM, &old, nullptr);
  // Not left to the clock: an ignored signal would leave it waiting.
  kill(pid, SIGTERM);
  EXPECT_EQ(WaitFor(children, pid, 1h), -SIGTERM);
}

TEST_F(KillChildren, SignalsAreHandledAsBefore) {
  struct sigaction before, after;
  sigset_t mask_before, mask_after;
  sigaction(SIGCHLD, nullptr, &before);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  Children children(1h, clock_);
  StartObedient(children);
  for (const char* when : {"while children run", "after their end"}) {
    sigaction(SIGCHLD, nullptr, &after);
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
    EXPECT_EQ(before.sa_handler, after.sa_handler)
        << "another handler for SIGCHLD " << when;
    EXPECT_EQ(sigismember(&mask_before, SIGCHLD),
              sigismember(&mask_after, SIGCHLD))
        << "SIGCHLD is blocked " << when;
    EndAll(children);
  }
}

TEST_F(KillChildren, IgnoredSigchldIsRefused) {
  struct sigaction old;
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &old);
  EXPECT_THROW(Children(1h, clock_), std::logic_error);
  sigaction(SIGCHLD, &old, nullptr);
}

}  // namespace
