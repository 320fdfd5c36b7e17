// SPDX-License-Identifier: Apache-2.0
//
// Chapter 02, reference answer with Abseil. Abseil has no threads of its own;
// an absl::Notification is the event "the function has ended", for any number
// of waiting threads.

#ifndef SOLUTIONS_02_THREADS_ABSL_WORKER_H_
#define SOLUTIONS_02_THREADS_ABSL_WORKER_H_

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace workbook {

class Worker {
 public:
  explicit Worker(std::function<void()> run) : run_(std::move(run)) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Nobody else may call meanwhile, so there is no lock to take.
  ~Worker() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (thread_.joinable()) thread_.join();
  }

  void Start() {
    absl::MutexLock lock(&mu_);
    if (thread_.joinable()) throw std::logic_error("Start: already started");
    thread_ = std::thread(&Worker::Run, this);
  }

  void Join() {
    Check("Join");
    // Not thread_.join(): that works for one caller, and once.
    ended_.WaitForNotification();
  }

  bool JoinFor(std::chrono::nanoseconds timeout) {
    Check("JoinFor");
    return ended_.WaitForNotificationWithTimeout(absl::FromChrono(timeout));
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
    ended_.Notify();
  }

  void Check(const char* call) {
    absl::MutexLock lock(&mu_);
    if (!thread_.joinable()) {
      throw std::logic_error(absl::StrCat(call, ": not started"));
    }
    // The id cannot be another thread's by now: it is given away again only
    // after the join in the destructor.
    if (thread_.get_id() == std::this_thread::get_id()) {
      throw std::logic_error(
          absl::StrCat(call, ": a worker cannot await itself"));
    }
  }

  const std::function<void()> run_;
  std::exception_ptr error_;  // Written before the notification, read after it.
  absl::Notification ended_;

  absl::Mutex mu_;
  // Joined in the destructor only.
  std::thread thread_ ABSL_GUARDED_BY(mu_);
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

#endif  // SOLUTIONS_02_THREADS_ABSL_WORKER_H_
