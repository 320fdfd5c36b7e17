// SPDX-License-Identifier: Apache-2.0
//
// Makes a failing schedule shorter: the fewest preemptions, then the fewest
// switches, that still fail with the same verdict.

#ifndef LOCKSTEP_STRATEGY_SHRINK_H_
#define LOCKSTEP_STRATEGY_SHRINK_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "lockstep/strategy/strategy.h"
#include "lockstep/trace.h"

namespace lockstep {

// Returns the decisions of a schedule that fails like `decisions` do and is no
// worse. `fails` runs the schedule that a strategy decides (BeginSchedule has
// been called) and says whether it fails with the verdict wanted; it is called
// at most `max_runs` times.
//
// `search_preemptions`: first look for a failure with fewer preemptions from
// scratch; pointless if the schedule comes from such a search.
std::vector<Decision> Shrink(std::vector<Decision> decisions,
                             bool search_preemptions, uint64_t max_runs,
                             absl::FunctionRef<bool(Strategy&)> fails);

}  // namespace lockstep

#endif  // LOCKSTEP_STRATEGY_SHRINK_H_
