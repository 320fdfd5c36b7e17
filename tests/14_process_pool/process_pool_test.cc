// SPDX-License-Identifier: Apache-2.0
//
// What ProcessPool promises, with real processes and pipes. Each name is a
// rule.
//
// Three behaviours of Python's pools have no rule. Work that is still pending
// when the pool is shut down: here Map returns when nothing is pending. Exit
// code 1 of a worker with an uncaught exception: a task's exception is always
// caught, and comes back. And no rule asks which worker gets which item:
// dealing them all out beforehand is slower when some items take longer, not
// wrong.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "answer.h"
#include "gtest/gtest.h"
#include "tests/support/data.h"
#include "tests/support/forks.h"
#include "tests/support/process_fixture.h"
#include "tests/support/processes.h"
#include "tests/support/signal_action.h"

namespace {

using support::kMebibyte;
using support::NewLinks;
using support::Pattern;
using support::ReadFile;
using support::SignalAction;
using support::SleepForEver;
using support::WaitUntilItSleeps;

using Pool = workbook::ProcessPool;
using Strings = std::vector<std::string>;

std::string Reversed(const std::string& text) {
  return {text.rbegin(), text.rend()};
}

// "0", "1", ... as many as `size`.
Strings Numbers(int size) {
  Strings numbers;
  for (int i = 0; i < size; ++i) numbers.push_back(absl::StrCat(i));
  return numbers;
}

// One byte more in a file that all processes may write to.
void AddByte(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (fd < 0 || write(fd, "x", 1) != 1) _exit(88);
  close(fd);
}

volatile sig_atomic_t broken_pipe_signals = 0;
void CountBrokenPipe(int) { broken_pipe_signals = broken_pipe_signals + 1; }

class ProcessPool : public support::ProcessTest {
 protected:
  std::unique_ptr<Pool> Make(size_t workers, Pool::Task task) {
    return Call([&] { return std::make_unique<Pool>(workers, task); });
  }

  Strings Map(Pool& pool, const Strings& items, size_t chunk = 1) {
    return Call([&] { return pool.Map(items, chunk); });
  }

  std::vector<int> Shutdown(Pool& pool) {
    return Call([&] { return pool.Shutdown(); });
  }

  // The error that a map ends with, as (type, text); ("", "") if there is none.
  std::pair<std::string, std::string> ErrorOf(Pool& pool, const Strings& items,
                                              size_t chunk = 1) {
    try {
      Map(pool, items, chunk);
    } catch (const workbook::TaskError& error) {
      return {error.type, error.what()};
    }
    return {"", ""};
  }

  // The status with which a worker broke the pool; nothing if none did.
  std::optional<int> Broken(Pool& pool, const Strings& items,
                            size_t chunk = 1) {
    try {
      Map(pool, items, chunk);
    } catch (const workbook::BrokenProcessPool& error) {
      return error.status;
    }
    return std::nullopt;
  }

