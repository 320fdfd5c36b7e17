// SPDX-License-Identifier: Apache-2.0
//
// Lets a benchmark report which compiler has made it.

#include "benchmark/benchmark.h"

namespace {

#ifdef __clang__
constexpr char kCompiler[] = "clang " __clang_version__;
#else
constexpr char kCompiler[] = "g++ " __VERSION__;
#endif

[[maybe_unused]] const bool kAdded = [] {
  benchmark::AddCustomContext("compiler", kCompiler);
  return true;
}();

}  // namespace
