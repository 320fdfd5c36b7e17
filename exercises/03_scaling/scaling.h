// SPDX-License-Identifier: Apache-2.0
//
// Chapter 03: the same tasks run in three ways: one after the other, on
// threads, and on threads that share one global lock. Read
// chapters/03_scaling/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/03_scaling/...

#ifndef WORKBOOK_03_SCALING_SCALING_H_
#define WORKBOOK_03_SCALING_SCALING_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace workbook {

// A task computes a number. In between, wherever another task could go on
// instead, it calls `tick()`, as an interpreter does after some instructions.
using Tick = std::function<void()>;
using Task = std::function<int64_t(const Tick& tick)>;

// What running some tasks gave, and what it took.
struct Profile {
  std::vector<int64_t> results;  // results[i] is what tasks[i] returned
  // From the call to the end of the last task. Nobody who sets the clock of
  // the machine changes it.
  std::chrono::nanoseconds wall{0};
  int64_t hand_overs = 0;  // of the global lock; 0 if there is none
};

// A lock that is fair: threads hold it in the order in which they came, and a
// holder can let the others go first. (Python's global interpreter lock works
// like this since version 3.2: who gives it up waits until another has had it.)
//
// All members may be called by any thread at any time.
class GlobalLock {
 public:
  GlobalLock() = default;
  GlobalLock(const GlobalLock&) = delete;
  GlobalLock& operator=(const GlobalLock&) = delete;

  // Waits until all who came before have held the lock and freed it; sleeps
  // meanwhile. Holds it then.
  void Acquire() {
    // TODO(1): one call.
  }

  // Frees the lock for the one who has waited longest.
  // REQUIRES: the caller holds the lock.
  void Release() {
    // TODO(2): and another.
  }

  // If somebody waits, gives the lock to the one who has waited longest, and
  // waits in line behind all who wait now; holds the lock again when it
  // returns. If nobody waits, has no effect.
  // REQUIRES: the caller holds the lock.
  void HandOver() {
    // TODO(3): in one critical section of mu_. When does nobody wait?
  }

  // How often HandOver() has given the lock to another thread.
  int64_t hand_overs() const {
    std::lock_guard lock(mu_);
    return hand_overs_;
  }

 private:
  // Draws a number and waits until it is called.
  void WaitForTurn(std::unique_lock<std::mutex>& lock) {
    // TODO(4): draw next_ticket_, wait for called_.
    (void)lock;
  }

  // Calls the next number.
  // REQUIRES: mu_ is held.
  void CallNext() {
    // TODO(5): how many of the waiting threads have to wake up to find the one?
  }

  mutable std::mutex mu_;
  std::condition_variable turn_;
  // As at a counter: everybody draws a number, and the number that is called
  // has its turn. Guarded by mu_.
  [[maybe_unused]] int64_t next_ticket_ = 0;
  [[maybe_unused]] int64_t called_ = 0;
  int64_t hand_overs_ = 0;
};

// Given. How many threads to run: `hint`, but at least one. The standard
// allows hardware_concurrency() to return 0 for "not known".
inline int ThreadCount(unsigned hint = std::thread::hardware_concurrency()) {
  return std::max(1, static_cast<int>(hint));
}

// Calls run(task) once for each task and profiles that: on `threads` threads,
// but no more than there are tasks; on the calling thread if `threads` is 0.
// Returns when all tasks have ended. If some of them throw, the exception of
// the first in `tasks` is thrown then.
inline Profile RunWith(const std::vector<Task>& tasks, int threads,
                       const std::function<int64_t(const Task&)>& run) {
  Profile profile;
  profile.results.resize(tasks.size());
  std::vector<std::exception_ptr> errors(tasks.size());
  // TODO(6): a function `work` that takes the next task as long as there is
  // one; call it here, or on each of the threads; join them; look at the clock.
  (void)threads, (void)run;
  for (const std::exception_ptr& error : errors) {
    if (error != nullptr) std::rethrow_exception(error);
  }
  return profile;
}

// Given.
inline void CheckThreads(int threads) {
  if (threads < 1) throw std::invalid_argument("scaling: no threads");
}

// Given. Runs the tasks one after the other, on the calling thread. A tick has
// no effect.
inline Profile RunSerially(const std::vector<Task>& tasks) {
  return RunWith(tasks, 0, [](const Task& task) { return task([] {}); });
}

// Given. Runs the tasks on `threads` threads. A tick has no effect. Throws
// std::invalid_argument if `threads` is less than 1.
inline Profile RunOnThreads(const std::vector<Task>& tasks, int threads) {
  CheckThreads(threads);
  return RunWith(tasks, threads, [](const Task& task) { return task([] {}); });
}

// Runs the tasks on `threads` threads, but a task runs only while its thread
// holds one global lock. A tick hands the lock over. Throws
// std::invalid_argument if `threads` is less than 1.
inline Profile RunUnderGlobalLock(const std::vector<Task>& tasks, int threads) {
  CheckThreads(threads);
  // TODO(7): who frees the lock if a task throws?
  Profile profile;
  profile.results.resize(tasks.size());
  return profile;
}

}  // namespace workbook

#endif  // WORKBOOK_03_SCALING_SCALING_H_
