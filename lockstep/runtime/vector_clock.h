// SPDX-License-Identifier: Apache-2.0
//
// Vector clocks: which events of every other thread happened before now.

#ifndef LOCKSTEP_RUNTIME_VECTOR_CLOCK_H_
#define LOCKSTEP_RUNTIME_VECTOR_CLOCK_H_

#include <cstdint>

#include "lockstep/runtime/array.h"
#include "lockstep/trace.h"

namespace lockstep::internal {

// Missing entries are zero. O(number of threads) to join or copy.
class VectorClock {
 public:
  uint32_t Get(ThreadId thread) const {
    return thread < c_.size() ? c_[thread] : 0;
  }
  void Set(ThreadId thread, uint32_t value) {
    if (thread >= c_.size()) c_.resize(thread + 1);
    c_[thread] = value;
  }
  void Join(const VectorClock& other) {
    if (other.c_.size() > c_.size()) c_.resize(other.c_.size());
    const uint32_t* from = other.c_.data();
    uint32_t* to = c_.data();
    for (size_t i = 0, n = other.c_.size(); i < n; ++i) {
      if (from[i] > to[i]) to[i] = from[i];
    }
  }
  void Assign(const VectorClock& other) {
    c_.resize(other.c_.size());
    const uint32_t* from = other.c_.data();
    uint32_t* to = c_.data();
    for (size_t i = 0, n = other.c_.size(); i < n; ++i) to[i] = from[i];
  }
  // True if everything in this clock is known to `other`.
  bool KnownTo(const VectorClock& other) const {
    for (size_t i = 0, n = c_.size(); i < n; ++i) {
      if (c_[i] > other.Get(static_cast<ThreadId>(i))) return false;
    }
    return true;
  }
  // The first thread whose events `other` does not know, or kNoThread.
  ThreadId FirstUnknown(const VectorClock& other) const {
    for (size_t i = 0, n = c_.size(); i < n; ++i) {
      if (c_[i] > other.Get(static_cast<ThreadId>(i))) {
        return static_cast<ThreadId>(i);
      }
    }
    return kNoThread;
  }
  void Clear() { c_.reset(); }
  bool empty() const { return c_.empty(); }

 private:
  Array<uint32_t> c_;
};

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_VECTOR_CLOCK_H_
