// SPDX-License-Identifier: Apache-2.0
//
// main() for tests that use lockstep.

#include "lockstep/gtest.h"

int main(int argc, char** argv) {
  lockstep::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
