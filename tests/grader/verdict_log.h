// SPDX-License-Identifier: Apache-2.0
//
// The log through which the graded process tells its supervisor how far it
// came. One tab-separated line per event, appended to a file, so that what was
// written survives a crash of the writer.
//
//   start    Suite.Name  SEAL
//   verdict  Suite.Name  deadlock     one sentence
//   end      Suite.Name  passed  SEAL
//   done     SEAL
//
// The answer runs in the process that writes, and can find the file. So lines
// that can make a grade better carry a seal: a hash of the line and of a key
// that the supervisor makes for each run. A line with a wrong seal was not
// written by the tests. The key is in the memory of the process, and the hash
// is not cryptography: this does not stop somebody who looks for the key there,
// but nobody does that by accident or in a harmless-looking answer.

#ifndef TESTS_GRADER_VERDICT_LOG_H_
#define TESTS_GRADER_VERDICT_LOG_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace grader {

// Where the supervisor leaves the key for the process under test: a number that
// nothing else uses, because it is far from the lowest free one.
inline constexpr int kKeyDescriptor = 250;

inline constexpr int kKeyBytes = 16;

// The line for an event, sealed with `key`, and its '\n'.
std::string LogLine(const std::vector<absl::string_view>& fields,
                    absl::string_view key);

// Appends events to `path`, sealed with `key`. Each call is one write(2), so
// lines never mix. Thread-safe.
class VerdictLogWriter {
 public:
  VerdictLogWriter(std::string path, std::string key)
      : path_(std::move(path)), key_(std::move(key)) {}
  void Write(const std::vector<absl::string_view>& fields) const;

 private:
  std::string path_;
  std::string key_;
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
  bool forged = false;             // a line is not by the tests

  // The test that was running when the log ended, or null.
  const TestOutcome* Running() const;
  int Count(bool passed) const;
};

// Parses the text of a log sealed with `key`. Lines that are not complete or
// not understood are ignored: the writer may have died in the middle of one.
VerdictLog ParseVerdictLog(absl::string_view text, absl::string_view key);

// "EveryItemIsDeliveredOnce" -> "Every item is delivered once": test names are
// the rules a student reads.
std::string RuleSentence(absl::string_view test_name);

}  // namespace grader

#endif  // TESTS_GRADER_VERDICT_LOG_H_
