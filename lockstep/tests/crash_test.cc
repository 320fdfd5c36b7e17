// SPDX-License-Identifier: Apache-2.0
//
// Code under test that ends the process: the report comes first, and the
// process never ends with status 0. Each case runs in a child process.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "lockstep/lockstep.h"

namespace lockstep::tests {
namespace {

// Explores `body`; if it survives, prints the report as a fatal one would be,
// and ends with status 1 if it failed.
[[noreturn]] void ExploreAndExit(absl::FunctionRef<void()> body,
                                 bool use_os_threads) {
  SetFatalReportHandler(nullptr);
  const Report report =
      Explore({.schedules = 200, .use_os_threads = use_os_threads}, body);
  fputs(report.text.c_str(), stderr);
  fflush(stderr);
  _exit(report.passed() ? 0 : 1);
}

// The process must end with status 1 after a report that has `verdict` and a
// replay.
void ExpectEnd(const char* verdict, absl::FunctionRef<void()> body) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The name of this file has one of the verdicts in it.
  const std::string headline = absl::StrCat("(", verdict, ") +[(]schedule");
  for (const bool use_os_threads : {false, true}) {
    EXPECT_EXIT(ExploreAndExit(body, use_os_threads),
                testing::ExitedWithCode(1), headline)
        << (use_os_threads ? "OS threads" : "user-level");
    EXPECT_EXIT(ExploreAndExit(body, use_os_threads),
                testing::ExitedWithCode(1), "exactly this schedule again")
        << (use_os_threads ? "OS threads" : "user-level");
  }
}

void InThread(void (*function)()) {
  std::thread thread(function);
  thread.join();
}

TEST(Exit, InTheBody) {
  ExpectEnd("exit", [] { exit(0); });
  ExpectEnd("exit", [] { _exit(0); });
  ExpectEnd("exit", [] { quick_exit(0); });
}

TEST(Exit, InAThreadUnderALock) {
  ExpectEnd("exit", [] {
    static std::mutex mu;
    std::thread other([] { std::lock_guard<std::mutex> hold(mu); });
    InThread([] {
      std::lock_guard<std::mutex> hold(mu);
      exit(0);
    });
    other.join();
  });
}

// Only the schedules in which the thread comes first crash.
TEST(Crash, InSomeSchedules) {
  ExpectEnd("crash", [] {
    std::atomic<int*> pointer{nullptr};
    static int target;
    std::thread thread([&] { *pointer.load() = 1; });
    pointer.store(&target);
    thread.join();
  });
}

TEST(Crash, Segfault) {
  ExpectEnd("crash", [] {
    volatile int* nowhere = nullptr;
    *nowhere = 1;
  });
  ExpectEnd("crash", [] {
    InThread([] {
      volatile int* nowhere = nullptr;
      *nowhere = 1;
    });
  });
}

TEST(Crash, Abort) {
  ExpectEnd("crash", [] { abort(); });
  ExpectEnd("crash", [] { InThread([] { abort(); }); });
}

TEST(Crash, FatalSignal) {
  ExpectEnd("crash", [] { raise(SIGILL); });
}

TEST(Assert, IsAWrongResult) {
  ExpectEnd("wrong result|crash", [] { assert(1 + 1 == 3); });
}

// NOLINTNEXTLINE(misc-no-recursion)
int Recurse(int depth) {
  if (depth < 0) return 0;
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  return Recurse(depth + 1) + frame[0];
}

TEST(Stack, Overflow) {
  ExpectEnd("stack overflow", [] { Recurse(0); });
  ExpectEnd("stack overflow", [] { InThread([] { Recurse(0); }); });
}

// A pointer that runs off the end of the stack is not too deep a recursion: the
// stack itself is nearly empty.
TEST(Stack, StrayPointer) {
  const auto run_off = [] {
    volatile char local = 0;
    for (volatile char* p = &local;; p -= 4096) *p = *p;
  };
  ExpectEnd("crash", run_off);
  ExpectEnd("crash", [&] { InThread(run_off); });
}

TEST(Exception, LeavesTheBody) {
  ExpectEnd("uncaught exception", [] { throw std::runtime_error("nobody"); });
}

TEST(Exception, LeavesAThread) {
  ExpectEnd("uncaught exception",
            [] { InThread([] { throw std::runtime_error("nobody"); }); });
}

TEST(Exception, Terminate) {
  ExpectEnd("uncaught exception|crash", [] { std::terminate(); });
}

void LoopsOverMemory() {
  static int n = 0;
  while (n >= 0) n = 0;
}

void LoopsInRegisters() {
  for (;;) asm volatile("");
}

// A loop over memory is counted; one in registers only the watchdog sees, after
// eight seconds.
TEST(Loop, WithoutAnEndIsNamedWithItsLine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const bool use_os_threads : {false, true}) {
    EXPECT_EXIT(
        ExploreAndExit([] { InThread(LoopsOverMemory); }, use_os_threads),
        testing::ExitedWithCode(1),
        "livelock +[(]schedule(.|\n)*on and on(.|\n)*"
        "T1 still runs here at .*crash_test.cc:[0-9]+:  while [(]n >= 0")
        << (use_os_threads ? "OS threads" : "user-level");
    EXPECT_EXIT(
        ExploreAndExit([] { InThread(LoopsInRegisters); }, use_os_threads),
        testing::ExitedWithCode(1),
        "livelock +[(]schedule(.|\n)*T1 runs for 8 seconds(.|\n)*"
        "in T1 at .*crash_test.cc:[0-9]+")
        << (use_os_threads ? "OS threads" : "user-level");
  }
}

TEST(Blocking, OutsideControlIsNamed) {
  ExpectEnd("uncontrolled blocking", [] {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::thread reader([&] {
      char byte;
      ASSERT_EQ(read(ends[0], &byte, 1), 1);
    });
    reader.join();
  });
}

}  // namespace
}  // namespace lockstep::tests
