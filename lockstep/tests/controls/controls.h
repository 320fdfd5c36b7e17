// SPDX-License-Identifier: Apache-2.0
//
// Correct programs that look suspicious: whoever warns about one of them has
// raised a false alarm.

#ifndef LOCKSTEP_TESTS_CONTROLS_CONTROLS_H_
#define LOCKSTEP_TESTS_CONTROLS_CONTROLS_H_

#include <vector>

#include "lockstep/tests/program.h"

namespace lockstep::tests {

std::vector<Program> CorrectLocks();
std::vector<Program> CorrectLockFree();
std::vector<Program> CorrectBlocking();

}  // namespace lockstep::tests

#endif  // LOCKSTEP_TESTS_CONTROLS_CONTROLS_H_
