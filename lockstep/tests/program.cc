// SPDX-License-Identifier: Apache-2.0

#include "lockstep/tests/program.h"

#include <cstdio>
#include <vector>

#include "lockstep/tests/bugs/bugs.h"
#include "lockstep/tests/controls/controls.h"

namespace lockstep::tests {
namespace {

void PrintFailure(const char* message) {
  std::fprintf(stderr, "expectation failed: %s\n", message);
}

// Set before any thread starts, so it needs no synchronisation.
ExpectHandler expect_handler = PrintFailure;

void Append(const std::vector<Program>& part, std::vector<Program>& all) {
  all.insert(all.end(), part.begin(), part.end());
}

}  // namespace

void SetExpectHandler(ExpectHandler handler) { expect_handler = handler; }

void Expect(bool condition, const char* message) {
  if (!condition) expect_handler(message);
}

std::vector<Program> Bugs() {
  std::vector<Program> all;
  Append(Deadlocks(), all);
  Append(LostWakeups(), all);
  Append(AtomicityViolations(), all);
  Append(DataRaces(), all);
  Append(LifetimeErrors(), all);
  Append(Livelocks(), all);
  Append(Misuses(), all);
  return all;
}

std::vector<Program> Controls() {
  std::vector<Program> all;
  Append(CorrectLocks(), all);
  Append(CorrectLockFree(), all);
  Append(CorrectBlocking(), all);
  return all;
}

}  // namespace lockstep::tests
