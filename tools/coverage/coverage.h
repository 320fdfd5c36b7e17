// SPDX-License-Identifier: Apache-2.0
//
// What the chapters cover, as a table: section of the source, chapter, its
// rules, and the mistakes each rule rejects. Read from the pages' titles, the
// tests' names and the mistakes' first lines.

#ifndef TOOLS_COVERAGE_COVERAGE_H_
#define TOOLS_COVERAGE_COVERAGE_H_

#include <string>

#include "absl/status/statusor.h"

namespace coverage {

// The page docs/COVERAGE.md for the workbook in the folder `root`. A chapter is
// a folder of chapters/ with a README.md. NotFound if one has no tests,
// InvalidArgument if a mistake's first lines are not as they should be or name
// no rule of the chapter.
absl::StatusOr<std::string> CoveragePage(const std::string& root);

}  // namespace coverage

#endif  // TOOLS_COVERAGE_COVERAGE_H_
