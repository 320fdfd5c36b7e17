// SPDX-License-Identifier: Apache-2.0
//
// The runtime where lockstep cannot control threads: other platforms, and
// builds with --define=lockstep=off (sanitizers, native benchmarks). The body
// simply runs, on a new thread.

#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include "lockstep/runtime/runtime.h"

namespace lockstep {
namespace {

std::mutex g_mutex;
Trace* g_trace;  // of the run in progress, guarded by g_mutex
FatalHandler g_fatal_handler;

void SetFinding(Verdict verdict, const char* message) {
  std::lock_guard<std::mutex> lock(g_mutex);
  if (g_trace == nullptr || g_trace->finding.verdict != Verdict::kNone) return;
  g_trace->finding.verdict = verdict;
  g_trace->finding.message = message;
}

}  // namespace

Execution DefaultExecution() { return Execution::kOsThreads; }

void RunOnce(const RunOptions&, Strategy&, absl::FunctionRef<void()> body,
             Trace* trace) {
  *trace = Trace();
  trace->threads = 1;
  {
    std::lock_guard<std::mutex> lock(g_mutex);
    g_trace = trace;
  }
  std::thread thread([&] {
    try {
      body();
    } catch (const std::exception& e) {
      SetFinding(Verdict::kUncaughtException, e.what());
    } catch (...) {
      SetFinding(Verdict::kUncaughtException, "an exception left the body");
    }
  });
  thread.join();
  std::lock_guard<std::mutex> lock(g_mutex);
  g_trace = nullptr;
}

bool Instrumented() { return false; }

uint64_t LastRunHash() { return 0; }

bool InControlledThread() { return false; }

void ReportFinding(Verdict verdict, const char* message) {
  SetFinding(verdict, message);
}

int64_t VirtualNow() { return 0; }

void SetFatalHandler(FatalHandler handler) { g_fatal_handler = handler; }

}  // namespace lockstep