 private:
  // Otherwise a single forgotten SIGPIPE would end the whole run.
  SignalAction broken_pipe_{SIGPIPE, CountBrokenPipe};
  // Otherwise workers that go on as callers would fill the machine.
  support::ForkCounter forks_;
};

// --- Results ---------------------------------------------------------------

TEST_F(ProcessPool, EachResultIsTheTasksOfItsItem) {
  const auto pool = Make(3, Reversed);
  // Made after the workers, and too long for the string object itself.
  Strings items, expected;
  for (int i = 0; i < 50; ++i) {
    items.push_back(
        absl::StrCat("item ", i, ": ", std::string(100, 'a' + i % 26)));
    expected.push_back(Reversed(items.back()));
  }
  EXPECT_EQ(Map(*pool, items), expected);
  EXPECT_EQ(Map(*pool, {"second", "call"}), (Strings{"dnoces", "llac"}));
}

TEST_F(ProcessPool, ResultsComeInTheOrderOfTheItems) {
  support::Gate later_is_done(directory() + "/later_is_done");
  const auto pool = Make(2, [&](const std::string& item) {
    if (item == "0" && !later_is_done.WaitForByte()) {
      return std::string("items 0 and 1 are not in the works at once");
    }
    if (item == "3") later_is_done.Open();
    return item;
  });
  EXPECT_EQ(Map(*pool, {"0", "1", "2", "3"}), (Strings{"0", "1", "2", "3"}));
}

TEST_F(ProcessPool, TheSizeOfTheChunksDoesNotChangeTheResults) {
  const auto pool = Make(3, Reversed);
  for (int size : {1, 2, 3, 10, 29}) {
    Strings items, expected;
    for (int i = 0; i < size; ++i) {
      items.push_back(absl::StrCat(i, "/", size));
      expected.push_back(Reversed(items.back()));
    }
    for (size_t chunk : {1, 2, 3, 7, 1000}) {
      EXPECT_EQ(Map(*pool, items, chunk), expected)
          << size << " items in chunks of " << chunk;
    }
  }
}

TEST_F(ProcessPool, NoItemsAreNoResults) {
  const auto pool = Make(2, Reversed);
  EXPECT_EQ(Map(*pool, {}), Strings());
  EXPECT_EQ(Map(*pool, {"ab"}), (Strings{"ba"})) << "fewer items than workers";
}

TEST_F(ProcessPool, EveryByteArrives) {
  const auto pool = Make(2, [](const std::string& item) { return item; });
  const Strings items = {"",
                         std::string("a\0b\n", 4),
                         std::string(1, '\0'),
                         "",
                         Pattern(1000),
                         "\xff\r\n"};
  EXPECT_EQ(Map(*pool, items), items);
  EXPECT_EQ(Map(*pool, items, 3), items);
}

TEST_F(ProcessPool, ItemsAndResultsLargerThanAPipeDoNotBlock) {
  const auto pool = Make(2, Reversed);
  Strings items, expected;
  for (int i = 0; i < 6; ++i) {
    items.push_back(Pattern(kMebibyte + i, i + 1));
    expected.push_back(Reversed(items.back()));
  }
  for (size_t chunk : {1, 2}) {
    EXPECT_TRUE(Map(*pool, items, chunk) == expected)
        << "chunks of " << chunk << ": the results are not right";
  }
}

// --- Processes -------------------------------------------------------------

TEST_F(ProcessPool, TasksRunInOtherProcesses) {
  const auto pool =
      Make(3, [](const std::string&) { return absl::StrCat(getpid()); });
  const std::vector<pid_t> children = support::Descendants();
  EXPECT_EQ(children.size(), 3u) << "a pool of 3 has 3 processes";
  for (const std::string& result : Map(*pool, Numbers(40))) {
    const pid_t pid = std::stoi(result);
    EXPECT_NE(pid, getpid()) << "a task ran in the caller's process";
    EXPECT_EQ(std::count(children.begin(), children.end(), pid), 1)
        << "a task ran in a process that is not one of the workers";
  }
}

TEST_F(ProcessPool, TwoItemsAreInTheWorksAtOnce) {
  support::Gate first(directory() + "/first");
  support::Gate second(directory() + "/second");
  const auto pool = Make(2, [&](const std::string& item) {
    (item == "0" ? first : second).Open();
    const bool met = (item == "0" ? second : first).WaitForByte();
    return std::string(met ? "met" : "alone");
  });
  EXPECT_EQ(Map(*pool, {"0", "1"}), (Strings{"met", "met"}));
}

TEST_F(ProcessPool, ATaskKnowsTheCallersPastAndChangesNothingOfIt) {
  static int global;
  global = 1;
  int captured = 10;
  const auto pool = Make(1, [&](const std::string&) {
    return absl::StrCat(global++, " ", captured++);
  });
  global = 5;  // too late for the worker
  EXPECT_EQ(Map(*pool, {"", "", ""}), (Strings{"1 10", "2 11", "3 12"}));
  EXPECT_EQ(global, 5) << "a task has changed the caller's memory";
  EXPECT_EQ(captured, 10) << "a task has changed the caller's memory";
}

TEST_F(ProcessPool, WorkersAreMadeByTheConstructorOnly) {
  // A fork copies a mutex as it is, and not the thread that will unlock it.
  static std::mutex held;
  const auto pool = Make(2, [](const std::string& item) {
    std::lock_guard<std::mutex> lock(held);
    return item;
  });
  std::atomic<bool> locked = false;
  std::atomic<bool> mapped = false;
  std::thread holder([&] {
    std::lock_guard<std::mutex> lock(held);
    locked = true;
    while (!mapped) sched_yield();
  });
  while (!locked) sched_yield();
  {
    absl::Cleanup done = [&] {
      mapped = true;
      holder.join();
    };
    EXPECT_EQ(Map(*pool, {"a", "b", "c"}), (Strings{"a", "b", "c"}));
  }
}

TEST_F(ProcessPool, AWorkerHoldsNoPipeOfAnother) {
  const auto before = support::OpenDescriptors();
  // Every item waits for the other two, so that each worker has one.
  support::Gate gates[] = {support::Gate(directory() + "/0"),
                           support::Gate(directory() + "/1"),
                           support::Gate(directory() + "/2")};
  const auto pool = Make(3, [&](const std::string& item) -> std::string {
    for (support::Gate& gate : gates) gate.Open();
    for (int i = 0; i < 3; ++i) {
      if (!gates[std::stoi(item)].WaitForByte()) return "alone";
    }
    std::string links = absl::StrCat(getpid());
    for (const auto& [fd, target] : NewLinks(before)) {
      absl::StrAppend(&links, " ", target);
    }
    return links;
  });
  std::map<std::string, std::string> owner;  // by pipe
  for (const std::string& result : Map(*pool, Numbers(3))) {
    EXPECT_NE(result, "alone") << "three workers never had an item each";
    const Strings words = absl::StrSplit(result, ' ');
    for (size_t i = 1; i < words.size(); ++i) {
      const auto [entry, is_new] = owner.emplace(words[i], words[0]);
      EXPECT_TRUE(is_new || entry->second == words[0])
          << "two workers hold " << words[i]
          << ": as long as one of them lives, it has no end";
    }
  }
}

TEST_F(ProcessPool, AWorkerPrintsNothingOfTheCallers) {
  const std::string path = directory() + "/printed";
  std::FILE* file = std::fopen(path.c_str(), "we");
  ASSERT_NE(file, nullptr);
  std::fputs("once\n", file);  // stays in the buffer of stdio for now
  {
    const auto pool = Make(2, Reversed);
    EXPECT_EQ(Map(*pool, {"ab"}), (Strings{"ba"}));
    Shutdown(*pool);
  }
  std::fclose(file);
  EXPECT_EQ(ReadFile(path), "once\n") << "a worker has flushed our buffers";
}

// --- Errors in tasks -------------------------------------------------------

TEST_F(ProcessPool, AnExceptionComesBackWithTypeAndText) {
  const auto pool = Make(2, [](const std::string& item) -> std::string {
    if (item == "range") throw std::out_of_range("no such page");
    if (item == "system") {
      throw std::system_error(ENOENT, std::generic_category(), "open");
    }
    if (item == "long") throw std::runtime_error(std::string(kMebibyte, 'x'));
    if (item == "empty") throw std::runtime_error("");
    if (item == "number") throw 42;
    return item;
  });
  using Error = std::pair<std::string, std::string>;
  EXPECT_EQ(ErrorOf(*pool, {"a", "range", "b"}),
            Error("std::out_of_range", "no such page"));
  EXPECT_EQ(ErrorOf(*pool, {"system"}).first, "std::system_error");
  EXPECT_EQ(ErrorOf(*pool, {"system"}).second,
            "open: No such file or directory");
  EXPECT_EQ(ErrorOf(*pool, {"long"}).second.size(), kMebibyte)
      << "a text larger than a pipe";
  EXPECT_EQ(ErrorOf(*pool, {"empty"}), Error("std::runtime_error", ""));
  EXPECT_EQ(ErrorOf(*pool, {"number"}).first, "int");
  EXPECT_EQ(Map(*pool, {"fine"}), (Strings{"fine"}))
      << "an exception in a task is no reason to lose the pool";
}

TEST_F(ProcessPool, AfterAnErrorTheOtherItemsAreComputed) {
  const std::string log = directory() + "/log";
  const auto pool = Make(2, [&](const std::string& item) -> std::string {
    AddByte(log);
    if (item == "1") throw std::runtime_error("one");
    return item;
  });
  for (size_t chunk : {1, 3}) {
    EXPECT_EQ(ErrorOf(*pool, Numbers(20), chunk).second, "one");
    EXPECT_EQ(ReadFile(log).size(), 20u) << "items in chunks of " << chunk;
    std::remove(log.c_str());
  }
}

TEST_F(ProcessPool, AnErrorLeavesNoOldResultsBehind) {
  const auto pool = Make(2, [&](const std::string& item) -> std::string {
    if (item == "bad") throw std::runtime_error("bad");
    return item;
  });
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(ErrorOf(*pool, {"bad", "old 1", "old 2", "old 3"}).second, "bad");
    EXPECT_EQ(Map(*pool, {"new 1", "new 2"}), (Strings{"new 1", "new 2"}));
  }
}

