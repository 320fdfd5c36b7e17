// SPDX-License-Identifier: Apache-2.0
//
// Chapter 05, reference answer with Abseil: each wait names its condition, and
// nobody has to notify.

#ifndef SOLUTIONS_05_THREAD_POOL_ABSL_THREAD_POOL_H_
#define SOLUTIONS_05_THREAD_POOL_ABSL_THREAD_POOL_H_

#include <cstddef>
#include <deque>
#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace workbook {

class ThreadPool {
 public:
  // Unlike std::function it also takes what can only be moved.
  using Task = absl::AnyInvocable<void()>;

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
      absl::MutexLock lock(&mu_);
      stopping_ = true;
    }
    for (std::thread& thread : threads_) thread.join();
  }

  void AddTask(Task task) {
    absl::MutexLock lock(&mu_);
    if (!IsWorker()) mu_.Await(absl::Condition(this, &ThreadPool::HasRoom));
    queue_.push_back(std::move(task));
    // Counted together with the push, so that nobody sees the one without the
    // other; by a task before it is complete itself, so the count never touches
    // 0 in between.
    ++incomplete_;
  }

  void WaitComplete() {
    if (IsWorker()) {
      throw std::logic_error("WaitComplete: a task cannot await itself");
    }
    absl::MutexLock lock(&mu_, absl::Condition(this, &ThreadPool::IsComplete));
  }

  std::vector<std::exception_ptr> TakeErrors() {
    absl::MutexLock lock(&mu_);
    return std::exchange(errors_, {});
  }

 private:
  explicit ThreadPool(int capacity) : capacity_(capacity) {
    if (capacity < 1) throw std::invalid_argument("ThreadPool: no capacity");
  }

  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return queue_.size() < capacity_;
  }
  bool IsComplete() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return incomplete_ == 0;
  }
  bool HasTaskOrStops() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return !queue_.empty() || stopping_;
  }

  void RunTasks() {
    working_for_ = this;
    while (true) {
      Task task;
      {
        absl::MutexLock lock(
            &mu_, absl::Condition(this, &ThreadPool::HasTaskOrStops));
        // A task that still runs may add more. It runs in a thread that will
        // come back here and find them.
        if (queue_.empty()) return;
        task = std::move(queue_.front());
        queue_.pop_front();
      }
      std::exception_ptr error;
      try {
        task();
      } catch (...) {
        error = std::current_exception();
      }
      // What the task holds is gone before it counts as complete, and not under
      // the mutex: a destructor may do anything.
      task = nullptr;

      absl::MutexLock lock(&mu_);
      if (error) errors_.push_back(std::move(error));
      --incomplete_;
    }
  }

  // True if the calling thread is one of this pool's.
  bool IsWorker() const { return working_for_ == this; }

  static inline thread_local const ThreadPool* working_for_ = nullptr;

  const size_t capacity_;
  absl::Mutex mu_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  size_t incomplete_ ABSL_GUARDED_BY(mu_) = 0;  // Queued or running.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::exception_ptr> errors_ ABSL_GUARDED_BY(mu_);

  // The last member: the threads use all others.
  std::vector<std::thread> threads_;
};

}  // namespace workbook

#endif  // SOLUTIONS_05_THREAD_POOL_ABSL_THREAD_POOL_H_
