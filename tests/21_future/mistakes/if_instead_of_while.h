// SPDX-License-Identifier: Apache-2.0
//
// Mistake: Result waits once and does not look again: a spurious wake-up counts
// as the end, and there is no result to return.
// Verdict: crash
// Rule: ASpuriousWakeUpIsNotTheEnd

#ifndef TESTS_21_FUTURE_MISTAKES_IF_INSTEAD_OF_WHILE_H_
#define TESTS_21_FUTURE_MISTAKES_IF_INSTEAD_OF_WHILE_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

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

inline std::chrono::steady_clock::time_point DeadlineAfter(
    std::chrono::nanoseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto now = Clock::now();
  return timeout < Clock::time_point::max() - now ? now + timeout
                                                  : Clock::time_point::max();
}

template <typename T>
class Promise;

template <typename T>
class Future {
 public:
  using Callback = std::function<void(const Future&)>;

  T Result() const {
    std::unique_lock lock(state_->mu);
    if (!state_->HasEnded()) state_->ended.wait(lock);
    return Outcome(std::move(lock));
  }

  T ResultFor(std::chrono::nanoseconds timeout) const {
    std::unique_lock lock(state_->mu);
    if (!state_->ended.wait_until(lock, DeadlineAfter(timeout),
                                  [this] { return state_->HasEnded(); })) {
      throw TimeoutError();
    }
    return Outcome(std::move(lock));
  }

  bool Cancel() const {
    std::unique_lock lock(state_->mu);
    if (state_->status == Status::kCancelled) return true;
    if (state_->status != Status::kPending) return false;
    End(std::move(lock), Status::kCancelled);
    return true;
  }

  bool Running() const { return Look() == Status::kRunning; }
  bool Cancelled() const { return Look() == Status::kCancelled; }
  bool Done() const {
    const Status status = Look();
    return status == Status::kFinished || status == Status::kCancelled;
  }

  void OnDone(Callback callback) const {
    {
      std::lock_guard lock(state_->mu);
      if (!state_->HasEnded()) {
        state_->callbacks.push_back(std::move(callback));
        return;
      }
    }
    Call(callback);
  }

  bool operator==(const Future& other) const { return state_ == other.state_; }

 private:
  friend class Promise<T>;

  enum class Status { kPending, kRunning, kCancelled, kFinished };

  struct State {
    // mu is held.
    bool HasEnded() const {
      return status == Status::kCancelled || status == Status::kFinished;
    }

    std::mutex mu;
    std::condition_variable ended;
    // All guarded by mu.
    Status status = Status::kPending;
    std::optional<T> value;
    std::exception_ptr error;
    std::vector<Callback> callbacks;
  };

  Future() : state_(std::make_shared<State>()) {}

  Status Look() const {
    std::lock_guard lock(state_->mu);
    return state_->status;
  }

  T Outcome(std::unique_lock<std::mutex> lock) const {
    // Nothing changes after the end, so the user's copy constructor can run
    // without the lock.
    lock.unlock();
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
      // Dropped: the thread that runs a callback did not ask for it.
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
    std::unique_lock lock(future_.state_->mu);
    if (future_.state_->HasEnded()) return;
    future_.state_->error = std::make_exception_ptr(BrokenPromiseError());
    future_.End(std::move(lock), Status::kFinished);
  }

  Future<T> GetFuture() const { return future_; }

  bool Start() {
    std::lock_guard lock(future_.state_->mu);
    if (future_.state_->status == Status::kCancelled) return false;
    if (future_.state_->status != Status::kPending) {
      throw InvalidStateError("the computation was started before");
    }
    future_.state_->status = Status::kRunning;
    return true;
  }

  void SetResult(T value) { Finish(std::move(value), nullptr); }
  void SetException(std::exception_ptr error) {
    Finish(std::nullopt, std::move(error));
  }

 private:
  using Status = typename Future<T>::Status;

  void Finish(std::optional<T> value, std::exception_ptr error) {
    const auto& state = future_.state_;
    std::unique_lock lock(state->mu);
    if (state->HasEnded()) {
      throw InvalidStateError("the computation has ended");
    }
    state->value = std::move(value);
    state->error = std::move(error);
    future_.End(std::move(lock), Status::kFinished);
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
        std::lock_guard lock(ready->mu);
        ready->queue.push_back(future);
        ready->added.notify_one();
      });
    }
  }

  std::optional<Future<T>> Next() {
    if (left_ == 0) return std::nullopt;
    std::unique_lock lock(ready_->mu);
    ready_->added.wait(lock, [this] { return !ready_->queue.empty(); });
    return Take();
  }

  std::optional<Future<T>> NextFor(std::chrono::nanoseconds timeout) {
    if (left_ == 0) return std::nullopt;
    std::unique_lock lock(ready_->mu);
    if (!ready_->added.wait_until(lock, DeadlineAfter(timeout),
                                  [this] { return !ready_->queue.empty(); })) {
      throw TimeoutError();
    }
    return Take();
  }

 private:
  struct Ready {
    std::mutex mu;
    std::condition_variable added;
    std::deque<Future<T>> queue;  // Guarded by mu.
  };

  // The lock is held and the queue is not empty.
  Future<T> Take() {
    const Future<T> future = ready_->queue.front();
    ready_->queue.pop_front();
    --left_;
    return future;
  }

  size_t left_ = 0;
  std::shared_ptr<Ready> ready_ = std::make_shared<Ready>();
};

}  // namespace workbook

#endif  // TESTS_21_FUTURE_MISTAKES_IF_INSTEAD_OF_WHILE_H_
