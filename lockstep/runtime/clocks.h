// SPDX-License-Identifier: Apache-2.0
//
// The virtual clock as the program sees it. It starts at the same date in
// every schedule and moves only when somebody reads it or everybody waits.

#ifndef LOCKSTEP_RUNTIME_CLOCKS_H_
#define LOCKSTEP_RUNTIME_CLOCKS_H_

#include <time.h>

#include <cstdint>

namespace lockstep::internal {

inline constexpr int64_t kSecond = 1'000'000'000;
// What the clocks show at virtual time 0.
inline constexpr int64_t kRealtimeStart = 1'767'225'600 * kSecond;  // 2026
inline constexpr int64_t kMonotonicStart = 100'000 * kSecond;

inline int64_t ClockStart(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
                 clock == CLOCK_TAI
             ? kRealtimeStart
             : kMonotonicStart;
}

inline int64_t Nanoseconds(const timespec& t) {
  if (t.tv_sec > INT64_MAX / kSecond - 1) return INT64_MAX;
  if (t.tv_sec < INT64_MIN / kSecond + 1) return INT64_MIN;
  return t.tv_sec * kSecond + t.tv_nsec;
}

// The virtual time at which `clock` shows `when`. Null: never.
inline int64_t DeadlineOf(clockid_t clock, const timespec* when) {
  if (when == nullptr) return INT64_MAX;
  const int64_t at = Nanoseconds(*when);
  if (at == INT64_MAX) return INT64_MAX;
  const int64_t deadline = at - ClockStart(clock);
  return deadline < 0 ? 0 : deadline;
}

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_CLOCKS_H_
