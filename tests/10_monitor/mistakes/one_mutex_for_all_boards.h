// SPDX-License-Identifier: Apache-2.0
//
// Mistake: The mutex of the monitor is static, as if it guarded the class and
// not the object: all boards share it.
// Verdict: too much synchronisation
// Rule: TwoBoardsDoNotWaitForEachOther

#ifndef TESTS_10_MONITOR_MISTAKES_ONE_MUTEX_FOR_ALL_BOARDS_H_
#define TESTS_10_MONITOR_MISTAKES_ONE_MUTEX_FOR_ALL_BOARDS_H_

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace workbook {

class ReentrantMutex {
 public:
  ReentrantMutex() = default;
  ReentrantMutex(const ReentrantMutex&) = delete;
  ReentrantMutex& operator=(const ReentrantMutex&) = delete;

  void lock() {
    std::unique_lock lock(mu_);
    if (!IsMine()) Own(lock);
    ++depth_;
  }

  bool try_lock() {
    std::lock_guard lock(mu_);
    if (depth_ > 0 && !IsMine()) return false;
    owner_ = std::this_thread::get_id();
    ++depth_;
    return true;
  }

  void unlock() {
    std::lock_guard lock(mu_);
    if (!IsMine()) throw std::logic_error("unlock: not the owner");
    // One is enough: only one waiter can own it.
    if (--depth_ == 0) freed_.notify_one();
  }

  int Depth() const {
    std::lock_guard lock(mu_);
    return IsMine() ? depth_ : 0;
  }

 private:
  friend class Condition;

  // REQUIRES: mu_ is held. A thread's id may be used again after its end, so an
  // owner counts only while the depth is not 0.
  bool IsMine() const {
    return depth_ > 0 && owner_ == std::this_thread::get_id();
  }

  // Waits until the mutex is free and makes the caller its owner, at depth 0.
  // REQUIRES: `lock` holds mu_, and holds it until the depth is set.
  void Own(std::unique_lock<std::mutex>& lock) {
    freed_.wait(lock, [this] { return depth_ == 0; });
    owner_ = std::this_thread::get_id();
  }

  mutable std::mutex mu_;
  std::condition_variable freed_;
  std::thread::id owner_;  // Guarded by mu_.
  int depth_ = 0;          // Guarded by mu_.
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
      std::unique_lock lock(mutex_.mu_);
      mutex_.depth_ = 0;
      mutex_.freed_.notify_one();
      // Who notifies must own the mutex, and for that needs mu_, which is ours
      // until we sleep: no notification comes too early.
      changed_.wait(lock);
      mutex_.Own(lock);
      mutex_.depth_ = depth;
    }
  }

  void NotifyAll() {
    if (mutex_.Depth() == 0) throw std::logic_error("NotifyAll: not the owner");
    changed_.notify_all();
  }

 private:
  ReentrantMutex& mutex_;
  std::condition_variable changed_;  // Used with mutex_.mu_.
};

class MessageBoard {
 public:
  MessageBoard() = default;
  MessageBoard(const MessageBoard&) = delete;
  MessageBoard& operator=(const MessageBoard&) = delete;

  void Post(std::string message) {
    std::lock_guard lock(mu_);
    messages_.push_back(std::move(message));
    // All, because they wait for different counts.
    posted_.NotifyAll();
  }

  void PostAll(const std::vector<std::string>& messages) {
    std::lock_guard lock(mu_);
    for (const std::string& message : messages) Post(message);
  }

  std::vector<std::string> Take(size_t count) {
    std::lock_guard lock(mu_);
    posted_.Wait([&] { return messages_.size() >= count; });
    const auto end = messages_.begin() + count;
    std::vector<std::string> taken(messages_.begin(), end);
    messages_.erase(messages_.begin(), end);
    return taken;
  }

  std::vector<std::string> Exchange(const std::vector<std::string>& messages,
                                    size_t count) {
    std::lock_guard lock(mu_);
    PostAll(messages);
    return Take(count);
  }

 private:
  inline static ReentrantMutex mu_;
  Condition posted_{mu_};
  std::vector<std::string> messages_;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_10_MONITOR_MISTAKES_ONE_MUTEX_FOR_ALL_BOARDS_H_
