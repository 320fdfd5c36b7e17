// SPDX-License-Identifier: Apache-2.0
//
// Chapter 20: an executor whose scope waits for its tasks. Read
// chapters/20_executor_scope/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/20_executor_scope/...

#ifndef EXERCISES_20_EXECUTOR_SCOPE_EXECUTOR_H_
#define EXERCISES_20_EXECUTOR_SCOPE_EXECUTOR_H_

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

// Submit() after Shutdown() or Close().
class ClosedError : public std::runtime_error {
 public:
  ClosedError() : std::runtime_error("the executor takes no more tasks") {}
};

// What the future of a task throws that was cancelled before it started.
class CancelledError : public std::runtime_error {
 public:
  CancelledError() : std::runtime_error("the task was cancelled") {}
};

// Runs tasks on threads of its own. (Python's ThreadPoolExecutor.)
//
//   {
//     Executor executor(4);
//     for (const Page& page : pages) executor.Submit([&] { Print(page); });
//   }  // Here all pages are printed.
//
// Every task that Submit() has accepted either runs or is cancelled; its future
// becomes ready in both cases. A future may be used after the executor is gone.
//
// Submit(), Close() and Shutdown() may be called by any thread at any time.
class Executor {
 public:
  // At most `max_workers` tasks run at the same time. Threads are started when
  // tasks need them, at most one for each task; without a task they sleep.
  // Throws std::invalid_argument if `max_workers` is 0.
  explicit Executor(size_t max_workers) : max_workers_(max_workers) {
    if (max_workers == 0) throw std::invalid_argument("Executor: no workers");
  }

  // Leaving the scope is Shutdown(), also when an exception leaves it.
  ~Executor() {
    // TODO(1)
  }

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Has some worker call fn(). The future holds what fn returns or throws.
  // Throws ClosedError, and fn is not run, after Close() or Shutdown(). What fn
  // owns may call Submit() and Close() when it is destroyed.
  template <typename Fn>
  std::future<std::invoke_result_t<Fn&>> Submit(Fn fn) {
    using Result = std::invoke_result_t<Fn&>;
    // A packaged_task catches what its function throws. It cannot be copied,
    // and a std::function must be: hence the pointer.
    auto task = std::make_shared<std::packaged_task<Result(bool)>>(
        [fn = std::move(fn)](bool cancelled) mutable -> Result {
          if (cancelled) throw CancelledError();
          return fn();
        });
    // TODO(2): accept the task, or refuse it. Between "is it closed?" and the
    // push nobody may close. Start a worker if there are fewer than allowed.
    return task->get_future();
  }

  // From now on Submit() refuses tasks. Does not wait: tasks that were accepted
  // still run. With `cancel_pending` those that have not started do not run;
  // their futures throw CancelledError. May be called again, for instance to
  // cancel what the first call has left. (Python's shutdown(wait=False).)
  void Close(bool cancel_pending = false) {
    // TODO(3): which threads must hear of it? Where do you call the tasks that
    // are cancelled?
    (void)cancel_pending;
  }

  // The same, and waits until all tasks have ended and all threads are joined.
  // May be called again, and by several threads: each call cancels first, if it
  // is asked to, and then waits for the end.
  // Throws std::logic_error, and does nothing, if one of this executor's tasks
  // calls it: the task would wait for itself.
  void Shutdown(bool cancel_pending = false) {
    if (executor_of_this_thread_ == this) {
      throw std::logic_error("Shutdown: a task would wait for itself");
    }
    // TODO(5): close, and join. What if two threads do it at once?
    (void)cancel_pending;
  }

 private:
  // A task with its future. Never throws.
  using Task = std::function<void(bool cancelled)>;

  // What a worker does.
  void Work() {
    executor_of_this_thread_ = this;
    // TODO(4): run tasks until there are none and there will be none.
  }

  // Null in threads that are nobody's workers.
  inline static thread_local const Executor* executor_of_this_thread_ = nullptr;

  [[maybe_unused]] const size_t max_workers_;
  std::mutex mu_;
  std::condition_variable changed_;
  // Guarded by mu_. No worker is added once closed_ is true.
  [[maybe_unused]] bool closed_ = false;
  std::deque<Task> queue_;
  std::vector<std::thread> workers_;
  std::mutex join_mu_;  // Held while joining.
};

}  // namespace workbook

#endif  // EXERCISES_20_EXECUTOR_SCOPE_EXECUTOR_H_
