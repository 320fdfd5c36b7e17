// SPDX-License-Identifier: Apache-2.0
//
// Chapter 13, reference answer with Abseil, and with another data structure: a
// line of items for each priority. First in, first out among equals comes by
// itself, and no item needs a number.

#ifndef SOLUTIONS_13_PRIORITY_QUEUE_ABSL_PRIORITY_QUEUE_H_
#define SOLUTIONS_13_PRIORITY_QUEUE_ABSL_PRIORITY_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace workbook {

template <typename T>
class PriorityQueue {
  static_assert(std::is_nothrow_move_constructible_v<T> &&
                std::is_nothrow_move_assignable_v<T>);

 public:
  PriorityQueue() = default;
  PriorityQueue(const PriorityQueue&) = delete;
  PriorityQueue& operator=(const PriorityQueue&) = delete;

  void Put(T item, int priority) {
    absl::MutexLock lock(&mu_);
    lines_[priority].push_back(std::move(item));
    ++size_;
  }

  T Pop() {
    absl::MutexLock lock(&mu_, absl::Condition(this, &PriorityQueue::HasItem));
    return TakeFirst();
  }

  std::optional<T> TryPop() {
    absl::MutexLock lock(&mu_);
    if (!HasItem()) return std::nullopt;
    return TakeFirst();
  }

  std::optional<T> PopFor(std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("PopFor: negative timeout");
    }
    absl::MutexLock lock(&mu_);
    if (!mu_.AwaitWithTimeout(absl::Condition(this, &PriorityQueue::HasItem),
                              absl::FromChrono(timeout))) {
      return std::nullopt;
    }
    return TakeFirst();
  }

  std::size_t Size() const {
    absl::MutexLock lock(&mu_);
    return size_;
  }

 private:
  bool HasItem() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return size_ > 0; }

  // REQUIRES: HasItem().
  T TakeFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto line = lines_.begin();
    T item = std::move(line->second.front());
    line->second.pop_front();
    if (line->second.empty()) lines_.erase(line);
    --size_;
    return item;
  }

  mutable absl::Mutex mu_;
  // Highest priority first. Outside of Put(), no line is empty.
  std::map<int, std::deque<T>, std::greater<int>> lines_ ABSL_GUARDED_BY(mu_);
  std::size_t size_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace workbook

#endif  // SOLUTIONS_13_PRIORITY_QUEUE_ABSL_PRIORITY_QUEUE_H_
