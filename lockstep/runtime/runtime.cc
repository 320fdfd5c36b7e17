// SPDX-License-Identifier: Apache-2.0
//
// The public side of the runtime. See runtime.h.

#include "lockstep/runtime/runtime.h"

#include <elf.h>
#include <link.h>

#include <vector>

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/raw_syscall.h"
#include "lockstep/runtime/scheduler.h"

// The linker defines these around the code of the program.
extern "C" char __executable_start, etext;

namespace lockstep {

using internal::g_scheduler;
using internal::self;
using internal::Thread;

namespace {
FatalHandler g_fatal_handler;
}  // namespace

Execution DefaultExecution() {
  return internal::UserLevelSupported() ? Execution::kUserLevel
                                        : Execution::kOsThreads;
}

void RunOnce(const RunOptions& options, Strategy& strategy,
             absl::FunctionRef<void()> body, Trace* trace) {
  RunOptions checked = options;
  if (!internal::UserLevelSupported()) {
    checked.execution = Execution::kOsThreads;
  }
  g_scheduler.Run(checked, strategy, body, trace);
}

uint64_t LastRunHash() { return g_scheduler.hash(); }

bool InControlledThread() { return self != nullptr; }

void ReportFinding(Verdict verdict, const char* message) {
  Thread* me = self;
  if (me == nullptr || g_scheduler.has_finding()) return;
  g_scheduler.Fail(me, verdict, message, LOCKSTEP_CALLER());
}

int64_t VirtualNow() { return g_scheduler.now(); }

void SetFatalHandler(FatalHandler handler) { g_fatal_handler = handler; }

namespace internal {

void DieWithFinding(Thread* me, Verdict verdict, const char* message,
                    CodeAddress pc, CodeAddress caller) {
  self = nullptr;  // from here on this is ordinary code
  if (!g_scheduler.has_finding()) {
    g_scheduler.SetFinding(verdict, message);
    if (me != nullptr) {
      g_scheduler.AddSite(me, message, pc, nullptr);
      std::vector<CodeAddress>& stack =
          g_scheduler.trace()->finding.sites.back().stack;
      if (caller != 0) stack.insert(stack.begin() + 1, caller);
    }
  }
  g_scheduler.FillTrace();
  if (g_fatal_handler != nullptr) g_fatal_handler(*g_scheduler.trace());
  RawSyscall(SYS_exit_group, 1);
  __builtin_unreachable();
}

bool IsProgramCode(CodeAddress pc) {
  return pc - reinterpret_cast<uintptr_t>(&__executable_start) <
         reinterpret_cast<uintptr_t>(&etext) -
             reinterpret_cast<uintptr_t>(&__executable_start);
}

bool IsStaticStorage(uintptr_t address) {
  struct Search {
    uintptr_t address;
    bool found;
  } search{address, false};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* arg) {
        auto* s = static_cast<Search*>(arg);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          const uintptr_t low = info->dlpi_addr + header.p_vaddr;
          if (header.p_type == PT_LOAD && s->address >= low &&
              s->address < low + header.p_memsz) {
            s->found = true;
            return 1;
          }
        }
        return 0;
      },
      &search);
  return search.found;
}

}  // namespace internal
}  // namespace lockstep
