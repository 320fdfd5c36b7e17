// SPDX-License-Identifier: Apache-2.0
//
// Chapter 17: generators made of coroutines, and a scheduler that gives each
// one step per turn. Read chapters/17_round_robin/README.md, then fill in the
// TODOs.
//
// Grade it with:  bazel test //chapters/17_round_robin/...

#ifndef EXERCISES_17_ROUND_ROBIN_SCHEDULER_H_
#define EXERCISES_17_ROUND_ROBIN_SCHEDULER_H_

#include <coroutine>
#include <deque>
#include <exception>
#include <optional>
#include <ostream>
#include <utility>

namespace workbook {

// A function that is run in pieces. A function that returns Generator<T> and
// says `co_yield value;` is a coroutine: calling it makes a frame, which holds
// its parameters and its local variables, and runs nothing. Each Next() runs it
// as far as its next co_yield. (Python's generators; std::generator of C++23.)
//
// A Generator owns its frame, alone. It can be moved; one that was moved from
// is empty, and its Next() returns nothing. A T can be moved, and perhaps not
// copied.
//
// Not thread-safe: one thread at a time. A step takes constant time, besides
// what the body itself does.
template <typename T>
class Generator {
 public:
  // What the compiler calls for each co_yield, exception and end.
  struct promise_type {
    std::optional<T> value;    // What co_yield said last.
    std::exception_ptr error;  // What escaped from the body.

    // Makes this no aggregate. g++ 12 would initialise the members of one with
    // the arguments of the coroutine.
    promise_type() = default;
    Generator get_return_object() {
      return Generator(
          std::coroutine_handle<promise_type>::from_promise(*this));
    }
    // TODO(1): a fresh coroutine is to wait here for its first Next(). Which
    // type says so?
    std::suspend_never initial_suspend() noexcept { return {}; }
    // The frame outlives the body, so that done() may be asked.
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(T yielded) {
      value = std::move(yielded);
      return {};
    }
    void return_void() {}
    void unhandled_exception() {
      // TODO(2): keep the current exception, for Next().
    }
  };

  Generator(Generator&& other) noexcept
      : frame_(std::exchange(other.frame_, nullptr)) {}
  Generator& operator=(Generator&& other) noexcept {
    Generator old(std::move(*this));  // Destroyed at the end of this function.
    frame_ = std::exchange(other.frame_, nullptr);
    return *this;
  }
  // Destroys the frame, wherever the body stands: its local variables and its
  // parameters are destroyed, once.
  ~Generator() {
    // TODO(3): destroy the frame, if there is one.
  }

  // Runs the body as far as its next co_yield and returns the value. Returns
  // nothing if the body ends first, and nothing from then on. An exception that
  // escapes from the body is thrown here, once; it, too, is the end.
  std::optional<T> Next() {
    // TODO(4): a frame that is missing or done has nothing to say. Resume any
    // other; then look what its promise holds, and take it out.
    return std::nullopt;
  }

 private:
  explicit Generator(std::coroutine_handle<promise_type> frame)
      : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

// Yields the first `n` Fibonacci numbers: 1, 1, 2, 3, 5, ... Computes each one
// when it is asked for, from the two before, so `n` may be as large as an int
// can be. Ask for 44 at most: with more, an int may overflow on the way.
inline Generator<int> GenFib(int n) {
  // TODO(5): a loop with co_yield.
  (void)n;
  co_return;
}

// Runs tasks in turns: the task at the front of the queue makes one step and
// goes to the back.
//
// Not thread-safe, and needs no lock: everything happens in the thread that
// calls Run(). A turn costs the scheduler constant time, and the length of the
// queue costs no stack.
class RoundRobin {
 public:
  // `out` must outlive the scheduler.
  explicit RoundRobin(std::ostream& out) : out_(out) {}
  RoundRobin(const RoundRobin&) = delete;
  RoundRobin& operator=(const RoundRobin&) = delete;

  // The task joins the back of the queue. A task may call this in its turn; the
  // new one then stands behind all that wait, and before the one that calls.
  void Add(Generator<int> task) {
    // TODO(6): join the queue.
    (void)task;
  }

  // Returns when no task is left. Each turn prints one line to `out`: the value
  // that the task yields; or "done" if it ends; or "error: " and the text of
  // the exception if it throws ("error: unknown" if that is no std::exception).
  // In the latter two cases the task is destroyed before the next turn.
  //
  // May be called again, after further Add(). Not to be called by a task.
  void Run() {
    // TODO(7): while somebody waits: take the first out of the queue, run one
    // step, print, and let it join again if it goes on.
  }

 private:
  [[maybe_unused]] std::ostream& out_;
  std::deque<Generator<int>> ready_;  // The next turn is the front's.
};

}  // namespace workbook

#endif  // EXERCISES_17_ROUND_ROBIN_SCHEDULER_H_
