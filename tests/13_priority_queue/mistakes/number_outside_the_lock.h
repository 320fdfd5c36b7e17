// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the number of an item comes from an atomic counter, before the
// mutex is taken. In between another item can get in with a higher number.
// Verdict: wrong result
// Rule: AnItemThatIsInLeavesBeforeAnEqualThatIsNot

#ifndef TESTS_13_PRIORITY_QUEUE_MISTAKES_NUMBER_OUTSIDE_THE_LOCK_H_
#define TESTS_13_PRIORITY_QUEUE_MISTAKES_NUMBER_OUTSIDE_THE_LOCK_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

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
    const std::uint64_t number = next_number_++;
    std::lock_guard lock(mu_);
    heap_.push_back({priority, number, std::move(item)});
    std::push_heap(heap_.begin(), heap_.end(), LeavesLater);
    not_empty_.notify_one();
  }

  T Pop() {
    std::unique_lock lock(mu_);
    not_empty_.wait(lock, [this] { return !heap_.empty(); });
    return TakeTop();
  }

  std::optional<T> TryPop() {
    std::lock_guard lock(mu_);
    if (heap_.empty()) return std::nullopt;
    return TakeTop();
  }

  std::optional<T> PopFor(std::chrono::nanoseconds timeout) {
    const auto deadline = DeadlineAfter(timeout);
    std::unique_lock lock(mu_);
    if (!not_empty_.wait_until(lock, deadline,
                               [this] { return !heap_.empty(); })) {
      return std::nullopt;
    }
    return TakeTop();
  }

  std::size_t Size() const {
    std::lock_guard lock(mu_);
    return heap_.size();
  }

 private:
  struct Entry {
    int priority;
    std::uint64_t number;  // 0 for the first item that came, then 1, ...
    T item;
  };

  // The order of the heap. No two entries are equal in it, so the heap, which
  // keeps no order among equals, has nothing to decide. Items have no say.
  static bool LeavesLater(const Entry& a, const Entry& b) {
    if (a.priority != b.priority) return a.priority < b.priority;
    return a.number > b.number;
  }

  // REQUIRES: mu_ is held, and heap_ is not empty.
  T TakeTop() {
    std::pop_heap(heap_.begin(), heap_.end(), LeavesLater);
    T item = std::move(heap_.back().item);
    heap_.pop_back();
    return item;
  }

  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  static std::chrono::steady_clock::time_point DeadlineAfter(
      std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("PriorityQueue: negative timeout");
    }
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    return timeout < Clock::time_point::max() - now ? now + timeout
                                                    : Clock::time_point::max();
  }

  mutable std::mutex mu_;
  std::condition_variable not_empty_;
  std::vector<Entry> heap_;  // Guarded by mu_.
  std::atomic<std::uint64_t> next_number_ = 0;
};

}  // namespace workbook

#endif  // TESTS_13_PRIORITY_QUEUE_MISTAKES_NUMBER_OUTSIDE_THE_LOCK_H_
