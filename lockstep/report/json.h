// SPDX-License-Identifier: Apache-2.0
//
// A failed schedule as JSON for the book's player. Schema: JSON.md.

#ifndef LOCKSTEP_REPORT_JSON_H_
#define LOCKSTEP_REPORT_JSON_H_

#include <string>

#include "absl/strings/string_view.h"
#include "lockstep/report/story.h"

namespace lockstep {

// A JSON string literal, quotes included. Invalid UTF-8 becomes U+FFFD.
std::string JsonString(absl::string_view text);

// A known place as a JSON object.
std::string JsonPlace(const Place& place);

// One JSON object, newline-terminated.
std::string ToJson(const Story& story, const std::string& replay);

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_JSON_H_
