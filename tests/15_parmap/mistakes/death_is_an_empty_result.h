// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a child that dies without an answer has the result "".
// Verdict: wrong result
// Rule: AChildThatDiesIsAnErrorOfItsItemAlone

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

inline std::string CurrentExceptionType() {
  const char* const name = abi::__cxa_current_exception_type()->name();
  char* const readable = abi::__cxa_demangle(name, nullptr, nullptr, nullptr);
  std::string type = readable != nullptr ? readable : name;
  std::free(readable);
  return type;
}

class Sender {
 public:
  explicit Sender(Descriptor pipe) : pipe_(std::move(pipe)) {}

  void Send(std::string_view message);

  void Close() { pipe_.Close(); }

 private:
  Descriptor pipe_;
};

class Receiver {
 public:
  explicit Receiver(Descriptor pipe) : pipe_(std::move(pipe)) {}

  std::optional<std::string> Receive();

  void Close() { pipe_.Close(); }

 private:
  bool Fill(std::span<char> bytes);

  Descriptor pipe_;
};

struct Channel {
  Receiver receiver;
  Sender sender;
};

inline Channel MakeChannel() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) ThrowErrno(errno, "pipe");
  return {Receiver(Descriptor(fds[0])), Sender(Descriptor(fds[1]))};
}

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
  while (!bytes.empty()) {
    const ssize_t n = read(pipe_.get(), bytes.data(), bytes.size());
    if (n == 0) return false;
    if (n > 0) {
      bytes = bytes.subspan(n);
    } else if (errno != EINTR) {
      ThrowErrno(errno, "read");
    }
  }
  return true;
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

  int Wait() {
    int raw = 0;
    while (waitpid(pid_, &raw, 0) < 0) {
      if (errno != EINTR) break;
    }
    pid_ = 0;
    return WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
  }

  Receiver answer;

 private:
  pid_t pid_;
};

constexpr char kResult = 'r';
constexpr char kError = 'e';

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
  _exit(0);
}

template <typename Item, typename Fn>
std::vector<absl::StatusOr<std::string>> ParMap(const std::vector<Item>& items,
                                                Fn fn) {
  std::vector<Child> children;
  children.reserve(items.size());
  for (const Item& item : items) {
    Channel channel = MakeChannel();
    const pid_t pid = fork();
    if (pid < 0) ThrowErrno(errno, "fork");
    if (pid == 0) {
      for (Child& sibling : children) sibling.answer.Close();
      channel.receiver.Close();
      Answer(item, fn, channel.sender);
    }
    children.emplace_back(pid, std::move(channel.receiver));
  }

  std::vector<absl::StatusOr<std::string>> results;
  results.reserve(items.size());
  for (Child& child : children) {
    const std::string answer = child.answer.Receive().value_or("r");
    child.Wait();
    if (answer.front() == kError) {
      results.push_back(absl::UnknownError(answer.substr(1)));
    } else {
      results.push_back(answer.substr(1));
    }
  }
  return results;
}

}  // namespace workbook

#endif
