// SPDX-License-Identifier: Apache-2.0
//
// Chapter 16: starts child processes and ends them all: politely, within one
// period of grace, then by force. This answer starts them with fork, and asks
// the kernel to kill them if the program dies by SIGKILL and cannot do it.

#ifndef WORKBOOK_16_KILL_CHILDREN_CHILDREN_H_
#define WORKBOOK_16_KILL_CHILDREN_CHILDREN_H_

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
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
// REQUIRES: the calling thread lives as long as the process is to live.
inline Process StartInOwnGroup(const std::vector<std::string>& argv) {
  if (argv.empty()) throw std::invalid_argument("Start: empty argv");
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);

  // Close-on-exec: it says that exec has succeeded by ending without a word.
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) ThrowErrno(errno, "pipe");
  Descriptor read_end(fds[0]), write_end(fds[1]);

  const pid_t parent = getpid();
  Process process;
  process.pid = fork();
  if (process.pid < 0) ThrowErrno(errno, "fork");
  if (process.pid == 0) {
    // Only async-signal-safe calls: other threads may have held locks, and are
    // gone now.
    setpgid(0, 0);
    // SIGKILL when the thread that called Start() ends. What may have happened
    // already is seen by the parent that we have now.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    // Blocked and ignored signals survive exec: a child of a program that
    // ignores SIGTERM would ignore it too.
    for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execvp(arguments[0], arguments.data());
    const int error = errno;
    (void)!write(write_end.get(), &error, sizeof(error));
    _exit(127);
  }
  write_end.Close();
  int error = 0;
  ssize_t n;
  while ((n = read(read_end.get(), &error, sizeof(error))) < 0 &&
         errno == EINTR) {
  }
  if (n != 0) {
    while (waitpid(process.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    ThrowErrno(error, argv[0]);
  }
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
  ~Children() { EndAll(); }
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
    std::vector<pid_t> alive;
    for (const auto& [pid, child] : children_) {
      if (!child.status.has_value() &&
          !clock_.WaitForEnd(child.ended.get(), kLongAgo)) {
        alive.push_back(pid);
      }
    }
    return alive;
  }

  // Waits until the child has ended, reaps it, and returns its status; or
  // nothing, if it has not ended `timeout` after the call. Zero or less: looks,
  // and does not wait. Throws std::invalid_argument if `pid` is not a child.
  std::optional<int> WaitFor(pid_t pid, std::chrono::milliseconds timeout) {
    const auto found = children_.find(pid);
    if (found == children_.end()) {
      throw std::invalid_argument("WaitFor: no such child");
    }
    ReapIfEnded(pid, found->second, DeadlineAfter(timeout));
    return found->second.status;
  }

  // Ends all children and returns the statuses of all, by pid. Those that have
  // not ended get SIGTERM, and have `grace` to end: one period, that starts for
  // all of them now. Then SIGKILL ends those that are left. No grace: SIGKILL
  // at once, and no SIGTERM. Returns as soon as all have ended and have been
  // reaped. Has no effect on children that had been reaped.
  std::map<pid_t, int> EndAll() {
    if (grace_ > grace_.zero()) {
      for (const auto& [pid, child] : children_) {
        if (!child.status.has_value()) kill(-pid, SIGTERM);
      }
      // Everybody has been told before anybody is waited for. One after the
      // other is good enough, as the deadline is the same.
      const TimePoint deadline = DeadlineAfter(grace_);
      for (auto& [pid, child] : children_) ReapIfEnded(pid, child, deadline);
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
    kill(-pid, SIGKILL);
    int raw = 0;
    while (waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
    }
    child.status = WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
    child.ended.Close();
  }

  // Reaps the child if it ends before the deadline, or has ended.
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
