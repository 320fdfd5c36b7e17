// SPDX-License-Identifier: Apache-2.0
//
// Chapter 04: a bounded blocking queue between producers and consumers. Read
// chapters/04_producer_consumer/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/04_producer_consumer/...

#ifndef EXERCISES_04_PRODUCER_CONSUMER_BLOCKING_QUEUE_H_
#define EXERCISES_04_PRODUCER_CONSUMER_BLOCKING_QUEUE_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace workbook {

// What a shutdown does with the items that are still in the queue.
enum class Pending { kServe, kDrop };

// A first-in, first-out queue that producers and consumers share. Consumers
// wait while it is empty, producers wait while it is full, and anybody may
// wait until all that was put has been worked off. (Python's queue.Queue.)
//
// All members may be called by any thread at any time. Each locks one mutex
// once and takes constant time, besides the waiting, during which it sleeps.
// Nobody may call them once the destructor has begun.
template <typename T>
class BlockingQueue {
  // So that an item on its way in or out cannot get lost half-way.
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  // A queue that holds at most `capacity` items; 0 means: no limit.
  explicit BlockingQueue(std::size_t capacity = 0) : capacity_(capacity) {}
  BlockingQueue(const BlockingQueue&) = delete;
  BlockingQueue& operator=(const BlockingQueue&) = delete;

  // Waits until there is room, then appends `item`. Returns false, without
  // the item, if the queue is shut down before or meanwhile.
  bool Put(T item) {
    // TODO(3): wait, then Push().
    (void)item;
    return false;
  }

  // Like Put(), but gives up `timeout` after the call and returns false; 0
  // means: do not wait. Throws std::invalid_argument if `timeout` is negative.
  bool PutFor(T item, std::chrono::nanoseconds timeout) {
    // TODO(4): one deadline for the whole wait.
    (void)item;
    (void)timeout;
    return false;
  }

  // Waits until there is an item and removes the oldest. Returns nothing if
  // the queue is shut down and empty.
  std::optional<T> Get() {
    // TODO(5): wait, then Pop().
    return std::nullopt;
  }

  // Like Get(), but gives up `timeout` after the call and returns nothing; 0
  // means: do not wait. Throws std::invalid_argument if `timeout` is negative.
  std::optional<T> GetFor(std::chrono::nanoseconds timeout) {
    // TODO(6)
    (void)timeout;
    return std::nullopt;
  }

  // Reports that one of the items taken has been worked off. Throws
  // std::logic_error if it was called for every item ever put; it does not
  // notice that an item has not been taken yet.
  void TaskDone() {
    // TODO(7): who waits for the last one?
  }

  // Waits until TaskDone() has been called for every item ever put. Returns at
  // once if none is unfinished.
  void Join() {
    // TODO(8)
  }

  // Ends the queue: from now on nothing can be put. With kServe, the items in
  // the queue can still be taken; with kDrop they are removed, and count as
  // done. Releases every thread that waits in vain. May be called repeatedly.
  void Shutdown(Pending pending = Pending::kServe) {
    // TODO(9)
    (void)pending;
  }

  // How many items are in the queue. With other threads at work, this was true
  // a moment ago.
  std::size_t Size() const {
    // TODO(10)
    return 0;
  }

 private:
  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  static std::chrono::steady_clock::time_point DeadlineAfter(
      std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("BlockingQueue: negative timeout");
    }
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    return timeout < Clock::time_point::max() - now ? now + timeout
                                                    : Clock::time_point::max();
  }

  // Appends `item`, counts it as unfinished and wakes whom that concerns.
  // Returns whether it did: not after a shutdown. REQUIRES: mu_ is held.
  bool Push(T item) {
    // TODO(1)
    (void)item;
    return false;
  }

  // Removes the oldest item, if there is one, and wakes whom that concerns.
  // REQUIRES: mu_ is held.
  std::optional<T> Pop() {
    // TODO(2)
    return std::nullopt;
  }

  [[maybe_unused]] const std::size_t capacity_;
  mutable std::mutex mu_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::condition_variable all_done_;
  // Guarded by mu_.
  std::deque<T> items_;
  [[maybe_unused]] std::size_t unfinished_ = 0;  // Put and not yet done.
  [[maybe_unused]] bool shut_down_ = false;
};

}  // namespace workbook

#endif  // EXERCISES_04_PRODUCER_CONSUMER_BLOCKING_QUEUE_H_
