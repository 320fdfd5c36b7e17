// SPDX-License-Identifier: Apache-2.0
//
// Chapter 21, reference answer with Abseil: the state is a class of its own, so
// that the annotations can say what guards it, and waiting is a condition, so
// that nobody has to remember to notify.

#ifndef SOLUTIONS_21_FUTURE_ABSL_FUTURE_H_
#define SOLUTIONS_21_FUTURE_ABSL_FUTURE_H_

#include <algorithm>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace workbook {

class CancelledError : public std::runtime_error {
 public:
  CancelledError() : std::runtime_error("the future was cancelled") {}
};

class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("the time is over") {}
};

class BrokenPromiseError : public std::runtime_error {
 public:
  BrokenPromiseError() : std::runtime_error("the promise was broken") {}
};

class InvalidStateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

template <typename T>
class Promise;

template <typename T>
class Future {
 public:
  using Callback = std::function<void(const Future&)>;

  T Result() const { return state_->Result(); }
  T ResultFor(std::chrono::nanoseconds timeout) const {
    return state_->ResultFor(timeout);
  }

  bool Cancel() const {
    const Future self = *this;  // A callback may destroy *this.
    std::vector<Callback> callbacks;
    const bool cancelled = state_->Cancel(callbacks);
    self.CallAll(callbacks);
    return cancelled;
  }

  bool Running() const { return state_->Look() == Status::kRunning; }
  bool Cancelled() const { return state_->Look() == Status::kCancelled; }
  bool Done() const {
    const Status status = state_->Look();
    return status == Status::kFinished || status == Status::kCancelled;
  }

  void OnDone(Callback callback) const {
    if (!state_->Keep(callback)) CallAll({std::move(callback)});
  }

  bool operator==(const Future& other) const { return state_ == other.state_; }

 private:
  friend class Promise<T>;

  enum class Status { kPending, kRunning, kCancelled, kFinished };

  class State {
   public:
    T Result() {
      absl::MutexLock lock(&mu_, absl::Condition(this, &State::HasEnded));
      return Outcome();
    }

    T ResultFor(std::chrono::nanoseconds timeout) {
      absl::MutexLock lock(&mu_);
      if (!mu_.AwaitWithTimeout(absl::Condition(this, &State::HasEnded),
                                absl::FromChrono(timeout))) {
        throw TimeoutError();
      }
      return Outcome();
    }

    Status Look() {
      absl::MutexLock lock(&mu_);
      return status_;
    }

    // Throws InvalidStateError if it is running or finished.
    bool Start() {
      absl::MutexLock lock(&mu_);
      if (status_ == Status::kCancelled) return false;
      if (status_ != Status::kPending) {
        throw InvalidStateError("the computation was started before");
      }
      status_ = Status::kRunning;
      return true;
    }

    // These two end it, if they may, and hand the callbacks to the caller, who
    // runs them without the lock.
    bool Cancel(std::vector<Callback>& callbacks) {
      absl::MutexLock lock(&mu_);
      if (status_ == Status::kCancelled) return true;
      if (status_ != Status::kPending) return false;
      status_ = Status::kCancelled;
      callbacks.swap(callbacks_);
      return true;
    }
    bool Finish(std::optional<T> value, std::exception_ptr error,
                std::vector<Callback>& callbacks) {
      absl::MutexLock lock(&mu_);
      if (HasEnded()) return false;
      value_ = std::move(value);
      error_ = std::move(error);
      status_ = Status::kFinished;
      callbacks.swap(callbacks_);
      return true;
    }

    // Keeps the callback for the end. False if it is too late for that.
    bool Keep(Callback& callback) {
      absl::MutexLock lock(&mu_);
      if (HasEnded()) return false;
      callbacks_.push_back(std::move(callback));
      return true;
    }

   private:
    bool HasEnded() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return status_ == Status::kCancelled || status_ == Status::kFinished;
    }

    T Outcome() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      if (status_ == Status::kCancelled) throw CancelledError();
      if (error_ != nullptr) std::rethrow_exception(error_);
      return *value_;
    }

    absl::Mutex mu_;
    Status status_ ABSL_GUARDED_BY(mu_) = Status::kPending;
    std::optional<T> value_ ABSL_GUARDED_BY(mu_);
    std::exception_ptr error_ ABSL_GUARDED_BY(mu_);
    std::vector<Callback> callbacks_ ABSL_GUARDED_BY(mu_);
  };

  Future() : state_(std::make_shared<State>()) {}

  bool Finish(std::optional<T> value, std::exception_ptr error) const {
    const Future self = *this;  // A callback may destroy *this.
    std::vector<Callback> callbacks;
    if (!state_->Finish(std::move(value), std::move(error), callbacks)) {
      return false;
    }
    self.CallAll(callbacks);
    return true;
  }

  void CallAll(const std::vector<Callback>& callbacks) const {
    for (const Callback& callback : callbacks) {
      try {
        callback(*this);
      } catch (...) {
        // Dropped: the thread that runs a callback did not ask for it.
      }
    }
  }

  std::shared_ptr<State> state_;
};

template <typename T>
class Promise {
 public:
  Promise() = default;
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  ~Promise() {
    future_.Finish(std::nullopt, std::make_exception_ptr(BrokenPromiseError()));
  }

  Future<T> GetFuture() const { return future_; }

  bool Start() { return future_.state_->Start(); }

  void SetResult(T value) { Finish(std::move(value), nullptr); }
  void SetException(std::exception_ptr error) {
    Finish(std::nullopt, std::move(error));
  }

 private:
  void Finish(std::optional<T> value, std::exception_ptr error) {
    if (!future_.Finish(std::move(value), std::move(error))) {
      throw InvalidStateError("the computation has ended");
    }
  }

  const Future<T> future_;
};

template <typename T>
class AsCompleted {
 public:
  explicit AsCompleted(const std::vector<Future<T>>& futures) {
    for (auto it = futures.begin(); it != futures.end(); ++it) {
      if (std::find(futures.begin(), it, *it) != it) continue;  // Twice.
      ++left_;
      // The callback owns what it writes to: it may run after this is gone.
      it->OnDone([ready = ready_](const Future<T>& future) {
        absl::MutexLock lock(&ready->mu);
        ready->queue.push_back(future);
      });
    }
  }

  std::optional<Future<T>> Next() {
    if (left_ == 0) return std::nullopt;
    absl::MutexLock lock(&ready_->mu,
                         absl::Condition(ready_.get(), &Ready::HasOne));
    --left_;
    return ready_->Take();
  }

  std::optional<Future<T>> NextFor(std::chrono::nanoseconds timeout) {
    if (left_ == 0) return std::nullopt;
    absl::MutexLock lock(&ready_->mu);
    if (!ready_->mu.AwaitWithTimeout(
            absl::Condition(ready_.get(), &Ready::HasOne),
            absl::FromChrono(timeout))) {
      throw TimeoutError();
    }
    --left_;
    return ready_->Take();
  }

 private:
  struct Ready {
    bool HasOne() const ABSL_SHARED_LOCKS_REQUIRED(mu) {
      return !queue.empty();
    }
    Future<T> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
      const Future<T> future = queue.front();
      queue.pop_front();
      return future;
    }

    absl::Mutex mu;
    std::deque<Future<T>> queue ABSL_GUARDED_BY(mu);
  };

  size_t left_ = 0;
  std::shared_ptr<Ready> ready_ = std::make_shared<Ready>();
};

}  // namespace workbook

#endif  // SOLUTIONS_21_FUTURE_ABSL_FUTURE_H_
