// SPDX-License-Identifier: Apache-2.0
//
// The glossary and the pages agree: each of its terms is in bold in the chapter
// that it names, and the terms stand in alphabetical order.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/literate/files.h"

namespace literate {
namespace {

struct Entry {
  std::string term;
  std::string chapter;  // as 08_mutex; empty if the entry names none
};

std::vector<Entry> Entries(absl::string_view glossary) {
  std::vector<Entry> entries;
  for (absl::string_view line : absl::StrSplit(glossary, '\n')) {
    if (absl::ConsumePrefix(&line, "## ")) {
      entries.push_back({std::string(line), ""});
    } else if (!entries.empty() &&
               absl::ConsumePrefix(&line, "Introduced in [")) {
      entries.back().chapter = std::string(line.substr(0, line.find(']')));
    }
  }
  return entries;
}

// In lower case, with single spaces.
std::string Normal(absl::string_view text) {
  return absl::StrJoin(
      absl::StrSplit(absl::AsciiStrToLower(text), absl::ByAnyChar(" \n"),
                     absl::SkipEmpty()),
      " ");
}

// What is wrong with the glossary of the workbook in the folder `root`.
std::vector<std::string> GlossaryProblems(const std::string& root) {
  const absl::StatusOr<std::string> glossary =
      ReadFile(root + "/book/glossary.md");
  if (!glossary.ok()) return {std::string(glossary.status().message())};
  std::vector<std::string> problems;
  std::string before;
  for (const Entry& entry : Entries(*glossary)) {
    const std::string term = Normal(entry.term);
    if (term <= before) {
      problems.push_back(absl::StrCat("\"", entry.term, "\" stands after \"",
                                      before, "\": keep the order."));
    }
    before = term;
    const absl::StatusOr<std::string> page =
        ReadFile(absl::StrCat(root, "/chapters/", entry.chapter, "/README.md"));
    if (!page.ok()) {
      problems.push_back(absl::StrCat("\"", entry.term,
                                      "\": end the entry with \"Introduced in "
                                      "[NN_topic](...)\"."));
    } else if (const std::string text = Normal(*page);
               !absl::StrContains(text, absl::StrCat("**", term, "**")) &&
               !absl::StrContains(text, absl::StrCat("**", term, "s**"))) {
      problems.push_back(absl::StrCat("\"", entry.term, "\" is not in bold in ",
                                      entry.chapter, "."));
    }
  }
  return problems;
}

TEST(GlossaryTest, SaysWhatDoesNotAgree) {
  const TempFolder folder;
  const auto write = [&](const std::string& file, const std::string& text) {
    ASSERT_TRUE(WriteFile(folder.path() + "/" + file, text).ok());
  };
  write("chapters/08_mutex/README.md", "A **critical\nsection**, **Guards**\n");
  write("book/glossary.md",
        "# Glossary\n\n## critical section\n\nIntroduced in [08_mutex](x).\n\n"
        "## guard\n\nIntroduced in [08_mutex](x).\n");
  EXPECT_THAT(GlossaryProblems(folder.path()), testing::IsEmpty());
  write("book/glossary.md",
        "# Glossary\n\n## mutex\n\nIntroduced in [08_mutex](x).\n\n"
        "## guard\n\nA guard.\n");
  EXPECT_THAT(
      GlossaryProblems(folder.path()),
      testing::ElementsAre(
          "\"mutex\" is not in bold in 08_mutex.",
          "\"guard\" stands after \"mutex\": keep the order.",
          "\"guard\": end the entry with \"Introduced in [NN_topic](...)\"."));
}

TEST(WorkbookTest, GlossaryAndPagesAgree) {
  const std::string root = WorkbookRoot();
  EXPECT_THAT(GlossaryProblems(root), testing::IsEmpty());
}

}  // namespace
}  // namespace literate
