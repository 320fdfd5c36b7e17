// SPDX-License-Identifier: Apache-2.0

#include "tests/support/process_fixture.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

namespace support {
namespace {

// How long a call may take. None needs more than a fraction of a second; a busy
// machine and a sanitizer are given plenty. Whoever hung once is given less.
constexpr std::chrono::seconds kPatience(10);
constexpr std::chrono::seconds kLittlePatience(2);
constexpr int kHangsToGiveUp = 3;

int hangs = 0;  // how many tests the watchdog had to end
pid_t test_process = 0;

}  // namespace

void ProcessTest::SetUp() {
  test_process = getpid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const char* tmp = getenv("TEST_TMPDIR");
  directory_ = std::string(tmp != nullptr ? tmp : "/tmp") + "/process_XXXXXX";
  ASSERT_NE(mkdtemp(directory_.data()), nullptr);
  if (hangs >= kHangsToGiveUp) {
    FAIL() << "not run: " << hangs << " rules above ended in a hang; mend them "
           << "first";
  }
  watchdog_ =
      std::make_unique<Watchdog>(hangs == 0 ? kPatience : kLittlePatience);
}

void ProcessTest::TearDown() {
  if (watchdog_ != nullptr) {
    watchdog_->Stop();
    if (watchdog_->acted()) {
      ++hangs;
      if (!HasFailure()) ADD_FAILURE() << "the test had to be freed";
    }
  }
  EndAllDescendants();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void ProcessTest::ThrowIfFreed() const {
  if (!watchdog_->acted()) return;
  throw DidNotReturn(
      "The call did not return. After some seconds the test killed the child "
      "processes and cut the pipes to get it back.");
}

void ProcessTest::EndSecondCopy() const {
  // The status is one that no test expects.
  if (getpid() != test_process) _exit(86);
}

}  // namespace support
