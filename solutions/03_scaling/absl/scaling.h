// SPDX-License-Identifier: Apache-2.0
//
// Chapter 03, reference answer with Abseil: conditions instead of
// notifications.

#ifndef WORKBOOK_03_SCALING_SCALING_H_
#define WORKBOOK_03_SCALING_SCALING_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace workbook {

using Tick = std::function<void()>;
using Task = std::function<int64_t(const Tick& tick)>;

struct Profile {
  std::vector<int64_t> results;
  std::chrono::nanoseconds wall{0};
  int64_t hand_overs = 0;
};

class ABSL_LOCKABLE GlobalLock {
 public:
  GlobalLock() = default;
  GlobalLock(const GlobalLock&) = delete;
  GlobalLock& operator=(const GlobalLock&) = delete;

  void Acquire() ABSL_EXCLUSIVE_LOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::MutexLock lock(&mu_);
    WaitForTurn();
  }

  void Release() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::MutexLock lock(&mu_);
    ++called_;
  }

  void HandOver() {
    absl::MutexLock lock(&mu_);
    if (next_ticket_ == called_ + 1) return;  // Nobody waits.
    ++hand_overs_;
    ++called_;
    WaitForTurn();
  }

  int64_t hand_overs() const {
    absl::MutexLock lock(&mu_);
    return hand_overs_;
  }

 private:
  // The mutex looks who can go on: nobody is notified, and nobody forgotten.
  void WaitForTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    struct Turn {
      const int64_t& called;
      const int64_t ticket;
    } turn = {called_, next_ticket_++};
    mu_.Await(absl::Condition(
        +[](Turn* turn) { return turn->called == turn->ticket; }, &turn));
  }

  mutable absl::Mutex mu_;
  int64_t next_ticket_ ABSL_GUARDED_BY(mu_) = 0;
  // The ticket that holds the lock.
  int64_t called_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t hand_overs_ ABSL_GUARDED_BY(mu_) = 0;
};

inline int ThreadCount(unsigned hint = std::thread::hardware_concurrency()) {
  return std::max(1, static_cast<int>(hint));
}

// Runs `run(task)` for each task, on `threads` threads, or, if that is 0, on
// the calling one.
inline Profile RunWith(const std::vector<Task>& tasks, int threads,
                       const std::function<int64_t(const Task&)>& run) {
  const auto start = std::chrono::steady_clock::now();
  Profile profile;
  profile.results.resize(tasks.size());
  std::vector<std::exception_ptr> errors(tasks.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i; (i = next++) < tasks.size();) {
      try {
        profile.results[i] = run(tasks[i]);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  if (threads == 0) {
    work();
  } else {
    std::vector<std::jthread> workers;  // Joined at the end of the block.
    const size_t count = std::min<size_t>(threads, tasks.size());
    while (workers.size() < count) workers.emplace_back(work);
  }
  profile.wall = std::chrono::steady_clock::now() - start;
  for (const std::exception_ptr& error : errors) {
    if (error != nullptr) std::rethrow_exception(error);
  }
  return profile;
}

inline void CheckThreads(int threads) {
  if (threads < 1) throw std::invalid_argument("scaling: no threads");
}

inline Profile RunSerially(const std::vector<Task>& tasks) {
  return RunWith(tasks, 0, [](const Task& task) { return task([] {}); });
}

inline Profile RunOnThreads(const std::vector<Task>& tasks, int threads) {
  CheckThreads(threads);
  return RunWith(tasks, threads, [](const Task& task) { return task([] {}); });
}

inline Profile RunUnderGlobalLock(const std::vector<Task>& tasks, int threads) {
  CheckThreads(threads);
  GlobalLock lock;
  struct ABSL_SCOPED_LOCKABLE Holding {
    explicit Holding(GlobalLock& lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock)
        : lock(lock) {
      lock.Acquire();
    }
    ~Holding() ABSL_UNLOCK_FUNCTION() { lock.Release(); }
    GlobalLock& lock;
  };
  Profile profile = RunWith(tasks, threads, [&lock](const Task& task) {
    Holding holding(lock);
    return task([&lock] { lock.HandOver(); });
  });
  profile.hand_overs = lock.hand_overs();
  return profile;
}

}  // namespace workbook

#endif  // WORKBOOK_03_SCALING_SCALING_H_