TEST_F(ProcessPool, TheErrorOfTheFirstItemIsThrown) {
  support::Gate go_on(directory() + "/go_on");
  const auto pool = Make(2, [&](const std::string& item) -> std::string {
    if (item == "1" && !go_on.WaitForByte()) return "not at once";
    if (item == "4") go_on.Open();
    if (item == "1" || item == "2") throw std::runtime_error("error " + item);
    return item;
  });
  EXPECT_EQ(ErrorOf(*pool, Numbers(5)).second, "error 1")
      << "item 2 failed before item 1 did; the order of the items counts";
}

TEST_F(ProcessPool, AResultThatCannotBeSentIsAnErrorOfItsItem) {
  const auto pool = Make(2, [](const std::string& item) {
    return std::string(Pool::kMaxResultSize + (item == "long" ? 1 : 0), 'x');
  });
  EXPECT_EQ(Map(*pool, {"just right"})[0].size(), Pool::kMaxResultSize);
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(ErrorOf(*pool, {"long"}).first, "std::length_error");
  }
  EXPECT_EQ(Map(*pool, {"just right"})[0].size(), Pool::kMaxResultSize);
}

// --- Workers that end ------------------------------------------------------

TEST_F(ProcessPool, AKilledWorkerIsAnErrorNotAHang) {
  const auto end = [](const std::string& item) {
    if (item == "kill") raise(SIGKILL);
    if (item == "terminate") raise(SIGTERM);
    if (item == "leave") _exit(3);
    if (item == "leave well") _exit(0);
    return item;
  };
  const std::map<std::string, int> statuses = {{"kill", -SIGKILL},
                                               {"terminate", -SIGTERM},
                                               {"leave", 3},
                                               {"leave well", 0}};
  for (const auto& [item, status] : statuses) {
    for (size_t workers : {1, 3}) {
      const auto pool = Make(workers, end);
      const std::optional<int> broken = Broken(*pool, {"a", item, "b", "c"});
      ASSERT_TRUE(broken.has_value())
          << item << ", " << workers << " workers: no BrokenProcessPool";
      EXPECT_EQ(*broken, status) << item << ", " << workers << " workers";
    }
  }
}

