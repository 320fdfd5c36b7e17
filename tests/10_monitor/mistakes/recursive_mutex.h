// SPDX-License-Identifier: Apache-2.0
//
// Mistake: std::recursive_mutex does the work, and a condition_variable_any
// waits with it: that gives up one level of two.
// Verdict: deadlock
// Rule: AWaitGivesUpEveryLevel

#ifndef TESTS_10_MONITOR_MISTAKES_RECURSIVE_MUTEX_H_
#define TESTS_10_MONITOR_MISTAKES_RECURSIVE_MUTEX_H_

#include <atomic>
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
    mu_.lock();
    owner_ = std::this_thread::get_id();
    ++depth_;
  }

  bool try_lock() {
    if (!mu_.try_lock()) return false;
    owner_ = std::this_thread::get_id();
    ++depth_;
    return true;
  }

  void unlock() {
    if (Depth() == 0) throw std::logic_error("unlock: not the owner");
    if (--depth_ == 0) owner_ = std::thread::id();
    mu_.unlock();
  }

  int Depth() const {
    return owner_ == std::this_thread::get_id() ? depth_.load() : 0;
  }

 private:
  friend class Condition;

  std::recursive_mutex mu_;
  std::atomic<std::thread::id> owner_ = std::thread::id();
  std::atomic<int> depth_ = 0;
};

class Condition {
 public:
  explicit Condition(ReentrantMutex& mutex) : mutex_(mutex) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void Wait(const std::function<bool()>& ready) {
    if (mutex_.Depth() == 0) throw std::logic_error("Wait: not the owner");
    changed_.wait(mutex_, ready);
  }

  void NotifyAll() {
    if (mutex_.Depth() == 0) throw std::logic_error("NotifyAll: not the owner");
    changed_.notify_all();
  }

 private:
  ReentrantMutex& mutex_;
  std::condition_variable_any changed_;
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
  ReentrantMutex mu_;
  Condition posted_{mu_};
  std::vector<std::string> messages_;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // TESTS_10_MONITOR_MISTAKES_RECURSIVE_MUTEX_H_
