// SPDX-License-Identifier: Apache-2.0
//
// What RunCommand promises, with real programs, pipes and signals. Each name is
// a rule. The programs are those of every Linux: sh, cat, head, tee, readlink.
//
// Two behaviours of Python's subprocess have no rule, because the interface
// leaves no room for them: waiting twice (there is no handle to wait for), and
// going on after a time-out (the child is killed). Closing a descriptor twice
// has none either, since only another thread can suffer from it; owning
// descriptors in a class prevents it.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "answer.h"
#include "gtest/gtest.h"
#include "tests/support/data.h"
#include "tests/support/process_fixture.h"
#include "tests/support/processes.h"
#include "tests/support/signal_action.h"

namespace {

using support::kMebibyte;
using support::Pattern;
using support::ReadFile;
using support::SignalAction;

using namespace std::chrono_literals;
using workbook::CommandOptions;
using workbook::CommandResult;
using Argv = std::vector<std::string>;

// What two long strings differ in, in words: nobody reads a mebibyte.
std::string Difference(const std::string& actual, const std::string& expected) {
  const size_t at = std::mismatch(actual.begin(), actual.end(),
                                  expected.begin(), expected.end())
                        .first -
                    actual.begin();
  return absl::StrCat("got ", actual.size(), " bytes instead of ",
                      expected.size(), "; the first difference is at byte ",
                      at);
}

// The signals 1 to 31 in a line of /proc/PID/status, as a set of bits. (The
// next two belong to the C library.)
uint32_t StandardSignals(const std::string& status, const std::string& line) {
  const size_t at = status.find(line);
  if (at == std::string::npos) return ~uint32_t{0};
  return std::stoull(status.substr(at + line.size(), 16), nullptr, 16) &
         0x7fffffff;
}

volatile sig_atomic_t broken_pipe_signals = 0;
void CountBrokenPipe(int) { broken_pipe_signals = broken_pipe_signals + 1; }

class RunCommand : public support::ProcessTest {
 protected:
  CommandResult Run(const Argv& argv, const CommandOptions& options = {}) {
    return Call([&] { return workbook::RunCommand(argv, options); });
  }

  // Runs a script of /bin/sh. Not RunShell, which has rules of its own.
  CommandResult Script(const std::string& script,
                       const CommandOptions& options = {}) {
    return Run({"sh", "-c", script}, options);
  }

  // Runs a script that would go on for ever, with a time-out. Returns what the
  // error carries, or nothing if there was no such error. A time-out that is
  // long enough for an idle machine may be short for a busy one: where the
  // child came to say less than `expected_output` bytes, a longer one is tried.
  std::optional<CommandResult> TimeOut(const std::string& script,
                                       size_t expected_output = 0,
                                       CommandOptions options = {}) {
    std::optional<CommandResult> partial;
    for (std::chrono::milliseconds timeout : {250ms, 4000ms}) {
      options.timeout = timeout;
      try {
        Script(script, options);
        return std::nullopt;
      } catch (const workbook::CommandTimedOut& error) {
        partial = error.partial;
      }
      if (partial->out.size() + partial->err.size() >= expected_output) break;
    }
    return partial;
  }

  // The std::system_error that starting `argv` throws, as (errno, text).
  std::pair<int, std::string> StartError(const Argv& argv,
                                         const CommandOptions& options = {}) {
    try {
      const CommandResult result = Run(argv, options);
      return {0, absl::StrCat("no exception; status ", result.status)};
    } catch (const std::system_error& error) {
      return {error.code().value(), error.what()};
    }
  }