TEST_F(ProcessPool, AKilledWorkerIsNoticedWhileAnotherIsBusy) {
  for (const std::string killed : {"0", "1"}) {
    const auto pool = Make(2, [&](const std::string& item) -> std::string {
      if (item == killed) raise(SIGKILL);
      SleepForEver();
    });
    EXPECT_EQ(Broken(*pool, {"0", "1"}), -SIGKILL);
    EXPECT_EQ(support::ChildrenLeft(), "")
        << "nobody needs the other worker any more";
  }
}

TEST_F(ProcessPool, AWorkerKilledWhileOthersHaveLargeResultsIsAnError) {
  support::Gate ready(directory() + "/ready");
  const auto pool = Make(2, [&](const std::string& item) -> std::string {
    if (item == "1") {
      ready.Open();
      return std::string(4 * kMebibyte, 'x');
    }
    ready.WaitForByte();
    _exit(3);
  });
  EXPECT_EQ(Broken(*pool, {"0", "1"}), 3);
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(ProcessPool, AnAnswerCutShortIsAnError) {
  const auto before = support::OpenDescriptors();
  const auto pool = Make(1, [&](const std::string&) -> std::string {
    // As if it were killed after the first byte.
    for (const auto& [fd, target] : NewLinks(before)) {
      if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) {
        (void)!write(fd, "\1", 1);
      }
    }
    raise(SIGKILL);
    return "";
  });
  EXPECT_EQ(Broken(*pool, {"a"}), -SIGKILL);
}

