// SPDX-License-Identifier: Apache-2.0
//
// Mistake: GenFib computes all its numbers in its first turn, and keeps them.
// Verdict: wrong result
// Rule: ItComputesOnlyWhatIsAskedFor

#ifndef TESTS_17_ROUND_ROBIN_MISTAKES_COMPUTES_AHEAD_H_
#define TESTS_17_ROUND_ROBIN_MISTAKES_COMPUTES_AHEAD_H_

#include <coroutine>
#include <deque>
#include <exception>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

namespace workbook {

template <typename T>
class Generator {
 public:
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr error;

    // Makes this no aggregate. g++ 12 would initialise the members of one with
    // the arguments of the coroutine.
    promise_type() = default;
    Generator get_return_object() {
      return Generator(
          std::coroutine_handle<promise_type>::from_promise(*this));
    }
    // Lazy: the body waits for the first Next().
    std::suspend_always initial_suspend() noexcept { return {}; }
    // The frame outlives the body, so that done() may be asked.
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(T yielded) {
      value = std::move(yielded);
      return {};
    }
    void return_void() {}
    void unhandled_exception() { error = std::current_exception(); }
  };

  Generator(Generator&& other) noexcept
      : frame_(std::exchange(other.frame_, nullptr)) {}
  Generator& operator=(Generator&& other) noexcept {
    Generator old(std::move(*this));  // Destroyed at the end of this function.
    frame_ = std::exchange(other.frame_, nullptr);
    return *this;
  }
  ~Generator() {
    if (frame_ != nullptr) frame_.destroy();
  }

  std::optional<T> Next() {
    if (frame_ == nullptr || frame_.done()) return std::nullopt;
    frame_.resume();
    promise_type& promise = frame_.promise();
    if (promise.error != nullptr) {
      std::rethrow_exception(std::exchange(promise.error, nullptr));
    }
    return std::exchange(promise.value, std::nullopt);
  }

 private:
  explicit Generator(std::coroutine_handle<promise_type> frame)
      : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

// By value: the frame has its own `n`, whatever becomes of the caller's.
inline Generator<int> GenFib(int n) {
  std::vector<int> numbers(n, 1);
  for (int i = 2; i < n; ++i) numbers[i] = numbers[i - 1] + numbers[i - 2];
  for (int number : numbers) co_yield number;
}

class RoundRobin {
 public:
  explicit RoundRobin(std::ostream& out) : out_(out) {}
  RoundRobin(const RoundRobin&) = delete;
  RoundRobin& operator=(const RoundRobin&) = delete;

  void Add(Generator<int> task) { ready_.push_back(std::move(task)); }

  void Run() {
    while (!ready_.empty()) {
      // Out of the queue while it runs: the task itself may call Add().
      Generator<int> task = std::move(ready_.front());
      ready_.pop_front();
      if (TakeTurn(task)) ready_.push_back(std::move(task));
    }
  }

 private:
  // Runs one step of the task and prints what came of it. False if it was the
  // last.
  bool TakeTurn(Generator<int>& task) {
    try {
      const std::optional<int> value = task.Next();
      if (value.has_value()) {
        out_ << *value << '\n';
      } else {
        out_ << "done\n";
      }
      return value.has_value();
    } catch (const std::exception& error) {
      out_ << "error: " << error.what() << '\n';
    } catch (...) {
      out_ << "error: unknown\n";
    }
    return false;
  }

  std::ostream& out_;
  std::deque<Generator<int>> ready_;  // The next turn is the front's.
};

}  // namespace workbook

#endif  // TESTS_17_ROUND_ROBIN_MISTAKES_COMPUTES_AHEAD_H_
