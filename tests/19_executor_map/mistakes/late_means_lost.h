// SPDX-License-Identifier: Apache-2.0
//
// Mistake: Next looks at the clock before it looks at the place, so a reader
// who comes late loses results that have long been there.
// Verdict: wrong result
// Rule: AResultThatIsThereIsDeliveredEvenLate

#ifndef TESTS_19_EXECUTOR_MAP_MISTAKES_LATE_MEANS_LOST_H_
#define TESTS_19_EXECUTOR_MAP_MISTAKES_LATE_MEANS_LOST_H_

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
    std::lock_guard lock(mu_);
    if (closed_) throw ClosedError();
    queue_.push_back(std::move(task));
    changed_.notify_one();
  }

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

template <typename Result>
class MapResults {
 public:
  using Clock = std::chrono::steady_clock;

  MapResults(size_t size, std::optional<Clock::time_point> deadline)
      : shared_(std::make_shared<Shared>(size)), deadline_(deadline) {}

  MapResults(MapResults&&) = default;

  ~MapResults() {
    if (shared_ == nullptr || !started_) return;  // Moved from, or not read.
    std::lock_guard lock(shared_->mu);
    Stop();
  }

  std::optional<Result> Next() {
    started_ = true;
    std::unique_lock lock(shared_->mu);
    if (next_ == shared_->places.size()) return std::nullopt;
    if (deadline_.has_value() && Clock::now() >= *deadline_) {
      Stop();
      throw TimeoutError();
    }
    Place& place = shared_->places[next_];
    const auto has_ended = [&place] { return place.ended; };
    if (!deadline_.has_value()) {
      shared_->changed.wait(lock, has_ended);
    } else if (!shared_->changed.wait_until(lock, *deadline_, has_ended)) {
      Stop();
      throw TimeoutError();
    }
    ++next_;
    if (place.error != nullptr) {
      Stop();
      std::rethrow_exception(std::exchange(place.error, nullptr));
    }
    return std::exchange(place.value, std::nullopt);
  }

  template <typename Fn>
  std::function<void()> Task(size_t index, Fn fn) {
    // The task owns a share of the places: the reader may go first.
    return [shared = shared_, index, fn = std::move(fn)] {
      {
        std::lock_guard lock(shared->mu);
        if (shared->cancelled) return;
      }
      Place outcome = Call(fn);
      std::lock_guard lock(shared->mu);
      shared->places[index] = std::move(outcome);
      shared->changed.notify_one();
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

    std::mutex mu;
    std::condition_variable changed;
    // Guarded by mu. There are as many places as inputs, always.
    std::vector<Place> places;
    bool cancelled = false;
  };

  void Stop() {
    shared_->cancelled = true;
    next_ = shared_->places.size();
  }

  std::shared_ptr<Shared> shared_;
  std::optional<Clock::time_point> deadline_;
  size_t next_ = 0;
  bool started_ = false;  // Next() was called.
};

template <typename Fn, typename... Inputs>
auto MapUntil(std::optional<std::chrono::steady_clock::time_point> deadline,
              Executor& executor, const Fn& fn,
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
  return MapUntil(std::nullopt, executor, fn, inputs...);
}

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

#endif  // TESTS_19_EXECUTOR_MAP_MISTAKES_LATE_MEANS_LOST_H_