 private:
  // Otherwise a single forgotten SIGPIPE would end the whole run.
  SignalAction broken_pipe_{SIGPIPE, CountBrokenPipe};
};

// --- The two streams -------------------------------------------------------

TEST_F(RunCommand, KeepsOutputAndErrorsApartByteForByte) {
  const CommandResult result =
      Script("printf 'one\\0two\\377\\r\\n\\nend'; printf '\\0err' >&2");
  EXPECT_EQ(result.out, std::string("one\0two\377\r\n\nend", 14))
      << "zero bytes, line ends and a missing last line end are data";
  EXPECT_EQ(result.err, std::string("\0err", 4));
}

TEST_F(RunCommand, OneMebibyteOnStderrDoesNotBlock) {
  const CommandResult result =
      Script("head -c 1048576 /dev/zero >&2; echo done");
  EXPECT_EQ(result.out, "done\n");
  EXPECT_EQ(result.err.size(), kMebibyte);
}

TEST_F(RunCommand, OneMebibyteOnStdoutDoesNotBlock) {
  const CommandResult result =
      Script("head -c 1048576 /dev/zero; echo done >&2");
  EXPECT_EQ(result.out.size(), kMebibyte);
  EXPECT_EQ(result.err, "done\n");
}

TEST_F(RunCommand, InputAndBothOutputsLargerThanAPipeDoNotBlock) {
  const std::string input = Pattern(4 * kMebibyte);
  const CommandResult result = Script("tee /dev/stderr", {.input = input});
  EXPECT_TRUE(result.out == input)
      << "stdout: " << Difference(result.out, input);
  EXPECT_TRUE(result.err == input)
      << "stderr: " << Difference(result.err, input);
}

// --- The input -------------------------------------------------------------

TEST_F(RunCommand, TheChildReadsTheInputAndThenItsEnd) {
  const CommandResult result = Run({"cat"}, {.input = "a\0b\n"});
  EXPECT_EQ(result.out, "a") << "the input ends where the string ends";
  EXPECT_EQ(Run({"cat"}, {.input = std::string("a\0b\n", 4)}).out,
            std::string("a\0b\n", 4));
}

TEST_F(RunCommand, WithoutInputTheChildReadsTheEndAtOnce) {
  // The caller's own standard input must not be passed on: here it has text.
  const std::string path = directory() + "/input";
  std::ofstream(path) << "the caller's\n";
  const int saved = dup(STDIN_FILENO);
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  dup2(file, STDIN_FILENO);
  close(file);
  std::string out;
  try {
    out = Script("cat; echo end").out;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  if (saved >= 0) {
    dup2(saved, STDIN_FILENO);
    close(saved);
  }
  EXPECT_EQ(out, "end\n");
}

TEST_F(RunCommand, OneStreamMayEndLongBeforeTheOther) {
  EXPECT_EQ(Script("exec >&-; head -c 1000000 /dev/zero >&2").err.size(),
            1000000u);
  EXPECT_EQ(Script("exec 2>&-; head -c 1000000 /dev/zero").out.size(),
            1000000u);
}

TEST_F(RunCommand, TheInputArrivesAlsoAfterBothOutputsAreClosed) {
  EXPECT_EQ(Script("exec >&- 2>&-; [ $(wc -c) = 1048576 ]",
                   {.input = Pattern(kMebibyte)})
                .status,
            0)
      << "the child did not get all of its input";
}

TEST_F(RunCommand, AChildThatStopsReadingDoesNotKillTheCaller) {
  broken_pipe_signals = 0;
  const CommandResult result =
      Script("exit 4", {.input = std::string(kMebibyte, 'x')});
  EXPECT_EQ(result.status, 4) << "unread input is no error";
  EXPECT_EQ(broken_pipe_signals, 0)
      << "SIGPIPE was delivered: it would have ended this program";
}

// --- The exit status -------------------------------------------------------

TEST_F(RunCommand, TheExitCodeIsDecoded) {
  for (int code : {0, 1, 47, 100, 255}) {
    EXPECT_EQ(Script(absl::StrCat("exit ", code)).status, code);
  }
}

TEST_F(RunCommand, DeathBySignalIsMinusTheSignalNumber) {
  EXPECT_EQ(Script("kill -KILL $$").status, -9);
  EXPECT_EQ(Script("kill -TERM $$").status, -15);
  EXPECT_EQ(Script("kill -ABRT $$").status, -6);
  // A shell between says it in its own way.
  EXPECT_EQ(Script("sh -c 'kill -KILL $$'; exit $?").status, 128 + 9);
}

// --- Signals ---------------------------------------------------------------

TEST_F(RunCommand, SignalsInTheMiddleAreNotErrors) {
  static volatile sig_atomic_t received;
  received = 0;
  SignalAction action(SIGUSR1, [](int) { received = received + 1; });
  // A child that was not waited for may still send signals.
  absl::Cleanup end_children = [] { support::EndAllDescendants(); };
  // Each signal is sent once the caller sleeps: first while it waits for
  // output, then, after the child has closed its streams, for its end.
  const CommandResult result = Script(R"(
      signal() {
        until grep -q '^State:.*sleeping' /proc/$PPID/status; do :; done
        kill -USR1 $PPID
      }
      for i in 1 2 3; do signal; echo $i; done
      exec >&- 2>&-
      for i in 4 5 6; do signal; done
      exit 7)",
                                      {.input = Pattern(kMebibyte)});
  EXPECT_GE(received, 1);
  EXPECT_EQ(result.out, "1\n2\n3\n");
  EXPECT_EQ(result.status, 7);
}

TEST_F(RunCommand, TheCallersSignalSettingsStayAsTheyWere) {
  struct sigaction action_before, action_after;
  sigset_t mask_before, mask_after, pending;
  sigaction(SIGPIPE, nullptr, &action_before);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  Script("exit 0", {.input = std::string(kMebibyte, 'x')});
  sigaction(SIGPIPE, nullptr, &action_after);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  sigpending(&pending);
  EXPECT_EQ(action_before.sa_handler, action_after.sa_handler)
      << "what SIGPIPE does belongs to the whole program, not to this function";
  for (int number : {SIGPIPE, SIGCHLD, SIGALRM, SIGINT}) {
    EXPECT_EQ(sigismember(&mask_before, number),
              sigismember(&mask_after, number))
        << "signal " << number << " is blocked or unblocked for good";
  }
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0)
      << "a SIGPIPE is left waiting to strike";
}

