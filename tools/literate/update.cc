// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/update.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/literate/check.h"
#include "tools/literate/files.h"
#include "tools/literate/listing.h"

namespace literate {

std::string Rewritten(const Page& page, const Observations& observations) {
  std::vector<const Observation*> blocks;
  for (const Observation& observation : observations.blocks) {
    blocks.push_back(&observation);
  }
  std::sort(blocks.begin(), blocks.end(),
            [](const Observation* a, const Observation* b) {
              return a->block->begin < b->block->begin;
            });
  std::string source;
  size_t copied = 0;
  for (const Observation* observation : blocks) {
    source.append(page.source, copied, observation->block->begin - copied);
    source += observation->text;
    copied = observation->block->end;
  }
  source.append(page.source, copied);
  return source;
}

absl::StatusOr<std::string> Update(const Spec& spec, const std::string& root,
                                   Problems& problems) {
  const std::string path = root + "/" + spec.page;
  const absl::StatusOr<std::string> source = ReadFile(path);
  if (!source.ok()) return source.status();
  const Page page = ParsePage(spec.page, *source);
  const Listings listings = ReadListings(page, problems);
  CheckLists(page, listings, spec, problems);
  const Observations seen = Observe(page, listings, spec, problems);

  std::string report;
  const auto write = [&](const std::string& file, const std::string& text) {
    const absl::StatusOr<std::string> old = ReadFile(root + "/" + file);
    if (old.ok() && *old == text) return absl::OkStatus();
    absl::StrAppend(&report, "wrote ", file, "\n");
    return WriteFile(root + "/" + file, text);
  };
  absl::Status status = write(spec.page, Rewritten(page, seen));
  for (const Recording& recording : seen.recordings) {
    status.Update(write(recording.path, recording.json));
  }
  if (!status.ok()) return status;
  return report;
}

}  // namespace literate
