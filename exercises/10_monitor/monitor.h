// SPDX-License-Identifier: Apache-2.0
//
// Chapter 10: a re-entrant mutex, a condition to wait for while holding it, and
// a monitor whose operations call each other. Read
// chapters/10_monitor/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/10_monitor/...

#ifndef EXERCISES_10_MONITOR_MONITOR_H_
#define EXERCISES_10_MONITOR_MONITOR_H_

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

// A mutex that its owner may lock again. It counts: the owner must unlock it as
// often as it locked it, and the last unlock() frees it. (Python's
// threading.RLock.)
//
// All members may be called by any thread at any time. They are named as the
// standard names them, so std::lock_guard and std::scoped_lock work with it.
class ReentrantMutex {
 public:
  ReentrantMutex() = default;
  ReentrantMutex(const ReentrantMutex&) = delete;
  ReentrantMutex& operator=(const ReentrantMutex&) = delete;

  // Waits until the mutex is free, unless the caller owns it; goes one level
  // deeper.
  void lock() {
    // TODO(1): who owns it? Wait if it is another thread.
  }

  // Like lock(), but returns false instead of waiting. Never waits.
  bool try_lock() {
    // TODO(2): the same question, another answer.
    return false;
  }

  // Goes up one level; from the first level, frees the mutex and lets one
  // waiting thread go on. Throws std::logic_error, and changes nothing, if the
  // caller does not own the mutex.
  void unlock() {
    // TODO(3): refuse strangers; who has to hear that the mutex is free?
  }

  // How often the caller has locked it and not yet unlocked it. 0 if the caller
  // does not own it, whoever else does.
  int Depth() const {
    // TODO(4): does a question need the lock, too?
    return 0;
  }

 private:
  friend class Condition;

  // True if the calling thread owns this mutex. REQUIRES: mu_ is held.
  [[maybe_unused]] bool IsMine() const {
    return depth_ > 0 && owner_ == std::this_thread::get_id();
  }

  mutable std::mutex mu_;
  std::condition_variable freed_;
  // The thread that owns this mutex, if depth_ > 0. Guarded by mu_.
  std::thread::id owner_;
  // 0 if the mutex is free. Guarded by mu_.
  int depth_ = 0;
};

// Lets the owner of a ReentrantMutex wait for something that another thread
// does under the same mutex. (Python's threading.Condition with an RLock.)
class Condition {
 public:
  // `mutex` must outlive this object.
  explicit Condition(ReentrantMutex& mutex) : mutex_(mutex) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // Returns as soon as ready() is true, at once if it is true already. While it
  // waits, the mutex is free, however deep the caller has locked it; during
  // ready() and on return the caller owns it, as deep as before. Looks again
  // after each NotifyAll(). ready() must not throw.
  //
  // Throws std::logic_error if the caller does not own the mutex.
  void Wait(const std::function<bool()>& ready) {
    // TODO(5): give up all levels and fall asleep in one step, or you will miss
    // a notification; then own the mutex again, and get your levels back.
    (void)ready;
  }

  // Makes all waiting threads look again. Throws std::logic_error if the caller
  // does not own the mutex.
  void NotifyAll() {
    // TODO(6)
  }

 private:
  [[maybe_unused]] ReentrantMutex& mutex_;
  // Used with mutex_.mu_.
  std::condition_variable changed_;
};

// A board on which threads leave messages for each other: a monitor. Each
// operation is one step for all others, also where it uses another operation.
// Users of different boards do not wait for each other.
//
// All members may be called by any thread at any time.
class MessageBoard {
 public:
  MessageBoard() = default;
  MessageBoard(const MessageBoard&) = delete;
  MessageBoard& operator=(const MessageBoard&) = delete;

  // Adds a message at the end.
  void Post(std::string message) {
    // TODO(7)
    (void)message;
  }

  // Adds several messages at the end, next to each other.
  void PostAll(const std::vector<std::string>& messages) {
    // TODO(8): use Post().
    (void)messages;
  }

  // Waits until there are `count` messages; removes the first `count` and
  // returns them in their order.
  std::vector<std::string> Take(size_t count) {
    // TODO(9)
    (void)count;
    return {};
  }

  // PostAll(messages), then Take(count). Nobody comes between the two, unless
  // it has to wait: then others may post and take meanwhile.
  std::vector<std::string> Exchange(const std::vector<std::string>& messages,
                                    size_t count) {
    // TODO(10): use PostAll() and Take().
    (void)messages;
    (void)count;
    return {};
  }

 private:
  ReentrantMutex mu_;
  Condition posted_{mu_};
  std::vector<std::string> messages_;  // Guarded by mu_.
};

}  // namespace workbook

#endif  // EXERCISES_10_MONITOR_MONITOR_H_
