// SPDX-License-Identifier: Apache-2.0
//
// Classic concurrency bugs, one list per family. Each program states the bug
// in the comment above it.

#ifndef LOCKSTEP_TESTS_BUGS_BUGS_H_
#define LOCKSTEP_TESTS_BUGS_BUGS_H_

#include <vector>

#include "lockstep/tests/program.h"

namespace lockstep::tests {

std::vector<Program> Deadlocks();
std::vector<Program> LostWakeups();
std::vector<Program> AtomicityViolations();
std::vector<Program> DataRaces();
std::vector<Program> LifetimeErrors();
std::vector<Program> Livelocks();
std::vector<Program> Misuses();

}  // namespace lockstep::tests

#endif  // LOCKSTEP_TESTS_BUGS_BUGS_H_
