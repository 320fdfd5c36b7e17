// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the worker keeps a copy of the read end of its own outcomes: when
//   the caller is dead and nobody reads, it waits for room for ever.
// Verdict: wrong result
// Rule: AWorkerThatWritesEndsWhenTheCallerIsKilled

#ifndef WORKBOOK_14_PROCESS_POOL_PROCESS_POOL_H_
#define WORKBOOK_14_PROCESS_POOL_PROCESS_POOL_H_

#include <cxxabi.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace workbook {

// As in the skeleton, without its comments.
class TaskError : public std::runtime_error {
 public:
  TaskError(std::string type, const std::string& text)
      : std::runtime_error(text), type(std::move(type)) {}

  std::string type;
};

class BrokenProcessPool : public std::runtime_error {
 public:
  explicit BrokenProcessPool(int status)
      : std::runtime_error(absl::StrCat("a worker has ended, ", status)),
        status(status) {}

  int status;
};

class ProcessPool {
 public:
  using Task = std::function<std::string(const std::string&)>;
  using Strings = std::vector<std::string>;

  static constexpr size_t kMaxResultSize = size_t{16} << 20;

  ProcessPool(size_t workers, Task task);
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;
  ~ProcessPool();

  Strings Map(const Strings& items, size_t chunk = 1);

  std::vector<int> Shutdown();

 private:
  struct Worker;

  void StartWorker();
  Worker& WaitForAnswer();
  std::vector<int> Kill();

  const Task task_;
  std::vector<Worker> workers_;
  std::optional<int> broken_;
};

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
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

inline Pipe MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) ThrowErrno(errno, "pipe");
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

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

inline int Reap(pid_t pid) {
  int raw = 0;
  while (waitpid(pid, &raw, 0) < 0) {
    if (errno != EINTR) return 0;
  }
  return WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
}

inline std::string CurrentExceptionType() {
  const char* const name = abi::__cxa_current_exception_type()->name();
  char* const readable = abi::__cxa_demangle(name, nullptr, nullptr, nullptr);
  std::string type = readable != nullptr ? readable : name;
  std::free(readable);
  return type;
}

inline bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(n);
    } else if (errno == EPIPE) {
      return false;
    } else if (errno != EINTR) {
      ThrowErrno(errno, "write");
    }
  }
  return true;
}

inline bool ReadAll(int fd, std::span<char> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = read(fd, bytes.data(), bytes.size());
    if (n > 0) {
      bytes = bytes.subspan(n);
    } else if (n == 0) {
      return false;
    } else if (errno != EINTR) {
      ThrowErrno(errno, "read");
    }
  }
  return true;
}

inline bool WriteSize(int fd, size_t size) {
  return WriteAll(fd, {reinterpret_cast<const char*>(&size), sizeof(size)});
}

inline bool ReadSize(int fd, size_t& size) {
  return ReadAll(fd, {reinterpret_cast<char*>(&size), sizeof(size)});
}

inline bool WriteMessage(int fd, std::span<const std::string> strings) {
  if (!WriteSize(fd, strings.size())) return false;
  for (const std::string& string : strings) {
    if (!WriteSize(fd, string.size()) || !WriteAll(fd, string)) return false;
  }
  return true;
}

inline std::optional<std::vector<std::string>> ReadMessage(int fd) {
  size_t count = 0;
  if (!ReadSize(fd, count)) return std::nullopt;
  std::vector<std::string> strings(count);
  for (std::string& string : strings) {
    size_t size = 0;
    if (!ReadSize(fd, size)) return std::nullopt;
    string.resize(size);
    if (!ReadAll(fd, string)) return std::nullopt;
  }
  return strings;
}

struct Outcome {
  std::string error_type;
  std::string text;
};

inline Outcome Compute(const ProcessPool::Task& task, const std::string& item) {
  try {
    std::string result = task(item);
    if (result.size() > ProcessPool::kMaxResultSize) {
      throw std::length_error(
          absl::StrCat("the result is too long: ", result.size(), " bytes"));
    }
    return {"", std::move(result)};
  } catch (const std::exception& error) {
    return {CurrentExceptionType(), error.what()};
  } catch (...) {
    return {CurrentExceptionType(), ""};
  }
}

