// SPDX-License-Identifier: Apache-2.0

#ifndef TESTS_GRADER_TEST_NAMES_H_
#define TESTS_GRADER_TEST_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace grader {

// The tests that C++ source `text` defines with TEST and its relatives, in
// order, as "Suite.Name".
std::vector<std::string> TestNames(absl::string_view text);

}  // namespace grader

#endif  // TESTS_GRADER_TEST_NAMES_H_
