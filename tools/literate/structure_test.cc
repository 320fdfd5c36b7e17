// SPDX-License-Identifier: Apache-2.0
//
// A complete chapter in miniature, and what is said when a part is missing.

#include "tools/literate/structure.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace literate {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kChapter[] = R"(# 08 · Mutex — 互斥锁

After this chapter you can guard data.

**Time:** 40 minutes. **Read before:** nothing.

```sh
bazel test //chapters/08_mutex/...
```

```text not_started
```

## The bug first

```cpp run=bug
```

**Predict:** what happens?

<details><summary>Answer</summary>

```text schedule=bug
```

</details>

## Mental model

1. *Safety:* one at a time.
2. **Liveness.** Somebody gets in.

## The tools

Python says `with lock:`.

```cpp run=tool
```

## Tempting wrong versions

[None](../../tests/08_mutex/mistakes/no_lock.h).

```text schedule=mistakes/no_lock.h:Lock.Excludes
```

## The exercise: a lock

[Edit](../../exercises/08_mutex/lock.h) it; [tests](../../tests/08_mutex/lock_test.cc).

## Hints

<details><summary>A nudge</summary>
</details>

<details><summary>A fact</summary>
</details>

<details><summary>Nearly the answer</summary>
</details>

## Checkpoint

1. Which?
2. Why?
3. How?

## When not to use it

Further reading: the standard.

## Solution and notes

[Here](../../solutions/08_mutex/std/lock.h).

<details><summary>For instructors</summary>
</details>
)";

std::string ProblemsOf(const std::string& source, int min_words = 1) {
  Spec spec;
  spec.package = "chapters/08_mutex";
  spec.mistakes = {"tests/08_mutex/mistakes/no_lock.h"};
  spec.min_words = min_words;
  Problems problems;
  CheckStructure(ParsePage("p.md", source), spec, problems);
  return ToString(problems);
}

// What is said about kChapter without `part`, or with `other` in its place.
std::string Without(const std::string& part, const std::string& other = "") {
  EXPECT_THAT(kChapter, HasSubstr(part));
  return ProblemsOf(absl::StrReplaceAll(kChapter, {{part, other}}));
}

TEST(Structure, ACompleteChapterIsFine) { EXPECT_EQ(ProblemsOf(kChapter), ""); }

TEST(Structure, NeedsATitleWithTheChaptersNumber) {
  EXPECT_THAT(Without("# 08 ·", "# 09 ·"),
              HasSubstr("p.md:1: The page does not begin with its title."));
  EXPECT_THAT(Without(" — 互斥锁"), HasSubstr("begin with its title"));
  EXPECT_THAT(Without("## Hints", "# Hints"),
              HasSubstr("A page has one title"));
}

TEST(Structure, HasItsSectionsInOrder) {
  EXPECT_EQ(
      Without("## Hints", "## Clues"),
      "p.md:51: The section \"Clues\" stands where \"Hints\" is expected. "
      "Fix: write `## Hints` (`## Hints: more words` is fine), or use "
      "`###` within a section.\n");
  EXPECT_THAT(
      Without("## Solution and notes", "### Solution"),
      HasSubstr("The section \"Solution and notes\" is missing. Fix: "
                "write `## Solution and notes` behind \"When not to use "
                "it\"."));
  EXPECT_THAT(ProblemsOf(std::string(kChapter) + "\n## More\n"),
              HasSubstr("No section follows \"Solution and notes\"."));
}

TEST(Structure, OpensWithWhatAReaderMustKnow) {
  EXPECT_THAT(Without("After this chapter you can guard data."),
              HasSubstr("does not say what a reader will be able to do"));
  EXPECT_THAT(Without("40 minutes"), HasSubstr("how long the chapter takes"));
  EXPECT_THAT(Without("**Read before:** nothing."),
              HasSubstr("does not say what to read before"));
  EXPECT_THAT(Without("bazel test //chapters/08_mutex/..."),
              HasSubstr("does not show the command that grades"));
  EXPECT_THAT(Without("```text not_started\n```"),
              HasSubstr("does not show what a fresh checkout prints"));
}

TEST(Structure, BeginsWithABugToPredict) {
  EXPECT_THAT(Without("```cpp run=bug\n```"), HasSubstr("shows no program"));
  EXPECT_THAT(Without("```text schedule=bug\n```"),
              HasSubstr("does not show how the program breaks"));
  EXPECT_THAT(Without("**Predict:** what happens?"),
              HasSubstr("does not let the reader predict what happens"));
}

TEST(Structure, NumbersInvariantsOfSafetyThenOfLiveness) {
  EXPECT_THAT(Without("*Safety:* one", "One"),
              AllOf(HasSubstr("p.md:30: This invariant does not say whether"),
                    HasSubstr("lacks numbered invariants")));
  EXPECT_THAT(Without("*Safety:* one", "*Liveness:* one"),
              HasSubstr("lacks numbered invariants"));
  EXPECT_THAT(
      Without("1. *Safety:* one at a time.\n2. **Liveness.** Somebody gets in.",
              "1. Liveness. A\n2. Safety. B"),
      HasSubstr("p.md:31: A safety invariant stands behind one of liveness."));
}

TEST(Structure, ShowsTheTools) {
  EXPECT_THAT(Without("Python says"), HasSubstr("how Python does it"));
  EXPECT_THAT(Without("```cpp run=tool\n```"), HasSubstr("shows no C++"));
}

TEST(Structure, MentionsEveryMistake) {
  EXPECT_THAT(
      Without("mistakes/no_lock.h).", "mistakes/other.h)."),
      HasSubstr(
          "p.md:40: The page does not mention the mistake "
          "tests/08_mutex/mistakes/no_lock.h. Fix: say what is wrong with "
          "it, and link to ../../tests/08_mutex/mistakes/no_lock.h."));
  EXPECT_THAT(Without("```text schedule=mistakes/no_lock.h:Lock.Excludes\n```"),
              HasSubstr("shows no schedule that kills a wrong version"));
}

TEST(Structure, LinksToExerciseTestsAndSolution) {
  EXPECT_THAT(Without("../../exercises/08_mutex/lock.h"),
              HasSubstr("does not link to the file to edit"));
  EXPECT_THAT(Without("../../tests/08_mutex/lock_test.cc"),
              HasSubstr("does not link to the tests"));
  EXPECT_THAT(Without("../../solutions/08_mutex/std/lock.h"),
              HasSubstr("does not link to the solution"));
}

TEST(Structure, HasThreeHintsAndThreeQuestions) {
  EXPECT_THAT(Without("<details><summary>A fact</summary>\n</details>"),
              HasSubstr("\"Hints\" has 2 folded hints of 3."));
  EXPECT_THAT(Without("3. How?"),
              HasSubstr("\"Checkpoint\" has 2 questions of 3."));
}

TEST(Structure, EndsWithReadingAndNotes) {
  EXPECT_THAT(Without("Further reading"), HasSubstr("has no further reading"));
  EXPECT_THAT(Without("For instructors"),
              HasSubstr("has no notes for instructors"));
}

TEST(Structure, HasTheLengthOfAChapter) {
  EXPECT_THAT(ProblemsOf(kChapter, 800),
              HasSubstr("words of prose, not 800 to 1500. Fix: explain more"));
  std::string text = std::string(kChapter) + "\n";
  for (int i = 0; i < 1500; ++i) text += "word ";
  EXPECT_THAT(ProblemsOf(text), HasSubstr("Fix: say it with fewer words"));
}

}  // namespace
}  // namespace literate
