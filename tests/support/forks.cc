// SPDX-License-Identifier: Apache-2.0

#include "tests/support/forks.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <new>
#include <thread>

namespace support {
namespace {

// In memory that all forked processes share.
struct Counts {
  std::atomic<pid_t> counted = 0;  // whose forks are counted; 0: nobody's
  std::atomic<int> forks = 0;
  std::atomic<int> forks_in_children = 0;
};

constexpr int kMostForks = 1000;

Counts* counts = nullptr;

void BeforeFork() {
  const pid_t counted = counts->counted;
  if (counted == 0) return;
  const int forks = ++counts->forks;
  if (getpid() == counted) {
    if (forks <= kMostForks) return;
    constexpr char kReport[] =
        "fork() was called 1000 times: an endless loop\n";
    (void)!write(STDERR_FILENO, kReport, sizeof(kReport) - 1);
    _exit(87);
  }
  counts->forks_in_children++;
  _exit(87);
}

bool ForbidFork() {
  // Numbers compared are the low halves of the arguments: machines of 64 bits
  // store them first.
  constexpr size_t kArgument = offsetof(seccomp_data, args);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#ifdef SYS_fork
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fork, 9, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vfork, 8, 0),
#else
      BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0),
      BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0),
#endif
      // The C library then does with clone(), whose flags can be looked at.
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 9, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArgument),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(-1), 4, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArgument),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  };
  sock_fprog program = {std::size(filter), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

ForkCounter::ForkCounter() {
  if (counts == nullptr) {
    void* const memory = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    counts = new (memory) Counts;
    pthread_atfork(BeforeFork, nullptr, nullptr);
  }
  counts->forks = 0;
  counts->forks_in_children = 0;
  counts->counted = getpid();
}

ForkCounter::~ForkCounter() { counts->counted = 0; }

int ForkCounter::forks() const { return counts->forks; }

int ForkCounter::forks_in_children() const { return counts->forks_in_children; }

bool RunWithoutFork(const std::function<void()>& function) {
  bool possible = false;
  std::exception_ptr error;
  std::thread([&] {
    possible = ForbidFork();
    if (!possible) return;
    try {
      function();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error != nullptr) std::rethrow_exception(error);
  return possible;
}

}  // namespace support