// The task closes the worker's end of the pipe with the items: the next read
// fails. What that throws has nowhere to go but to the end of the process.
TEST_F(ProcessPool, AWorkerThatCannotGoOnEndsWithOne) {
  const auto before = support::OpenDescriptors();
  const pid_t caller = getpid();
  std::unique_ptr<Pool> pool;
  try {
    pool = Make(1, [&](const std::string& item) {
      for (const auto& [fd, target] : NewLinks(before)) {
        if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) close(fd);
      }
      return item;
    });
  } catch (...) {
    if (getpid() != caller) _exit(2);  // A worker has come back from Pool().
    throw;
  }
  EXPECT_EQ(Broken(*pool, {"a", "b"}), 1)
      << "the worker's exit code; 2 if it went on as a second caller";
}

TEST_F(ProcessPool, ABrokenPoolRefusesWork) {
  const auto pool = Make(2, [](const std::string& item) {
    if (item == "leave") _exit(3);
    return item;
  });
  EXPECT_EQ(Broken(*pool, {"leave"}), 3);
  EXPECT_EQ(Broken(*pool, {"a"}), 3) << "the second call after the end";
  EXPECT_EQ(support::ChildrenLeft(), "");
  EXPECT_EQ(Shutdown(*pool), std::vector<int>())
      << "nobody is left to wait for";
}

TEST_F(ProcessPool, AWorkerKilledBetweenTwoCallsIsAnError) {
  const auto pool = Make(2, Reversed);
  EXPECT_EQ(Map(*pool, {"ab", "cd"}), (Strings{"ba", "dc"}));
  for (pid_t pid : support::Descendants()) {
    kill(pid, SIGKILL);
    siginfo_t info;  // wait until it has ended, but leave it to be waited for
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
  }
  broken_pipe_signals = 0;
  EXPECT_EQ(Broken(*pool, {Pattern(kMebibyte), "b"}), -SIGKILL);
  EXPECT_EQ(broken_pipe_signals, 0)
      << "SIGPIPE was delivered: it would have ended this program";
}

TEST_F(ProcessPool, AWorkerKilledWhileALargeItemIsWrittenIsAnError) {
  const auto pool = Make(1, Reversed);
  const std::vector<pid_t> workers = support::Descendants();
  ASSERT_EQ(workers.size(), 1u);
  kill(workers[0], SIGSTOP);  // It will not read.
  siginfo_t info;
  waitid(P_PID, workers[0], &info, WSTOPPED | WNOWAIT);
  broken_pipe_signals = 0;
  std::thread killer([&] {
    WaitUntilItSleeps(getpid());
    kill(workers[0], SIGKILL);
  });
  absl::Cleanup join = [&] { killer.join(); };
  EXPECT_EQ(Broken(*pool, {Pattern(4 * kMebibyte)}), -SIGKILL);
  EXPECT_EQ(broken_pipe_signals, 0)
      << "SIGPIPE was delivered: it would have ended this program";
}

TEST_F(ProcessPool, WorkersEndWhenTheCallerIsKilled) {
  support::Gate up(directory() + "/up");
  const pid_t caller = fork();
  if (caller == 0) {
    const support::ForkCounter may_fork;
    const Pool pool(3, Reversed);
    up.Open();
    SleepForEver();
  }
  ASSERT_TRUE(up.WaitForByte()) << "the pool was not made";
  EXPECT_EQ(support::Descendants().size(), 4u);
  kill(caller, SIGKILL);
  // The workers are now children of this process, a subreaper.
  EXPECT_EQ(Call([&] {
              int reaped = 0;
              while (waitpid(-1, nullptr, 0) > 0) ++reaped;
              return reaped;
            }),
            4);
}

