// SPDX-License-Identifier: Apache-2.0
//
// Mistake: asks one child, gives it the whole grace, then turns to the next:
//   ten stubborn children take ten times as long.
// Verdict: wrong result
// Rule: TheGraceIsSharedByAll

#ifndef WORKBOOK_16_KILL_CHILDREN_CHILDREN_H_
#define WORKBOOK_16_KILL_CHILDREN_CHILDREN_H_

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"

namespace workbook {

// As in the skeleton, without its comments.

[[noreturn]] inline void ThrowErrno(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void Close() {
    if (is_open()) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

using TimePoint = std::chrono::steady_clock::time_point;
constexpr TimePoint kLongAgo = {};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() { return std::chrono::steady_clock::now(); }
  virtual bool WaitForEnd(int pidfd, TimePoint deadline) {
    while (true) {
      const int64_t left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - Now())
              .count();
      pollfd entry = {pidfd, POLLIN, 0};
      const int timeout = std::clamp<int64_t>(left, 0, INT_MAX);
      const int ready = poll(&entry, 1, timeout);
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) ThrowErrno(errno, "poll");
      if (left <= 0) return false;
    }
  }

  static Clock& Real() {
    static Clock clock;
    return clock;
  }
};

struct Process {
  pid_t pid;
  Descriptor ended;
};

inline Process StartInOwnGroup(const std::vector<std::string>& argv) {
  if (argv.empty()) throw std::invalid_argument("Start: empty argv");
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  absl::Cleanup destroy_attributes = [&] {
    posix_spawnattr_destroy(&attributes);
  };
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF |
                                            POSIX_SPAWN_SETPGROUP);

  Process process;
  const int error = posix_spawnp(&process.pid, arguments[0], nullptr,
                                 &attributes, arguments.data(), environ);
  if (error != 0) ThrowErrno(error, argv[0]);
  process.ended =
      Descriptor(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
  if (!process.ended.is_open()) {
    const int pidfd_error = errno;
    kill(process.pid, SIGKILL);
    while (waitpid(process.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    ThrowErrno(pidfd_error, "pidfd_open");
  }
  return process;
}

class Children {
 public:
  explicit Children(
      std::chrono::milliseconds grace = std::chrono::milliseconds(5000),
      Clock& clock = Clock::Real())
      : grace_(grace), clock_(clock) {
    if (grace < grace.zero()) {
      throw std::invalid_argument("Children: negative grace");
    }
    struct sigaction action;
    sigaction(SIGCHLD, nullptr, &action);
    if (action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT)) {
      throw std::logic_error("Children: SIGCHLD is ignored");
    }
  }
  ~Children() { EndAll(); }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  pid_t Start(const std::vector<std::string>& argv) {
    Process process = StartInOwnGroup(argv);
    const pid_t pid = process.pid;
    children_[pid] = Child{std::move(process.ended), std::nullopt};
    return pid;
  }

  std::vector<pid_t> Alive() const {
    std::vector<pid_t> alive;
    for (const auto& [pid, child] : children_) {
      if (!child.status.has_value() &&
          !clock_.WaitForEnd(child.ended.get(), kLongAgo)) {
        alive.push_back(pid);
      }
    }
    return alive;
  }

  std::optional<int> WaitFor(pid_t pid, std::chrono::milliseconds timeout) {
    const auto found = children_.find(pid);
    if (found == children_.end()) {
      throw std::invalid_argument("WaitFor: no such child");
    }
    ReapIfEnded(pid, found->second, DeadlineAfter(timeout));
    return found->second.status;
  }

  std::map<pid_t, int> EndAll() {
    if (grace_ > grace_.zero()) {
      for (auto& [pid, child] : children_) {
        if (child.status.has_value()) continue;
        kill(-pid, SIGTERM);
        ReapIfEnded(pid, child, DeadlineAfter(grace_));
      }
    }
    std::map<pid_t, int> statuses;
    for (auto& [pid, child] : children_) {
      if (!child.status.has_value()) Reap(pid, child);
      statuses[pid] = *child.status;
    }
    return statuses;
  }

 private:
  struct Child {
    Descriptor ended;
    std::optional<int> status;
  };

  TimePoint DeadlineAfter(std::chrono::milliseconds timeout) {
    constexpr std::chrono::hours kForever(24 * 365 * 100);
    return clock_.Now() + std::clamp<std::chrono::milliseconds>(
                              timeout, std::chrono::hours(0), kForever);
  }

  static void Reap(pid_t pid, Child& child) {
    kill(-pid, SIGKILL);
    int raw = 0;
    while (waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
    }
    child.status = WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
    child.ended.Close();
  }

  void ReapIfEnded(pid_t pid, Child& child, TimePoint deadline) {
    if (child.status.has_value()) return;
    if (clock_.WaitForEnd(child.ended.get(), deadline)) Reap(pid, child);
  }

  const std::chrono::milliseconds grace_;
  Clock& clock_;
  std::map<pid_t, Child> children_;
};

}  // namespace workbook

#endif  // WORKBOOK_16_KILL_CHILDREN_CHILDREN_H_
