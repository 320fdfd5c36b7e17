// SPDX-License-Identifier: Apache-2.0
//
// Chapter 04, reference answer with Abseil. A condition says what a thread
// waits for, so nobody notifies and nobody can notify the wrong thread.

#ifndef SOLUTIONS_04_PRODUCER_CONSUMER_ABSL_BLOCKING_QUEUE_H_
#define SOLUTIONS_04_PRODUCER_CONSUMER_ABSL_BLOCKING_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace workbook {

enum class Pending { kServe, kDrop };

template <typename T>
class BlockingQueue {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  explicit BlockingQueue(std::size_t capacity = 0) : capacity_(capacity) {}
  BlockingQueue(const BlockingQueue&) = delete;
  BlockingQueue& operator=(const BlockingQueue&) = delete;

  bool Put(T item) {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &BlockingQueue::MayPut));
    return Push(std::move(item));
  }

  bool PutFor(T item, std::chrono::nanoseconds timeout) {
    CheckTimeout(timeout);
    absl::MutexLock lock(&mu_);
    return mu_.AwaitWithTimeout(absl::Condition(this, &BlockingQueue::MayPut),
                                absl::FromChrono(timeout)) &&
           Push(std::move(item));
  }

  std::optional<T> Get() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &BlockingQueue::MayGet));
    return Pop();
  }

  std::optional<T> GetFor(std::chrono::nanoseconds timeout) {
    CheckTimeout(timeout);
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(absl::Condition(this, &BlockingQueue::MayGet),
                         absl::FromChrono(timeout));
    return Pop();
  }

  void TaskDone() {
    absl::MutexLock lock(&mu_);
    if (unfinished_ == 0) {
      throw std::logic_error("TaskDone: called more often than items were put");
    }
    --unfinished_;
  }

  void Join() {
    absl::MutexLock lock(&mu_, absl::Condition(this, &BlockingQueue::AllDone));
  }

  void Shutdown(Pending pending = Pending::kServe) {
    std::deque<T> dropped;  // Destroyed after mu_ is free again: ~T() may be
                            // slow, or may call this queue.
    absl::MutexLock lock(&mu_);
    shut_down_ = true;
    if (pending == Pending::kDrop) {
      unfinished_ -= items_.size();
      dropped.swap(items_);
    }
  }

  std::size_t Size() const {
    absl::MutexLock lock(&mu_);
    return items_.size();
  }

 private:
  static void CheckTimeout(std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("BlockingQueue: negative timeout");
    }
  }

  bool MayPut() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return shut_down_ || capacity_ == 0 || items_.size() < capacity_;
  }
  bool MayGet() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return shut_down_ || !items_.empty();
  }
  bool AllDone() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return unfinished_ == 0;
  }

  bool Push(T item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (shut_down_) return false;
    items_.push_back(std::move(item));
    ++unfinished_;  // After push_back(), which may throw.
    return true;
  }

  std::optional<T> Pop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  const std::size_t capacity_;
  mutable absl::Mutex mu_;
  std::deque<T> items_ ABSL_GUARDED_BY(mu_);
  // Items put and not yet reported done.
  std::size_t unfinished_ ABSL_GUARDED_BY(mu_) = 0;
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace workbook

#endif  // SOLUTIONS_04_PRODUCER_CONSUMER_ABSL_BLOCKING_QUEUE_H_
