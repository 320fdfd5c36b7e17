// SPDX-License-Identifier: Apache-2.0
//
// Chapter 22, reference answer with Abseil. The outcome is one object, a
// variant: it is stored in one step, and "finished without an outcome" cannot
// be said.

#ifndef SOLUTIONS_22_FUTURE_ERRORS_ABSL_POOL_H_
#define SOLUTIONS_22_FUTURE_ERRORS_ABSL_POOL_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

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

  T Result() const { return state_->Result(absl::InfiniteDuration()).value(); }

  std::optional<T> ResultFor(std::chrono::nanoseconds timeout) const {
    return state_->Result(absl::FromChrono(timeout));
  }

  std::exception_ptr Exception() const { return state_->Exception(); }

  bool Cancel() const {
    const Future self = *this;  // A callback may destroy *this.
    std::vector<Callback> callbacks;
    const bool cancelled = state_->Cancel(callbacks);
    self.CallAll(callbacks);
    return cancelled;
  }

  bool Cancelled() const { return state_->Cancelled(); }

  void OnDone(Callback callback) const {
    const Future self = *this;  // A callback may destroy *this.
    if (!state_->Keep(callback)) self.CallAll({std::move(callback)});
  }

 private:
  friend class Pool;

  struct Pending {};
  struct Running {};
  struct Cancellation {};
  // The last three are the ends.
  using Outcome =
      std::variant<Pending, Running, Cancellation, T, std::exception_ptr>;

  class State {
   public:
    explicit State(ErrorHandler on_stray_error)
        : on_stray_error(std::move(on_stray_error)) {}

    // Nothing if the time is over before the end.
    std::optional<T> Result(absl::Duration timeout) {
      absl::MutexLock lock(&mu_);
      if (!mu_.AwaitWithTimeout(absl::Condition(this, &State::HasEnded),
                                timeout)) {
        return std::nullopt;
      }
      if (Is<Cancellation>()) throw CancelledError();
      if (Is<std::exception_ptr>()) {
        std::rethrow_exception(std::get<std::exception_ptr>(outcome_));
      }
      return std::get<T>(outcome_);
    }

    std::exception_ptr Exception() {
      absl::MutexLock lock(&mu_, absl::Condition(this, &State::HasEnded));
      if (Is<Cancellation>()) throw CancelledError();
      return Is<T>() ? nullptr : std::get<std::exception_ptr>(outcome_);
    }

    bool Cancelled() {
      absl::MutexLock lock(&mu_);
      return Is<Cancellation>();
    }

    // False if it was cancelled.
    bool Start() {
      absl::MutexLock lock(&mu_);
      if (Is<Cancellation>()) return false;
      outcome_ = Running();
      return true;
    }

    // These two end the task and hand the callbacks to the caller, who runs
    // them without the lock.
    void Finish(Outcome outcome, std::vector<Callback>& callbacks) {
      absl::MutexLock lock(&mu_);
      outcome_ = std::move(outcome);
      callbacks.swap(callbacks_);
    }
    bool Cancel(std::vector<Callback>& callbacks) {
      absl::MutexLock lock(&mu_);
      if (Is<Pending>()) {
        outcome_ = Cancellation();
        callbacks.swap(callbacks_);
      }
      return Is<Cancellation>();
    }

    // Keeps the callback for the end. False if it is too late for that.
    bool Keep(Callback& callback) {
      absl::MutexLock lock(&mu_);
      if (HasEnded()) return false;
      callbacks_.push_back(std::move(callback));
      return true;
    }

    const ErrorHandler on_stray_error;

   private:
    template <typename Alternative>
    bool Is() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return std::holds_alternative<Alternative>(outcome_);
    }
    bool HasEnded() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return !Is<Pending>() && !Is<Running>();
    }

    absl::Mutex mu_;
    Outcome outcome_ ABSL_GUARDED_BY(mu_);
    std::vector<Callback> callbacks_ ABSL_GUARDED_BY(mu_);
  };

  explicit Future(const ErrorHandler& on_stray_error)
      : state_(std::make_shared<State>(on_stray_error)) {}

  template <typename Fn>
  void Run(Fn& fn) const {
    if (!state_->Start()) return;
    const Future self = *this;  // A callback may destroy *this.
    std::vector<Callback> callbacks;
    state_->Finish(Call(fn), callbacks);
    self.CallAll(callbacks);
  }

  template <typename Fn>
  static Outcome Call(Fn& fn) {
    try {
      return Outcome(std::in_place_type<T>, fn());
    } catch (...) {  // Whatever it is: current_exception() keeps the object.
      return Outcome(std::current_exception());
    }
  }

  void CallAll(const std::vector<Callback>& callbacks) const {
    for (const Callback& callback : callbacks) {
      try {
        callback(*this);
      } catch (...) {
        state_->on_stray_error(std::current_exception());
      }
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
      absl::MutexLock lock(&mu_);
      closed_ = true;
    }
    for (std::thread& worker : workers_) worker.join();
  }

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  template <typename Fn>
  Future<std::invoke_result_t<Fn&>> Submit(Fn fn) {
    const Future<std::invoke_result_t<Fn&>> future(on_stray_error_);
    absl::MutexLock lock(&mu_);
    queue_.push_back(
        [future, fn = std::move(fn)]() mutable { future.Run(fn); });
    return future;
  }

 private:
  void Work() {
    while (const std::function<void()> task = Next()) task();
  }

  // Waits for a task. Returns an empty one if there will be no more.
  std::function<void()> Next() {
    absl::MutexLock lock(&mu_, absl::Condition(this, &Pool::HasNews));
    if (queue_.empty()) return nullptr;
    std::function<void()> task = std::move(queue_.front());
    queue_.pop_front();
    return task;
  }

  bool HasNews() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return closed_ || !queue_.empty();
  }

  const ErrorHandler on_stray_error_;
  absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> workers_;  // Changed by constructor and destructor.
};

template <typename T>
void WaitForFirstError(const std::vector<Future<T>>& futures) {
  struct Progress {
    bool IsEnough() const ABSL_SHARED_LOCKS_REQUIRED(mu) {
      return failed || left == 0;
    }

    absl::Mutex mu;
    size_t left ABSL_GUARDED_BY(mu) = 0;
    bool failed ABSL_GUARDED_BY(mu) = false;
  };
  // Shared, because callbacks may come when this call has returned.
  const auto progress = std::make_shared<Progress>();
  {
    absl::MutexLock lock(&progress->mu);
    progress->left = futures.size();
  }
  for (const Future<T>& future : futures) {
    future.OnDone([progress](const Future<T>& ended) {
      const bool failed = !ended.Cancelled() && ended.Exception() != nullptr;
      absl::MutexLock lock(&progress->mu);
      --progress->left;
      progress->failed = progress->failed || failed;
    });
  }
  absl::MutexLock lock(&progress->mu,
                       absl::Condition(progress.get(), &Progress::IsEnough));
}

}  // namespace workbook

#endif  // SOLUTIONS_22_FUTURE_ERRORS_ABSL_POOL_H_
