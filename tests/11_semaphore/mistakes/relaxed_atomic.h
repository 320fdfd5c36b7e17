// SPDX-License-Identifier: Apache-2.0
//
// Mistake: a home-made semaphore that counts permits in an atomic with relaxed
// order, and sleeps on it. At most so many get in, but what the last holder
// wrote is not passed on.
// Verdict: data race
// Rule: TheNextHolderSeesWhatTheLastOneWrote

#ifndef TESTS_11_SEMAPHORE_MISTAKES_RELAXED_ATOMIC_H_
#define TESTS_11_SEMAPHORE_MISTAKES_RELAXED_ATOMIC_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <stdexcept>
#include <thread>

namespace workbook {

class Semaphore {
 public:
  static constexpr int kNoLimit = std::numeric_limits<int>::max();

  explicit Semaphore(int permits = 1, int limit = kNoLimit)
      : limit_(limit), permits_(permits) {
    if (permits < 0 || permits > limit) {
      throw std::invalid_argument("Semaphore: permits not in 0..limit");
    }
  }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void Acquire() {
    while (!TryAcquire()) permits_.wait(0, std::memory_order_relaxed);
  }

  bool TryAcquire() {
    int permits = permits_.load(std::memory_order_relaxed);
    while (permits > 0) {
      if (permits_.compare_exchange_weak(permits, permits - 1,
                                         std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  bool AcquireFor(std::chrono::nanoseconds timeout) {
    // An atomic has no timed wait.
    const auto deadline = DeadlineAfter(timeout);
    while (!TryAcquire()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  void Release(int permits = 1) {
    if (permits < 1) {
      throw std::invalid_argument("Release: fewer than one permit");
    }
    int before = permits_.load(std::memory_order_relaxed);
    do {
      if (before > limit_ - permits) {
        throw std::logic_error("Release: more permits than the limit");
      }
    } while (!permits_.compare_exchange_weak(before, before + permits,
                                             std::memory_order_relaxed));
    permits_.notify_all();
  }

 private:
  // The end of a wait that begins now. A deadline beyond the end of the clock
  // is its end: the sum of now() and a huge timeout would overflow.
  static std::chrono::steady_clock::time_point DeadlineAfter(
      std::chrono::nanoseconds timeout) {
    if (timeout < timeout.zero()) {
      throw std::invalid_argument("Semaphore: negative timeout");
    }
    using Clock = std::chrono::steady_clock;
    const auto now = Clock::now();
    return timeout < Clock::time_point::max() - now ? now + timeout
                                                    : Clock::time_point::max();
  }

  const int limit_;
  std::atomic<int> permits_;
};

class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(int permits = 1) : Semaphore(permits, permits) {}
};

inline void WithPermit(Semaphore& semaphore,
                       const std::function<void()>& work) {
  struct Permit {
    explicit Permit(Semaphore& s) : semaphore(s) { semaphore.Acquire(); }
    ~Permit() { semaphore.Release(); }
    Semaphore& semaphore;
  };
  const Permit permit(semaphore);
  work();
}

}  // namespace workbook

#endif  // TESTS_11_SEMAPHORE_MISTAKES_RELAXED_ATOMIC_H_
