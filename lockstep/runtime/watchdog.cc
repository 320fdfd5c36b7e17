// SPDX-License-Identifier: Apache-2.0
//
// The last resort: a thread that neither ends nor reaches a scheduling point
// (an endless loop over nothing, a call that waits and that lockstep does not
// know). A thread of its own looks at a counter once a second; nothing else
// in lockstep depends on real time.

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/raw_syscall.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace {

// Many times longer than any point takes on the slowest machine. Twice as long
// is still inside the 20 s that a grade gives a test: the schedule is replayed
// once for its picture, and stands still again.
constexpr int kSeconds = 8;

std::atomic<const char*> g_message{nullptr};

// A kernel thread of the process, other than the caller, that is computing; 0
// if there is none.
long ComputingThread() {
  const long own = RawSyscall(SYS_gettid);
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return RawSyscall(SYS_getpid);
  long computing = 0;
  while (const dirent* entry = readdir(tasks)) {
    const long tid = std::atol(entry->d_name);
    if (entry->d_name[0] == '.' || tid == own) continue;
    char path[300];
    std::snprintf(path, sizeof(path), "/proc/self/task/%s/stat", entry->d_name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    char text[512];
    const ssize_t size = ::read(fd, text, sizeof(text) - 1);
    close(fd);
    if (size <= 0) continue;
    text[size] = '\0';
    const char* state = std::strrchr(text, ')');  // "tid (name) state ..."
    if (state != nullptr && state[1] == ' ' && state[2] == 'R') {
      computing = tid;
    }
  }
  closedir(tasks);
  return computing;
}

void* Watch(void*) {
  uint64_t last = 0;
  int stuck = 0;
  for (;;) {
    const timespec second = {1, 0};
    RawSyscall(SYS_nanosleep, reinterpret_cast<long>(&second), 0);
    const uint64_t now = g_scheduler.ProgressMark();
    stuck = now == last && g_scheduler.active() ? stuck + 1 : 0;
    last = now;
    if (stuck < kSeconds) continue;
    Thread* running = g_scheduler.running();
    static char message[200];
    if (const long tid = ComputingThread(); tid != 0) {
      std::snprintf(message, sizeof(message),
                    "T%u runs for %d seconds without a lock, a wait or an "
                    "end: an endless loop?",
                    running->id, kSeconds);
      // It should report itself: only it can say where it is.
      g_message = message;
      RawSyscall(SYS_tgkill, RawSyscall(SYS_getpid), tid, kStuckSignal);
      RawSyscall(SYS_nanosleep, reinterpret_cast<long>(&second), 0);
      while (TakeStuckMessage() == nullptr) {
        RawSyscall(SYS_nanosleep, reinterpret_cast<long>(&second), 0);
      }
      DieWithFinding(running, Verdict::kLivelock, message, 0);
    }
    std::snprintf(message, sizeof(message),
                  "T%u blocks outside lockstep's control: no scheduling point "
                  "for %d seconds",
                  running->id, kSeconds);
    DieWithFinding(running, Verdict::kUncontrolledBlocking, message, 0);
  }
}

}  // namespace

const char* TakeStuckMessage() { return g_message.exchange(nullptr); }

void StartWatchdog() {
  sigset_t all, old;
  sigfillset(&all);
  real::pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_t thread;
  real::pthread_create(&thread, nullptr, Watch, nullptr);
  real::pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

}  // namespace lockstep::internal