TEST_F(RunCommand, TheChildStartsWithDefaultSignals) {
  SignalAction ignored(SIGTERM, SIG_IGN);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, &old);
  // Sent to itself, so that a signal that is ignored or blocked leaves it.
  const CommandResult result = Script("kill -TERM $$; exit 3");
  const std::string status = Run({"cat", "/proc/self/status"}).out;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  EXPECT_EQ(result.status, -SIGTERM) << "the child ignores what we ignore";
  EXPECT_EQ(StandardSignals(status, "SigBlk:\t"), 0u)
      << "the child blocks what we block";
  EXPECT_EQ(StandardSignals(status, "SigIgn:\t"), 0u)
      << "the child ignores signals";
}

TEST_F(RunCommand, ACallerThatIgnoresChildSignalsGetsItsOutput) {
  SignalAction ignored(SIGCHLD, SIG_IGN);
  const CommandResult result = Script("echo out; exit 7");
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.status, 0) << "the kernel has thrown the status away";
}

// --- A command that cannot start -------------------------------------------

TEST_F(RunCommand, AMissingProgramIsAnErrorInTheCaller) {
  for (const std::string program : {"/no/such/program", "no-such-program"}) {
    const auto [error, text] = StartError({program});
    EXPECT_EQ(error, ENOENT) << text;
    EXPECT_NE(text.find(program), std::string::npos)
        << "the message does not name the program: " << text;
  }
}

TEST_F(RunCommand, AProgramThatMayNotRunIsAnErrorInTheCaller) {
  const std::string path = directory() + "/text";
  std::ofstream(path) << "not a program\n";
  EXPECT_EQ(StartError({path}).first, EACCES);
  EXPECT_EQ(StartError({path + "/program"}).first, ENOTDIR);
}

TEST_F(RunCommand, TheChildStartsInTheWorkingDirectory) {
  EXPECT_EQ(Script("pwd -P", {.working_directory = "/"}).out, "/\n");
}

TEST_F(RunCommand, ABadWorkingDirectoryIsAnErrorInTheCaller) {
  const auto [error, text] =
      StartError({"true"}, {.working_directory = "/no/such/directory"});
  EXPECT_EQ(error, ENOENT) << text;
  EXPECT_NE(text.find("/no/such/directory"), std::string::npos)
      << "the message does not name the directory: " << text;
}

