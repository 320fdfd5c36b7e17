// SPDX-License-Identifier: Apache-2.0
//
// Signals between controlled threads, masks per thread. A signal is delivered
// when its target runs next, by calling the handler; nothing inside a handler
// is a scheduling point.

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace real {
LOCKSTEP_REAL(sigprocmask)
LOCKSTEP_REAL(pthread_kill)
LOCKSTEP_REAL(raise)
LOCKSTEP_REAL(kill)
}  // namespace real

namespace {

constexpr uint64_t Bit(int signal) { return uint64_t{1} << (signal - 1); }

uint64_t ToBits(const sigset_t* set) {
  uint64_t bits;
  std::memcpy(&bits, set, sizeof(bits));
  return bits;
}

int ChangeMask(Thread* me, int how, const sigset_t* set, sigset_t* old) {
  if (old != nullptr) {
    sigemptyset(old);
    std::memcpy(old, &me->blocked_signals, sizeof(me->blocked_signals));
  }
  if (set != nullptr) {
    switch (how) {
      case SIG_BLOCK:
        me->blocked_signals |= ToBits(set);
        break;
      case SIG_UNBLOCK:
        me->blocked_signals &= ~ToBits(set);
        break;
      case SIG_SETMASK:
        me->blocked_signals = ToBits(set);
        break;
      default:
        return EINVAL;
    }
    DeliverSignals(me);
  }
  return 0;
}

void Deliver(Thread* me, int signal) {
  struct sigaction action;
  sigaction(signal, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;
  if (action.sa_handler == SIG_DFL) {
    switch (signal) {
      case SIGCHLD:
      case SIGURG:
      case SIGWINCH:
      case SIGCONT:
        return;
      default:
        break;
    }
    char message[100];
    std::snprintf(message, sizeof(message),
                  "signal %d (%s), which nobody handles, ends the process",
                  signal, strsignal(signal));
    g_scheduler.Fail(me, Verdict::kCrash, message, me->pc,
                     "receives the signal");
  }
  ++me->no_preempt;
  const uint64_t mask = me->blocked_signals;
  me->blocked_signals |= ToBits(&action.sa_mask) | Bit(signal);
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    siginfo_t info = {};
    info.si_signo = signal;
    info.si_code = SI_TKILL;
    info.si_pid = getpid();
    action.sa_sigaction(signal, &info, nullptr);
  } else {
    action.sa_handler(signal);
  }
  me->blocked_signals = mask;
  --me->no_preempt;
}

int Send(Thread* me, Thread* target, int signal) {
  if (signal == 0) return target->state == ThreadState::kDone ? ESRCH : 0;
  if (signal < 1 || signal > 64) return EINVAL;
  target->pending_signals |= Bit(signal);
  g_scheduler.Progress(me);
  DeliverSignals(me);
  return 0;
}

}  // namespace

void DeliverPendingSignals(Thread* me) {
  for (int signal = 1; signal <= 64; ++signal) {
    if ((me->pending_signals & ~me->blocked_signals & Bit(signal)) == 0) {
      continue;
    }
    me->pending_signals &= ~Bit(signal);
    Deliver(me, signal);
  }
}

}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  Thread* me = self;
  if (me == nullptr) return real::pthread_sigmask(how, set, old);
  return ChangeMask(me, how, set, old);
}

int sigprocmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  Thread* me = self;
  if (me == nullptr) return real::sigprocmask(how, set, old);
  const int error = ChangeMask(me, how, set, old);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int pthread_kill(pthread_t id, int signal) noexcept {
  Thread* me = self;
  Thread* target = me != nullptr ? g_scheduler.FindThread(id) : nullptr;
  if (target == nullptr) return real::pthread_kill(id, signal);
  g_scheduler.Point(me, Op::kNotifyOne, nullptr, LOCKSTEP_CALLER());
  return Send(me, target, signal);
}

int raise(int signal) noexcept {
  Thread* me = self;
  if (me == nullptr || signal == SIGABRT) return real::raise(signal);
  const int error = Send(me, me, signal);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int kill(pid_t pid, int signal) noexcept {
  Thread* me = self;
  if (me == nullptr || pid != getpid() || signal == SIGKILL ||
      signal == SIGSTOP) {
    return real::kill(pid, signal);
  }
  // Any thread that does not block it; the caller if it can.
  Thread* target = me;
  if (signal >= 1 && signal <= 64) {
    for (uint32_t i = 0; i < g_scheduler.thread_count(); ++i) {
      if ((target->blocked_signals & Bit(signal)) == 0) break;
      Thread* t = g_scheduler.thread(i);
      if (t->state != ThreadState::kDone) target = t;
    }
  }
  const int error = Send(me, target, signal);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

}  // extern "C"
