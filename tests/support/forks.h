// SPDX-License-Identifier: Apache-2.0
//
// What a test about fork() wants to count and to make fail. Linux.

#ifndef TESTS_SUPPORT_FORKS_H_
#define TESTS_SUPPORT_FORKS_H_

#include <functional>

namespace support {

// Counts calls of fork() in this process and in the processes that it forks, as
// long as the counter lives, and keeps wrong programs from filling the machine:
// - A forked process that forks again is counted and then ended with status 87,
//   so that a child which was to leave and goes on in its parent's loop makes n
//   processes and not 2^n.
// - A process that has forked 1000 times says so and is ended with status 87.
// What is started by other means, such as posix_spawn or _Fork, is not seen.
// One counter at a time.
class ForkCounter {
 public:
  ForkCounter();
  ~ForkCounter();
  ForkCounter(const ForkCounter&) = delete;
  ForkCounter& operator=(const ForkCounter&) = delete;

  // How often fork() was called, successfully or not.
  int forks() const;
  // How often it was called by a process that had itself been forked.
  int forks_in_children() const;
};

// Runs `function` in a thread of its own in which no process can be made:
// fork() and its relatives fail with EAGAIN, as they do on a machine that is
// full. Threads can be made. There, a signal to process -1 (which is what a
// failed fork() returns, and to kill() means everybody) fails with EPERM.
//
// Returns false, without a call of `function`, if the kernel has no seccomp(2).
// What `function` throws is thrown here.
bool RunWithoutFork(const std::function<void()>& function);

}  // namespace support

#endif  // TESTS_SUPPORT_FORKS_H_