inline void Serve(const ProcessPool::Task& task, int items, int outcomes) {
  while (const auto chunk = ReadMessage(items)) {
    std::vector<std::string> answer;
    for (const std::string& item : *chunk) {
      Outcome outcome = Compute(task, item);
      answer.push_back(std::move(outcome.error_type));
      answer.push_back(std::move(outcome.text));
    }
    if (!WriteMessage(outcomes, answer)) return;
  }
}

struct ProcessPool::Worker {
  pid_t pid;
  Descriptor items;
  Descriptor outcomes;
  size_t begin = 0;
  size_t end = 0;
};

inline ProcessPool::ProcessPool(size_t workers, Task task)
    : task_(std::move(task)) {
  if (workers == 0) throw std::invalid_argument("ProcessPool: no workers");
  workers_.reserve(workers);
  absl::Cleanup shutdown = [this] { Shutdown(); };
  for (size_t i = 0; i < workers; ++i) StartWorker();
  std::move(shutdown).Cancel();
}

inline ProcessPool::~ProcessPool() { Shutdown(); }

inline void ProcessPool::StartWorker() {
  Pipe items = MakePipe();
  Pipe outcomes = MakePipe();
  const pid_t pid = fork();
  if (pid < 0) ThrowErrno(errno, "fork");
  if (pid == 0) {
    workers_.clear();
    items.write_end.Close();
    try {
      Serve(task_, items.read_end.get(), outcomes.write_end.get());
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  workers_.push_back(
      {pid, std::move(items.write_end), std::move(outcomes.read_end)});
}

inline ProcessPool::Worker& ProcessPool::WaitForAnswer() {
  std::vector<pollfd> fds;
  for (const Worker& worker : workers_) {
    fds.push_back({worker.outcomes.get(), POLLIN, 0});
  }
  while (poll(fds.data(), fds.size(), /*timeout=*/-1) < 0) {
    if (errno != EINTR) ThrowErrno(errno, "poll");
  }
  const auto ready = std::find_if(
      fds.begin(), fds.end(), [](const pollfd& fd) { return fd.revents != 0; });
  return workers_[ready - fds.begin()];
}

inline ProcessPool::Strings ProcessPool::Map(const Strings& items,
                                             size_t chunk) {
  if (chunk == 0) throw std::invalid_argument("Map: the chunks are empty");
  if (broken_.has_value()) throw BrokenProcessPool(*broken_);
  if (workers_.empty()) throw std::logic_error("Map: the pool is shut down");

  const SigpipeBlock no_sigpipe;
  absl::Cleanup kill_workers = [this] { Kill(); };
  std::vector<Outcome> results(items.size());
  size_t next = 0;
  const auto deal = [&](Worker& worker) {
    worker.begin = next;
    next += std::min(chunk, items.size() - next);
    worker.end = next;
    if (worker.begin == worker.end) return;
    WriteMessage(worker.items.get(),
                 std::span(items).subspan(worker.begin, next - worker.begin));
  };

  const auto keep = [&](const Worker& worker, Strings answer) {
    for (size_t i = worker.begin; i < worker.end; ++i) {
      const size_t at = 2 * (i - worker.begin);
      results[i] = {std::move(answer[at]), std::move(answer[at + 1])};
    }
  };

  for (Worker& worker : workers_) deal(worker);
  for (size_t missing = items.size(); missing > 0;) {
    Worker& worker = WaitForAnswer();
    std::optional<Strings> answer = ReadMessage(worker.outcomes.get());
    if (!answer.has_value()) {
      const size_t index = &worker - workers_.data();
      broken_ = Kill()[index];
      throw BrokenProcessPool(*broken_);
    }
    keep(worker, *std::move(answer));
    missing -= worker.end - worker.begin;
    deal(worker);
  }
  std::move(kill_workers).Cancel();

  Strings texts;
  texts.reserve(results.size());
  for (Outcome& result : results) {
    if (!result.error_type.empty()) {
      throw TaskError(result.error_type, result.text);
    }
    texts.push_back(std::move(result.text));
  }
  return texts;
}

inline std::vector<int> ProcessPool::Kill() {
  for (const Worker& worker : workers_) kill(worker.pid, SIGKILL);
  return Shutdown();
}

inline std::vector<int> ProcessPool::Shutdown() {
  for (Worker& worker : workers_) worker.items.Close();
  std::vector<int> statuses;
  for (const Worker& worker : workers_) statuses.push_back(Reap(worker.pid));
  workers_.clear();
  return statuses;
}

}  // namespace workbook

#endif
