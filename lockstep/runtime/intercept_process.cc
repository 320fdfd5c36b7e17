// SPDX-License-Identifier: Apache-2.0
//
// How code under test may end the process, or try to: exit and its relatives,
// abort, std::terminate, assert, fatal signals. What can be survived ends the
// schedule with a finding; what cannot calls the FatalHandler first.

#include <cxxabi.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <typeinfo>

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace real {
LOCKSTEP_REAL(fork)
LOCKSTEP_REAL(setuid)
LOCKSTEP_REAL(setgid)
LOCKSTEP_REAL(seteuid)
LOCKSTEP_REAL(setegid)
}  // namespace real

namespace {

std::terminate_handler g_previous_terminate;

// A joinable std::thread destroyed, an exception nobody catches, or a noexcept
// function left by one: all end here.
[[noreturn]] void OnTerminate() {
  Thread* me = self;
  if (me == nullptr) {
    if (g_previous_terminate != nullptr) g_previous_terminate();
    std::abort();
  }
  const std::type_info* type = abi::__cxa_current_exception_type();
  bool unjoined = false;
  for (uint32_t i = 1; i < g_scheduler.thread_count(); ++i) {
    Thread* t = g_scheduler.thread(i);
    if (!t->joined && !t->detached && t->creator == me) unjoined = true;
  }
  if (type == nullptr && unjoined) {
    g_scheduler.Fail(me, Verdict::kThreadMisuse,
                     std::uncaught_exceptions() > 0
                         ? "a joinable std::thread is destroyed, while an "
                           "exception leaves its scope"
                         : "a joinable std::thread is destroyed: join or "
                           "detach it first",
                     0, "destroys a joinable std::thread");
  }
  char message[400] = "std::terminate is called";
  if (type != nullptr) {
    RuntimeScope scope;
    int status = 0;
    char* name = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    const char* shown = status == 0 ? name : type->name();
    try {
      throw;
    } catch (const std::exception& e) {
      std::snprintf(message, sizeof(message),
                    "an exception leaves the thread: %s: %s", shown, e.what());
    } catch (...) {
      std::snprintf(message, sizeof(message),
                    "an exception leaves the thread: %s", shown);
    }
  }
  g_scheduler.Fail(me, Verdict::kUncaughtException, message, 0,
                   "the exception is thrown here, or passes by");
}

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                 SIGILL,  SIGABRT, SIGTRAP};
struct sigaction g_previous_action[NSIG];

const char* SignalText(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "segmentation fault (SIGSEGV)";
    case SIGBUS:
      return "bus error (SIGBUS)";
    case SIGFPE:
      return "arithmetic error (SIGFPE)";
    case SIGILL:
      return "illegal instruction (SIGILL)";
    case SIGABRT:
      return "abort (SIGABRT)";
    default:
      return "fatal signal";
  }
}

CodeAddress ProgramCounter(void* context) {
#if defined(__x86_64__)
  return static_cast<CodeAddress>(
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<CodeAddress>(
      static_cast<ucontext_t*>(context)->uc_mcontext.pc);
#else
  (void)context;
  return 0;
#endif
}

uintptr_t StackPointer(void* context) {
#if defined(__x86_64__)
  return static_cast<uintptr_t>(
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return static_cast<uintptr_t>(
      static_cast<ucontext_t*>(context)->uc_mcontext.sp);
#else
  (void)context;
  return 0;
#endif
}

void OnFatalSignal(int signal, siginfo_t* info, void* context) {
  Thread* me = self;
  if (me == nullptr) {
    // Not ours: let it happen again with whatever was set before.
    sigaction(signal, &g_previous_action[signal], nullptr);
    if (signal == SIGABRT || info->si_code <= 0) raise(signal);
    return;
  }
  const CodeAddress pc = ProgramCounter(context);
  if (signal == kStuckSignal) {
    if (const char* stuck = TakeStuckMessage(); stuck != nullptr) {
      // It may be in the runtime, which every access calls: who called that?
      DieWithFinding(me, Verdict::kLivelock, stuck, pc, CallerOf(pc));
    }
  }
  if (signal == SIGSEGV &&
      IsStackGuard(reinterpret_cast<uintptr_t>(info->si_addr))) {
    uintptr_t low, high;
    ContextStack(me->context, &low, &high);
    constexpr uintptr_t kNearlyNothing = 64u << 10;
    if (StackPointer(context) < low + kNearlyNothing) {
      DieWithFinding(me, Verdict::kStackOverflow, "a thread runs out of stack",
                     pc);
    }
    // There is stack left: the address is a stray one.
    DieWithFinding(me, Verdict::kCrash,
                   "segmentation fault (SIGSEGV) beside a stack: a pointer or "
                   "reference to a local variable that is gone?",
                   pc);
  }
  char message[120];
  if (signal == SIGSEGV || signal == SIGBUS) {
    std::snprintf(message, sizeof(message), "%s at address %p",
                  SignalText(signal), info->si_addr);
  } else {
    std::snprintf(message, sizeof(message), "%s", SignalText(signal));
  }
  DieWithFinding(me, Verdict::kCrash, message, pc);
}

bool g_installed;

}  // namespace

void InstallOnce() {
  if (g_installed) return;
  g_installed = true;
  InstallAbseilHooks();
  StartWatchdog();
  constexpr size_t kSignalStack = 1u << 20;
  stack_t old;
  if (sigaltstack(nullptr, &old) == 0 && (old.ss_flags & SS_DISABLE) != 0) {
    stack_t signal_stack = {};
    signal_stack.ss_sp =
        mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    signal_stack.ss_size = kSignalStack;
    if (signal_stack.ss_sp != MAP_FAILED) sigaltstack(&signal_stack, nullptr);
  }
  struct sigaction action = {};
  action.sa_sigaction = OnFatalSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (int signal : kFatalSignals) {
    sigaction(signal, &action, &g_previous_action[signal]);
  }
}

void BeginProcessHooks() {
  g_previous_terminate = std::set_terminate(OnTerminate);
  SwitchAbseilDeadlockDetector(false);
}

void EndProcessHooks() {
  std::set_terminate(g_previous_terminate);
  SwitchAbseilDeadlockDetector(true);
}

}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

