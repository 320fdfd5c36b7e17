// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/structure.h"

#include <algorithm>
#include <climits>
#include <functional>
#include <iterator>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace literate {
namespace {

// The lines [first, end) of a part of the page.
struct Part {
  std::string name;
  int first = 0;
  int end = INT_MAX;

  bool Has(int line) const { return first <= line && line < end; }
};

class Checker {
 public:
  Checker(const Page& page, const Spec& spec, Problems& problems)
      : page_(page),
        spec_(spec),
        problems_(problems),
        chapter_(spec.Chapter()) {}

  void Check() {
    CheckTitle();
    if (!FindSections()) return;
    CheckOpening(parts_[0]);
    CheckBug(parts_[1]);
    CheckModel(parts_[2]);
    CheckTools(parts_[3]);
    CheckMistakes(parts_[4]);
    CheckExercise(parts_[5]);
    CheckHints(parts_[6]);
    CheckCheckpoint(parts_[7]);
    CheckWhenNot(parts_[8]);
    CheckSolution(parts_[9]);
    CheckLength();
  }

 private:
  void Complain(int line, std::string what, std::string fix) {
    problems_.push_back({page_.path, line, std::move(what), std::move(fix)});
  }

  void Require(bool fulfilled, const Part& part, absl::string_view what,
               absl::string_view fix) {
    if (fulfilled) return;
    Complain(part.first, absl::StrFormat("%s %s.", part.name, what),
             std::string(fix));
  }

  // How many elements of a page, such as its links, lie in `part` and satisfy
  // `wanted`.
  template <typename T>
  static int Count(const std::vector<T>& all, const Part& part,
                   const std::function<bool(const T&)>& wanted) {
    return std::count_if(all.begin(), all.end(), [&](const T& one) {
      return part.Has(one.line) && wanted(one);
    });
  }

  bool HasText(const Part& part, const char* regex) const {
    const std::regex wanted(regex, std::regex::icase);
    return Count<Prose>(page_.prose, part, [&](const Prose& prose) {
             return std::regex_search(prose.text, wanted);
           }) > 0;
  }

  int CountLinks(const Part& part, absl::string_view infix) const {
    return Count<Link>(page_.links, part, [&](const Link& link) {
      return absl::StrContains(link.target, infix);
    });
  }

  int CountFolded(const Part& part) const {
    return Count<Folded>(page_.folded, part,
                         [](const Folded&) { return true; });
  }

  int CountCode(const Part& part, absl::string_view language,
                std::initializer_list<const char*> attributes) const {
    return Count<CodeBlock>(page_.code, part, [&](const CodeBlock& block) {
      return block.language == language &&
             std::any_of(attributes.begin(), attributes.end(),
                         [&](const char* name) {
                           return block.attributes.count(name) > 0 ||
                                  block.flags.count(name) > 0;
                         });
    });
  }

  void CheckTitle() {
    const std::string number = chapter_.substr(0, 2);
    const bool found = !page_.headings.empty() &&
                       page_.headings[0].level == 1 &&
                       std::regex_match(page_.headings[0].text,
                                        std::regex(number + " · .+ — .+"));
    if (!found) {
      Complain(page_.headings.empty() ? 1 : page_.headings[0].line,
               "The page does not begin with its title.",
               absl::StrFormat("write `# %s · English title — title of the "
                               "source's section`, e.g. `# 08 · Mutex — "
                               "互斥锁`.",
                               number));
    }
    for (size_t i = 1; i < page_.headings.size(); ++i) {
      if (page_.headings[i].level == 1) {
        Complain(page_.headings[i].line, "A page has one title.",
                 "write `##` or `###`.");
      }
    }
  }

