// SPDX-License-Identifier: Apache-2.0
//
// Mistake: PutFor and GetFor wait for room and for an item only. A shutdown
// does not release them before their time is over.
// Verdict: wrong result
// Rule: AShutdownReleasesTimedCallsAtOnce

#ifndef TESTS_04_PRODUCER_CONSUMER_MISTAKES_TIMED_CALLS_WAIT_THROUGH_A_SHUTDOWN_H_
#define TESTS_04_PRODUCER_CONSUMER_MISTAKES_TIMED_CALLS_WAIT_THROUGH_A_SHUTDOWN_H_

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

enum class Pending { kServe, kDrop };

template <typename T>
class BlockingQueue {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  explicit BlockingQueue(std::size_t capacity = 0) : capacity_(capacity) {}
  BlockingQueue(const BlockingQueue&) = delete;
  BlockingQueue& operator=(const BlockingQueue&) = delete;

  bool Put(T item) {
    std::unique_lock lock(mu_);
    not_full_.wait(lock, [this] { return MayPut(); });
    return Push(std::move(item));
  }

  bool PutFor(T item, std::chrono::nanoseconds timeout) {
    const auto deadline = DeadlineAfter(timeout);
    std::unique_lock lock(mu_);
    const auto has_room = [this] {
      return capacity_ == 0 || items_.size() < capacity_;
    };
    return not_full_.wait_until(lock, deadline, has_room) &&
           Push(std::move(item));
  }

  std::optional<T> Get() {
    std::unique_lock lock(mu_);
    not_empty_.wait(lock, [this] { return MayGet(); });
    return Pop();
  }

  std::optional<T> GetFor(std::chrono::nanoseconds timeout) {
    const auto deadline = DeadlineAfter(timeout);
    std::unique_lock lock(mu_);
    not_empty_.wait_until(lock, deadline, [this] { return !items_.empty(); });
    return Pop();
  }

  void TaskDone() {
    std::lock_guard lock(mu_);
    if (unfinished_ == 0) {
      throw std::logic_error("TaskDone: called more often than items were put");
    }
    // All of them: every thread in Join() waits for this moment.
    if (--unfinished_ == 0) all_done_.notify_all();
  }

  void Join() {
    std::unique_lock lock(mu_);
    all_done_.wait(lock, [this] { return unfinished_ == 0; });
  }

  void Shutdown(Pending pending = Pending::kServe) {
    std::deque<T> dropped;  // Destroyed after mu_ is free again: ~T() may be
                            // slow, or may call this queue.
    std::lock_guard lock(mu_);
    shut_down_ = true;
    if (pending == Pending::kDrop) {
      unfinished_ -= items_.size();
      dropped.swap(items_);
      if (unfinished_ == 0) all_done_.notify_all();
    }
    not_full_.notify_all();
    not_empty_.notify_all();
  }

  std::size_t Size() const {
    std::lock_guard lock(mu_);
    return items_.size();
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

  // All four: REQUIRES mu_ is held.
  bool MayPut() const {
    return shut_down_ || capacity_ == 0 || items_.size() < capacity_;
  }
  bool MayGet() const { return shut_down_ || !items_.empty(); }

  bool Push(T item) {
    if (shut_down_) return false;
    items_.push_back(std::move(item));
    ++unfinished_;  // After push_back(), which may throw.
    not_empty_.notify_one();
    return true;
  }

  std::optional<T> Pop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    not_full_.notify_one();
    return item;
  }

  const std::size_t capacity_;
  mutable std::mutex mu_;
  // One for each reason to wait, so that notify_one() cannot wake a thread
  // that waits for something else.
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::condition_variable all_done_;
  // Guarded by mu_.
  std::deque<T> items_;
  std::size_t unfinished_ = 0;  // Items put and not yet reported done.
  bool shut_down_ = false;
};

}  // namespace workbook

#endif  // TESTS_04_PRODUCER_CONSUMER_MISTAKES_TIMED_CALLS_WAIT_THROUGH_A_SHUTDOWN_H_
