// SPDX-License-Identifier: Apache-2.0
//
// Chapter 10, reference answer with Abseil. Its mutex is not re-entrant and has
// no need to be: the board's operations share helpers that require the lock,
// and the compiler (clang) checks who calls them.

#ifndef SOLUTIONS_10_MONITOR_ABSL_MONITOR_H_
#define SOLUTIONS_10_MONITOR_ABSL_MONITOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace workbook {

// Not annotated as a lock: the analysis would refuse to lock it twice.
class ReentrantMutex {
 public:
  ReentrantMutex() = default;
  ReentrantMutex(const ReentrantMutex&) = delete;
  ReentrantMutex& operator=(const ReentrantMutex&) = delete;

  void lock() {
    absl::MutexLock lock(&mu_);
    if (!IsMine()) {
      // "Free or mine" would be wrong here: a condition is often evaluated by
      // another thread, for which "mine" means something else.
      mu_.Await(absl::Condition(this, &ReentrantMutex::IsFree));
      owner_ = std::this_thread::get_id();
    }
    ++depth_;
  }

  bool try_lock() {
    absl::MutexLock lock(&mu_);
    if (!IsFree() && !IsMine()) return false;
    owner_ = std::this_thread::get_id();
    ++depth_;
    return true;
  }

  void unlock() {
    absl::MutexLock lock(&mu_);
    if (!IsMine()) throw std::logic_error("unlock: not the owner");
    --depth_;
  }

  int Depth() const {
    absl::MutexLock lock(&mu_);
    return IsMine() ? depth_ : 0;
  }

 private:
  friend class Condition;

  bool IsFree() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return depth_ == 0; }

  // A thread's id may be used again after its end, so an owner counts only
  // while the depth is not 0.
  bool IsMine() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return depth_ > 0 && owner_ == std::this_thread::get_id();
  }

  mutable absl::Mutex mu_;
  std::thread::id owner_ ABSL_GUARDED_BY(mu_);
  int depth_ ABSL_GUARDED_BY(mu_) = 0;
};

class Condition {
 public:
  explicit Condition(ReentrantMutex& mutex) : mutex_(mutex) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void Wait(const std::function<bool()>& ready) {
    const int depth = mutex_.Depth();
    if (depth == 0) throw std::logic_error("Wait: not the owner");
    while (!ready()) {
      absl::MutexLock lock(&mutex_.mu_);
      mutex_.depth_ = 0;
      // ready() may touch whatever the re-entrant mutex guards, so it cannot be
      // the condition itself. What is waited for instead: the mutex is free,
      // and somebody has notified since.
      auto notified = [this, seen = notifications_]()
                          ABSL_NO_THREAD_SAFETY_ANALYSIS {
                            return mutex_.depth_ == 0 && notifications_ != seen;
                          };
      mutex_.mu_.Await(absl::Condition(&notified));
      mutex_.owner_ = std::this_thread::get_id();
      mutex_.depth_ = depth;
    }
  }

  void NotifyAll() {
    absl::MutexLock lock(&mutex_.mu_);
    if (!mutex_.IsMine()) throw std::logic_error("NotifyAll: not the owner");
    ++notifications_;
  }

 private:
  ReentrantMutex& mutex_;
  uint64_t notifications_ ABSL_GUARDED_BY(mutex_.mu_) = 0;
};

class MessageBoard {
 public:
  MessageBoard() = default;
  MessageBoard(const MessageBoard&) = delete;
  MessageBoard& operator=(const MessageBoard&) = delete;

  void Post(std::string message) {
    absl::MutexLock lock(&mu_);
    PostLocked(std::move(message));
  }

  void PostAll(const std::vector<std::string>& messages) {
    absl::MutexLock lock(&mu_);
    PostAllLocked(messages);
  }

  std::vector<std::string> Take(size_t count) {
    absl::MutexLock lock(&mu_);
    return TakeLocked(count);
  }

  std::vector<std::string> Exchange(const std::vector<std::string>& messages,
                                    size_t count) {
    absl::MutexLock lock(&mu_);
    PostAllLocked(messages);
    return TakeLocked(count);
  }

 private:
  void PostLocked(std::string message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    messages_.push_back(std::move(message));
  }

  void PostAllLocked(const std::vector<std::string>& messages)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const std::string& message : messages) PostLocked(message);
  }

  // Frees the mutex while it waits.
  std::vector<std::string> TakeLocked(size_t count)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    auto enough = [this, count]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return messages_.size() >= count;
    };
    mu_.Await(absl::Condition(&enough));
    const auto end = messages_.begin() + count;
    std::vector<std::string> taken(messages_.begin(), end);
    messages_.erase(messages_.begin(), end);
    return taken;
  }

  absl::Mutex mu_;
  std::vector<std::string> messages_ ABSL_GUARDED_BY(mu_);
};

}  // namespace workbook

#endif  // SOLUTIONS_10_MONITOR_ABSL_MONITOR_H_
