// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/listing.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace literate {
namespace {

using testing::HasSubstr;

// What the tool says about a page with the given blocks.
std::string ProblemsOf(const std::string& source) {
  Problems problems;
  ReadListings(ParsePage("p.md", source), problems);
  return ToString(problems);
}

constexpr char kProgram[] = "```cpp run=a\nint main() {}\n```\n";

TEST(ReadListings, PutsTheBlocksOfAProgramTogether) {
  const Page page = ParsePage(
      "p.md",
      "```cpp run=a\nint x;\n```\n\n```cpp run=b\nint y;\n```\n\n"
      "```cpp run=a\nint z;\n```\n\n```text output=a exit=2\nhi\n```\n\n"
      "```text schedule=b verdict=deadlock\n```\n");
  Problems problems;
  const Listings listings = ReadListings(page, problems);
  EXPECT_EQ(ToString(problems), "");
  ASSERT_EQ(listings.programs.size(), 2u);
  const Program& a = listings.programs[0];
  EXPECT_EQ(Tangle(page, a, Positions::kPage),
            "#line 2 \"p.md\"\nint x;\n#line 10 \"p.md\"\nint z;\n");
  EXPECT_EQ(Tangle(page, a, Positions::kListing),
            "#line 1 \"a.cc\"\nint x;\nint z;\n");
  EXPECT_EQ(a.exit_status, 2);
  EXPECT_FALSE(a.explored_only());
  EXPECT_TRUE(listings.programs[1].explored_only());
}

TEST(ReadListings, APictureMayStandAboveItsProgram) {
  EXPECT_EQ(ProblemsOf(std::string("```text schedule=a\n```\n\n") + kProgram),
            "");
}

TEST(ReadListings, KnowsThePicturesOfMistakes) {
  const Page page = ParsePage(
      "p.md", "```text schedule=mistakes/no_lock.h:Lock.Excludes\n```\n");
  Problems problems;
  const Listings listings = ReadListings(page, problems);
  ASSERT_EQ(listings.mistakes.size(), 1u);
  EXPECT_EQ(listings.mistakes[0].file, "mistakes/no_lock.h");
  EXPECT_EQ(listings.mistakes[0].test, "Lock.Excludes");
  EXPECT_EQ(RecordingPath("chapters/x", "mistakes/no_lock.h:Lock.Excludes"),
            "chapters/x/schedules/mistakes/no_lock/Lock.Excludes.json");
}

TEST(ReadListings, TextMayBeAnExcerptToo) {
  const Page page = ParsePage("p.md", "```text file=a/b.md\nx\n```\n");
  Problems problems;
  const Listings listings = ReadListings(page, problems);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(listings.excerpts.size(), 1u);
  EXPECT_EQ(listings.excerpts[0]->Attribute("file"), "a/b.md");
}

TEST(ReadListings, LeavesCommandsAndPythonAlone) {
  EXPECT_EQ(ProblemsOf("```sh\nls\n```\n\n```console\n$ ls\n```\n\n"
                       "```python\nx\n```\n\n- a\n\n  ```sh\n  ls\n  ```\n\n"
                       "```text sketch\n[ | ]\n```\n"),
            "");
}

TEST(ReadListings, CppMustBeRunOrComeFromAFile) {
  EXPECT_EQ(ProblemsOf("hello\n\n```cpp\nint x;\n```\n"),
            "p.md:3: This C++ block is neither run nor compared with a file. "
            "Fix: write `cpp run=NAME` to make it (a piece of) the program "
            "NAME, or `cpp file=PATH` if it shows lines of a file in the "
            "tree.\n");
  EXPECT_THAT(ProblemsOf("```c++\n```\n"), HasSubstr("neither run"));
  EXPECT_THAT(ProblemsOf("```C\n```\n"), HasSubstr("neither run"));
}

TEST(ReadListings, ABlockMustSayWhatItIs) {
  EXPECT_THAT(ProblemsOf("```\nx\n```\n"),
              HasSubstr("p.md:1: This block does"));
  EXPECT_THAT(ProblemsOf("a\n\n    indented\n"),
              HasSubstr("p.md:3: This block does not say what it is."));
}

TEST(ReadListings, TextMustSayWhereItComesFrom) {
  EXPECT_THAT(ProblemsOf("```text\nx\n```\n"),
              HasSubstr("Nothing says where this text comes from."));
  EXPECT_THAT(ProblemsOf("```text output=a sketch\nx\n```\n"),
              HasSubstr("Nothing says where"));
}

TEST(ReadListings, AnOutputNeedsItsProgram) {
  EXPECT_THAT(ProblemsOf("```text output=a\nx\n```\n"),
              HasSubstr("There is no program \"a\" on this page. Fix: mark"));
  EXPECT_THAT(ProblemsOf("```text schedule=a\nx\n```\n"),
              HasSubstr("There is no program \"a\""));
}

TEST(ReadListings, AProgramHasOneOutput) {
  EXPECT_THAT(
      ProblemsOf(std::string(kProgram) +
                 "\n```text output=a\n```\n\n```text output=a\n```\n"),
      HasSubstr("p.md:8: The program \"a\" has an output block already, "
                "at line 5."));
}

TEST(ReadListings, RejectsWhatItDoesNotKnow) {
  EXPECT_THAT(ProblemsOf("```cpp run=a output=b\n```\n"),
              HasSubstr("has the unknown part \"output=\""));
  EXPECT_THAT(ProblemsOf("```cpp run=No-Name\n```\n"),
              HasSubstr("\"No-Name\" is no name for a program."));
  EXPECT_THAT(
      ProblemsOf(std::string(kProgram) + "\n```text output=a exit=x\n```\n"),
      HasSubstr("\"exit=x\" is no exit status."));
  EXPECT_THAT(ProblemsOf("```text schedule=mistakes/a.h\n```\n"),
              HasSubstr("names no test"));
  EXPECT_THAT(ProblemsOf("```text schedule=mistakes/a.h:A.B graph\n```\n"),
              HasSubstr("Only a program of the page has a graph."));
}

TEST(ReadListings, WhatIsRewrittenStandsAtTheMargin) {
  EXPECT_THAT(ProblemsOf("- a\n\n  ```cpp run=a\n  int main() {}\n  ```\n"),
              HasSubstr("p.md:3: This block stands inside a list"));
}

}  // namespace
}  // namespace literate
