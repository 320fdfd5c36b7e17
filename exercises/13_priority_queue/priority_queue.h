// SPDX-License-Identifier: Apache-2.0
//
// Chapter 13: a blocking priority queue. Read
// chapters/13_priority_queue/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/13_priority_queue/...

#ifndef EXERCISES_13_PRIORITY_QUEUE_PRIORITY_QUEUE_H_
#define EXERCISES_13_PRIORITY_QUEUE_PRIORITY_QUEUE_H_

#include <algorithm>
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

// A queue from which the item with the highest priority leaves first, and of
// several with the same priority the one that came first. Any int is a
// priority. Items are moved and never copied or compared.
//
// All members may be called by any thread at any time. Each locks one mutex
// once, besides the waiting, during which it sleeps. Put and the three pops
// take time logarithmic in the number of items.
template <typename T>
class PriorityQueue {
  // So that an item on its way in or out cannot get lost half-way.
  static_assert(std::is_nothrow_move_constructible_v<T> &&
                std::is_nothrow_move_assignable_v<T>);

 public:
  PriorityQueue() = default;
  PriorityQueue(const PriorityQueue&) = delete;
  PriorityQueue& operator=(const PriorityQueue&) = delete;

  // Adds `item`. Never waits for another thread's pop.
  void Put(T item, int priority) {
    // TODO(1): std::push_heap puts a new last element where it belongs.
    (void)item;
    (void)priority;
  }

  // Waits until there is an item, removes the first in line and returns it.
  T Pop() {
    // TODO(4)
    return T();
  }

  // Like Pop(), but returns nothing if the queue is empty. Never waits.
  std::optional<T> TryPop() {
    // TODO(5)
    return std::nullopt;
  }

  // Like Pop(), but gives up `timeout` after the call and returns nothing.
  // Throws std::invalid_argument if `timeout` is negative.
  std::optional<T> PopFor(std::chrono::nanoseconds timeout) {
    // TODO(6): one deadline for the whole wait.
    (void)timeout;
    return std::nullopt;
  }

  // How many items are in the queue. With other threads at work, this was true
  // a moment ago.
  std::size_t Size() const {
    // TODO(7)
    return 0;
  }

 private:
  struct Entry {
    int priority;
    std::uint64_t number;  // 0 for the first item that came, then 1, ...
    T item;
  };

  // The order of the heap: whether `a` leaves after `b`.
  [[maybe_unused]] static bool LeavesLater(const Entry& a, const Entry& b) {
    // TODO(2): decide by priority, then by number.
    (void)a;
    (void)b;
    return false;
  }

  // Removes the first in line and returns its item.
  // REQUIRES: mu_ is held, and heap_ is not empty.
  T TakeTop() {
    // TODO(3): std::pop_heap moves it to the end of heap_.
    return T();
  }

  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  [[maybe_unused]] static std::chrono::steady_clock::time_point DeadlineAfter(
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
  // Guarded by mu_. heap_ is ordered by LeavesLater as <algorithm> orders
  // heaps: the first in line is heap_.front().
  std::vector<Entry> heap_;
  [[maybe_unused]] std::uint64_t next_number_ = 0;
};

}  // namespace workbook

#endif  // EXERCISES_13_PRIORITY_QUEUE_PRIORITY_QUEUE_H_
