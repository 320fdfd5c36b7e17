// SPDX-License-Identifier: Apache-2.0
//
// Mistake: frees the lock and gets in line again in two steps: in between, the
//   next one has its turn, sees nobody wait, and goes on.
// Verdict: wrong result
// Rule: TwoThreadsTakeTurns

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

using Tick = std::function<void()>;
using Task = std::function<int64_t(const Tick& tick)>;

struct Profile {
  std::vector<int64_t> results;
  std::chrono::nanoseconds wall{0};
  int64_t hand_overs = 0;
};

class GlobalLock {
 public:
  GlobalLock() = default;
  GlobalLock(const GlobalLock&) = delete;
  GlobalLock& operator=(const GlobalLock&) = delete;

  void Acquire() {
    std::unique_lock lock(mu_);
    WaitForTurn(lock);
  }

  void Release() {
    std::lock_guard lock(mu_);
    CallNext();
  }

  void HandOver() {
    std::unique_lock lock(mu_);
    if (next_ticket_ == called_ + 1) return;  // Nobody waits.
    ++hand_overs_;
    // Two critical sections: somebody can slip in between the two.
    CallNext();
    lock.unlock();
    lock.lock();
    WaitForTurn(lock);
  }

  int64_t hand_overs() const {
    std::lock_guard lock(mu_);
    return hand_overs_;
  }

 private:
  void WaitForTurn(std::unique_lock<std::mutex>& lock) {
    const int64_t ticket = next_ticket_++;
    turn_.wait(lock, [&] { return called_ == ticket; });
  }

  void CallNext() {
    ++called_;
    // All: only one of them has that ticket, and notify_one may pick another.
    turn_.notify_all();
  }

  mutable std::mutex mu_;
  std::condition_variable turn_;
  int64_t next_ticket_ = 0;  // Guarded by mu_.
  int64_t called_ = 0;       // Guarded by mu_. The ticket that holds the lock.
  int64_t hand_overs_ = 0;   // Guarded by mu_.
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
  struct Holding {
    explicit Holding(GlobalLock& lock) : lock(lock) { lock.Acquire(); }
    ~Holding() { lock.Release(); }
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