TEST_F(RunCommand, AFailedStartPrintsNothingOfTheCallers) {
  const std::string path = directory() + "/printed";
  std::FILE* file = std::fopen(path.c_str(), "we");
  ASSERT_NE(file, nullptr);
  std::fputs("once\n", file);  // stays in the buffer of stdio for now
  StartError({"/no/such/program"});
  std::fclose(file);
  EXPECT_EQ(ReadFile(path), "once\n")
      << "a child that never became another program has flushed our buffers";
}

TEST_F(RunCommand, AFailedStartLeavesNothingBehind) {
  const auto before = support::OpenDescriptors();
  for (int i = 0; i < 50; ++i) {
    StartError({"/no/such/program"});
    StartError({"true"}, {.working_directory = "/no/such/directory"});
  }
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "");
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(RunCommand, AnEmptyCommandIsAnInvalidArgument) {
  EXPECT_THROW(Run({}), std::invalid_argument);
}

// --- Nothing is left -------------------------------------------------------

TEST_F(RunCommand, NoDescriptorIsLeftOpen) {
  const auto before = support::OpenDescriptors();
  Run({"cat"}, {.input = "text"});
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "");
  Script("exit 1", {.input = std::string(kMebibyte, 'x')});
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "")
      << "after input that nobody read";
  TimeOut("exec sleep 1000");
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "")
      << "after a time-out";
}

TEST_F(RunCommand, NoZombieIsLeft) {
  Run({"true"});
  EXPECT_EQ(support::ChildrenLeft(), "");
  Script("kill -KILL $$");
  EXPECT_EQ(support::ChildrenLeft(), "") << "after a child that a signal ended";
}