  // Splits the page at its level-2 headings. False if they are not those of a
  // chapter: then nothing can be said about the parts.
  bool FindSections() {
    parts_.push_back({"The part before the first section", 1});
    bool good = true;
    size_t expected = 0;
    for (const Heading& heading : page_.headings) {
      if (heading.level != 2) continue;
      if (expected == std::size(kSections)) {
        Complain(heading.line,
                 absl::StrFormat("No section follows \"%s\".",
                                 kSections[expected - 1]),
                 "make it part of another section, with `###`.");
        return false;
      }
      const std::string name = kSections[expected];
      if (heading.text != name &&
          !absl::StartsWith(heading.text, name + ": ")) {
        Complain(heading.line,
                 absl::StrFormat("The section \"%s\" stands where \"%s\" is "
                                 "expected.",
                                 heading.text, name),
                 absl::StrFormat("write `## %s` (`## %s: more words` is fine), "
                                 "or use `###` within a section.",
                                 name, name));
        return false;
      }
      parts_.back().end = heading.line;
      parts_.push_back({absl::StrCat("\"", name, "\""), heading.line});
      ++expected;
    }
    if (expected < std::size(kSections)) {
      Complain(parts_.back().first,
               absl::StrFormat("The section \"%s\" is missing.",
                               kSections[expected]),
               absl::StrFormat("write `## %s` behind %s.", kSections[expected],
                               parts_.back().name));
      good = false;
    }
    return good;
  }

  void CheckOpening(const Part& part) {
    Require(HasText(part, "you (can|will)"), part,
            "does not say what a reader will be able to do",
            "begin with `After this chapter you can ...`.");
    Require(HasText(part, "[0-9]+ minutes"), part,
            "does not say how long the chapter takes",
            "write `**Time:** 40 minutes`.");
    Require(HasText(part, "read before"), part,
            "does not say what to read before",
            "write `**Read before:** [02 · Threads](../02_threads/README.md)`, "
            "or `**Read before:** nothing`.");
    const std::string command =
        absl::StrCat("bazel test //chapters/", chapter_, "/...");
    const bool shown =
        Count<CodeBlock>(page_.code, part, [&](const CodeBlock& block) {
          return (block.language == "sh" || block.language == "console") &&
                 absl::StrContains(block.text, command);
        }) > 0;
    Require(shown, part, "does not show the command that grades",
            absl::StrFormat("add a block `sh` with `%s`.", command));
    Require(CountCode(part, "text", {"not_started"}) > 0, part,
            "does not show what a fresh checkout prints",
            "add a block `text not_started` and run :update.");
  }

  void CheckBug(const Part& part) {
    Require(CountCode(part, "cpp", {"run"}) > 0, part, "shows no program",
            "add the broken program in a block `cpp run=NAME`.");
    Require(CountCode(part, "text", {"schedule", "output"}) > 0, part,
            "does not show how the program breaks",
            "add a block `text schedule=NAME` (or, for real processes, `text "
            "output=NAME`).");
    Require(HasText(part, "predict") && CountFolded(part) > 0, part,
            "does not let the reader predict what happens",
            "ask to predict it, and fold the answer: `<details>`, "
            "`<summary>What happens</summary>`, an empty line, the answer, "
            "`</details>`.");
  }

  void CheckModel(const Part& part) {
    bool safety = false;
    bool liveness = false;
    for (const ListItem& item : page_.items) {
      if (!part.Has(item.line) || !item.ordered || item.depth != 1) continue;
      if (absl::StartsWithIgnoreCase(item.text, "safety")) {
        safety = true;
        if (liveness) {
          Complain(item.line,
                   "A safety invariant stands behind one of liveness.",
                   "state safety first, then liveness.");
        }
      } else if (absl::StartsWithIgnoreCase(item.text, "liveness")) {
        liveness = true;
      } else {
        Complain(item.line,
                 "This invariant does not say whether it is one of safety or "
                 "of liveness.",
                 "begin it with `**Safety.**` or `**Liveness.**`; number "
                 "nothing else in this section.");
      }
    }
    Require(safety && liveness, part,
            "lacks numbered invariants, of safety and of liveness",
            "write `1. **Safety.** ...` and `2. **Liveness.** ...`.");
  }

