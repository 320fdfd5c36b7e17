// SPDX-License-Identifier: Apache-2.0
//
// As much JSON as is needed to read lockstep's reports: the strings at the top
// of an object.

#ifndef TOOLS_LITERATE_JSON_H_
#define TOOLS_LITERATE_JSON_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace literate {

// The fields of the object `json` whose values are strings. What is nested in
// it is skipped. Understands \u escapes of the basic plane.
absl::StatusOr<std::map<std::string, std::string>> TopLevelStrings(
    absl::string_view json);

}  // namespace literate

#endif  // TOOLS_LITERATE_JSON_H_
