// SPDX-License-Identifier: Apache-2.0
//
// Chapter 02: a thread that starts once and can be joined by anybody, and a
// function that runs N of them. Read chapters/02_threads/README.md, then fill
// in the TODOs.
//
// Grade it with:  bazel test //chapters/02_threads/...

#ifndef EXERCISES_02_THREADS_WORKER_H_
#define EXERCISES_02_THREADS_WORKER_H_

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace workbook {

// Runs a function once, in a thread of its own. Unlike std::thread it does not
// start by itself, may be joined more than once and by several threads, and
// keeps the exception that its function throws. (Python's threading.Thread.)
//
// All members but the destructor may be called by any thread at any time.
class Worker {
 public:
  // Keeps `run`, with everything it captures, for Start().
  explicit Worker(std::function<void()> run) : run_(std::move(run)) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Waits until the thread has ended, if it was started. No other call may be
  // in progress, and the worker itself must not destroy its Worker.
  ~Worker() {
    // TODO(1): a std::thread that is still joinable here ends the program.
  }

  // Calls the function in a new thread. Does not wait for it. Throws
  // std::logic_error, and starts nothing, if it was called before.
  void Start() {
    std::lock_guard lock(mu_);  // One Start() at a time; see chapter 08.
    // TODO(2): refuse a second start.
    // TODO(3): start a thread. What it does belongs in Run(), below.
  }

  // Waits until the function has returned or thrown; returns at once if it has.
  // What the function wrote is visible after that. May be called again, and by
  // several threads. Throws std::logic_error if the worker was not started, and
  // if it waits for itself.
  void Join() {
    Check("Join");
    // TODO(4)
  }

  // Like Join(), but gives up `timeout`, a year at most, after the call.
  // Returns whether the function has ended.
  bool JoinFor(std::chrono::nanoseconds timeout) {
    Check("JoinFor");
    // TODO(5)
    (void)timeout;
    return false;
  }

  // Waits like Join(). Returns what the function has thrown, or null.
  std::exception_ptr Error() {
    Join();
    return error_;
  }

 private:
  // What the new thread does.
  void Run() {
    // TODO(6): call run_. What may leave a thread, and what may not? Then tell
    // everybody who waits that it is over.
  }

  // Throws std::logic_error if the caller must not wait for this worker.
  void Check([[maybe_unused]] const char* call) {
    std::lock_guard lock(mu_);
    // TODO(7): not started, or is it the caller itself?
  }

  const std::function<void()> run_;
  // Written by the worker before it has ended, read by others after that.
  std::exception_ptr error_;
  // Ready when the function has ended.
  std::promise<void> end_;
  std::shared_future<void> ended_ = end_.get_future().share();

  std::mutex mu_;
  std::thread thread_;  // Guarded by mu_. Joined in the destructor only.
};

// Calls work(0), work(1), ..., work(count - 1), each in a thread of its own,
// all at the same time. Returns the results in this order, after all threads
// have ended. If calls throw, then throws what the one with the lowest number
// has thrown, also after all threads have ended.
//
// Throws std::invalid_argument if `count` is negative.
inline std::vector<int> RunWorkers(int count,
                                   const std::function<int(int)>& work) {
  if (count < 0) throw std::invalid_argument("RunWorkers: negative count");
  std::vector<int> results(count);
  // TODO(8): which thread writes which result? When is it safe to read them?
  (void)work;
  return results;
}

}  // namespace workbook

#endif  // EXERCISES_02_THREADS_WORKER_H_
