// SPDX-License-Identifier: Apache-2.0
//
// Waiting, in tests, until the other threads wait.

#ifndef TESTS_SUPPORT_WAITING_H_
#define TESTS_SUPPORT_WAITING_H_

#include <chrono>
#include <thread>

namespace support {

// Lets the other threads of the test run until all of them wait. Time is
// virtual under lockstep: it passes only when nobody can run. Elsewhere nothing
// is certain, so a test must not depend on it there.
inline void LetOthersWait() {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace support

#endif  // TESTS_SUPPORT_WAITING_H_