// The worker writes more than a pipe holds, and nobody will read it. It learns
// that only if the other end of its pipe is closed, its own copy included.
TEST_F(ProcessPool, AWorkerThatWritesEndsWhenTheCallerIsKilled) {
  const pid_t caller = fork();
  if (caller == 0) {
    const support::ForkCounter may_fork;
    const pid_t self = getpid();
    Pool pool(1, [&](const std::string&) {
      kill(self, SIGKILL);
      return Pattern(kMebibyte);
    });
    pool.Map({"a"});
    _exit(0);
  }
  // The worker becomes a child of this process, a subreaper.
  EXPECT_EQ(Call([&] {
              int reaped = 0;
              while (waitpid(-1, nullptr, 0) > 0) ++reaped;
              return reaped;
            }),
            2);
}

// --- Signals ---------------------------------------------------------------

TEST_F(ProcessPool, SignalsInTheMiddleAreNotErrors) {
  static volatile sig_atomic_t received;
  received = 0;
  SignalAction action(SIGUSR1, [](int) { received = received + 1; });
  // A child that was not waited for may still send signals.
  absl::Cleanup end_children = [] { support::EndAllDescendants(); };
  const pid_t caller = getpid();
  const auto pool = Make(2, [&](const std::string& item) {
    for (int i = 0; i < 3; ++i) {
      WaitUntilItSleeps(caller);
      kill(caller, SIGUSR1);
    }
    return item;
  });
  EXPECT_EQ(Map(*pool, Numbers(10)), Numbers(10));
  EXPECT_GE(received, 1);
}

TEST_F(ProcessPool, ASignalInTheMiddleOfAWriteLosesNothing) {
  static std::atomic<int> received;
  received = 0;
  SignalAction action(SIGUSR1, [](int) { received++; });
  const auto pool = Make(1, Reversed);
  const std::vector<pid_t> workers = support::Descendants();
  ASSERT_EQ(workers.size(), 1u);
  kill(workers[0], SIGSTOP);  // It will not read, so the pipe fills up.
  siginfo_t info;
  waitid(P_PID, workers[0], &info, WSTOPPED | WNOWAIT);
  const pthread_t caller = pthread_self();
  std::thread interrupter([&] {
    for (int i = 1; i <= 3; ++i) {
      WaitUntilItSleeps(getpid());
      pthread_kill(caller, SIGUSR1);
      while (received < i) sched_yield();
    }
    WaitUntilItSleeps(getpid());
    kill(workers[0], SIGCONT);
  });
  absl::Cleanup join = [&] { interrupter.join(); };
  const std::string item = Pattern(kMebibyte);
  EXPECT_TRUE(Map(*pool, {item}) == Strings{Reversed(item)})
      << "a write that was interrupted wrote only a part";
}

TEST_F(ProcessPool, TheCallersSignalSettingsStayAsTheyWere) {
  struct sigaction action_before, action_after;
  sigset_t mask_before, mask_after, pending;
  sigaction(SIGPIPE, nullptr, &action_before);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  {
    const auto pool = Make(1, [](const std::string&) -> std::string {
      raise(SIGKILL);
      return "";
    });
    EXPECT_EQ(Broken(*pool, {"a"}), -SIGKILL);
  }
  sigaction(SIGPIPE, nullptr, &action_after);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  sigpending(&pending);
  EXPECT_EQ(action_before.sa_handler, action_after.sa_handler)
      << "what SIGPIPE does belongs to the whole program, not to this class";
  for (int number : {SIGPIPE, SIGCHLD, SIGINT}) {
    EXPECT_EQ(sigismember(&mask_before, number),
              sigismember(&mask_after, number))
        << "signal " << number << " is blocked or unblocked for good";
  }
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0)
      << "a SIGPIPE is left waiting to strike";
}

// --- The end ---------------------------------------------------------------

TEST_F(ProcessPool, ShutdownEndsTheWorkersAndWaitsForThem) {
  const auto pool = Make(4, Reversed);
  EXPECT_EQ(Map(*pool, Numbers(9)), Numbers(9));
  const std::vector<int> statuses = Shutdown(*pool);
  EXPECT_EQ(support::ChildrenLeft(), "");
  EXPECT_EQ(statuses, std::vector<int>(4, 0))
      << "a worker that ends because there is nothing left to do ends with 0";
  EXPECT_EQ(Shutdown(*pool), std::vector<int>()) << "the second time";
  EXPECT_THROW(Map(*pool, {"a"}), std::logic_error);
}

