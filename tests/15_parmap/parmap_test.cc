// SPDX-License-Identifier: Apache-2.0
//
// What ParMap and its channels promise, with real processes and pipes. Each
// name is a rule.
//
// One behaviour of Python's pipes has no rule: reading from an end that only
// writes is an error there, and here it does not compile.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
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

using Strings = std::vector<std::string>;
using Results = std::vector<absl::StatusOr<std::string>>;

// 0, 1, ... as many as `size`.
std::vector<int> Numbers(int size) {
  std::vector<int> numbers;
  for (int i = 0; i < size; ++i) numbers.push_back(i);
  return numbers;
}

// The results, each an error if it is one, so that they can be compared.
Strings Texts(const Results& results) {
  Strings texts;
  for (const auto& result : results) {
    texts.push_back(result.ok()
                        ? *result
                        : absl::StrCat("error: ", result.status().ToString()));
  }
  return texts;
}

// Waits until the child has ended, but leaves it to be waited for.
void WaitUntilItHasEnded(pid_t pid) {
  siginfo_t info;
  waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
}

// --- Channels --------------------------------------------------------------

class Channel : public support::ProcessTest {
 protected:
  std::optional<std::string> Receive(workbook::Channel& channel) {
    return Call([&] { return channel.receiver.Receive(); });
  }
  void Send(workbook::Channel& channel, const std::string& message) {
    Call([&] { channel.sender.Send(message); });
  }

  // Sends in another thread, and gives up when nobody receives.
  static void SendOrGiveUp(workbook::Channel& channel,
                           const std::string& message) {
    try {
      channel.sender.Send(message);
    } catch (const std::system_error&) {
    }
  }

 private:
  // Otherwise a receiver that gives up would end the whole run.
  SignalAction broken_pipe_{SIGPIPE, SIG_IGN};
  // Otherwise a child that goes on as its caller would fill the machine.
  support::ForkCounter forks_;
};

TEST_F(Channel, MessagesDoNotMerge) {
  workbook::Channel channel = workbook::MakeChannel();
  const Strings messages = {
      "one", "", "two", std::string("a\0b\n", 4), "", Pattern(1000)};
  for (const std::string& message : messages) Send(channel, message);
  for (const std::string& message : messages) {
    EXPECT_EQ(Receive(channel), message);
  }
}

TEST_F(Channel, AMessageLargerThanAPipeArrivesWhole) {
  workbook::Channel channel = workbook::MakeChannel();
  const std::string message = Pattern(16 * kMebibyte);
  std::thread sender([&] { SendOrGiveUp(channel, message); });
  std::optional<std::string> received;
  {
    absl::Cleanup join = [&] {
      channel.receiver.Close();
      sender.join();
    };
    received = Receive(channel);
  }
  EXPECT_TRUE(received == message) << "not the message that was sent";
}

TEST_F(Channel, TheEndIsNoMessage) {
  workbook::Channel channel = workbook::MakeChannel();
  Send(channel, "last");
  channel.sender.Close();
  EXPECT_EQ(Receive(channel), "last") << "what was sent before the end counts";
  EXPECT_EQ(Receive(channel), std::nullopt);
  EXPECT_EQ(Receive(channel), std::nullopt) << "and again";
}

TEST_F(Channel, AMessageCutShortIsNoMessage) {
  workbook::Channel channel = workbook::MakeChannel();
  const pid_t child = fork();
  if (child == 0) {
    channel.receiver.Close();
    try {
      channel.sender.Send(std::string(kMebibyte, 'x'));
    } catch (...) {
    }
    _exit(0);
  }
  channel.sender.Close();
  // It sleeps once the pipe is full, unless it has given up before.
  while (!support::IsSleeping(child)) {
    siginfo_t info = {};
    waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid == child) break;
    sched_yield();
  }
  kill(child, SIGKILL);
  WaitUntilItHasEnded(child);
  // Not printed: it would be long.
  EXPECT_FALSE(Receive(channel).has_value())
      << "a part of a message was taken for the whole";
}

