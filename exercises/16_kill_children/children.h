// SPDX-License-Identifier: Apache-2.0
//
// Chapter 16: starts child processes and ends them all: politely, within one
// period of grace, then by force. Read chapters/16_kill_children/README.md,
// then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/16_kill_children/...

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

// ---------------------------------------------------------------------------
// Given: owning a descriptor, time.

[[noreturn]] inline void ThrowErrno(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

// Owns an open file descriptor, or none: then get() is -1.
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
constexpr TimePoint kLongAgo = {};  // a deadline for those who only look

// What a group of children knows of time. The tests use one of their own, in
// which an hour of grace passes at once.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() { return std::chrono::steady_clock::now(); }
  // Waits until the process behind `pidfd` has ended, and returns true; or
  // until `deadline` has passed, and returns false. A process that has ended
  // is seen even if the deadline has passed. A signal does not end the wait.
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

// A process that was started and not yet waited for.
struct Process {
  pid_t pid;
  Descriptor ended;  // poll() says POLLIN once the process has ended
};

// ---------------------------------------------------------------------------
// The exercise.

// Starts argv[0], searched for in PATH, with the arguments `argv`. It becomes
// the leader of a process group of its own, whose number is its pid, and it
// starts with no signal blocked or ignored. Throws std::system_error if it
// cannot be started; then no process is left.
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
  // Blocked and ignored signals survive exec: a child of a program that ignores
  // SIGTERM would ignore it too.
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  // TODO(1): a process group of its own.
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

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

// Child processes that end together. None outlives the object, however the
// scope is left.
//
//   Children children(/*grace=*/std::chrono::seconds(5));
//   children.Start({"worker", "--shard=1"});
//   children.Start({"worker", "--shard=2"});
//   DoSomethingThatMayThrow();
//   children.EndAll();  // the destructor would do it, too
//
// Each child leads a process group. What it starts belongs to the group,
// unless it leaves; and what is left of the group when the child has ended is
// killed.
//
// A status is an exit code, or -N if signal N ended the child. It is kept for
// as long as the object lives.
//
// REQUIRES: nobody else waits for these children, and SIGCHLD is not ignored.
// Not thread-safe.
class Children {
 public:
  // Throws std::invalid_argument if `grace` is negative, and std::logic_error
  // if SIGCHLD is ignored: the kernel would throw statuses away, and give the
  // number of a child that has ended to somebody else.
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
  ~Children() {
    // TODO(2): no child outlives the object.
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // Starts a child and returns its pid. Throws std::system_error, and changes
  // nothing, if that fails.
  pid_t Start(const std::vector<std::string>& argv) {
    Process process = StartInOwnGroup(argv);
    const pid_t pid = process.pid;
    // An old entry with this number has been reaped: the number was free.
    children_[pid] = Child{std::move(process.ended), std::nullopt};
    return pid;
  }

  // The children that have not ended, in the order of their pids. A zombie has
  // ended.
  std::vector<pid_t> Alive() const {
    // TODO(3): neither reaped, nor ended as far as the clock can see.
    return {};
  }

  // Waits until the child has ended, reaps it, and returns its status; or
  // nothing, if it has not ended `timeout` after the call. Zero or less: looks,
  // and does not wait. Throws std::invalid_argument if `pid` is not a child.
  std::optional<int> WaitFor(pid_t pid, std::chrono::milliseconds timeout) {
    const auto found = children_.find(pid);
    if (found == children_.end()) {
      throw std::invalid_argument("WaitFor: no such child");
    }
    // TODO(4): one call of ReapIfEnded.
    (void)timeout;
    return found->second.status;
  }

  // Ends all children and returns the statuses of all, by pid. Those that have
  // not ended get SIGTERM, and have `grace` to end: one period, that starts for
  // all of them now. Then SIGKILL ends those that are left. No grace: SIGKILL
  // at once, and no SIGTERM. Returns as soon as all have ended and have been
  // reaped. Has no effect on children that had been reaped.
  std::map<pid_t, int> EndAll() {
    // TODO(5): ask everybody; wait for everybody, until one deadline; reap the
    // rest.
    return {};
  }

 private:
  struct Child {
    Descriptor ended;           // open until the child has been reaped
    std::optional<int> status;  // set when the child has been reaped
  };

  // Given. A moment after which nobody waits; far in the future if the sum
  // would overflow.
  TimePoint DeadlineAfter(std::chrono::milliseconds timeout) {
    constexpr std::chrono::hours kForever(24 * 365 * 100);
    return clock_.Now() + std::clamp<std::chrono::milliseconds>(
                              timeout, std::chrono::hours(0), kForever);
  }

  // Ends what is left of the group, and takes the child's status.
  // REQUIRES: it has not been reaped. While it has not, the number is ours,
  // and no other process or group can have it.
  static void Reap(pid_t pid, Child& child) {
    // TODO(6): first what is left of the group, then waitpid() and the decoded
    // status.
    (void)pid, (void)child;
  }

  // Given. Reaps the child if it ends before the deadline, or has ended.
  void ReapIfEnded(pid_t pid, Child& child, TimePoint deadline) {
    if (child.status.has_value()) return;
    if (clock_.WaitForEnd(child.ended.get(), deadline)) Reap(pid, child);
  }

  [[maybe_unused]] const std::chrono::milliseconds grace_;
  Clock& clock_;
  std::map<pid_t, Child> children_;
};

}  // namespace workbook

#endif  // WORKBOOK_16_KILL_CHILDREN_CHILDREN_H_
