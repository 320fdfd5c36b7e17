// SPDX-License-Identifier: Apache-2.0
//
// Chapter 19: an executor's map: all tasks are submitted at once, the results
// are handed out in order, one at a time. Read
// chapters/19_executor_map/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/19_executor_map/...

#ifndef EXERCISES_19_EXECUTOR_MAP_EXECUTOR_MAP_H_
#define EXERCISES_19_EXECUTOR_MAP_EXECUTOR_MAP_H_

#include <algorithm>
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
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace workbook {

// Submit() after Shutdown().
class ClosedError : public std::runtime_error {
 public:
  ClosedError() : std::runtime_error("the executor takes no more tasks") {}
};

// The time of a MapFor() is over.
class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("the time is over") {}
};

// Runs tasks on `workers` threads. Complete: nothing to do here.
class Executor {
 public:
  explicit Executor(size_t workers) {
    for (size_t i = 0; i < workers; ++i) {
      workers_.emplace_back([this] { Work(); });
    }
  }

  ~Executor() { Shutdown(); }

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Has some worker call task(), which must not throw. Throws ClosedError after
  // Shutdown(). Thread-safe.
  void Submit(std::function<void()> task) {
    std::lock_guard lock(mu_);
    if (closed_) throw ClosedError();
    queue_.push_back(std::move(task));
    changed_.notify_one();
  }

  // Waits until all tasks have ended. For the thread that owns the executor;
  // may be called again.
  void Shutdown() {
    {
      std::lock_guard lock(mu_);
      closed_ = true;
      changed_.notify_all();
    }
    for (std::thread& worker : workers_) {
      if (worker.joinable()) worker.join();
    }
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

  std::mutex mu_;
  std::condition_variable changed_;
  // Guarded by mu_.
  bool closed_ = false;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> workers_;
};

// The results of a Map(), in the order of its inputs. Belongs to one thread at
// a time. Neither the executor nor the inputs need to exist any more.
template <typename Result>
class MapResults {
 public:
  using Clock = std::chrono::steady_clock;

  // The results of `size` tasks. If there is a deadline, Next() does not wait
  // beyond it.
  MapResults(size_t size, std::optional<Clock::time_point> deadline)
      : shared_(std::make_shared<Shared>(size)), deadline_(deadline) {}

  MapResults(MapResults&&) = default;

  // A reader who stops in the middle wants no more: after the first Next(),
  // what has not started is cancelled. If Next() was never called, all tasks
  // run.
  ~MapResults() {
    // TODO(4): and if this object was moved from?
  }

  // Waits for the next result and returns it, without keeping it. Returns
  // nothing after the last. If that task threw, throws the same; if the
  // deadline comes first, throws TimeoutError. After either, tasks that have
  // not started are cancelled, and Next() returns nothing any more. A result
  // that is there is returned even after the deadline.
  std::optional<Result> Next() {
    // TODO(3): which place is next, and what do you wait for?
    return std::nullopt;
  }

  // The task whose result is number `index`: puts what fn() returns or throws
  // into its place, unless it was cancelled. The task never throws, and may run
  // when the MapResults is gone.
  template <typename Fn>
  std::function<void()> Task(size_t index, Fn fn) {
    // TODO(1): Call(fn) without the lock. What must the task own?
    (void)index;
    (void)fn;
    return [] {};
  }

 private:
  struct Place {
    bool ended = false;
    std::optional<Result> value;
    std::exception_ptr error;
  };

  // Calls fn(), and keeps what it returns or throws.
  template <typename Fn>
  static Place Call(const Fn& fn) {
    Place place;
    place.ended = true;
    try {
      place.value.emplace(fn());
    } catch (...) {
      place.error = std::current_exception();
    }
    return place;
  }

  // What the tasks and the reader share.
  struct Shared {
    explicit Shared(size_t size) : places(size) {}

    std::mutex mu;
    std::condition_variable changed;
    // Guarded by mu. There are as many places as inputs, always.
    std::vector<Place> places;
    bool cancelled = false;
  };

  // Given. Cancels what has not started, and leaves nothing to read.
  // shared_->mu is held.
  void Stop() {
    shared_->cancelled = true;
    next_ = shared_->places.size();
  }

  std::shared_ptr<Shared> shared_;
  [[maybe_unused]] std::optional<Clock::time_point> deadline_;
  size_t next_ = 0;
  [[maybe_unused]] bool started_ = false;  // Next() was called.
};

// What Map() and MapFor() share.
template <typename Fn, typename... Inputs>
auto MapUntil(std::optional<std::chrono::steady_clock::time_point> deadline,
              Executor& executor, const Fn& fn,
              const std::vector<Inputs>&... inputs) {
  using Result = std::invoke_result_t<const Fn&, const Inputs&...>;
  const size_t size = std::min({inputs.size()...});
  MapResults<Result> results(size, deadline);
  for (size_t i = 0; i < size; ++i) {
    const auto call = [fn, arguments = std::tuple<Inputs...>(inputs[i]...)] {
      return std::apply(fn, arguments);
    };
    // TODO(2): have the executor run the task number i, which makes this call.
    // Now, or when its result is asked for?
    (void)executor;
    (void)call;
  }
  return results;
}

// Has the executor compute {fn(a[0], b[0], ...), fn(a[1], b[1], ...), ...}. All
// tasks are submitted before it returns; it waits for none of them. The
// shortest of the inputs decides how many there are. fn and the inputs are
// copied. Throws ClosedError if the executor is shut down. (Python's
// Executor.map.)
template <typename Fn, typename... Inputs>
auto Map(Executor& executor, const Fn& fn,
         const std::vector<Inputs>&... inputs) {
  return MapUntil(std::nullopt, executor, fn, inputs...);
}

// The same, with `timeout` for everything, counted from this call.
template <typename Fn, typename... Inputs>
auto MapFor(std::chrono::nanoseconds timeout, Executor& executor, const Fn& fn,
            const std::vector<Inputs>&... inputs) {
  using Clock = std::chrono::steady_clock;
  const auto now = Clock::now();
  // A deadline beyond the end of the clock is its end.
  return MapUntil(timeout < Clock::time_point::max() - now
                      ? now + timeout
                      : Clock::time_point::max(),
                  executor, fn, inputs...);
}

}  // namespace workbook

#endif  // EXERCISES_19_EXECUTOR_MAP_EXECUTOR_MAP_H_
