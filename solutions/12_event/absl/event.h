// SPDX-License-Identifier: Apache-2.0
//
// Chapter 12, reference answer with Abseil. (absl::Notification is the event
// that is set once and never cleared; absl::BlockingCounter is Countdown.)

#ifndef SOLUTIONS_12_EVENT_ABSL_EVENT_H_
#define SOLUTIONS_12_EVENT_ABSL_EVENT_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace workbook {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set() {
    absl::MutexLock lock(&mu_);
    is_set_ = true;
    ++generation_;
  }

  void Clear() {
    absl::MutexLock lock(&mu_);
    is_set_ = false;
  }

  bool IsSet() const {
    absl::MutexLock lock(&mu_);
    return is_set_;
  }

  void Wait() {
    absl::MutexLock lock(&mu_);
    const auto released =
        [this, now = generation_]()
            ABSL_SHARED_LOCKS_REQUIRED(mu_) { return SetSince(now); };
    mu_.Await(absl::Condition(&released));
  }

  bool WaitFor(std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("WaitFor: negative timeout");
    }
    absl::MutexLock lock(&mu_);
    const auto released =
        [this, now = generation_]()
            ABSL_SHARED_LOCKS_REQUIRED(mu_) { return SetSince(now); };
    return mu_.AwaitWithTimeout(absl::Condition(&released),
                                absl::FromChrono(timeout));
  }

 private:
  // What a waiter waits for. The flag alone would not do: it may be cleared
  // before a thread that was woken looks at it. The generation is still another
  // one then.
  bool SetSince(std::uint64_t generation) const
      ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return is_set_ || generation_ != generation;
  }

  mutable absl::Mutex mu_;
  bool is_set_ ABSL_GUARDED_BY(mu_) = false;
  // How often Set() was called.
  std::uint64_t generation_ ABSL_GUARDED_BY(mu_) = 0;
};

class Countdown {
 public:
  explicit Countdown(int tasks) : left_(tasks) {
    if (tasks < 0) throw std::invalid_argument("Countdown: negative number");
    if (tasks == 0) all_done_.Set();
  }

  void TaskDone() {
    // Taking away and looking at the result is one step, so exactly one thread
    // learns that it is the last. The others must not touch *this any more.
    const int before = left_.fetch_sub(1);
    if (before < 1) throw std::logic_error("TaskDone: all tasks are done");
    if (before == 1) all_done_.Set();
  }

  void Wait() { all_done_.Wait(); }

  bool WaitFor(std::chrono::nanoseconds timeout) {
    return all_done_.WaitFor(timeout);
  }

 private:
  std::atomic<int> left_;
  Event all_done_;
};

}  // namespace workbook

#endif  // SOLUTIONS_12_EVENT_ABSL_EVENT_H_
