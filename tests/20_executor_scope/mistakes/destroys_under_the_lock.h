// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a worker destroys the task after it has locked the mutex again. The
// destructor of what the task owns may call the executor, which locks it, too.
// Verdict: mutex misuse
// Rule: WhatATaskOwnsMayCallItWhenDestroyed

#ifndef TESTS_20_EXECUTOR_SCOPE_MISTAKES_DESTROYS_UNDER_THE_LOCK_H_
#define TESTS_20_EXECUTOR_SCOPE_MISTAKES_DESTROYS_UNDER_THE_LOCK_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace workbook {

class ClosedError : public std::runtime_error {
 public:
  ClosedError() : std::runtime_error("the executor takes no more tasks") {}
};

class CancelledError : public std::runtime_error {
 public:
  CancelledError() : std::runtime_error("the task was cancelled") {}
};

class Executor {
 public:
  explicit Executor(size_t max_workers) : max_workers_(max_workers) {
    if (max_workers == 0) throw std::invalid_argument("Executor: no workers");
  }

  ~Executor() { Shutdown(); }

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  template <typename Fn>
  std::future<std::invoke_result_t<Fn&>> Submit(Fn fn) {
    using Result = std::invoke_result_t<Fn&>;
    auto task = std::make_shared<std::packaged_task<Result(bool)>>(
        [fn = std::move(fn)](bool cancelled) mutable -> Result {
          if (cancelled) throw CancelledError();
          return fn();
        });
    std::lock_guard lock(mu_);
    if (closed_) throw ClosedError();
    // First the thread: if it cannot be started, nothing was accepted.
    if (workers_.size() < max_workers_) {
      workers_.emplace_back([this] { Work(); });
    }
    queue_.push_back([task](bool cancelled) { (*task)(cancelled); });
    changed_.notify_one();
    return task->get_future();
  }

  void Close(bool cancel_pending = false) {
    std::deque<Task> cancelled;
    {
      std::lock_guard lock(mu_);
      closed_ = true;
      if (cancel_pending) cancelled.swap(queue_);
      changed_.notify_all();
    }
    for (Task& task : cancelled) task(/*cancelled=*/true);
  }

  void Shutdown(bool cancel_pending = false) {
    if (executor_of_this_thread_ == this) {
      throw std::logic_error("Shutdown: a task would wait for itself");
    }
    Close(cancel_pending);
    // A second caller waits here until the first has joined all. Closed means
    // that workers_ does not change, so mu_ is not needed: the workers want it.
    std::lock_guard lock(join_mu_);
    for (std::thread& worker : workers_) {
      if (worker.joinable()) worker.join();
    }
  }

 private:
  using Task = std::function<void(bool cancelled)>;

  void Work() {
    executor_of_this_thread_ = this;
    std::unique_lock lock(mu_);
    for (;;) {
      changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Task task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task(/*cancelled=*/false);
      lock.lock();
    }
  }

  inline static thread_local const Executor* executor_of_this_thread_ = nullptr;

  const size_t max_workers_;
  std::mutex mu_;
  std::condition_variable changed_;
  // Guarded by mu_. No worker is added once closed_ is true.
  bool closed_ = false;
  std::deque<Task> queue_;
  std::vector<std::thread> workers_;
  std::mutex join_mu_;  // Held while joining.
};

}  // namespace workbook

#endif  // TESTS_20_EXECUTOR_SCOPE_MISTAKES_DESTROYS_UNDER_THE_LOCK_H_
