// SPDX-License-Identifier: Apache-2.0
//
// Chapter 14: a pool of worker processes that a function is mapped over. Read
// chapters/14_process_pool/README.md, then fill in the TODOs, all of them in
// the second half.
//
// Grade it with:  bazel test //chapters/14_process_pool/...

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

// ---------------------------------------------------------------------------
// What callers see.

// A task threw an exception in its worker. The object stays there: an exception
// cannot cross from one process to another. Its type and its text can.
class TaskError : public std::runtime_error {
 public:
  TaskError(std::string type, const std::string& text)
      : std::runtime_error(text), type(std::move(type)) {}

  std::string type;  // as in "std::out_of_range"
};

// A worker has ended before its time: something killed it, it crashed, a task
// called _exit(), or it could not read its items or write their outcomes: then
// its exit code is 1.
class BrokenProcessPool : public std::runtime_error {
 public:
  explicit BrokenProcessPool(int status)
      : std::runtime_error(absl::StrCat("a worker has ended, ", status)),
        status(status) {}

  int status;  // the worker's exit code, or -N if signal N ended it
};

// Worker processes, all of which can do one thing: compute `task` of a string.
//
//   ProcessPool pool(4, [](const std::string& path) { return Digest(path); });
//   std::vector<std::string> digests = pool.Map(paths);
//
// The workers are copies of this process as it is when the pool is made, with
// one thread each, the one that makes the pool. So make the pool before the
// program starts threads: what another thread holds at that moment, be it a
// mutex, is held in the workers for ever. What a task changes in memory, nobody
// else sees.
//
// Not thread-safe. Linux and other POSIX systems.
class ProcessPool {
 public:
  using Task = std::function<std::string(const std::string&)>;
  using Strings = std::vector<std::string>;

  // A longer result is an error of its task, a std::length_error.
  static constexpr size_t kMaxResultSize = size_t{16} << 20;

  // Starts the workers, and is the only place where workers are started. Throws
  // std::invalid_argument if there are to be none, and std::system_error if one
  // cannot be started; then none is left.
  ProcessPool(size_t workers, Task task);
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;
  ~ProcessPool();  // shuts down

  // Returns task(items[i]) for each i, in this order. A worker gets `chunk`
  // items at a time; the size of the chunks decides how much the workers and
  // the caller talk, and nothing else. Throws
  //   TaskError              tasks threw; the others were computed all the
  //                          same; that of the first such item;
  //   BrokenProcessPool      a worker ended, now or in an earlier call. No
  //                          worker is left, and results are lost;
  //   std::logic_error       the pool is shut down;
  //   std::invalid_argument  `chunk` is 0.
  Strings Map(const Strings& items, size_t chunk = 1);

  // Ends the workers and waits for them. Returns their statuses, as in
  // BrokenProcessPool: 0 for each that ended well. Later calls do nothing.
  std::vector<int> Shutdown();

 private:
  struct Worker;

  void StartWorker();
  Worker& WaitForAnswer();
  std::vector<int> Kill();

  const Task task_;
  std::vector<Worker> workers_;
  std::optional<int> broken_;  // the status of the worker that broke the pool
};

// ---------------------------------------------------------------------------
// Given: descriptors, SIGPIPE, waiting, names of types.

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

// While it lives, a write of this thread to a pipe without readers fails with
// EPIPE and does nothing else. Chapter 01 explains it.
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

// Waits for the end of a child process. Returns its exit code, or -N if signal
// N ended it.
inline int Reap(pid_t pid) {
  int raw = 0;
  while (waitpid(pid, &raw, 0) < 0) {
    if (errno != EINTR) return 0;  // SIGCHLD is ignored: nobody knows.
  }
  return WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
}

// The type of the exception that is being handled.
inline std::string CurrentExceptionType() {
  const char* const name = abi::__cxa_current_exception_type()->name();
  char* const readable = abi::__cxa_demangle(name, nullptr, nullptr, nullptr);
  std::string type = readable != nullptr ? readable : name;
  std::free(readable);
  return type;
}

// ---------------------------------------------------------------------------
// Messages. A pipe carries bytes and knows nothing of strings, so each string
// is sent with its size in front.

// Writes all of `bytes`. False if nobody is left to read them. Neither a pipe
// that takes only a part nor a signal ends it early.
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

