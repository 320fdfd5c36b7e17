// SPDX-License-Identifier: Apache-2.0
//
// Mistake: A worker tells of room only if the queue was full. When two tasks
// are taken before anybody uses the room, one thread hears of it.
// Verdict: lost wake-up
// Rule: EveryThreadThatWaitsForRoomGoesOn

#ifndef TESTS_05_THREAD_POOL_MISTAKES_TELLS_OF_THE_FIRST_ROOM_ONLY_H_
#define TESTS_05_THREAD_POOL_MISTAKES_TELLS_OF_THE_FIRST_ROOM_ONLY_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace workbook {

class ThreadPool {
 public:
  using Task = std::function<void()>;

  // Delegates, so that the pool counts as constructed while its threads start:
  // if one cannot be started, the destructor ends those that were.
  ThreadPool(int threads, int capacity) : ThreadPool(capacity) {
    if (threads < 1) throw std::invalid_argument("ThreadPool: no threads");
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back(&ThreadPool::RunTasks, this);
    }
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  ~ThreadPool() {
    {
      // Under the mutex, though nobody else writes it: a thread that has just
      // seen `false` must be asleep before we notify.
      std::lock_guard lock(mu_);
      stopping_ = true;
    }
    added_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void AddTask(Task task) {
    std::unique_lock lock(mu_);
    if (!IsWorker()) {
      taken_.wait(lock, [this] { return queue_.size() < capacity_; });
    }
    queue_.push_back(std::move(task));
    // Counted together with the push, so that nobody sees the one without the
    // other; by a task before it is complete itself, so the count never touches
    // 0 in between.
    ++incomplete_;
    added_.notify_one();
  }

  void WaitComplete() {
    if (IsWorker()) {
      throw std::logic_error("WaitComplete: a task cannot await itself");
    }
    std::unique_lock lock(mu_);
    completed_.wait(lock, [this] { return incomplete_ == 0; });
  }

  std::vector<std::exception_ptr> TakeErrors() {
    std::lock_guard lock(mu_);
    return std::exchange(errors_, {});
  }

 private:
  explicit ThreadPool(int capacity) : capacity_(capacity) {
    if (capacity < 1) throw std::invalid_argument("ThreadPool: no capacity");
  }

  void RunTasks() {
    working_for_ = this;
    std::unique_lock lock(mu_);
    while (true) {
      added_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      // A task that still runs may add more. It runs in a thread that will come
      // back here and find them.
      if (queue_.empty()) return;
      Task task = std::move(queue_.front());
      queue_.pop_front();
      if (queue_.size() + 1 == capacity_) taken_.notify_one();
      lock.unlock();

      std::exception_ptr error;
      try {
        task();
      } catch (...) {
        error = std::current_exception();
      }
      // What the task holds is gone before it counts as complete, and not under
      // the mutex: a destructor may do anything.
      task = nullptr;

      lock.lock();
      if (error) errors_.push_back(std::move(error));
      if (--incomplete_ == 0) completed_.notify_all();
    }
  }

  // True if the calling thread is one of this pool's.
  bool IsWorker() const { return working_for_ == this; }

  static inline thread_local const ThreadPool* working_for_ = nullptr;

  const size_t capacity_;
  std::mutex mu_;
  std::condition_variable added_;           // Or stopping_.
  std::condition_variable taken_;           // There is room in the queue.
  std::condition_variable completed_;       // incomplete_ is 0.
  std::deque<Task> queue_;                  // Guarded by mu_.
  size_t incomplete_ = 0;                   // Queued or running; by mu_.
  bool stopping_ = false;                   // Guarded by mu_.
  std::vector<std::exception_ptr> errors_;  // Guarded by mu_.

  // The last member: the threads use all others.
  std::vector<std::thread> threads_;
};

}  // namespace workbook

#endif  // TESTS_05_THREAD_POOL_MISTAKES_TELLS_OF_THE_FIRST_ROOM_ONLY_H_
