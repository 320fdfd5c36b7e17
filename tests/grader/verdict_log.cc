// SPDX-License-Identifier: Apache-2.0

#include "tests/grader/verdict_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace grader {
namespace {

// Lines of this kind only say what went wrong, and are not sealed: lockstep
// writes them, too, when a crash is about to end the process.
constexpr absl::string_view kVerdict = "verdict";

std::string Seal(absl::string_view line, absl::string_view key) {
  return absl::StrCat(
      absl::Hex(std::hash<std::string>()(absl::StrCat(key, line, key))));
}

}  // namespace

std::string LogLine(const std::vector<absl::string_view>& fields,
                    absl::string_view key) {
  std::vector<std::string> clean;
  clean.reserve(fields.size());
  for (absl::string_view field : fields) {
    clean.push_back(absl::StrReplaceAll(field, {{"\t", " "}, {"\n", " "}}));
  }
  const std::string line = absl::StrJoin(clean, "\t");
  if (fields[0] == kVerdict) return line + "\n";
  return absl::StrCat(line, "\t", Seal(line, key), "\n");
}

void VerdictLogWriter::Write(
    const std::vector<absl::string_view>& fields) const {
  const std::string line = LogLine(fields, key_);
  // Opened per event: the process under test may close every descriptor.
  const int fd =
      open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  // A short write to a regular file means a full disk; the supervisor then
  // sees an unfinished log and says so.
  (void)!write(fd, line.data(), line.size());
  close(fd);
}

const TestOutcome* VerdictLog::Running() const {
  if (tests.empty() || tests.back().finished) return nullptr;
  return &tests.back();
}

int VerdictLog::Count(bool passed) const {
  int count = 0;
  for (const TestOutcome& test : tests) {
    if ((test.finished && test.verdict == "passed") == passed) ++count;
  }
  return count;
}

VerdictLog ParseVerdictLog(absl::string_view text, absl::string_view key) {
  VerdictLog log;
  const size_t end = text.rfind('\n');
  if (end == absl::string_view::npos) return log;
  const auto find = [&log](absl::string_view name) -> TestOutcome& {
    for (TestOutcome& test : log.tests) {
      if (test.name == name) return test;
    }
    log.tests.emplace_back().name = std::string(name);
    return log.tests.back();
  };
  for (absl::string_view line : absl::StrSplit(text.substr(0, end), '\n')) {
    if (line.substr(0, line.find('\t')) != kVerdict) {
      const size_t tab = std::min(line.rfind('\t'), line.size());
      const absl::string_view sealed = line.substr(0, tab);
      if (line.substr(tab) != absl::StrCat("\t", Seal(sealed, key))) {
        log.forged = true;
        continue;
      }
      line = sealed;
    }
    const std::vector<absl::string_view> f = absl::StrSplit(line, '\t');
    if (f[0] == "start" && f.size() >= 2) {
      find(f[1]);
    } else if (f[0] == kVerdict && f.size() >= 4 && f[2] != "passed") {
      TestOutcome& test = find(f[1]);
      test.verdict = std::string(f[2]);
      test.message = std::string(f[3]);
    } else if (f[0] == "end" && f.size() >= 3) {
      TestOutcome& test = find(f[1]);
      test.finished = true;
      if (f[2] == "passed") test.verdict = "passed";
      // Failed is the last word: a process that the test forked may have come
      // back from it, and passed.
      if (f[2] == "failed" &&
          (test.verdict.empty() || test.verdict == "passed")) {
        test.verdict = "wrong result";
      }
    } else if (f[0] == "done") {
      log.done = true;
    }
  }
  return log;
}

std::string RuleSentence(absl::string_view test_name) {
  const size_t dot = test_name.find('.');
  if (dot != absl::string_view::npos) test_name.remove_prefix(dot + 1);
  std::string sentence;
  for (size_t i = 0; i < test_name.size(); ++i) {
    const char c = test_name[i];
    const bool starts_word =
        (absl::ascii_isupper(c) || absl::ascii_isdigit(c)) && i > 0 &&
        !(absl::ascii_isdigit(c) && absl::ascii_isdigit(test_name[i - 1]));
    if (starts_word) sentence.push_back(' ');
    sentence.push_back(i == 0 ? c : absl::ascii_tolower(c));
  }
  return sentence;
}

}  // namespace grader
