// SPDX-License-Identifier: Apache-2.0
//
// Each library that WORKSPACE and MODULE.bazel name compiles, links and works.

#include <md4c.h>

#include <string>
#include <thread>  // NOLINT(build/c++11): this workbook is about it.

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "gtest/gtest.h"

namespace {

TEST(DependenciesTest, AbseilCountsUnderAMutex) {
  struct Counter {
    absl::Mutex mu;
    int value ABSL_GUARDED_BY(mu) = 0;
  } counter;
  auto add = [&counter] {
    for (int i = 0; i < 1000; ++i) {
      absl::MutexLock lock(&counter.mu);
      ++counter.value;
    }
  };
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  absl::MutexLock lock(&counter.mu);
  EXPECT_EQ(absl::StrCat("n=", counter.value), "n=2000");
}

TEST(DependenciesTest, Md4cFindsTheLanguageOfAListing) {
  MD_PARSER parser = {};
  parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* language) {
    if (type == MD_BLOCK_CODE) {
      const MD_ATTRIBUTE& lang =
          static_cast<MD_BLOCK_CODE_DETAIL*>(detail)->lang;
      static_cast<std::string*>(language)->assign(lang.text, lang.size);
    }
    return 0;
  };
  parser.leave_block = [](MD_BLOCKTYPE, void*, void*) { return 0; };
  parser.enter_span = [](MD_SPANTYPE, void*, void*) { return 0; };
  parser.leave_span = [](MD_SPANTYPE, void*, void*) { return 0; };
  parser.text = [](MD_TEXTTYPE, const MD_CHAR*, MD_SIZE, void*) { return 0; };

  const std::string page = "# Title\n\n```cpp\nint x;\n```\n";
  std::string language;
  ASSERT_EQ(md_parse(page.data(), page.size(), &parser, &language), 0);
  EXPECT_EQ(language, "cpp");
}

TEST(DependenciesTest, BenchmarkRunsABody) {
  int runs = 0;
  benchmark::RegisterBenchmark("body", [&runs](benchmark::State& state) {
    for (auto _ : state) ++runs;
  })->Iterations(3);
  benchmark::RunSpecifiedBenchmarks();
  EXPECT_GE(runs, 3);
}

}  // namespace
