// SPDX-License-Identifier: Apache-2.0
//
// Chapter 19, reference answer with Abseil. A deadline that may be infinite,
// and conditions, make one path of the waits with and without a time limit.

#ifndef SOLUTIONS_19_EXECUTOR_MAP_ABSL_EXECUTOR_MAP_H_
#define SOLUTIONS_19_EXECUTOR_MAP_ABSL_EXECUTOR_MAP_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace workbook {

class ClosedError : public std::runtime_error {
 public:
  ClosedError() : std::runtime_error("the executor takes no more tasks") {}
};

class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("the time is over") {}
};

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

  void Submit(std::function<void()> task) {
    absl::MutexLock lock(&mu_);
    if (closed_) throw ClosedError();
    queue_.push_back(std::move(task));
  }

  void Shutdown() {
    {
      absl::MutexLock lock(&mu_);
      closed_ = true;
    }
    for (std::thread& worker : workers_) {
      if (worker.joinable()) worker.join();
    }
  }

 private:
  void Work() {
    while (const std::function<void()> task = Next()) task();
  }

  // Waits for a task. Returns an empty one if there will be no more.
  std::function<void()> Next() {
    absl::MutexLock lock(&mu_, absl::Condition(this, &Executor::HasNews));
    if (queue_.empty()) return nullptr;
    std::function<void()> task = std::move(queue_.front());
    queue_.pop_front();
    return task;
  }

  bool HasNews() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return closed_ || !queue_.empty();
  }

  absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> workers_;
};

template <typename Result>
class MapResults {
 public:
  MapResults(size_t size, absl::Time deadline)
      : shared_(std::make_shared<Shared>(size)),
        size_(size),
        deadline_(deadline) {}

  MapResults(MapResults&&) = default;

  ~MapResults() {
    if (shared_ == nullptr || !started_) return;  // Moved from, or not read.
    absl::MutexLock lock(&shared_->mu);
    shared_->cancelled = true;
  }

  std::optional<Result> Next() {
    started_ = true;
    if (next_ == size_) return std::nullopt;
    Place outcome;
    {
      absl::MutexLock lock(&shared_->mu);
      Place& place = shared_->places[next_];
      const bool in_time = shared_->mu.AwaitWithDeadline(
          absl::Condition(&place.ended), deadline_);
      if (!in_time || place.error != nullptr) {
        shared_->cancelled = true;
        next_ = size_;
      } else {
        ++next_;
      }
      if (!in_time) throw TimeoutError();
      outcome = std::exchange(place, Place());
    }
    if (outcome.error != nullptr) std::rethrow_exception(outcome.error);
    return std::move(outcome.value);
  }

  template <typename Fn>
  std::function<void()> Task(size_t index, Fn fn) {
    // The task owns a share of the places: the reader may go first.
    return [shared = shared_, index, fn = std::move(fn)] {
      {
        absl::MutexLock lock(&shared->mu);
        if (shared->cancelled) return;
      }
      Place outcome = Call(fn);
      absl::MutexLock lock(&shared->mu);
      shared->places[index] = std::move(outcome);
    };
  }

 private:
  struct Place {
    bool ended = false;
    std::optional<Result> value;
    std::exception_ptr error;
  };

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

  struct Shared {
    explicit Shared(size_t size) : places(size) {}

    absl::Mutex mu;
    std::vector<Place> places ABSL_GUARDED_BY(mu);
    bool cancelled ABSL_GUARDED_BY(mu) = false;
  };

  std::shared_ptr<Shared> shared_;
  size_t size_;
  absl::Time deadline_;
  size_t next_ = 0;
  bool started_ = false;  // Next() was called.
};

template <typename Fn, typename... Inputs>
auto MapUntil(absl::Time deadline, Executor& executor, const Fn& fn,
              const std::vector<Inputs>&... inputs) {
  using Result = std::invoke_result_t<const Fn&, const Inputs&...>;
  const size_t size = std::min({inputs.size()...});
  MapResults<Result> results(size, deadline);
  for (size_t i = 0; i < size; ++i) {
    executor.Submit(
        results.Task(i, [fn, arguments = std::tuple<Inputs...>(inputs[i]...)] {
          return std::apply(fn, arguments);
        }));
  }
  return results;
}

template <typename Fn, typename... Inputs>
auto Map(Executor& executor, const Fn& fn,
         const std::vector<Inputs>&... inputs) {
  return MapUntil(absl::InfiniteFuture(), executor, fn, inputs...);
}

template <typename Fn, typename... Inputs>
auto MapFor(std::chrono::nanoseconds timeout, Executor& executor, const Fn& fn,
            const std::vector<Inputs>&... inputs) {
  return MapUntil(absl::Now() + absl::FromChrono(timeout), executor, fn,
                  inputs...);
}

}  // namespace workbook

#endif  // SOLUTIONS_19_EXECUTOR_MAP_ABSL_EXECUTOR_MAP_H_
