// SPDX-License-Identifier: Apache-2.0
//
// Mistake: WaitForFirstError looks for a std::exception, and so takes a task
// that has thrown an int for one that went well.
// Verdict: lost wake-up
// Rule: AnErrorOfAnyTypeCounts

#ifndef TESTS_22_FUTURE_ERRORS_MISTAKES_ONLY_STD_EXCEPTIONS_COUNT_H_
#define TESTS_22_FUTURE_ERRORS_MISTAKES_ONLY_STD_EXCEPTIONS_COUNT_H_

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

class CancelledError : public std::runtime_error {
 public:
  CancelledError() : std::runtime_error("the task was cancelled") {}
};

using ErrorHandler = std::function<void(std::exception_ptr)>;

class Pool;

template <typename T>
class Future {
 public:
  using Callback = std::function<void(const Future&)>;

  T Result() const {
    std::unique_lock lock(state_->mu);
    state_->ended.wait(lock, [this] { return state_->HasEnded(); });
    return Outcome();
  }

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

  std::exception_ptr Exception() const {
    std::unique_lock lock(state_->mu);
    state_->ended.wait(lock, [this] { return state_->HasEnded(); });
    if (state_->status == Status::kCancelled) throw CancelledError();
    return state_->error;
  }

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

  template <typename Fn>
  void Run(Fn& fn) const {
    {
      std::lock_guard lock(state_->mu);
      if (state_->status == Status::kCancelled) return;
      state_->status = Status::kRunning;
    }
    std::optional<T> value;
    std::exception_ptr error;
    try {
      value.emplace(fn());
    } catch (...) {  // Whatever it is: current_exception() keeps the object.
      error = std::current_exception();
    }
    std::unique_lock lock(state_->mu);
    state_->value = std::move(value);
    state_->error = std::move(error);
    End(std::move(lock), Status::kFinished);
  }

  T Outcome() const {
    if (state_->status == Status::kCancelled) throw CancelledError();
    if (state_->error != nullptr) std::rethrow_exception(state_->error);
    return *state_->value;
  }

  void End(std::unique_lock<std::mutex> lock, Status last) const {
    const Future self = *this;  // A callback may destroy *this.
    state_->status = last;
    const std::vector<Callback> callbacks =
        std::exchange(state_->callbacks, {});
    state_->ended.notify_all();
    lock.unlock();
    for (const Callback& callback : callbacks) self.Call(callback);
  }

  void Call(const Callback& callback) const {
    try {
      callback(*this);
    } catch (...) {
      state_->on_stray_error(std::current_exception());
    }
  }

  std::shared_ptr<State> state_;
};

class Pool {
 public:
  Pool(size_t workers, ErrorHandler on_stray_error)
      : on_stray_error_(std::move(on_stray_error)) {
    for (size_t i = 0; i < workers; ++i) {
      workers_.emplace_back([this] { Work(); });
    }
  }

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

template <typename T>
void WaitForFirstError(const std::vector<Future<T>>& futures) {
  struct Progress {
    std::mutex mu;
    std::condition_variable changed;
    // Guarded by mu.
    size_t left;
    bool failed = false;
  };
  // Shared, because callbacks may come when this call has returned.
  const auto progress = std::make_shared<Progress>();
  progress->left = futures.size();
  for (const Future<T>& future : futures) {
    future.OnDone([progress](const Future<T>& ended) {
      bool failed = false;
      try {
        if (!ended.Cancelled()) ended.Result();
      } catch (const std::exception&) {
        failed = true;
      } catch (...) {
      }
      std::lock_guard lock(progress->mu);
      --progress->left;
      progress->failed = progress->failed || failed;
      progress->changed.notify_one();
    });
  }
  std::unique_lock lock(progress->mu);
  progress->changed.wait(
      lock, [&] { return progress->failed || progress->left == 0; });
}

}  // namespace workbook

#endif  // TESTS_22_FUTURE_ERRORS_MISTAKES_ONLY_STD_EXCEPTIONS_COUNT_H_
