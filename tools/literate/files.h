// SPDX-License-Identifier: Apache-2.0
//
// Whole files, and folders that live as long as an object.

#ifndef TOOLS_LITERATE_FILES_H_
#define TOOLS_LITERATE_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace literate {

absl::StatusOr<std::string> ReadFile(const std::string& path);

// Replaces the file, and makes the folders it is in.
absl::Status WriteFile(const std::string& path, absl::string_view text);

// The root of the source tree, for a test that reads all of it: it has the data
// //:MODULE.bazel, whose runfile is a link, over some steps, to the real file,
// and the tags "external" and "local", so that it runs every time.
std::string WorkbookRoot();

// A new, empty folder below $TEST_TMPDIR or /tmp; removed with all it holds.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  // Absolute; "" if it could not be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace literate

#endif  // TOOLS_LITERATE_FILES_H_
