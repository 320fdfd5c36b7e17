// SPDX-License-Identifier: Apache-2.0
//
// Chapter 21: a future with callbacks, cancellation and "whichever is ready
// first". Read chapters/21_future/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/21_future/...

#ifndef EXERCISES_21_FUTURE_FUTURE_H_
#define EXERCISES_21_FUTURE_FUTURE_H_

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

// Result() of a computation that was cancelled.
class CancelledError : public std::runtime_error {
 public:
  CancelledError() : std::runtime_error("the future was cancelled") {}
};

// Nothing has arrived in time. The future itself is as it was.
class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("the time is over") {}
};

// The producer went away and left no result.
class BrokenPromiseError : public std::runtime_error {
 public:
  BrokenPromiseError() : std::runtime_error("the promise was broken") {}
};

// A computation can end once, and cannot start after it has ended.
class InvalidStateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// The last moment of a wait of `timeout`. A sum beyond the end of the clock is
// its end.
inline std::chrono::steady_clock::time_point DeadlineAfter(
    std::chrono::nanoseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto now = Clock::now();
  return timeout < Clock::time_point::max() - now ? now + timeout
                                                  : Clock::time_point::max();
}

template <typename T>
class Promise;

// The consumer's end of a computation that may not have happened yet. It is a
// handle: copies stand for the same computation. (Python's
// concurrent.futures.Future.)
//
//   pending --Start--> running --SetResult, SetException--> finished
//      |
//      +--Cancel--> cancelled
//
// A computation has ended when it is finished or cancelled. That happens once;
// afterwards nothing changes any more. Futures come from a Promise.
//
// All members may be called by any thread at any time. T is copyable.
template <typename T>
class Future {
 public:
  using Callback = std::function<void(const Future&)>;

  // Waits for the end, and returns the result or throws the exception of the
  // computation, whatever its type. Throws CancelledError if it was cancelled.
  // Any number of threads may ask, any number of times.
  T Result() const {
    // TODO(1): wait for the end; the rest is as in ResultFor().
    return T();
  }

  // The same, but throws TimeoutError if the end has not come `timeout` after
  // the call. Nothing changes then.
  T ResultFor(std::chrono::nanoseconds timeout) const {
    std::unique_lock lock(state_->mu);
    if (!state_->ended.wait_until(lock, DeadlineAfter(timeout),
                                  [this] { return state_->HasEnded(); })) {
      throw TimeoutError();
    }
    return Outcome(std::move(lock));
  }

  // Cancels the computation if it has not started. Returns whether it is
  // cancelled, by this call or before.
  bool Cancel() const {
    // TODO(2): the other side of Promise::Start(): exactly one of the two wins.
    // Only a pending computation can be cancelled. Then End() it.
    return false;
  }

  bool Running() const { return Look() == Status::kRunning; }
  bool Cancelled() const { return Look() == Status::kCancelled; }
  // True if it has ended.
  bool Done() const {
    std::lock_guard lock(state_->mu);
    return state_->HasEnded();
  }

  // Has `callback` called with this future, once, after the end: by the thread
  // that ends the computation or, if it has ended, by this one, now. Callbacks
  // added before the end run in the order in which they were added, each as
  // often as it was added. No lock is held: a callback may use the future. Who
  // waits for the result does not wait for callbacks. An exception from a
  // callback is dropped: it harms neither the other callbacks nor whoever runs
  // them. After it has run, a callback is destroyed.
  void OnDone(Callback callback) const {
    // TODO(3): keep it, or Call() it? Decide and act in one critical section,
    // but do not call it there.
    (void)callback;
  }

  // Whether both stand for the same computation.
  bool operator==(const Future& other) const { return state_ == other.state_; }

 private:
  friend class Promise<T>;

  enum class Status { kPending, kRunning, kCancelled, kFinished };

  // What all handles of a computation share.
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

  // What an ended computation left: throws or returns. `lock` holds state_->mu.
  T Outcome(std::unique_lock<std::mutex> lock) const {
    // Nothing changes after the end, so the user's copy constructor can run
    // without the lock.
    lock.unlock();
    if (state_->status == Status::kCancelled) throw CancelledError();
    if (state_->error != nullptr) std::rethrow_exception(state_->error);
    return *state_->value;
  }

  // Ends the computation: the new state becomes visible, everybody who waits
  // wakes up, and after that the callbacks run. `lock` holds state_->mu, and
  // value or error are in their place.
  void End(std::unique_lock<std::mutex> lock, Status last) const {
    // TODO(4): the callbacks need no lock, and must not have one. What if one
    // of them destroys *this?
    (void)lock;
    (void)last;
  }

  // Calls `callback`. Never throws.
  void Call(const Callback& callback) const {
    try {
      callback(*this);
    } catch (...) {
      // Dropped: the thread that runs a callback did not ask for it.
    }
  }

  std::shared_ptr<State> state_;
};

// The producer's end. Belongs to one thread at a time.
template <typename T>
class Promise {
 public:
  Promise() = default;
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  // Leaves no one waiting: if the computation has not ended, it ends with a
  // BrokenPromiseError.
  ~Promise() {
    std::unique_lock lock(future_.state_->mu);
    if (future_.state_->HasEnded()) return;
    future_.state_->error = std::make_exception_ptr(BrokenPromiseError());
    future_.End(std::move(lock), Status::kFinished);
  }

  Future<T> GetFuture() const { return future_; }

  // Goes from pending to running. Returns false if the computation was
  // cancelled: then leave it alone. Throws InvalidStateError if it was started
  // before or is finished.
  bool Start() {
    std::lock_guard lock(future_.state_->mu);
    if (future_.state_->status == Status::kCancelled) return false;
    if (future_.state_->status != Status::kPending) {
      throw InvalidStateError("the computation was started before");
    }
    future_.state_->status = Status::kRunning;
    return true;
  }

  // End the computation, started or not. Throw InvalidStateError, and change
  // nothing, if it has ended.
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

// Hands out futures as their computations end: first those that had ended, in
// their order in `futures`; then each when it ends, finished or cancelled. A
// future that is listed twice comes once. The futures may outlive this object,
// and need not end before it. (Python's as_completed(); the first Next() is
// wait(return_when=FIRST_COMPLETED).)
//
// Belongs to one thread at a time.
template <typename T>
class AsCompleted {
 public:
  explicit AsCompleted(const std::vector<Future<T>>& futures) {
    for (auto it = futures.begin(); it != futures.end(); ++it) {
      if (std::find(futures.begin(), it, *it) != it) continue;  // Twice.
      ++left_;
      // TODO(5): let it put itself into ready_->queue when it is done. Who may
      // be gone by then?
    }
  }

  // Waits for the next one. Returns nothing after the last.
  std::optional<Future<T>> Next() {
    // TODO(6): wait for the queue, not for a particular future. When is there
    // nothing to wait for?
    return std::nullopt;
  }

  // The same, but throws TimeoutError if none has ended `timeout` after the
  // call. You may go on asking.
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
  // Ended and not handed out.
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

  // How many of the futures have not been handed out.
  size_t left_ = 0;
  std::shared_ptr<Ready> ready_ = std::make_shared<Ready>();
};

}  // namespace workbook

#endif  // EXERCISES_21_FUTURE_FUTURE_H_
