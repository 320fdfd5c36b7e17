// SPDX-License-Identifier: Apache-2.0
//
// The fixture of tests that run real child processes. Student code that blocks
// on a child or on a pipe ends in a sentence instead of a hang, and no test
// suffers from what the one before it left behind.

#ifndef TESTS_SUPPORT_PROCESS_FIXTURE_H_
#define TESTS_SUPPORT_PROCESS_FIXTURE_H_

#include <memory>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/processes.h"

namespace support {

// Thrown by ProcessTest::Call when the watchdog had to end the call.
class DidNotReturn : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Use it as the base of a chapter's fixture:
//
//   class RunCommand : public support::ProcessTest {};
//   TEST_F(RunCommand, ReturnsTheOutput) {
//     EXPECT_EQ(Call([] { return workbook::RunCommand({"echo"}); }).out, "\n");
//   }
class ProcessTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Calls student code. Throws DidNotReturn, which fails the test with a
  // sentence, if the call came back only because the watchdog freed it. Ends
  // the process if the call comes back in a second copy of it: a fork whose
  // child was not kept from returning. Thread-safe.
  template <typename Function>
  auto Call(Function function) {
    struct Check {
      ProcessTest* test;
      ~Check() { test->EndSecondCopy(); }
    };
    try {
      Check check{this};
      if constexpr (std::is_void_v<decltype(function())>) {
        function();
        ThrowIfFreed();
      } else {
        auto result = function();
        ThrowIfFreed();
        return result;
      }
    } catch (const DidNotReturn&) {
      throw;
    } catch (...) {
      ThrowIfFreed();
      throw;
    }
  }

  // A directory of this test's own; the files in it are removed afterwards.
  const std::string& directory() const { return directory_; }

 private:
  void ThrowIfFreed() const;
  void EndSecondCopy() const;

  std::string directory_;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace support

#endif  // TESTS_SUPPORT_PROCESS_FIXTURE_H_