TEST_F(Channel, AClosedEndIsAnError) {
  workbook::Channel channel = workbook::MakeChannel();
  channel.receiver.Close();
  EXPECT_THROW(Receive(channel), std::logic_error);
  channel.sender.Close();
  EXPECT_THROW(Send(channel, "text"), std::logic_error);
  EXPECT_THROW(Send(channel, ""), std::logic_error);
}

TEST_F(Channel, ASendThatNobodyCanReceiveIsAnError) {
  workbook::Channel channel = workbook::MakeChannel();
  channel.receiver.Close();
  try {
    Send(channel, "text");
    ADD_FAILURE() << "no exception";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPIPE) << error.what();
  }
}

TEST_F(Channel, SignalsInTheMiddleLoseNothing) {
  static std::atomic<int> received;
  received = 0;
  const SignalAction action(SIGUSR1, [](int) { received++; });
  workbook::Channel channel = workbook::MakeChannel();
  const std::string message = Pattern(kMebibyte);
  const pthread_t caller = pthread_self();
  const auto interrupt = [&] {
    for (int i = 0; i < 3; ++i) {
      WaitUntilItSleeps(getpid());  // in the caller's thread, that is
      const int before = received;
      pthread_kill(caller, SIGUSR1);
      while (received == before) sched_yield();
    }
    WaitUntilItSleeps(getpid());
  };
  {
    std::optional<std::string> got;
    std::thread other([&] {
      interrupt();
      got = channel.receiver.Receive();
    });
    {
      absl::Cleanup join = [&] { other.join(); };
      Send(channel, message);
    }
    EXPECT_TRUE(got == message) << "a write that was interrupted";
  }
  {
    std::thread other([&] {
      interrupt();
      SendOrGiveUp(channel, message);
    });
    std::optional<std::string> got;
    {
      absl::Cleanup join = [&] {
        channel.receiver.Close();
        other.join();
      };
      got = Receive(channel);
    }
    EXPECT_TRUE(got == message) << "a read that was interrupted";
  }
}

// --- Results ---------------------------------------------------------------

class ParMap : public support::ProcessTest {
 protected:
  template <typename Item, typename Fn>
  Results Map(const std::vector<Item>& items, Fn fn) {
    return Call([&] { return workbook::ParMap(items, fn); });
  }

  // Otherwise a child that goes on as its caller would fill the machine.
  support::ForkCounter forks_;
};

TEST_F(ParMap, TheResultsAreThoseOfALoop) {
  const auto square = [](int x) { return absl::StrCat(x * x); };
  Strings expected;
  for (int x : Numbers(10)) expected.push_back(square(x));
  EXPECT_EQ(Texts(Map(Numbers(10), square)), expected);
}

TEST_F(ParMap, ResultsComeInTheOrderOfTheItems) {
  // A lock on a file is held until its process ends. The first child waits
  // until the others have theirs, and then until they have ended.
  support::Gate locked(directory() + "/locked");
  const std::string path = directory() + "/lock";
  const auto lock_until_the_end = [&](int how) {
    flock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), how);
  };
  const auto results = Map(Numbers(4), [&](int x) {
    if (x > 0) {
      lock_until_the_end(LOCK_SH);
      locked.Open();
      return absl::StrCat(x);
    }
    for (int i = 0; i < 3; ++i) {
      if (!locked.WaitForByte()) return std::string("alone");
    }
    lock_until_the_end(LOCK_EX);
    return absl::StrCat(x);
  });
  EXPECT_EQ(Texts(results), (Strings{"0", "1", "2", "3"}));
}

TEST_F(ParMap, NoItemsAreNoResults) {
  EXPECT_EQ(Texts(Map(std::vector<int>(), [](int) { return ""; })), Strings());
  EXPECT_EQ(forks_.forks(), 0) << "no item, no process";
  EXPECT_EQ(Texts(Map(Numbers(1), [](int) { return "one"; })), Strings{"one"});
}

TEST_F(ParMap, EveryByteArrives) {
  const Strings items = {"",
                         std::string("a\0b\n", 4),
                         std::string(1, '\0'),
                         "",
                         Pattern(1000),
                         "\xff\r\n"};
  EXPECT_EQ(Texts(Map(items, [](const std::string& item) { return item; })),
            items);
}

