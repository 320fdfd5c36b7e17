// SPDX-License-Identifier: Apache-2.0
//
// Chapter 18: an event loop that lets coroutines wait for sockets, and a server
// made of them. Read chapters/18_blocking_scheduler/README.md, then fill in the
// TODOs.
//
// Grade it with:  bazel test //chapters/18_blocking_scheduler/...

#ifndef EXERCISES_18_BLOCKING_SCHEDULER_FIB_SERVER_H_
#define EXERCISES_18_BLOCKING_SCHEDULER_FIB_SERVER_H_

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"

namespace workbook {

// ---------------------------------------------------------------------------
// Given: descriptors, tasks, a listening socket.

[[noreturn]] inline void ThrowErrno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Owns an open file descriptor, or none: then get() is negative.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (is_open()) close(fd_);
  }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// What a coroutine returns that an EventLoop is to run. It owns the frame until
// Release(). At its end a released frame frees itself. An exception that
// escapes from the body is reported, and ends this task alone.
class Task {
 public:
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {
      try {
        throw;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "a task ended: %s\n", error.what());
      } catch (...) {
        std::fprintf(stderr, "a task ended: unknown exception\n");
      }
    }
  };

  Task(Task&& other) noexcept : frame_(other.Release()) {}
  ~Task() {
    if (frame_ != nullptr) frame_.destroy();
  }
  std::coroutine_handle<> Release() { return std::exchange(frame_, nullptr); }

 private:
  explicit Task(std::coroutine_handle<> frame) : frame_(frame) {}

  std::coroutine_handle<> frame_;
};

// Listens on 127.0.0.1. Port 0 means: any that is free.
inline Descriptor Listen(uint16_t port) {
  Descriptor listener(
      socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.is_open()) ThrowErrno("socket");
  // A restarted server gets its port back at once. Accepted sockets inherit the
  // small buffer: what a slow client does not fetch costs little memory.
  const int on = 1, buffer = 16 << 10;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(listener.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address),
           sizeof(address)) != 0) {
    ThrowErrno("bind");
  }
  if (listen(listener.get(), SOMAXCONN) != 0) ThrowErrno("listen");
  return listener;
}

// ---------------------------------------------------------------------------
// The scheduler.

// Runs tasks in turns, like chapter 17. A task that has to wait for a
// descriptor says so, and the others go on. When all wait, the thread sleeps.
//
// Everything happens in the thread that calls Run(). Only Stop() and polls()
// may be called by others. A turn costs constant time; each sleep costs time in
// proportion to the number of tasks that wait.
class EventLoop {
 private:
  // A task that cannot go on before `fd` reports one of `events`.
  struct Waiter {
    int fd;
    short events;
    std::coroutine_handle<> frame;
  };

  // What co_await gets: it always suspends, and leaves the frame to the loop.
  struct Wait {
    EventLoop& loop;
    int fd;
    short events;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> frame) {
      // TODO(1): join those who wait.
      (void)frame;
    }
    void await_resume() const noexcept {}
  };

 public:
  EventLoop() : stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!stop_.is_open()) ThrowErrno("eventfd");
  }
  // Destroys the tasks that have not ended.
  ~EventLoop() { DestroyTasks(); }
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Adds a task; it first runs in Run(). A task may call this in its turn.
  void Spawn(Task task) { ready_.push_back(task.Release()); }

  // `co_await loop.Readable(fd)` waits until a read of `fd` would not block:
  // there is data, the end of the stream, or an error to report. Writable() is
  // the same for writing. Several tasks may wait for one descriptor; then all
  // of them go on. `fd` must stay open as long as somebody waits for it.
  Wait Readable(int fd) { return {*this, fd, POLLIN}; }
  Wait Writable(int fd) { return {*this, fd, POLLOUT}; }

  // Runs the tasks until none is left or Stop() is called. Destroys those that
  // are left then. Throws std::system_error if poll() fails; a signal is no
  // failure.
  void Run() {
    // TODO(2): resume who is ready, one after the other, until nobody is: a
    // task may Spawn() others. If nobody waits then, return; else Poll(), and
    // so on, until it says that Stop() was called.
    DestroyTasks();
  }

  // Makes Run() return, now or as soon as it is called. Any thread may call
  // this, and so may a signal handler.
  void Stop() {
    const uint64_t one = 1;
    (void)!write(stop_.get(), &one, sizeof(one));
  }

  // How often poll() was called. Thread-safe.
  int polls() const { return polls_; }

 private:
  // Sleeps until a descriptor is ready, and moves the tasks that can go on to
  // ready_. False if Stop() was called.
  bool Poll() {
    std::vector<pollfd> fds = {{stop_.get(), POLLIN, 0}};
    for (const Waiter& waiter : waiting_) {
      fds.push_back({waiter.fd, waiter.events, 0});
    }
    ++polls_;
    if (poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) return true;  // A signal; nobody is ready.
      ThrowErrno("poll");
    }
    if (fds[0].revents != 0) return false;
    std::vector<Waiter> still_waiting;
    for (size_t i = 0; i < waiting_.size(); ++i) {
      // Any event: an error or a hang-up, too, is for the task to find.
      if (fds[i + 1].revents != 0) {
        ready_.push_back(waiting_[i].frame);
      } else {
        still_waiting.push_back(waiting_[i]);
      }
    }
    waiting_ = std::move(still_waiting);
    return true;
  }

  void DestroyTasks() {
    for (std::coroutine_handle<> frame : ready_) frame.destroy();
    for (const Waiter& waiter : waiting_) waiter.frame.destroy();
    ready_.clear();
    waiting_.clear();
  }

  const Descriptor stop_;  // An event that is readable after Stop().
  // A task that does not run is in one of these, once. They own the frames.
  std::deque<std::coroutine_handle<>> ready_;
  std::vector<Waiter> waiting_;
  std::atomic<int> polls_{0};
};

