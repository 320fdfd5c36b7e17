// SPDX-License-Identifier: Apache-2.0
//
// Runs programs of the corpus on real threads, without lockstep.
//
//   native --list            one line per program: name, bug or control, and
//                            what ThreadSanitizer should say
//   native --run=NAME [--times=N]
//
// Exit code 1 if an expectation failed. Some bugs hang or crash: run them in a
// process of their own, with a time limit.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "lockstep/tests/program.h"

namespace lockstep::tests {
namespace {

std::atomic<int> failures{0};

void List(const char* kind, const std::vector<Program>& programs) {
  for (const Program& program : programs) {
    const char* tsan = program.tsan == Tsan::kReports  ? "reports"
                       : program.tsan == Tsan::kSilent ? "silent"
                                                       : "undefined";
    std::printf("%s %s %s\n", program.name, kind, tsan);
  }
}

int Main(int argc, char** argv) {
  // Lock orders are the subject here: Abseil's own detector must not abort.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  SetExpectHandler([](const char*) { failures.fetch_add(1); });
  std::string name;
  int times = 1;
  for (int i = 1; i < argc; ++i) {
    absl::string_view arg = argv[i];
    if (arg == "--list") {
      List("bug", Bugs());
      List("control", Controls());
      return 0;
    }
    if (absl::ConsumePrefix(&arg, "--run=")) {
      name = std::string(arg);
    } else if (!absl::ConsumePrefix(&arg, "--times=") ||
               !absl::SimpleAtoi(arg, &times)) {
      std::fprintf(stderr, "unknown argument: %s\n", argv[i]);
      return 2;
    }
  }
  std::vector<Program> programs = Bugs();
  const std::vector<Program> controls = Controls();
  programs.insert(programs.end(), controls.begin(), controls.end());
  const auto found = std::find_if(
      programs.begin(), programs.end(),
      [&](const Program& program) { return program.name == name; });
  if (found == programs.end()) {
    std::fprintf(stderr, "no such program: %s\n", name.c_str());
    return 2;
  }
  for (int i = 0; i < times; ++i) found->body();
  std::printf("%s: %d expectations failed in %d runs\n", name.c_str(),
              failures.load(), times);
  return failures.load() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace lockstep::tests

int main(int argc, char** argv) { return lockstep::tests::Main(argc, argv); }