TEST_F(ProcessPool, TheDestructorEndsTheWorkersAndWaitsForThem) {
  auto pool = Make(3, Reversed);
  EXPECT_EQ(Map(*pool, {"ab"}), (Strings{"ba"}));
  Call([&] { pool.reset(); });
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(ProcessPool, NoDescriptorIsLeftOpen) {
  const auto before = support::OpenDescriptors();
  for (const std::string last : {"a", "throw", "kill"}) {
    auto pool = Make(3, [](const std::string& item) {
      if (item == "throw") throw std::runtime_error("thrown");
      if (item == "kill") raise(SIGKILL);
      return item;
    });
    EXPECT_EQ(Map(*pool, Numbers(5)), Numbers(5));
    try {
      Map(*pool, {last});
    } catch (const std::runtime_error&) {
    }
    Call([&] { pool.reset(); });
    EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "")
        << "the last item was '" << last << "'";
  }
}

TEST_F(ProcessPool, OnlyItsOwnWorkersAreWaitedFor) {
  const pid_t other = fork();
  if (other == 0) _exit(21);
  siginfo_t info;
  waitid(P_PID, other, &info, WEXITED | WNOWAIT);
  {
    auto pool = Make(2, Reversed);
    EXPECT_EQ(Map(*pool, {"ab"}), (Strings{"ba"}));
    EXPECT_EQ(Shutdown(*pool), (std::vector<int>{0, 0}));
  }
  int status = 0;
  EXPECT_EQ(waitpid(other, &status, WNOHANG), other)
      << "another child of the program was waited for";
  EXPECT_EQ(WEXITSTATUS(status), 21);
}

// --- Pools that cannot be made ---------------------------------------------

TEST_F(ProcessPool, AFailedStartLeavesNothingBehind) {
  const auto before = support::OpenDescriptors();
  rlimit old;
  getrlimit(RLIMIT_NOFILE, &old);
  // One more descriptor each time, until four workers can be made: whichever
  // pipe is the first that cannot be had, those before it must go.
  int failures = 0;
  for (rlim_t limit = support::FirstFreeDescriptor(before); limit < 1000;
       ++limit) {
    rlimit few = old;
    few.rlim_cur = limit;
    bool failed = false;
    try {
      Call([&] {
        // For these lines only: the sanitizers use descriptors, too.
        setrlimit(RLIMIT_NOFILE, &few);
        absl::Cleanup restore = [&] { setrlimit(RLIMIT_NOFILE, &old); };
        const Pool pool(4, Reversed);
      });
    } catch (const std::system_error& error) {
      failed = true;
      EXPECT_EQ(error.code().value(), EMFILE) << error.what();
    }
    ASSERT_EQ(support::ChildrenLeft(), "") << "after failure " << failures;
    ASSERT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "")
        << "after failure " << failures;
    if (!failed) break;
    ++failures;
  }
  EXPECT_GE(failures, 8) << "a pool of 4 needs 4 descriptors and more";
}

TEST_F(ProcessPool, AFailedForkIsAnErrorInTheCaller) {
  const auto before = support::OpenDescriptors();
  // If somebody waits for process -1, it is this one.
  const pid_t other = fork();
  if (other == 0) _exit(21);
  siginfo_t info;
  waitid(P_PID, other, &info, WEXITED | WNOWAIT);
  std::optional<int> error_number;
  const bool possible = support::RunWithoutFork([&] {
    try {
      Make(2, Reversed);
    } catch (const std::system_error& error) {
      error_number = error.code().value();
    }
  });
  ASSERT_TRUE(possible) << "this kernel has no seccomp(2): fork cannot be made "
                        << "to fail";
  EXPECT_EQ(error_number, EAGAIN) << "there was no such std::system_error";
  EXPECT_EQ(waitpid(other, nullptr, WNOHANG), other)
      << "another child of the program was waited for";
  EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "");
}

TEST_F(ProcessPool, ImpossibleNumbersAreRefused) {
  EXPECT_THROW(Make(0, Reversed), std::invalid_argument);
  const auto pool = Make(1, Reversed);
  EXPECT_THROW(Map(*pool, {"a"}, 0), std::invalid_argument);
  EXPECT_EQ(Map(*pool, {"ab"}), (Strings{"ba"}));
}

}  // namespace