// ---------------------------------------------------------------------------
// The server.

// A client that sends more than this without an end of line is closed.
inline constexpr size_t kLongestRequest = 1000;

// Given. The reply to one request, a line without its end: the Fibonacci number
// that it asks for, or an error. Both end in '\n'. Constant time.
//   "20"   "6765\n"
//   "abc"  "error: not a number from 1 to 92\n"   (92: the last in 64 bits)
inline std::string Answer(std::string_view request) {
  int n = 0;
  if (!absl::SimpleAtoi(request, &n) || n < 1 || n > 92) {
    return "error: not a number from 1 to 92\n";
  }
  int64_t last = 0, fib = 1;
  for (int i = 1; i < n; ++i) last = std::exchange(fib, last + fib);
  return std::to_string(fib) + "\n";
}

// Serves one client: answers each line, in order, until the client ends its
// stream or is gone, or a line is too long. A last line without its end is no
// request. `client` does not block; it is closed when the task ends.
inline Task Serve(EventLoop& loop, Descriptor client) {
  std::string input;  // What has come of a line whose end has not.
  while (input.size() <= kLongestRequest) {
    // TODO(3): instead of the next two lines: wait until the client is
    // readable, receive, and append to `input`. When is the client gone, and
    // when not?
    (void)loop, (void)client;
    co_return;

    std::string output;
    size_t begin = 0;
    for (size_t end; (end = input.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      output += Answer(std::string_view(input).substr(begin, end - begin));
    }
    input.erase(0, begin);

    // TODO(4): send `output`; what does not fit waits until it is writable.
  }
}

// Accepts clients, and spawns a task for each. Ends with the loop, and not
// because a client was gone before it could be accepted.
inline Task Accept(EventLoop& loop, Descriptor listener) {
  // TODO(5): wait for a client; accept4() with SOCK_NONBLOCK | SOCK_CLOEXEC.
  (void)loop, (void)listener;
  co_return;
}

// A server on 127.0.0.1 that answers each line "N" with the N-th Fibonacci
// number. Run() returns after Stop(), with all connections closed.
class FibServer {
 public:
  explicit FibServer(uint16_t port = 0) : listener_(Listen(port)) {
    sockaddr_in address = {};
    socklen_t size = sizeof(address);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }

  // Where clients connect. Thread-safe, like Stop() and polls().
  uint16_t port() const { return port_; }
  void Run() {
    loop_.Spawn(Accept(loop_, std::move(listener_)));
    loop_.Run();
  }
  void Stop() { loop_.Stop(); }
  int polls() const { return loop_.polls(); }

 private:
  Descriptor listener_;
  uint16_t port_ = 0;
  EventLoop loop_;
};

}  // namespace workbook

#endif  // EXERCISES_18_BLOCKING_SCHEDULER_FIB_SERVER_H_
