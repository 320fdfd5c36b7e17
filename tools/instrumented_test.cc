// SPDX-License-Identifier: Apache-2.0
//
// Checks, from the inside, how instrumented_cc_test compiled this file: with
// the explorer's instrumentation by default, without it where the command line
// asks for a sanitizer or for speed. GoogleTest is left out because it would be
// instrumented too and need a whole runtime.

#include <cstdio>
#include <cstdlib>
#include <cstring>

extern int shared;
int shared = 0;

#if EXPECT_INSTRUMENTATION
extern "C" int CountedReads();
extern "C" int CountedWrites();
extern "C" int CountedEntries();
#endif

namespace {

int failures = 0;

void Check(bool ok, const char* what) {
  if (ok) return;
  ++failures;
  std::fprintf(stderr, "FAILED: %s\n", what);
}

// Two increments: a schedule may put another thread between them.
__attribute__((noinline)) void IncrementTwice() {
  shared++;
  shared++;
}

}  // namespace

int main(int argc, char** argv) {
#if EXPECT_INSTRUMENTATION
  const int reads = CountedReads();
  const int writes = CountedWrites();
  const int entries = CountedEntries();
  IncrementTwice();
  Check(CountedEntries() - entries == 1, "the function entry is reported");
  Check(CountedWrites() - writes == 2, "both writes are reported");
#ifdef __clang__  // Clang leaves out a read whose value is written back.
  constexpr int kReads = 0;
#else
  constexpr int kReads = 2;
#endif
  Check(CountedReads() - reads == kReads, "both reads are reported");
#else
  IncrementTwice();
#endif
  Check(shared == 2, "two increments make two");

  Check(argc == 3 && std::strcmp(argv[1], "an") == 0, "args are passed on");
  const char* data = std::getenv("INSTRUMENTED_TEST_DATA");
  Check(data != nullptr, "env is passed on");
  std::FILE* file = data == nullptr ? nullptr : std::fopen(data, "r");
  Check(file != nullptr, "data can be opened");
  if (file != nullptr) std::fclose(file);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