TEST_F(ParMap, ResultsLargerThanAPipeDoNotBlock) {
  for (size_t size : {size_t{128} << 10, kMebibyte}) {
    const Results results =
        Map(Numbers(4), [&](int x) { return Pattern(size + x, x + 1); });
    ASSERT_EQ(results.size(), 4u);
    for (int x : Numbers(4)) {
      ASSERT_TRUE(results[x].ok()) << results[x].status();
      EXPECT_TRUE(*results[x] == Pattern(size + x, x + 1))
          << "result " << x << " is not what was returned";
    }
  }
}

// --- Processes -------------------------------------------------------------

TEST_F(ParMap, EveryItemGetsAProcessOfItsOwn) {
  std::set<std::string> pids = {absl::StrCat(getpid())};
  for (const std::string& pid :
       Texts(Map(Numbers(8), [](int) { return absl::StrCat(getpid()); }))) {
    EXPECT_TRUE(pids.insert(pid).second)
        << "process " << pid << " computed more than one item";
  }
  EXPECT_EQ(forks_.forks_in_children(), 0)
      << "a child went on in its parent's loop, and forked";
  EXPECT_EQ(forks_.forks(), 8);
}

TEST_F(ParMap, AllItemsAreInTheWorksAtOnce) {
  support::Gate gates[] = {support::Gate(directory() + "/0"),
                           support::Gate(directory() + "/1"),
                           support::Gate(directory() + "/2")};
  const auto results = Map(Numbers(3), [&](int x) {
    for (support::Gate& gate : gates) gate.Open();
    for (int i = 0; i < 3; ++i) {
      if (!gates[x].WaitForByte()) return "alone";
    }
    return "met";
  });
  EXPECT_EQ(Texts(results), (Strings{"met", "met", "met"}));
}

