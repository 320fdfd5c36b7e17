// SPDX-License-Identifier: Apache-2.0
//
// Chapter 01: runs a program, feeds it, and collects its two output streams
// and its exit status. Read chapters/01_shell_command/README.md, then fill in
// the TODOs, all of them near the end.
//
// Grade it with:  bazel test //chapters/01_shell_command/...

#ifndef WORKBOOK_01_SHELL_COMMAND_RUN_COMMAND_H_
#define WORKBOOK_01_SHELL_COMMAND_RUN_COMMAND_H_

#include <errno.h>
#include <fcntl.h>
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
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"

namespace workbook {

// ---------------------------------------------------------------------------
// What callers see.

struct CommandOptions {
  // What the child reads from its standard input, followed by end of file.
  std::string input = {};
  // Where the child starts; empty for the caller's working directory.
  std::string working_directory = {};
  // How long the command may take, from the call on; by default, for ever.
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
};

// Not `stdout` and `stderr`: those names belong to macros of the C library.
struct CommandResult {
  std::string out;  // every byte the child wrote to its standard output
  std::string err;  // every byte the child wrote to its standard error
  int status = 0;   // its exit code, or -N if signal N ended it
};

// The command took longer than CommandOptions::timeout. Its process has been
// killed and waited for.
class CommandTimedOut : public std::runtime_error {
 public:
  CommandTimedOut(const std::string& program, CommandResult partial)
      : std::runtime_error(program + ": timed out"),
        partial(std::move(partial)) {}

  // What the child wrote before it was killed.
  CommandResult partial;
};

// Runs the program argv[0], searched for in PATH, with the arguments `argv`.
// No shell reads them. Returns when the program has ended and both of its
// output streams are at end of file. (A process that inherits a stream holds it
// open, so the call also waits for such a grandchild.)
//
// A program that fails is not an error: look at `status`. Errors are
//   std::invalid_argument  argv is empty;
//   std::system_error      the program could not be started; code() is the
//                          errno, what() names the program or the directory;
//   CommandTimedOut        see there.
// However the call ends, it leaves no process, no zombie and no descriptor, and
// signals are handled as before. Where the caller ignores SIGCHLD the kernel
// throws exit statuses away; `status` is 0 then.
//
// Thread-safe. Linux only (pidfd_open).
inline CommandResult RunCommand(const std::vector<std::string>& argv,
                                const CommandOptions& options = {});

// Runs `command` as /bin/sh reads it: with pipes, variables, patterns. Never
// build `command` from text that someone else has written.
inline CommandResult RunShell(const std::string& command,
                              const CommandOptions& options = {}) {
  return RunCommand({"/bin/sh", "-c", command}, options);
}

// ---------------------------------------------------------------------------
// Given: owning a descriptor, making a pipe, starting a child, SIGPIPE, time.

using Clock = std::chrono::steady_clock;

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

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

// Close-on-exec from birth: a later fcntl() would leave a moment in which a
// child started by another thread inherits the ends.
inline Pipe MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) ThrowErrno(errno, "pipe");
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

struct Child {
  pid_t pid;
  Descriptor ended;  // poll() says POLLIN once the process has ended
};

