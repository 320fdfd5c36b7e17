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

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/raw_syscall.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace {

// Many times longer than any point takes on the slowest machine, and well
// inside the shortest time-out of a test.
constexpr int kSeconds = 25;

// True if some thread of the process other than the caller is computing.
bool AnyThreadComputes() {
  const long own = RawSyscall(SYS_gettid);
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return true;
  bool computes = false;
  while (const dirent* entry = readdir(tasks)) {
    if (entry->d_name[0] == '.' || std::atol(entry->d_name) == own) continue;
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
      computes = true;
    }
  }
  closedir(tasks);
  return computes;
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
    char message[200];
    if (AnyThreadComputes()) {
      std::snprintf(message, sizeof(message),
                    "T%u computes for %d seconds without reaching a "
                    "scheduling point",
                    running->id, kSeconds);
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

void StartWatchdog() {
  sigset_t all, old;
  sigfillset(&all);
  real::pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_t thread;
  real::pthread_create(&thread, nullptr, Watch, nullptr);
  real::pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

}  // namespace lockstep::internal
