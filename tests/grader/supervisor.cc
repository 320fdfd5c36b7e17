// SPDX-License-Identifier: Apache-2.0

#include "tests/grader/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/random.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace grader {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Runs in the child, before any student code of the tests.
void BecomeBounded(const Limits& limits) {
  setpgid(0, 0);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const rlimit file_size = {256u << 20, 256u << 20};
  setrlimit(RLIMIT_FSIZE, &file_size);
  // All of the user's, so it is generous. Who forks without end meets it.
  const rlimit processes = {8192, 8192};
  setrlimit(RLIMIT_NPROC, &processes);
  if (limits.memory_bytes != 0) {
    const rlimit memory = {limits.memory_bytes, limits.memory_bytes};
    setrlimit(RLIMIT_AS, &memory);
  }
#ifdef __linux__
  // No privileges for the program, should root be grading. Among them is the
  // one to attach to any process, the supervisor included.
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    prctl(PR_CAPBSET_DROP, capability);
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
}

// A key that no other run has.
std::string NewKey() {
  std::string key(kKeyBytes, '\0');
#ifdef __linux__
  if (getrandom(key.data(), key.size(), 0) ==
      static_cast<ssize_t>(key.size())) {
    return key;
  }
#endif
  std::ifstream("/dev/urandom").read(key.data(), key.size());
  return key;
}

// Makes the child able to read `key` from kKeyDescriptor, once.
void LeaveKey(const std::string& key) {
  int ends[2];
  if (pipe(ends) != 0 ||
      write(ends[1], key.data(), key.size()) !=
          static_cast<ssize_t>(key.size()) ||
      dup2(ends[0], kKeyDescriptor) != kKeyDescriptor) {
    std::perror("grader: key");
    _exit(2);
  }
  close(ends[0]);
  close(ends[1]);
}

// Kills what the child left behind. Returns how many processes that were.
// The supervisor is a subreaper, so orphans of any depth become its children.
int KillAndReapLeftovers(pid_t group) {
  kill(-group, SIGKILL);
  int count = 0;
#ifdef __linux__
  for (int round = 0; round < 100; ++round) {
    // Children of ours that left the process group: found in /proc.
    std::istringstream children(
        ReadFile(absl::StrCat("/proc/self/task/", getpid(), "/children")));
    pid_t pid = 0;
    bool any = false;
    while (children >> pid) {
      any = true;
      kill(pid, SIGKILL);
      if (waitpid(pid, nullptr, 0) == pid) ++count;
    }
    if (!any) break;
  }
#endif
  while (waitpid(-1, nullptr, WNOHANG) > 0) ++count;
  return count;
}

// Names the end of a child that did not finish its tests.
void NameEarlyEnd(int status, Outcome& outcome) {
  if (WIFEXITED(status)) {
    outcome.verdict = "exit";
    outcome.message =
        absl::StrCat("the program called exit(", WEXITSTATUS(status),
                     ") before its tests were over; answers must return");
    return;
  }
  const int signal_number = WTERMSIG(status);
  outcome.verdict = "crash";
  outcome.message = absl::StrCat("the program died of signal ", signal_number,
                                 " (", strsignal(signal_number), ")");
  if (signal_number == SIGABRT) {
    absl::StrAppend(&outcome.message,
                    ": abort(), a failed assert, or an exception that nobody "
                    "caught");
  } else if (signal_number == SIGSEGV || signal_number == SIGBUS) {
    absl::StrAppend(&outcome.message,
                    ": a bad pointer, or recursion without end");
  }
}

// Runs one child and watches it to its end.
Outcome SuperviseOnce(const Limits& limits, const std::string& log_path,
                      const std::string& key, absl::FunctionRef<int()> child) {
  Outcome outcome;
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) {
    std::perror("grader: pipe");
    std::exit(2);
  }
#ifdef __linux__
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // What this process knows is closed to others of the same user: its memory,
  // its descriptors, and ptrace. An exec makes the child an ordinary one.
  prctl(PR_SET_DUMPABLE, 0);
