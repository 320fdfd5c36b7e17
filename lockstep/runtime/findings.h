// SPDX-License-Identifier: Apache-2.0
//
// Turns "nobody can run" and its like into a verdict and a sentence.

#ifndef LOCKSTEP_RUNTIME_FINDINGS_H_
#define LOCKSTEP_RUNTIME_FINDINGS_H_

#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {

// Nobody can run any more: deadlock, lost wake-up or leaked threads.
[[noreturn]] void ReportStuck(Thread* me, bool body_done);

// The step bound was passed in a fair schedule.
[[noreturn]] void ReportLivelock(Thread* me);

// A thread must not end while it holds a lock.
void CheckLocksAtThreadEnd(Thread* me);

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_FINDINGS_H_
