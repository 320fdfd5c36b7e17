// SPDX-License-Identifier: Apache-2.0
//
// System calls that may wait for the outside world. If one would wait, nobody
// else could run meanwhile: that is reported by name, never guessed about.
// Calls that can be answered at once go through.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lockstep/runtime/raw_syscall.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace real {
LOCKSTEP_REAL(read)
LOCKSTEP_REAL(readv)
LOCKSTEP_REAL(write)
LOCKSTEP_REAL(recv)
LOCKSTEP_REAL(recvfrom)
LOCKSTEP_REAL(recvmsg)
LOCKSTEP_REAL(accept)
LOCKSTEP_REAL(accept4)
LOCKSTEP_REAL(poll)
LOCKSTEP_REAL(ppoll)
LOCKSTEP_REAL(select)
LOCKSTEP_REAL(epoll_wait)
LOCKSTEP_REAL(waitpid)
LOCKSTEP_REAL(wait)
LOCKSTEP_REAL(pause)
LOCKSTEP_REAL(sigsuspend)
LOCKSTEP_REAL(sigwait)
}  // namespace real

namespace {

[[noreturn]] void WouldBlock(Thread* me, const char* call, CodeAddress pc) {
  char message[120];
  std::snprintf(message, sizeof(message),
                "T%u blocks outside lockstep's control in %s", me->id, call);
  char what[60];
  std::snprintf(what, sizeof(what), "waits in %s", call);
  g_scheduler.Fail(me, Verdict::kUncontrolledBlocking, message, pc, what);
}

// Ends the schedule if an operation on `fd` would wait.
void CheckReady(int fd, short events, const char* call, CodeAddress pc) {
  Thread* me = self;
  if (me == nullptr) return;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) != 0) return;
  pollfd entry = {fd, events, 0};
  if (real::poll(&entry, 1, 0) == 0) WouldBlock(me, call, pc);
}

// Children run on their own: waiting for one is allowed if it does not take
// long in real time.
pid_t WaitForChild(Thread* me, pid_t pid, int* status, int options,
                   const char* call, CodeAddress pc) {
  constexpr int kMilliseconds = 10'000;
  for (int i = 0; i < kMilliseconds; ++i) {
    const pid_t result = real::waitpid(pid, status, options | WNOHANG);
    if (result != 0) return result;
    const timespec wait = {0, 1'000'000};
    RawSyscall(SYS_nanosleep, reinterpret_cast<long>(&wait), 0);
  }
  WouldBlock(me, call, pc);
}

}  // namespace
}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

ssize_t read(int fd, void* buffer, size_t size) {
  CheckReady(fd, POLLIN, "read()", LOCKSTEP_CALLER());
  return real::read(fd, buffer, size);
}

ssize_t readv(int fd, const iovec* parts, int count) {
  CheckReady(fd, POLLIN, "readv()", LOCKSTEP_CALLER());
  return real::readv(fd, parts, count);
}

ssize_t write(int fd, const void* buffer, size_t size) {
  CheckReady(fd, POLLOUT, "write()", LOCKSTEP_CALLER());
  return real::write(fd, buffer, size);
}

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  if ((flags & MSG_DONTWAIT) == 0) {
    CheckReady(fd, POLLIN, "recv()", LOCKSTEP_CALLER());
  }
  return real::recv(fd, buffer, size, flags);
}

ssize_t recvfrom(int fd, void* __restrict buffer, size_t size, int flags,
                 sockaddr* __restrict address, socklen_t* __restrict length) {
  if ((flags & MSG_DONTWAIT) == 0) {
    CheckReady(fd, POLLIN, "recvfrom()", LOCKSTEP_CALLER());
  }
  return real::recvfrom(fd, buffer, size, flags, address, length);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if ((flags & MSG_DONTWAIT) == 0) {
    CheckReady(fd, POLLIN, "recvmsg()", LOCKSTEP_CALLER());
  }
  return real::recvmsg(fd, message, flags);
}

int accept(int fd, sockaddr* __restrict address, socklen_t* __restrict length) {
  CheckReady(fd, POLLIN, "accept()", LOCKSTEP_CALLER());
  return real::accept(fd, address, length);
}

int accept4(int fd, sockaddr* __restrict address, socklen_t* __restrict length,
            int flags) {
  CheckReady(fd, POLLIN, "accept4()", LOCKSTEP_CALLER());
  return real::accept4(fd, address, length, flags);
}

int poll(pollfd* entries, nfds_t count, int timeout) {
  Thread* me = self;
  if (me == nullptr || timeout == 0) {
    return real::poll(entries, count, timeout);
  }
  const int ready = real::poll(entries, count, 0);
  if (ready != 0) return ready;
  WouldBlock(me, "poll()", LOCKSTEP_CALLER());
}

int ppoll(pollfd* entries, nfds_t count, const timespec* timeout,
          const sigset_t* mask) {
  Thread* me = self;
  if (me == nullptr) return real::ppoll(entries, count, timeout, mask);
  const int ready = real::poll(entries, count, 0);
  if (ready != 0 ||
      (timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec == 0)) {
    return ready;
  }
  WouldBlock(me, "ppoll()", LOCKSTEP_CALLER());
}

int select(int count, fd_set* __restrict reading, fd_set* __restrict writing,
           fd_set* __restrict other, timeval* __restrict timeout) {
  Thread* me = self;
  if (me == nullptr ||
      (timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_usec == 0)) {
    return real::select(count, reading, writing, other, timeout);
  }
  timeval zero = {};
  const int ready = real::select(count, reading, writing, other, &zero);
  if (ready != 0) return ready;
  WouldBlock(me, "select()", LOCKSTEP_CALLER());
}

int epoll_wait(int fd, epoll_event* events, int count, int timeout) {
  Thread* me = self;
  if (me == nullptr || timeout == 0) {
    return real::epoll_wait(fd, events, count, timeout);
  }
  const int ready = real::epoll_wait(fd, events, count, 0);
  if (ready != 0) return ready;
  WouldBlock(me, "epoll_wait()", LOCKSTEP_CALLER());
}

pid_t waitpid(pid_t pid, int* status, int options) {
  Thread* me = self;
  if (me == nullptr || (options & WNOHANG) != 0) {
    return real::waitpid(pid, status, options);
  }
  return WaitForChild(me, pid, status, options, "waitpid()", LOCKSTEP_CALLER());
}

pid_t wait(int* status) {
  Thread* me = self;
  if (me == nullptr) return real::wait(status);
  return WaitForChild(me, -1, status, 0, "wait()", LOCKSTEP_CALLER());
}

int pause() {
  if (Thread* me = self) WouldBlock(me, "pause()", LOCKSTEP_CALLER());
  return real::pause();
}

int sigsuspend(const sigset_t* mask) {
  if (Thread* me = self) WouldBlock(me, "sigsuspend()", LOCKSTEP_CALLER());
  return real::sigsuspend(mask);
}

int sigwait(const sigset_t* __restrict set, int* __restrict signal) {
  if (Thread* me = self) WouldBlock(me, "sigwait()", LOCKSTEP_CALLER());
  return real::sigwait(set, signal);
}

}  // extern "C"
