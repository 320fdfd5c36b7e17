// SPDX-License-Identifier: Apache-2.0
//
// Chapter 22: errors that reach somebody: through futures, callbacks and pools.
// Read chapters/22_future_errors/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/22_future_errors/...

#ifndef EXERCISES_22_FUTURE_ERRORS_POOL_H_
#define EXERCISES_22_FUTURE_ERRORS_POOL_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace workbook {

// The outcome of a task that was cancelled: neither a result nor an error of
// the task. A task that throws this itself has failed, as with any exception.
class CancelledError : public std::runtime_error {
 public:
  CancelledError() : std::runtime_error("the task was cancelled") {}
};

// Is told of an error that nobody can be waiting for. Must not throw; may be
// called by several threads at a time. No lock is held.
using ErrorHandler = std::function<void(std::exception_ptr)>;

class Pool;

// The outcome of a task that may not have run yet: a result, an error or
// "cancelled". A handle: copies stand for the same task. Futures come from
// Pool::Submit().
//
// All members may be called by any thread at any time, any number of times.
// T is copyable.
template <typename T>
class Future {
 public:
  using Callback = std::function<void(const Future&)>;

  // Waits for the end of the task. Returns its result, or throws what the task
  // threw: the same object, whatever its type. Throws CancelledError if the
  // task was cancelled.
  T Result() const {
    std::unique_lock lock(state_->mu);
    state_->ended.wait(lock, [this] { return state_->HasEnded(); });
    return Outcome();
  }

  // The same, but returns nothing if the task has not ended `timeout` after
  // the call. That is not an exception: the task itself may throw any, also one
  // that says "timed out".
  std::optional<T> ResultFor(std::chrono::nanoseconds timeout) const {
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    const auto deadline = timeout < Clock::time_point::max() - now
                              ? now + timeout
                              : Clock::time_point::max();
    std::unique_lock lock(state_->mu);
    if (!state_->ended.wait_until(lock, deadline,
                                  [this] { return state_->HasEnded(); })) {
      return std::nullopt;
    }
    return Outcome();
  }

  // Waits for the end of the task. Returns what it threw, or null if it has a
  // result. Takes nothing away: Result() still throws. Throws CancelledError
  // if the task was cancelled.
  std::exception_ptr Exception() const {
    // TODO(2)
    return nullptr;
  }

  // Cancels the task if it has not started. Returns whether it is cancelled, by
  // this call or before.
  bool Cancel() const {
    std::unique_lock lock(state_->mu);
    if (state_->status == Status::kCancelled) return true;
    if (state_->status != Status::kPending) return false;
    End(std::move(lock), Status::kCancelled);
    return true;
  }

  bool Cancelled() const {
    std::lock_guard lock(state_->mu);
    return state_->status == Status::kCancelled;
  }

  // Has `callback` called with this future, once, after the end, whatever the
  // outcome: by the thread that ends the task or, after that, by this one. No
  // lock is held, and a callback may destroy this handle. An exception from a
  // callback goes to the pool's ErrorHandler, and nowhere else.
  void OnDone(Callback callback) const {
    {
      std::lock_guard lock(state_->mu);
      if (!state_->HasEnded()) {
        state_->callbacks.push_back(std::move(callback));
        return;
      }
    }
    const Future self = *this;  // The callback may destroy *this.
    self.Call(callback);
  }

 private:
  friend class Pool;

  enum class Status { kPending, kRunning, kCancelled, kFinished };

  // What all handles of a task share.
  struct State {
    // mu is held.
    bool HasEnded() const {
      return status == Status::kCancelled || status == Status::kFinished;
    }

    ErrorHandler on_stray_error;  // Constant.
    std::mutex mu;
    std::condition_variable ended;
    // All guarded by mu.
    Status status = Status::kPending;
    std::optional<T> value;
    std::exception_ptr error;
    std::vector<Callback> callbacks;
  };

  explicit Future(ErrorHandler on_stray_error)
      : state_(std::make_shared<State>()) {
    state_->on_stray_error = std::move(on_stray_error);
  }

  // Has the outcome of fn() become the outcome of this future, unless it was
  // cancelled. Never throws.
  template <typename Fn>
  void Run(Fn& fn) const {
    {
      std::lock_guard lock(state_->mu);
      if (state_->status == Status::kCancelled) return;
      state_->status = Status::kRunning;
    }
    std::optional<T> value;
    std::exception_ptr error;
    // TODO(3): call fn. What may it throw, and how do you keep that?
    (void)fn;
    std::unique_lock lock(state_->mu);
    state_->value = std::move(value);
    state_->error = std::move(error);
    End(std::move(lock), Status::kFinished);
  }

  // state_->mu is held, and the task has ended.
  T Outcome() const {
    // TODO(1): three kinds of outcome.
    return T();
  }

  // Ends the task: publishes the new status, then runs the callbacks. `lock`
  // holds state_->mu, and value or error are in their place.
  void End(std::unique_lock<std::mutex> lock, Status last) const {
    const Future self = *this;  // A callback may destroy *this.
    state_->status = last;
    state_->ended.notify_all();
    // TODO(4): whatever the outcome, run the callbacks. They need no lock, and
    // must not have one.
    lock.unlock();
  }

  // Calls `callback`. Never throws.
  void Call(const Callback& callback) const {
    // TODO(5)
    (void)callback;
  }

  std::shared_ptr<State> state_;
};

// Runs tasks on threads of its own.
class Pool {
 public:
  // Starts `workers` threads. `on_stray_error` is told what callbacks throw.
  Pool(size_t workers, ErrorHandler on_stray_error)
      : on_stray_error_(std::move(on_stray_error)) {
    for (size_t i = 0; i < workers; ++i) {
      workers_.emplace_back([this] { Work(); });
    }
  }

  // Waits for all tasks, failed or not.
  ~Pool() {
    {
      std::lock_guard lock(mu_);
      closed_ = true;
      changed_.notify_all();
    }
    for (std::thread& worker : workers_) worker.join();
  }

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Has some worker call fn(), which returns a value. fn is copyable. An error
  // of fn harms neither the worker nor other tasks. Thread-safe.
  template <typename Fn>
  Future<std::invoke_result_t<Fn&>> Submit(Fn fn) {
    const Future<std::invoke_result_t<Fn&>> future(on_stray_error_);
    std::lock_guard lock(mu_);
    queue_.push_back(
        [future, fn = std::move(fn)]() mutable { future.Run(fn); });
    changed_.notify_one();
    return future;
  }

 private:
  void Work() {
    std::unique_lock lock(mu_);
    for (;;) {
      changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) return;
      std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }

  const ErrorHandler on_stray_error_;
  std::mutex mu_;
  std::condition_variable changed_;
  // Guarded by mu_.
  bool closed_ = false;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> workers_;  // Changed by constructor and destructor.
};

// Waits until one of the tasks has failed or all have ended. A cancelled task
// has ended, and has not failed. (Python's wait(return_when=FIRST_EXCEPTION).)
template <typename T>
void WaitForFirstError(const std::vector<Future<T>>& futures) {
  struct Progress {
    std::mutex mu;
    std::condition_variable changed;
    // Guarded by mu.
    size_t left;
    bool failed = false;
  };
  const auto progress = std::make_shared<Progress>();
  progress->left = futures.size();
  // TODO(6): let the futures tell you, and wait for "failed, or none left".
  // Some of them may end after you have returned.
}

}  // namespace workbook

#endif  // EXERCISES_22_FUTURE_ERRORS_POOL_H_
