// SPDX-License-Identifier: Apache-2.0
//
// Mistake: The destructor does not join. Destroying a std::thread that is still
// joinable ends the program.
// Verdict: thread misuse
// Rule: TheDestructorWaits

#ifndef TESTS_02_THREADS_MISTAKES_NOBODY_JOINS_THE_THREAD_H_
#define TESTS_02_THREADS_MISTAKES_NOBODY_JOINS_THE_THREAD_H_

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace workbook {

class Worker {
 public:
  explicit Worker(std::function<void()> run) : run_(std::move(run)) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  ~Worker() {}

  void Start() {
    std::lock_guard lock(mu_);
    if (thread_.joinable()) throw std::logic_error("Start: already started");
    thread_ = std::thread(&Worker::Run, this);
  }

  void Join() {
    Check("Join");
    // Not thread_.join(): that works for one caller, and once.
    ended_.wait();
  }

  bool JoinFor(std::chrono::nanoseconds timeout) {
    Check("JoinFor");
    return ended_.wait_for(timeout) == std::future_status::ready;
  }

  std::exception_ptr Error() {
    Join();
    return error_;
  }

 private:
  void Run() {
    try {
      run_();
    } catch (...) {
      // An exception that leaves a thread ends the program.
      error_ = std::current_exception();
    }
    end_.set_value();
  }

  void Check(const char* call) {
    std::lock_guard lock(mu_);
    if (!thread_.joinable()) {
      throw std::logic_error(std::string(call) + ": not started");
    }
    // The id cannot be another thread's by now: it is given away again only
    // after the join in the destructor.
    if (thread_.get_id() == std::this_thread::get_id()) {
      throw std::logic_error(std::string(call) +
                             ": a worker cannot await itself");
    }
  }

  const std::function<void()> run_;
  std::exception_ptr error_;  // Written before end_ is set, read after that.
  std::promise<void> end_;
  std::shared_future<void> ended_ = end_.get_future().share();

  std::mutex mu_;
  std::thread thread_;  // Guarded by mu_. Joined in the destructor only.
};

inline std::vector<int> RunWorkers(int count,
                                   const std::function<int(int)>& work) {
  if (count < 0) throw std::invalid_argument("RunWorkers: negative count");
  std::vector<int> results(count);
  // Declared after `results`: whatever happens below, the destructors wait for
  // the threads before the results are gone. A deque never moves its elements.
  std::deque<Worker> workers;
  for (int i = 0; i < count; ++i) {
    // `i` by value: it changes while the worker runs. Each worker writes an
    // element of its own, so they need no lock.
    workers.emplace_back([&, i] { results[i] = work(i); }).Start();
  }
  std::exception_ptr first;
  for (Worker& worker : workers) {
    const std::exception_ptr error = worker.Error();
    if (!first) first = error;
  }
  if (first) std::rethrow_exception(first);
  return results;
}

}  // namespace workbook

#endif  // TESTS_02_THREADS_MISTAKES_NOBODY_JOINS_THE_THREAD_H_
