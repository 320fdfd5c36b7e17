// SPDX-License-Identifier: Apache-2.0
//
// Chapter 20, reference answer with Abseil. The workers wait for a condition,
// so that neither Submit nor Close has to think of whom to notify.

#ifndef SOLUTIONS_20_EXECUTOR_SCOPE_ABSL_EXECUTOR_H_
#define SOLUTIONS_20_EXECUTOR_SCOPE_ABSL_EXECUTOR_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

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
    absl::MutexLock lock(&mu_);
    if (closed_) throw ClosedError();
    // First the thread: if it cannot be started, nothing was accepted.
    if (workers_.size() < max_workers_) {
      workers_.emplace_back([this] { Work(); });
    }
    queue_.push_back([task](bool cancelled) { (*task)(cancelled); });
    return task->get_future();
  }

  void Close(bool cancel_pending = false) {
    std::deque<Task> cancelled;
    {
      absl::MutexLock lock(&mu_);
      closed_ = true;
      if (cancel_pending) cancelled.swap(queue_);
    }
    for (Task& task : cancelled) task(/*cancelled=*/true);
  }

  void Shutdown(bool cancel_pending = false) ABSL_LOCKS_EXCLUDED(mu_) {
    if (executor_of_this_thread_ == this) {
      throw std::logic_error("Shutdown: a task would wait for itself");
    }
    Close(cancel_pending);
    JoinAll();
  }

 private:
  using Task = std::function<void(bool cancelled)>;

  // A second caller waits until the first has joined all. The executor is
  // closed, so workers_ does not change and needs no mu_, which the workers
  // want: that is more than the analysis can know.
  void JoinAll() ABSL_LOCKS_EXCLUDED(join_mu_) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::MutexLock lock(&join_mu_);
    for (std::thread& worker : workers_) {
      if (worker.joinable()) worker.join();
    }
  }

  void Work() {
    executor_of_this_thread_ = this;
    while (Task task = Next()) task(/*cancelled=*/false);
  }

  // Waits for a task. Returns an empty one if there will be no more.
  Task Next() {
    absl::MutexLock lock(&mu_, absl::Condition(this, &Executor::HasNews));
    if (queue_.empty()) return nullptr;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    return task;
  }

  bool HasNews() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return closed_ || !queue_.empty();
  }

  inline static thread_local const Executor* executor_of_this_thread_ = nullptr;

  const size_t max_workers_;
  absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  // No worker is added once closed_ is true.
  std::vector<std::thread> workers_ ABSL_GUARDED_BY(mu_);
  absl::Mutex join_mu_;  // Held while joining.
};

}  // namespace workbook

#endif  // SOLUTIONS_20_EXECUTOR_SCOPE_ABSL_EXECUTOR_H_