TEST_F(ParMap, AHundredItemsAreAHundredProcesses) {
  const Results results =
      Map(Numbers(100), [](int x) { return std::string(1000 + x, 'x'); });
  ASSERT_EQ(results.size(), 100u);
  for (int x : Numbers(100)) {
    ASSERT_TRUE(results[x].ok()) << results[x].status();
    EXPECT_EQ(results[x]->size(), 1000u + x);
  }
  EXPECT_EQ(forks_.forks(), 100);
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(ParMap, ItemsAreCopiedByTheForkWhateverTheyAre) {
  static int global;
  global = 1;
  std::vector<std::unique_ptr<int>> items;
  for (int x : Numbers(3)) items.push_back(std::make_unique<int>(x));
  const Results results = Map(items, [&](const std::unique_ptr<int>& item) {
    *item += 10;
    global += *item;
    return absl::StrCat(*item, " ", global);
  });
  EXPECT_EQ(Texts(results), (Strings{"10 11", "11 12", "12 13"}));
  EXPECT_EQ(*items[2], 2) << "a child has changed the caller's memory";
  EXPECT_EQ(global, 1) << "a child has changed the caller's memory";
}

TEST_F(ParMap, AChildHoldsNoPipeOfAnother) {
  const auto before = support::OpenDescriptors();
  const Results results = Map(Numbers(5), [&](int x) {
    std::string links = absl::StrCat(x);
    for (const auto& [fd, target] : NewLinks(before)) {
      absl::StrAppend(&links, " ", target);
    }
    return links;
  });
  std::map<std::string, std::string> owner;  // by pipe
  for (const std::string& result : Texts(results)) {
    const Strings words = absl::StrSplit(result, ' ');
    for (size_t i = 1; i < words.size(); ++i) {
      const auto [entry, is_new] = owner.emplace(words[i], words[0]);
      EXPECT_TRUE(is_new) << "items " << entry->second << " and " << words[0]
                          << " hold " << words[i]
                          << ": as long as one of them lives, it has no end";
    }
  }
}

TEST_F(ParMap, AChildPrintsNothingOfTheCallers) {
  const std::string path = directory() + "/printed";
  std::FILE* file = std::fopen(path.c_str(), "we");
  ASSERT_NE(file, nullptr);
  std::fputs("once\n", file);  // stays in the buffer of stdio for now
  EXPECT_EQ(Texts(Map(Numbers(2), [](int) { return "done"; })),
            (Strings{"done", "done"}));
  std::fclose(file);
  EXPECT_EQ(ReadFile(path), "once\n") << "a child has flushed our buffers";
}

// --- Errors ----------------------------------------------------------------

TEST_F(ParMap, AnExceptionIsAnErrorOfItsItemAlone) {
  const Results results = Map(Numbers(6), [](int x) -> std::string {
    if (x == 1) throw std::out_of_range("no such page");
    if (x == 2) throw std::runtime_error(std::string(kMebibyte, 'x'));
    if (x == 3) throw 42;
    if (x == 4) throw std::runtime_error("");
    return absl::StrCat(x);
  });
  ASSERT_EQ(results.size(), 6u);
  EXPECT_EQ(Texts({results[0], results[5]}), (Strings{"0", "5"}))
      << "the items without an error";
  EXPECT_EQ(results[1].status(),
            absl::UnknownError("std::out_of_range: no such page"));
  EXPECT_EQ(results[2].status().code(), absl::StatusCode::kUnknown);
  EXPECT_GE(results[2].status().message().size(), kMebibyte)
      << "a text larger than a pipe";
  EXPECT_EQ(results[3].status(), absl::UnknownError("int"));
  EXPECT_EQ(results[4].status().code(), absl::StatusCode::kUnknown);
}

TEST_F(ParMap, AChildThatDiesIsAnErrorOfItsItemAlone) {
  const Results results = Map(Numbers(5), [](int x) -> std::string {
    if (x == 0) raise(SIGKILL);
    if (x == 2) _exit(0);
    if (x == 3) _exit(3);
    return absl::StrCat(x);
  });
  ASSERT_EQ(results.size(), 5u);
  EXPECT_EQ(Texts({results[1], results[4]}), (Strings{"1", "4"}))
      << "the items whose processes did not die";
  for (int x : {0, 2, 3}) {
    EXPECT_EQ(results[x].status().code(), absl::StatusCode::kAborted)
        << "item " << x << ": " << Texts(results)[x];
  }
  EXPECT_TRUE(absl::StrContains(results[0].status().message(), "-9"))
      << results[0].status();
  EXPECT_TRUE(absl::StrContains(results[3].status().message(), "3"))
      << results[3].status();
  EXPECT_EQ(support::ChildrenLeft(), "");
}

TEST_F(ParMap, ADeathIsNoticedWhileALargeResultWaits) {
  // The second child ends when its result has been read, and not before. If it
  // held the first one's pipe, neither would come to an end.
  const Results results = Map(Numbers(2), [](int x) -> std::string {
    if (x == 0) raise(SIGKILL);
    return std::string(kMebibyte, 'x');
  });
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(results[1].ok()) << results[1].status();
}

TEST_F(ParMap, AnAnswerCutShortIsAnError) {
  const auto before = support::OpenDescriptors();
  const Results results = Map(Numbers(1), [&](int) -> std::string {
    // As if it were killed after the first byte.
    for (const auto& [fd, target] : NewLinks(before)) {
      if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) {
        (void)!write(fd, "\1", 1);
      }
    }
    raise(SIGKILL);
    return "";
  });
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status().code(), absl::StatusCode::kAborted);
}