#endif
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) {
    std::perror("grader: fork");
    std::exit(2);
  }
  if (pid == 0) {
    LeaveKey(key);
    BecomeBounded(limits);
    dup2(output[1], STDOUT_FILENO);
    dup2(output[1], STDERR_FILENO);
    close(output[0]);
    close(output[1]);
    const int status = child();
    std::fflush(nullptr);
    // Not exit(): destructors of statics in student code are not graded.
    _exit(status);
  }
  close(output[1]);

  size_t bytes = 0;
  bool stopped = false;
  std::string running;
  absl::Time started = absl::Now();
  std::optional<int> status;
  bool open = true;
  const auto stop = [&](absl::string_view verdict, std::string message) {
    outcome.verdict = std::string(verdict);
    outcome.message = std::move(message);
    stopped = true;
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
  };
  while (open || !status.has_value()) {
    pollfd ready = {open ? output[0] : -1, POLLIN, 0};
    poll(&ready, 1, /*timeout=*/50);
    if (open && (ready.revents & (POLLIN | POLLHUP)) != 0) {
      char buffer[1 << 16];
      const ssize_t n = read(output[0], buffer, sizeof(buffer));
      if (n <= 0) {
        open = false;
      } else {
        const size_t room =
            limits.output_bytes - std::min(bytes, limits.output_bytes);
        std::fwrite(buffer, 1, std::min<size_t>(n, room), stdout);
        bytes += n;
        if (bytes > limits.output_bytes && !stopped) {
          stop("too much output",
               absl::StrCat("more than ", limits.output_bytes >> 10,
                            " KiB were printed; the rest is cut"));
        }
      }
    }
    if (!status.has_value()) {
      int s = 0;
      if (waitpid(pid, &s, WNOHANG) == pid) {
        status = s;
        // A process left behind may hold the pipe open for ever.
        if (KillAndReapLeftovers(pid) > 0 && !stopped && WIFEXITED(s)) {
          outcome.verdict = "process leak";
          outcome.message =
              "a process was still running after the last test; every child "
              "must be waited for";
        }
      }
    }
    if (status.has_value() || stopped) continue;
    const VerdictLog log = ParseVerdictLog(ReadFile(log_path), key);
    const TestOutcome* test = log.Running();
    const std::string now_running =
        test != nullptr ? test->name : absl::StrCat("#", log.tests.size());
    if (now_running != running) {
      running = now_running;
      started = absl::Now();
    } else if (absl::Now() - started > limits.per_test) {
      stop("time-out",
           absl::StrCat("no end after ", absl::FormatDuration(limits.per_test),
                        ": an endless loop, or a wait that nothing ends"));
    }
  }
  close(output[0]);
  outcome.log = ParseVerdictLog(ReadFile(log_path), key);
  if (outcome.log.forged) {
    outcome.verdict = kTampering;
    outcome.message =
        "the log of the tests has a line that the tests did not write";
  } else if (!outcome.log.done && !stopped) {
    // A verdict that the child wrote before it died says more than its status.
    const TestOutcome* test = outcome.log.Running();
    if (test != nullptr && !test->verdict.empty()) {
      outcome.verdict = test->verdict;
      outcome.message = test->message;
    } else {
      NameEarlyEnd(*status, outcome);
    }
  }
  return outcome;
}

}  // namespace

void NameTestsThatDidNotRun(const std::vector<std::string>& tests,
                            Outcome& outcome) {
  for (const std::string& name : tests) {
    const bool ran =
        std::any_of(outcome.log.tests.begin(), outcome.log.tests.end(),
                    [&](const TestOutcome& test) { return test.name == name; });
    if (ran) continue;
    TestOutcome& missing = outcome.log.tests.emplace_back();
    missing.name = name;
    missing.verdict = kTampering;
    missing.message =
        "this test did not run, though nobody asked to leave it out";
    missing.finished = true;
    std::printf("✗ %s  [%s]\n    %s\n", RuleSentence(name).c_str(), kTampering,
                missing.message.c_str());
    if (outcome.verdict.empty()) {
      outcome.verdict = kTampering;
      outcome.message = missing.message;
    }
  }
}

Outcome Supervise(
    const Limits& limits, const std::string& log_path,
    absl::FunctionRef<int(const std::vector<std::string>& seen)> child) {
  unlink(log_path.c_str());
  const absl::Time start = absl::Now();
  const std::string key = NewKey();
  const VerdictLogWriter writer(log_path, key);
  std::vector<std::string> seen;
  std::string verdict, message;
  for (;;) {
    Outcome outcome =
        SuperviseOnce(limits, log_path, key, [&] { return child(seen); });
    if (verdict.empty()) {
      verdict = outcome.verdict;
      message = outcome.message;
    }
    const bool began = !outcome.log.tests.empty();
    if (!began && !outcome.verdict.empty()) {
      // Code outside the tests: constructors of statics.
      writer.Write({"start", kBeforeTheTests});
      outcome.log = ParseVerdictLog(ReadFile(log_path), key);
    }
    const TestOutcome* running = outcome.log.Running();
    if (running != nullptr && !outcome.verdict.empty()) {
      std::printf("✗ %s  [%s]\n    %s\n", RuleSentence(running->name).c_str(),
                  outcome.verdict.c_str(), outcome.message.c_str());
      std::fflush(stdout);
      const std::string name = running->name;
      writer.Write({"verdict", name, outcome.verdict, outcome.message});
      writer.Write({"end", name, "failed"});
      outcome.log = ParseVerdictLog(ReadFile(log_path), key);
    }
    const bool progress = outcome.log.tests.size() > seen.size();
    if (outcome.log.done || !progress || !began ||
        outcome.verdict == "too much output" || outcome.log.forged ||
        absl::Now() - start > limits.start_no_more_after) {
      outcome.verdict = verdict;
      outcome.message = message;
      return outcome;
    }
    seen.clear();
    for (const TestOutcome& test : outcome.log.tests) seen.push_back(test.name);
  }
}

}  // namespace grader