__attribute__((noreturn)) void __assert_fail(const char* assertion,
                                             const char* file, unsigned line,
                                             const char* function) noexcept {
  char message[500];
  std::snprintf(message, sizeof(message), "%s:%u: %s: assertion failed: %s",
                file, line, function, assertion);
  if (Thread* me = self) {
    g_scheduler.Fail(me, Verdict::kWrongResult, message, LOCKSTEP_CALLER(),
                     "the assertion fails here");
  }
  std::fprintf(stderr, "%s\n", message);
  std::abort();
}

__attribute__((noreturn)) void exit(int status) noexcept {
  if (Thread* me = self) {
    char message[80];
    std::snprintf(message, sizeof(message),
                  "the code under test calls exit(%d)", status);
    g_scheduler.Fail(me, Verdict::kExit, message, LOCKSTEP_CALLER(),
                     "ends the process");
  }
  reinterpret_cast<void (*)(int)>(real::Next("exit"))(status);
  __builtin_unreachable();
}

__attribute__((noreturn)) void quick_exit(int status) noexcept {
  if (Thread* me = self) {
    g_scheduler.Fail(me, Verdict::kExit,
                     "the code under test calls quick_exit()",
                     LOCKSTEP_CALLER(), "ends the process");
  }
  reinterpret_cast<void (*)(int)>(real::Next("quick_exit"))(status);
  __builtin_unreachable();
}

__attribute__((noreturn)) void _exit(int status) {
  if (Thread* me = self) {
    g_scheduler.Fail(me, Verdict::kExit, "the code under test calls _exit()",
                     LOCKSTEP_CALLER(), "ends the process");
  }
  reinterpret_cast<void (*)(int)>(real::Next("_exit"))(status);
  __builtin_unreachable();
}

__attribute__((noreturn)) void _Exit(int status) noexcept {
  if (Thread* me = self) {
    g_scheduler.Fail(me, Verdict::kExit, "the code under test calls _Exit()",
                     LOCKSTEP_CALLER(), "ends the process");
  }
  reinterpret_cast<void (*)(int)>(real::Next("_exit"))(status);
  __builtin_unreachable();
}

__attribute__((noreturn)) void abort() noexcept {
  if (Thread* me = self) {
    g_scheduler.Fail(me, Verdict::kCrash, "the code under test calls abort()",
                     LOCKSTEP_CALLER(), "aborts");
  }
  reinterpret_cast<void (*)()>(real::Next("abort"))();
  __builtin_unreachable();
}

// glibc changes the ids of every kernel thread, and finds the caller's by the
// thread pointer, which is borrowed here.
#define LOCKSTEP_ON_KERNEL_THREAD(name, Type)   \
  int name(Type id) noexcept {                  \
    if (self == nullptr) return real::name(id); \
    struct Call {                               \
      Type id;                                  \
      int result, error;                        \
    } call = {id, 0, 0};                        \
    CallOnKernelThread(                         \
        [](void* arg) {                         \
          auto* c = static_cast<Call*>(arg);    \
          c->result = real::name(c->id);        \
          c->error = errno;                     \
        },                                      \
        &call);                                 \
    if (call.result != 0) errno = call.error;   \
    return call.result;                         \
  }
LOCKSTEP_ON_KERNEL_THREAD(setuid, uid_t)
LOCKSTEP_ON_KERNEL_THREAD(setgid, gid_t)
LOCKSTEP_ON_KERNEL_THREAD(seteuid, uid_t)
LOCKSTEP_ON_KERNEL_THREAD(setegid, gid_t)

pid_t fork() noexcept {
  const pid_t pid = real::fork();
  if (pid == 0 && self != nullptr) {
    // The child is an ordinary process with one thread, not explored.
    self = nullptr;
    ForgetDonors();
  }
  return pid;
}

}  // extern "C"