// Fills `bytes`. False if the stream ends before.
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

// Sends some strings. False if nobody is left to read them.
inline bool WriteMessage(int fd, std::span<const std::string> strings) {
  if (!WriteSize(fd, strings.size())) return false;
  for (const std::string& string : strings) {
    if (!WriteSize(fd, string.size()) || !WriteAll(fd, string)) return false;
  }
  return true;
}

// Receives what one call of WriteMessage sent; nothing if the stream ends
// before that is complete.
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

// ---------------------------------------------------------------------------
// The worker's side.

// What became of an item, as it travels: the type of the exception, or "" if
// there was none; then the exception's text, or the result.
struct Outcome {
  std::string error_type;
  std::string text;
};

// Computes one item. Throws nothing that the task throws.
inline Outcome Compute(const ProcessPool::Task& task, const std::string& item) {
  try {
    // TODO(1): the result. For one that is too long, a std::length_error.
    (void)task, (void)item;
    return {};
  } catch (const std::exception& error) {
    return {CurrentExceptionType(), error.what()};
  } catch (...) {
    return {CurrentExceptionType(), ""};
  }
}

// Given. The life of a worker: reads a chunk of items, writes their outcomes,
// until there are no more. It never writes before it has read all of a message,
// and the caller never writes to a worker that is not reading: so neither waits
// for a pipe that the other does not serve.
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

// ---------------------------------------------------------------------------
// The caller's side.

struct ProcessPool::Worker {
  pid_t pid;
  Descriptor items;     // write end
  Descriptor outcomes;  // read end
  // What it is working at: items[begin] up to, not including, items[end].
  size_t begin = 0;
  size_t end = 0;
};

inline ProcessPool::ProcessPool(size_t workers, Task task)
    : task_(std::move(task)) {
  if (workers == 0) throw std::invalid_argument("ProcessPool: no workers");
  workers_.reserve(workers);
  // No destructor runs for an object whose constructor has thrown.
  absl::Cleanup shutdown = [this] { Shutdown(); };
  for (size_t i = 0; i < workers; ++i) StartWorker();
  std::move(shutdown).Cancel();
}

inline ProcessPool::~ProcessPool() { Shutdown(); }

// Forks one worker. Of each pipe either process keeps the one end it uses. The
// worker's exit code is 0 after the last item, and 1 if Serve throws.
inline void ProcessPool::StartWorker() {
  Pipe items = MakePipe();
  Pipe outcomes = MakePipe();
  const pid_t pid = fork();
  if (pid < 0) ThrowErrno(errno, "fork");
  // TODO(2): instead of the next line: the child keeps the two ends that it
  // needs and no other (what does it inherit of the older workers?), serves,
  // and leaves by _exit, whatever happens. The parent keeps the other two ends,
  // in a new Worker.
  if (pid == 0) _exit(0);
}

// Given. Sleeps until a worker has something to say, or has ended.
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
  // Workers whose answers nobody has read are of no use to a later call.
  absl::Cleanup kill_workers = [this] { Kill(); };
  std::vector<Outcome> results(items.size());
  size_t next = 0;
  const auto deal = [&](Worker& worker) {
    worker.begin = next;
    next += std::min(chunk, items.size() - next);
    worker.end = next;
    if (worker.begin == worker.end) return;
    // If nobody reads, the worker is dead: its stream of outcomes will say so.
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
    // TODO(3): a complete answer: keep it, count it, and deal again. None: the
    // worker, number `&worker - workers_.data()`, has ended. End the others,
    // remember its status in `broken_`, and throw.
    (void)keep, (void)answer;
    break;
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

// Given. Ends the workers, whatever they are doing. (A process that has ended
// keeps its own status: the signal comes too late.)
// Nobody must have waited for any of them before: its number may by then be
// that of another process.
inline std::vector<int> ProcessPool::Kill() {
  for (const Worker& worker : workers_) kill(worker.pid, SIGKILL);
  return Shutdown();
}

inline std::vector<int> ProcessPool::Shutdown() {
  // TODO(4): let every worker find the end of its items, then wait for each.
  return {};
}

}  // namespace workbook

#endif  // WORKBOOK_14_PROCESS_POOL_PROCESS_POOL_H_
