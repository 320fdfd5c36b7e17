// SPDX-License-Identifier: Apache-2.0
//
// Chapter 11: a counting semaphore and a bounded one. Read
// chapters/11_semaphore/README.md, then fill in the TODOs.
//
// Grade it with:  bazel test //chapters/11_semaphore/...

#ifndef EXERCISES_11_SEMAPHORE_SEMAPHORE_H_
#define EXERCISES_11_SEMAPHORE_SEMAPHORE_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <stdexcept>

namespace workbook {

// A number of permits that threads take and give back. (Python's
// threading.Semaphore.) A permit belongs to nobody: any thread may release it.
// Releasing happens-before the acquire that takes the permit.
//
// All members may be called by any thread at any time. Each locks one mutex
// once, besides the waiting, during which it sleeps. A thread that knows that
// its Acquire() is the last use may destroy the semaphore when it returns, even
// if the Release() that let it through has not yet returned.
class Semaphore {
 public:
  static constexpr int kNoLimit = std::numeric_limits<int>::max();

  // Begins with `permits` permits, and will never have more than `limit`.
  // Throws std::invalid_argument unless 0 <= permits <= limit.
  explicit Semaphore(int permits = 1, int limit = kNoLimit)
      : limit_(limit), permits_(permits) {
    // TODO(1): refuse what makes no sense.
  }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // Waits until there is a permit and takes it.
  void Acquire() {
    // TODO(2)
  }

  // Takes a permit if there is one. Returns whether it did. Never waits.
  bool TryAcquire() {
    // TODO(3): look and take in one step.
    return false;
  }

  // Like Acquire(), but gives up `timeout` after the call. Returns whether it
  // took a permit. Throws std::invalid_argument if `timeout` is negative.
  bool AcquireFor(std::chrono::nanoseconds timeout) {
    // TODO(4): one deadline for the whole wait.
    (void)timeout;
    return false;
  }

  // Gives back `permits` permits, and lets as many waiting threads go on.
  // Throws std::invalid_argument if `permits` is less than 1, and
  // std::logic_error, without releasing any, if there would be more than the
  // limit.
  void Release(int permits = 1) {
    // TODO(5): how many threads can go on?
    (void)permits;
  }

 private:
  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  [[maybe_unused]] static std::chrono::steady_clock::time_point DeadlineAfter(
      std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("Semaphore: negative timeout");
    }
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    return timeout < Clock::time_point::max() - now ? now + timeout
                                                    : Clock::time_point::max();
  }

  [[maybe_unused]] const int limit_;
  std::mutex mu_;
  std::condition_variable released_;
  [[maybe_unused]] int permits_;  // Guarded by mu_.
};

// A semaphore that never has more permits than it began with: a Release() too
// many is an error that is reported. (Python's threading.BoundedSemaphore.)
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(int permits = 1) : Semaphore(permits, permits) {}
};

// Runs `work` while holding one permit of `semaphore`. The permit is given back
// however `work` ends; an exception reaches the caller.
inline void WithPermit(Semaphore& semaphore,
                       const std::function<void()>& work) {
  // TODO(6)
  (void)semaphore;
  (void)work;
}

}  // namespace workbook

#endif  // EXERCISES_11_SEMAPHORE_SEMAPHORE_H_
