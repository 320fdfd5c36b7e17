// SPDX-License-Identifier: Apache-2.0
//
// Chapter 05: a few threads that share many tasks. Read
// chapters/05_thread_pool/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/05_thread_pool/...

#ifndef EXERCISES_05_THREAD_POOL_THREAD_POOL_H_
#define EXERCISES_05_THREAD_POOL_THREAD_POOL_H_

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

// A fixed number of threads that run tasks from one queue, in the order in
// which they were added. None of them sleeps while a task is queued.
//
// All members but the destructor may be called by any thread at any time, also
// from a task and while one is destroyed, unless it says otherwise. Whoever
// waits sleeps, and does not look again and again.
class ThreadPool {
 public:
  using Task = std::function<void()>;

  // Starts `threads` threads. At most `capacity` tasks wait in the queue (tasks
  // that run do not count). Throws std::invalid_argument if either is less
  // than 1.
  ThreadPool(int threads, int capacity) : capacity_(capacity) {
    if (threads < 1 || capacity < 1) {
      throw std::invalid_argument("ThreadPool: less than 1");
    }
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back(&ThreadPool::RunTasks, this);
    }
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Runs all tasks that are queued, and those that they add; then ends the
  // threads and waits for them. No other thread's call may be in progress.
  ~ThreadPool() {
    // TODO(1): how do the threads learn that nothing more will come?
    for (std::thread& thread : threads_) thread.join();
  }

  // Adds a task; waits while the queue is full. A task that adds a task to its
  // own pool does not wait, for then all threads might wait for each other:
  // its task joins the back of the queue, above the capacity.
  void AddTask(Task task) {
    // TODO(2): wait for room, queue it, count it, tell a thread.
    (void)task;
  }

  // Waits until no task is queued or running. May be called again, and by
  // several threads. Throws std::logic_error if a task of this pool calls it:
  // it would wait for itself.
  void WaitComplete() {
    // TODO(3)
  }

  // Returns what tasks have thrown since the last call, in the order in which
  // they threw it. A task that throws is complete like any other.
  std::vector<std::exception_ptr> TakeErrors() {
    // TODO(4)
    return {};
  }

 private:
  // What each thread does.
  void RunTasks() {
    // Tells IsWorker() whose thread this is.
    working_for_ = this;
    // TODO(5): until the end: wait for a task, take it, make room.
    // TODO(6): run it, without the lock. What if it throws?
    // TODO(7): destroy it; then it is complete. Who has to know?
  }

  // True if the calling thread is one of this pool's.
  [[maybe_unused]] bool IsWorker() const { return working_for_ == this; }

  static inline thread_local const ThreadPool* working_for_ = nullptr;

  [[maybe_unused]] const size_t capacity_;
  std::mutex mu_;
  // TODO(8): which events do threads wait for? One condition variable for each.
  std::deque<Task> queue_;  // Guarded by mu_.
  // Queued or running. Guarded by mu_.
  [[maybe_unused]] size_t incomplete_ = 0;
  [[maybe_unused]] bool stopping_ = false;  // Guarded by mu_.
  std::vector<std::exception_ptr> errors_;  // Guarded by mu_.

  // The last member: the threads use all others.
  std::vector<std::thread> threads_;
};

}  // namespace workbook

#endif  // EXERCISES_05_THREAD_POOL_THREAD_POOL_H_
