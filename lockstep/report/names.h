// SPDX-License-Identifier: Apache-2.0
//
// Names for the objects of a schedule: what the source calls them if that can
// be found out and tells them apart, else a letter.

#ifndef LOCKSTEP_REPORT_NAMES_H_
#define LOCKSTEP_REPORT_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "lockstep/report/story.h"

namespace lockstep {

// The expression that names an object of this kind in a line of C++:
// "a.mu" in "std::lock_guard lock(a.mu);", "queue->not_empty_" in
// "queue->not_empty_.notify_one();". "" if there is none, or more than one.
std::string ExpressionIn(absl::string_view source, ObjectKind kind);

// Sets the name of every object of `story`, whose steps and places are known.
void NameObjects(const Trace& trace, Symbolizer& symbolizer, Story* story);

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_NAMES_H_
