// SPDX-License-Identifier: Apache-2.0
//
// Chapter 15: a map with one process per item, whose results come back through
// pipes, one message each. Read chapters/15_parmap/README.md, then fill in the
// TODOs.
//
// Grade it with:  bazel test //chapters/15_parmap/...

#ifndef WORKBOOK_15_PARMAP_PARMAP_H_
#define WORKBOOK_15_PARMAP_PARMAP_H_

#include <cxxabi.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace workbook {

// ---------------------------------------------------------------------------
// Given: owning a descriptor, names of types.

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

// The type of the exception that is being handled.
inline std::string CurrentExceptionType() {
  const char* const name = abi::__cxa_current_exception_type()->name();
  char* const readable = abi::__cxa_demangle(name, nullptr, nullptr, nullptr);
  std::string type = readable != nullptr ? readable : name;
  std::free(readable);
  return type;
}

// ---------------------------------------------------------------------------
// A channel: a pipe that keeps messages apart. The two ends are two types, so
// that nobody can read from the end that writes.

// Sends messages of any length and of any bytes. Not thread-safe.
class Sender {
 public:
  explicit Sender(Descriptor pipe) : pipe_(std::move(pipe)) {}

  // Sends one message, and waits while the pipe is full. Throws
  // std::logic_error if this end is closed, std::system_error if the message
  // cannot be sent. If nobody holds the other end, that is EPIPE, and SIGPIPE
  // before it: a process that does not handle the signal ends.
  void Send(std::string_view message);

  void Close() { pipe_.Close(); }

 private:
  Descriptor pipe_;
};

// Receives what a Sender has sent. Not thread-safe.
class Receiver {
 public:
  explicit Receiver(Descriptor pipe) : pipe_(std::move(pipe)) {}

  // Waits for the next message and returns it. Returns nothing if there is no
  // whole message any more: the last process that held the other end has closed
  // it, or has ended. Throws std::logic_error if this end is closed.
  std::optional<std::string> Receive();

  void Close() { pipe_.Close(); }

 private:
  // Fills `bytes`; false if the stream ends before.
  bool Fill(std::span<char> bytes);

  Descriptor pipe_;
};

struct Channel {
  Receiver receiver;
  Sender sender;
};

// Throws std::system_error if there are no descriptors left.
inline Channel MakeChannel() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) ThrowErrno(errno, "pipe");
  return {Receiver(Descriptor(fds[0])), Sender(Descriptor(fds[1]))};
}

// Given. The size of the message, as a size_t, and then the message. A pipe
// that is full, or a signal, may cut any write() short.
inline void Sender::Send(std::string_view message) {
  if (!pipe_.is_open()) throw std::logic_error("Send: the channel is closed");
  const size_t size = message.size();
  const std::string_view header(reinterpret_cast<const char*>(&size),
                                sizeof(size));
  for (std::string_view bytes : {header, message}) {
    while (!bytes.empty()) {
      const ssize_t n = write(pipe_.get(), bytes.data(), bytes.size());
      if (n >= 0) {
        bytes.remove_prefix(n);
      } else if (errno != EINTR) {
        ThrowErrno(errno, "write");
      }
    }
  }
}

inline bool Receiver::Fill(std::span<char> bytes) {
  // TODO(1): the mirror image of Send: read() until `bytes` is full. What does
  // a result of 0 mean?
  (void)bytes;
  return false;
}

inline std::optional<std::string> Receiver::Receive() {
  if (!pipe_.is_open()) {
    throw std::logic_error("Receive: the channel is closed");
  }
  size_t size = 0;
  if (!Fill({reinterpret_cast<char*>(&size), sizeof(size)})) return {};
  std::string message(size, '\0');
  if (!Fill(message)) return {};
  return message;
}

// ---------------------------------------------------------------------------
// The map.

// Given. A child process, and the end of the channel on which it will answer.
// When it is destroyed it kills the process and waits for it, unless Wait has
// done so.
class Child {
 public:
  Child(pid_t pid, Receiver answer) : answer(std::move(answer)), pid_(pid) {}
  Child(Child&& other)
      : answer(std::move(other.answer)), pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    Wait();
  }

  // Waits for the end of the process. Returns its exit code, or -N if signal N
  // ended it. To be called once.
  int Wait() {
    int raw = 0;
    while (waitpid(pid_, &raw, 0) < 0) {
      if (errno != EINTR) break;  // SIGCHLD is ignored: nobody knows.
    }
    pid_ = 0;
    return WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
  }

  Receiver answer;

 private:
  pid_t pid_;  // 0 once it has been waited for
};

// The first byte of an answer tells a result from an error.
constexpr char kResult = 'r';
constexpr char kError = 'e';

// Given. The whole life of a child: computes, sends one message, ends.
template <typename Item, typename Fn>
[[noreturn]] void Answer(const Item& item, Fn& fn, Sender& sender) {
  std::string message;
  try {
    message = kResult;
    message += fn(item);
  } catch (const std::exception& error) {
    message = kError;
    absl::StrAppend(&message, CurrentExceptionType(), ": ", error.what());
  } catch (...) {
    message = kError;
    absl::StrAppend(&message, CurrentExceptionType());
  }
  try {
    sender.Send(message);
  } catch (...) {
    _exit(1);
  }
  // Not exit(): what the caller has buffered and registered is the caller's.
  _exit(0);
}

// Returns fn(items[i]) for each i, in this order. Every item gets a process of
// its own, and all are at work at the same time. `fn` takes a `const Item&` and
// returns a string. Items need no pipe, whatever they are: a child is a copy of
// the caller. For the same reason nobody else sees what `fn` changes in memory.
//
// An error of one item is that item's alone:
//   absl::StatusCode::kUnknown  fn threw; the message is "TYPE: TEXT", or
//                               "TYPE" if that is no std::exception;
//   absl::StatusCode::kAborted  the process ended without a whole answer; the
//                               message contains its status: the exit code, or
//                               -N if signal N ended it.
// If a process cannot be started the call throws std::system_error, and those
// that were started are killed. However it ends, it leaves no process, no
// zombie and no descriptor.
//
// Call it while the program has one thread; chapter 14 says why. POSIX.
template <typename Item, typename Fn>
std::vector<absl::StatusOr<std::string>> ParMap(const std::vector<Item>& items,
                                                Fn fn) {
  std::vector<Child> children;
  children.reserve(items.size());
  for (const Item& item : items) {
    Channel channel = MakeChannel();
    // TODO(2): fork, which may fail. The child lets go of every pipe end that
    // is not its own business, and calls Answer. The parent adds a Child. Which
    // end must the parent close before the next fork, and where is that done?
    (void)item, (void)fn, (void)channel;
  }

  std::vector<absl::StatusOr<std::string>> results;
  results.reserve(items.size());
  for (Child& child : children) {
    // TODO(3): an answer and a status: in which order? Then the result: a
    // string, an absl::UnknownError or an absl::AbortedError.
    (void)child;
  }
  return results;
}

}  // namespace workbook

#endif  // WORKBOOK_15_PARMAP_PARMAP_H_
