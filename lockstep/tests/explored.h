// SPDX-License-Identifier: Apache-2.0
//
// Runs a body or a program of the corpus under lockstep::Explore() and states
// the outcome as a GoogleTest assertion.

#ifndef LOCKSTEP_TESTS_EXPLORED_H_
#define LOCKSTEP_TESTS_EXPLORED_H_

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"
#include "lockstep/lockstep.h"
#include "lockstep/tests/program.h"

namespace lockstep::tests {

// Explores `program` with `options`, to which it adds what the program needs.
// A failing Expect() in the program is the verdict "wrong result".
Report ExploreProgram(const Program& program, Options options);

// The body passes, under both executions.
testing::AssertionResult Passes(absl::FunctionRef<void()> body,
                                const Options& options = {.schedules = 300});

// The body fails with a verdict of the set, under both executions.
testing::AssertionResult FailsWith(VerdictSet expected,
                                   absl::FunctionRef<void()> body,
                                   const Options& options = {});

}  // namespace lockstep::tests

#endif  // LOCKSTEP_TESTS_EXPLORED_H_