  void CheckTools(const Part& part) {
    Require(HasText(part, "python"), part, "does not say how Python does it",
            "add a sentence on Python's counterpart.");
    Require(CountCode(part, "cpp", {"run", "file"}) > 0, part, "shows no C++",
            "add a block `cpp run=NAME`, one idea in each.");
  }

  void CheckMistakes(const Part& part) {
    Require(
        CountLinks(part, "/mistakes/") > 0, part, "links to no mistake",
        absl::StrFormat("link to ../../tests/%s/mistakes/FILE.h.", chapter_));
    Require(CountCode(part, "text", {"schedule", "output"}) > 0, part,
            "shows no schedule that kills a wrong version",
            "add a block `text schedule=mistakes/FILE.h:Suite.Test` or `text "
            "schedule=NAME`.");
    for (const std::string& mistake : spec_.mistakes) {
      const bool linked = std::any_of(
          page_.links.begin(), page_.links.end(), [&](const Link& link) {
            return absl::EndsWith(link.target, mistake);
          });
      if (linked) continue;
      Complain(
          part.first,
          absl::StrFormat("The page does not mention the mistake %s.", mistake),
          absl::StrFormat("say what is wrong with it, and link to "
                          "../../%s.",
                          mistake));
    }
  }

  void CheckExercise(const Part& part) {
    Require(CountLinks(part, absl::StrCat("exercises/", chapter_, "/")) > 0,
            part, "does not link to the file to edit",
            absl::StrFormat("link to ../../exercises/%s/FILE.h.", chapter_));
    Require(CountLinks(part, absl::StrCat("tests/", chapter_)) > 0, part,
            "does not link to the tests",
            absl::StrFormat("link to ../../tests/%s/FILE_test.cc.", chapter_));
  }

  void CheckHints(const Part& part) {
    Require(CountFolded(part) >= 3, part,
            absl::StrFormat("has %d folded hints of 3", CountFolded(part)),
            "add `<details>` for a nudge, for a fact, and for nearly the "
            "answer.");
  }

  void CheckCheckpoint(const Part& part) {
    const int questions = Count<ListItem>(
        page_.items, part,
        [](const ListItem& item) { return item.ordered && item.depth == 1; });
    Require(questions >= 3, part,
            absl::StrFormat("has %d questions of 3", questions),
            "number at least three: `1. Which line keeps invariant 2?`");
  }

  void CheckWhenNot(const Part& part) {
    const bool heading =
        Count<Heading>(page_.headings, part, [](const Heading& heading) {
          return absl::StrContainsIgnoreCase(heading.text, "further reading");
        }) > 0;
    Require(heading || HasText(part, "further reading"), part,
            "has no further reading",
            "end it with `Further reading:` and what to read.");
  }

  void CheckSolution(const Part& part) {
    Require(CountLinks(part, absl::StrCat("solutions/", chapter_)) > 0, part,
            "does not link to the solution",
            absl::StrFormat("link to ../../solutions/%s/FLAVOUR/FILE.h.",
                            chapter_));
    const bool notes =
        Count<Folded>(page_.folded, part, [](const Folded& folded) {
          return absl::StrContainsIgnoreCase(folded.summary, "instructor");
        }) > 0;
    Require(notes, part, "has no notes for instructors",
            "add them folded: `<details><summary>Notes for "
            "instructors</summary>`.");
  }

  void CheckLength() {
    int words = 0;
    for (const Prose& prose : page_.prose) words += CountWords(prose.text);
    if (spec_.min_words <= words && words <= spec_.max_words) return;
    Complain(1,
             absl::StrFormat("The page has %d words of prose, not %d to %d.",
                             words, spec_.min_words, spec_.max_words),
             words < spec_.min_words
                 ? "explain more, or set `words` in BUILD.bazel."
                 : "say it with fewer words, or set `words` in BUILD.bazel.");
  }

  const Page& page_;
  const Spec& spec_;
  Problems& problems_;
  const std::string chapter_;
  std::vector<Part> parts_;
};

}  // namespace

void CheckStructure(const Page& page, const Spec& spec, Problems& problems) {
  Checker(page, spec, problems).Check();
}

}  // namespace literate