TEST_F(RunCommand, TheEndOfBothStreamsIsNotTheEndOfTheChild) {
  EXPECT_EQ(Script("exec <&- >&- 2>&-; sleep 0.3; exit 7").status, 7);
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(RunCommand, OnlyItsOwnChildIsWaitedFor) {
  const pid_t other = fork();
  if (other == 0) _exit(21);
  siginfo_t info;  // wait until it has ended, but leave it to be waited for
  waitid(P_PID, other, &info, WEXITED | WNOWAIT);
  EXPECT_EQ(Script("exit 3").status, 3);
  int status = 0;
  EXPECT_EQ(waitpid(other, &status, WNOHANG), other)
      << "another child of the program was waited for";
  EXPECT_EQ(WEXITSTATUS(status), 21);
}

// --- Several commands at once ----------------------------------------------

TEST_F(RunCommand, AChildInheritsNoPipeOfAnother) {
  const auto before = support::OpenDescriptors();
  support::Gate up(directory() + "/up");
  support::Gate go_on(directory() + "/go_on");
  std::atomic<bool> first_ended = false;
  std::thread first([&] {
    try {
      Script(
          absl::StrCat("echo > ", up.path(), "; read line < ", go_on.path()));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    first_ended = true;
    up.Open();  // Nobody else will, if the child never came so far.
  });
  std::string open_in_second;
  if (up.WaitForByte() && !first_ended) {
    // The first child lives, so this one could inherit the ends of its pipes.
    try {
      open_in_second =
          Script("for f in /proc/$$/fd/*; do readlink $f; done; true").out;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  } else {
    ADD_FAILURE() << "the first command ended before its child did";
  }
  go_on.Open();
  first.join();

  std::set<std::string> pipes;
  for (absl::string_view target : absl::StrSplit(open_in_second, '\n')) {
    if (target.substr(0, 5) == "pipe:") pipes.emplace(target);
  }
  // What this process itself was started with is not RunCommand's doing.
  for (const auto& [fd, target] : before) pipes.erase(target);
  EXPECT_EQ(pipes.size(), 3u)
      << "a child has its own three pipes and no other; this one had open:\n"
      << open_in_second;
}

TEST_F(RunCommand, CommandsOfSeveralThreadsDoNotMix) {
  constexpr int kThreads = 6;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 4; ++i) {
        const std::string text = absl::StrCat(t, "-", i, Pattern(100000));
        try {
          const CommandResult result =
              Script(absl::StrCat("cat; exit ", 10 + t), {.input = text});
          EXPECT_TRUE(result.out == text) << Difference(result.out, text);
          EXPECT_EQ(result.status, 10 + t);
        } catch (const std::exception& error) {
          ADD_FAILURE() << error.what();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(support::ChildrenLeft(), "");
}

// --- Time-outs -------------------------------------------------------------

TEST_F(RunCommand, ACommandThatEndsInTimeIsNotDelayed) {
  // Far beyond the patience of the test.
  const CommandResult result = Script("echo quick; exit 5", {.timeout = 1h});
  EXPECT_EQ(result.out, "quick\n");
  EXPECT_EQ(result.status, 5);
}

TEST_F(RunCommand, ATimeOutCarriesTheOutputSoFar) {
  const auto partial =
      TimeOut("echo said; head -c 1048576 /dev/zero >&2; exec sleep 1000",
              5 + kMebibyte);
  ASSERT_TRUE(partial.has_value()) << "there was no CommandTimedOut";
  EXPECT_EQ(partial->out, "said\n");
  EXPECT_EQ(partial->err.size(), kMebibyte);
}

TEST_F(RunCommand, ATimeOutKillsTheChildAndWaitsForIt) {
  const auto partial = TimeOut("echo $$; exec sleep 1000", 2);
  EXPECT_EQ(support::ChildrenLeft(), "");
  ASSERT_TRUE(partial.has_value()) << "there was no CommandTimedOut";
  ASSERT_NE(partial->out, "");
  EXPECT_FALSE(support::Exists(std::stoi(partial->out)))
      << "the process is still there";
}

TEST_F(RunCommand, EveryPieceOfOutputDoesNotRestartTheClock) {
  EXPECT_TRUE(TimeOut("while :; do echo tick; sleep 0.02; done").has_value())
      << "there was no CommandTimedOut";
}

TEST_F(RunCommand, AChildThatNeverReadsItsInputStillTimesOut) {
  EXPECT_TRUE(
      TimeOut("exec sleep 1000", 0, {.input = std::string(kMebibyte, 'x')})
          .has_value())
      << "there was no CommandTimedOut";
}

TEST_F(RunCommand, AChildThatClosedItsOutputStillTimesOut) {
  EXPECT_TRUE(TimeOut("exec <&- >&- 2>&-; exec sleep 1000").has_value())
      << "there was no CommandTimedOut";
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(RunCommand, AGrandchildThatHoldsTheOutputStillTimesOut) {
  // The child itself ends at once; its own child lives on.
  const auto partial = TimeOut("sleep 1000 & echo gone", 5);
  ASSERT_TRUE(partial.has_value()) << "there was no CommandTimedOut";
  EXPECT_EQ(partial->out, "gone\n");
}

// --- Arguments and shell strings -------------------------------------------

TEST_F(RunCommand, NoShellReadsTheArguments) {
  const Argv words = {"two words", "$HOME", "*", "; exit 9", "'\"", ""};
  Argv argv = {"printf", "<%s>"};
  argv.insert(argv.end(), words.begin(), words.end());
  EXPECT_EQ(Run(argv).out, "<two words><$HOME><*><; exit 9><'\"><>");
}

TEST_F(RunCommand, AShellReadsAShellString) {
  const CommandResult result = Call([] {
    return workbook::RunShell("read n; echo $((n * 2)) | cat; exit 3",
                              {.input = "21\n"});
  });
  EXPECT_EQ(result.out, "42\n");
  EXPECT_EQ(result.status, 3);
}

TEST_F(RunCommand, AShellReportsAMissingProgramByItsStatus) {
  const CommandResult result =
      Call([] { return workbook::RunShell("no-such-program"); });
  EXPECT_EQ(result.status, 127);
  EXPECT_NE(result.err, "");
}

}  // namespace
