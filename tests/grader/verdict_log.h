// SPDX-License-Identifier: Apache-2.0
//
// The log through which the graded process tells its supervisor how far it
// came. One tab-separated line per event, appended to a file, so that what was
// written survives a crash of the writer.
//
//   start    Suite.Name
//   verdict  Suite.Name  deadlock     one sentence
//   end      Suite.Name  passed
//   done

#ifndef TESTS_GRADER_VERDICT_LOG_H_
#define TESTS_GRADER_VERDICT_LOG_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace grader {

// Appends events to `path`. Each call is one write(2), so lines never mix.
// Thread-safe.
class VerdictLogWriter {
 public:
  explicit VerdictLogWriter(std::string path) : path_(std::move(path)) {}
  void Write(const std::vector<absl::string_view>& fields) const;

 private:
  std::string path_;
};

// What a log says about one test.
struct TestOutcome {
  std::string name;     // "Suite.Name"
  std::string verdict;  // "passed", "wrong result", "deadlock", ...
  std::string message;  // one sentence; may be empty
  bool finished = false;
};

// The test that gets the verdict if the program ends before its first test. It
// is in every chapter, and in no chapter's tests.
inline constexpr char kBeforeTheTests[] = "Program.TheProgramReachesItsTests";

// A log, read back.
struct VerdictLog {
  std::vector<TestOutcome> tests;  // in the order they started
  bool done = false;               // the test program ran to its end

  // The test that was running when the log ended, or null.
  const TestOutcome* Running() const;
  int Count(bool passed) const;
};

// Parses the log's text. Lines that are not complete or not understood are
// ignored: the writer may have died in the middle of one.
VerdictLog ParseVerdictLog(absl::string_view text);

// "EveryItemIsDeliveredOnce" -> "Every item is delivered once": test names are
// the rules a student reads.
std::string RuleSentence(absl::string_view test_name);

}  // namespace grader

#endif  // TESTS_GRADER_VERDICT_LOG_H_