TEST_F(ParMap, AFailedForkIsAnErrorInTheCaller) {
  const auto before = support::OpenDescriptors();
  // If somebody waits for process -1, it is this one.
  const pid_t other = fork();
  if (other == 0) _exit(21);
  WaitUntilItHasEnded(other);
  std::optional<int> error_number;
  const bool possible = support::RunWithoutFork([&] {
    try {
      Map(Numbers(2), [](int) { return ""; });
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

TEST_F(ParMap, AFailedStartLeavesNothingBehind) {
  support::Gate all_started(directory() + "/all_started");
  const auto before = support::OpenDescriptors();
  rlimit old;
  getrlimit(RLIMIT_NOFILE, &old);
  // One more descriptor each time, until four children can be started:
  // whichever pipe is the first that cannot be had, those before it must go.
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
        workbook::ParMap(Numbers(4), [&](int x) {
          if (x == 3) {
            for (int i = 0; i < 3; ++i) all_started.Open();
          } else {
            all_started.WaitForByte();
          }
          return "";
        });
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
  EXPECT_GE(failures, 4) << "four channels need 4 descriptors and more";
}

// --- Signals ---------------------------------------------------------------

TEST_F(ParMap, SignalsInTheMiddleAreNotErrors) {
  static volatile sig_atomic_t received;
  received = 0;
  const SignalAction action(SIGUSR1, [](int) { received = received + 1; });
  // A child that was not waited for may still send signals.
  absl::Cleanup end_children = [] { support::EndAllDescendants(); };
  const pid_t caller = getpid();
  const Results results = Map(Numbers(4), [&](int x) {
    for (int i = 0; i < 3; ++i) {
      WaitUntilItSleeps(caller);
      kill(caller, SIGUSR1);
    }
    return absl::StrCat(x);
  });
  EXPECT_EQ(Texts(results), (Strings{"0", "1", "2", "3"}));
  EXPECT_GE(received, 1);
}

TEST_F(ParMap, ASignalWhileItWaitsForTheEndIsNoError) {
  static std::atomic<int> received;
  received = 0;
  const SignalAction action(SIGUSR1, [](int) { received++; });
  // A child that was not waited for may still send signals.
  absl::Cleanup end_children = [] { support::EndAllDescendants(); };
  const auto before = support::OpenDescriptors();
  const pid_t caller = getpid();
  const Results results = Map(Numbers(1), [&](int) -> std::string {
    // It says good-bye, and lives on: the caller can only wait for its end.
    for (const auto& [fd, target] : NewLinks(before)) close(fd);
    for (int i = 0; i < 5; ++i) {
      WaitUntilItSleeps(caller);
      kill(caller, SIGUSR1);
    }
    _exit(3);
  });
  EXPECT_GE(received, 1);
  EXPECT_EQ(support::ChildrenLeft(), "");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status().code(), absl::StatusCode::kAborted);
}

// --- The end ---------------------------------------------------------------

TEST_F(ParMap, NothingIsLeft) {
  const auto before = support::OpenDescriptors();
  for (const std::string end : {"well", "with an exception", "killed"}) {
    Map(Numbers(5), [&](int x) -> std::string {
      if (end == "with an exception") throw std::runtime_error("thrown");
      if (end == "killed" && x % 2 == 0) raise(SIGKILL);
      return std::string(100000, 'x');
    });
    EXPECT_EQ(support::ChildrenLeft(), "") << "after children that end " << end;
    EXPECT_EQ(support::NewDescriptors(before, support::OpenDescriptors()), "")
        << "after children that end " << end;
  }
}

TEST_F(ParMap, OnlyItsOwnChildrenAreWaitedFor) {
  const pid_t other = fork();
  if (other == 0) _exit(21);
  WaitUntilItHasEnded(other);
  EXPECT_EQ(Texts(Map(Numbers(3), [](int x) { return absl::StrCat(x); })),
            (Strings{"0", "1", "2"}));
  int status = 0;
  EXPECT_EQ(waitpid(other, &status, WNOHANG), other)
      << "another child of the program was waited for";
  EXPECT_EQ(WEXITSTATUS(status), 21);
}

TEST_F(ParMap, ChildrenEndWhenTheCallerIsKilled) {
  support::Gate up(directory() + "/up");
  const pid_t caller = fork();
  if (caller == 0) {
    const support::ForkCounter may_fork;
    workbook::ParMap(Numbers(3), [&](int x) {
      if (x == 0) {  // Keeps the caller waiting.
        up.Open();
        SleepForEver();
      }
      up.Open();
      return std::string(kMebibyte, 'x');
    });
    for (int i = 0; i < 3; ++i) up.Open();  // Too early; the test goes on.
    _exit(0);
  }
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(up.WaitForByte()) << "no child " << i;
  kill(caller, SIGKILL);
  // The children are now those of this process, a subreaper. The first does not
  // know that nobody waits for it. The others write to a pipe without a reader.
  EXPECT_EQ(Call([&] {
              int reaped = 0;
              while (reaped < 3 && waitpid(-1, nullptr, 0) > 0) ++reaped;
              return reaped;
            }),
            3);
  EXPECT_EQ(support::Descendants().size(), 1u);
}

}  // namespace