// Starts argv with the three descriptors as its standard streams. The caller's
// own copies stay open: closing them is the caller's business.
inline Child StartChild(const std::vector<std::string>& argv,
                        const CommandOptions& options, const Descriptor& in,
                        const Descriptor& out, const Descriptor& err) {
  if (argv.empty()) throw std::invalid_argument("RunCommand: empty argv");
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  absl::Cleanup destroy_actions = [&] {
    posix_spawn_file_actions_destroy(&actions);
  };
  // Opened here and not by the child, to tell a bad directory from a missing
  // program.
  Descriptor directory;
  if (!options.working_directory.empty()) {
    directory = Descriptor(open(options.working_directory.c_str(),
                                O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open()) ThrowErrno(errno, options.working_directory);
    posix_spawn_file_actions_addfchdir_np(&actions, directory.get());
  }
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.get(), STDERR_FILENO);

  // Blocked and ignored signals survive exec; the child is to know nothing of
  // the caller's.
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
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  Child child;
  const int error = posix_spawnp(&child.pid, arguments[0], &actions,
                                 &attributes, arguments.data(), environ);
  if (error != 0) ThrowErrno(error, argv[0]);
  child.ended =
      Descriptor(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.ended.is_open()) {
    // Ended and, because SIGCHLD is ignored, gone: poll() always finds
    // /dev/null ready.
    child.ended = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  return child;
}

// While it lives, a write of this thread to a pipe without readers fails with
// EPIPE and does nothing else. (SIGPIPE, which would end the program, is sent
// to the thread that writes. Ignoring it would change the whole program.)
class SigpipeBlock {
 public:
  SigpipeBlock() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &old_mask_);
  }
  ~SigpipeBlock() {
    const timespec now = {0, 0};
    if (!was_pending_) {
      while (sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t old_mask_;
  bool was_pending_;
};

// The milliseconds until `deadline`, rounded up, as poll() takes them; 0
// once it has passed.
inline int MillisecondsUntil(Clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT_MAX));
}

// ---------------------------------------------------------------------------
// The exercise.

// Waits until one of `fds` is ready and returns true, or until the deadline has
// passed and returns false. A signal does not end the wait, and a descriptor
// that is always ready does not outlive the deadline.
inline bool PollUntil(std::span<pollfd> fds, Clock::time_point deadline) {
  // TODO(1): poll(), again and again, with the time that is left.
  (void)fds, (void)deadline;
  return false;
}

// Given. Moves what `from` has ready to the end of `to`; closes `from` at end
// of file.
inline void ReadSome(Descriptor& from, std::string& to) {
  char buffer[1 << 16];
  const ssize_t n = read(from.get(), buffer, sizeof(buffer));
  if (n > 0) to.append(buffer, n);
  if (n == 0) from.Close();
  if (n < 0 && errno != EINTR) ThrowErrno(errno, "read");
}

// Writes what `to` has room for and takes it off `input`; closes `to` when
// nothing is left to say, or nobody left to read it.
inline void WriteSome(Descriptor& to, std::string_view& input) {
  // TODO(2): the mirror image of ReadSome. Which values of errno are no errors?
  (void)to, (void)input;
}

// Serves the three pipes, whichever is ready, until all are closed: true. False
// if the deadline passes first.
inline bool Exchange(std::string_view input, Descriptor& in, Descriptor& out,
                     Descriptor& err, Clock::time_point deadline,
                     CommandResult& result) {
  // TODO(3): while a pipe is open, poll all that are, and serve the ready ones.
  (void)input, (void)in, (void)out, (void)err, (void)deadline, (void)result;
  return true;
}

// Waits for the end of the child, takes its status and returns true. False if
// the deadline passes first: then the child still has to be reaped.
inline bool Reap(const Child& child, Clock::time_point deadline, int& status) {
  // TODO(4): wait for child.ended, then for child.pid; decode the status.
  (void)child, (void)deadline, (void)status;
  return true;
}

inline CommandResult RunCommand(const std::vector<std::string>& argv,
                                const CommandOptions& options) {
  const Clock::time_point deadline = options.timeout.has_value()
                                         ? Clock::now() + *options.timeout
                                         : Clock::time_point::max();
  Pipe in = MakePipe();
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  const Child child =
      StartChild(argv, options, in.read_end, out.write_end, err.write_end);
  CommandResult result;
  // However this function ends, the child does not outlive it.
  absl::Cleanup end_child = [&] {
    kill(child.pid, SIGKILL);
    Reap(child, Clock::time_point::max(), result.status);
  };
  // TODO(5): close what is the child's alone: the caller, too, holds the
  // child's ends of the three pipes.
  if (Exchange(options.input, in.write_end, out.read_end, err.read_end,
               deadline, result) &&
      Reap(child, deadline, result.status)) {
    std::move(end_child).Cancel();
    return result;
  }
  std::move(end_child).Invoke();
  throw CommandTimedOut(argv[0], std::move(result));
}

}  // namespace workbook

#endif  // WORKBOOK_01_SHELL_COMMAND_RUN_COMMAND_H_
