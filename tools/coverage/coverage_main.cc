// SPDX-License-Identifier: Apache-2.0
//
// Writes docs/COVERAGE.md:  bazel run //tools/coverage:update

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/coverage/coverage.h"
#include "tools/literate/files.h"

int main() {
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (root == nullptr) {
    std::cerr << "Run it as: bazel run //tools/coverage:update\n";
    return 1;
  }
  const absl::StatusOr<std::string> page = coverage::CoveragePage(root);
  const absl::Status status =
      page.ok()
          ? literate::WriteFile(std::string(root) + "/docs/COVERAGE.md", *page)
          : page.status();
  if (!status.ok()) {
    std::cerr << status.message() << "\n";
    return 1;
  }
  std::cout << "wrote docs/COVERAGE.md\n";
}
