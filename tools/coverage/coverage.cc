// SPDX-License-Identifier: Apache-2.0

#include "tools/coverage/coverage.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/grader/mistake.h"
#include "tests/grader/test_names.h"
#include "tests/grader/verdict_log.h"
#include "tools/literate/files.h"
#include "tools/literate/page.h"

namespace coverage {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kHead = R"(# Coverage

What each chapter tests, and which mistakes its tests reject. Made from the
titles of the pages, the names of the tests and the first lines of the mistake
files; to make it again:

```sh
bazel run //tools/coverage:update
```

)";

struct Chapter {
  std::string name;                // 08_mutex
  std::string title;               // 08 · Mutex
  std::string section;             // of the source document; may be empty
  std::vector<std::string> rules;  // Suite.Name
  // From the rule's name to links to the mistakes that it rejects.
  std::map<std::string, std::vector<std::string>> rejected;
  size_t mistakes = 0;
};

// Names of the folder's entries, sorted; none if there is no such folder.
std::vector<std::string> Names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// "Suite.Name" -> "Name"
std::string NameOf(absl::string_view rule) {
  return std::string(rule.substr(rule.find('.') + 1));
}

// "Lock.TheOwnerWaits" -> "Lock: The owner waits"
std::string Behaviour(absl::string_view rule) {
  return absl::StrCat(rule.substr(0, rule.find('.')), ": ",
                      grader::RuleSentence(rule));
}

// A cell of a table may not end it.
std::string Cell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}});
}

absl::Status ReadMistakes(const std::string& root, Chapter& chapter) {
  const std::string folder = absl::StrCat("tests/", chapter.name, "/mistakes/");
  for (const std::string& file : Names(fs::path(root) / folder)) {
    absl::string_view stem = file;
    if (!absl::ConsumeSuffix(&stem, ".h")) continue;
    const std::string path = absl::StrCat(folder, file);
    const absl::StatusOr<std::string> text =
        literate::ReadFile(absl::StrCat(root, "/", path));
    if (!text.ok()) return text.status();
    const absl::StatusOr<grader::Mistake> mistake = grader::ParseMistake(*text);
    if (!mistake.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", mistake.status().message()));
    }
    const auto is_its_rule = [&](absl::string_view rule) {
      return NameOf(rule) == mistake->rule;
    };
    if (std::none_of(chapter.rules.begin(), chapter.rules.end(), is_its_rule)) {
      if (!is_its_rule(grader::kBeforeTheTests)) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ": no test of the chapter is named ",
                         mistake->rule, ". Correct the line '// Rule:'."));
      }
      chapter.rules.push_back(grader::kBeforeTheTests);
    }
    chapter.rejected[mistake->rule].push_back(
        absl::StrCat("[", stem, "](../", path, "), ", mistake->verdict));
    ++chapter.mistakes;
  }
  return absl::OkStatus();
}

absl::StatusOr<Chapter> ReadChapter(const std::string& root,
                                    const std::string& name) {
  Chapter chapter;
  chapter.name = name;
  const std::string path = absl::StrCat("chapters/", name, "/README.md");
  const absl::StatusOr<std::string> source =
      literate::ReadFile(absl::StrCat(root, "/", path));
  if (!source.ok()) return source.status();
  const literate::Page page = literate::ParsePage(path, *source);
  const std::pair<std::string, std::string> title =
      absl::StrSplit(page.headings.empty() ? name : page.headings.front().text,
                     absl::MaxSplits(" — ", 1));
  chapter.title = title.first;
  chapter.section = title.second;

  const fs::path tests = fs::path(root) / "tests" / name;
  for (const std::string& file : Names(tests)) {
    if (!absl::EndsWith(file, "_test.cc")) continue;
    const absl::StatusOr<std::string> text =
        literate::ReadFile((tests / file).string());
    if (!text.ok()) return text.status();
    for (std::string& rule : grader::TestNames(*text)) {
      chapter.rules.push_back(std::move(rule));
    }
  }
  if (chapter.rules.empty()) {
    return absl::NotFoundError(absl::StrCat("chapter ", name,
                                            " has no tests. Write tests/", name,
                                            "/..._test.cc."));
  }
  if (absl::Status status = ReadMistakes(root, chapter); !status.ok()) {
    return status;
  }
  return chapter;
}

std::string Details(const Chapter& chapter) {
  std::string out = absl::StrCat(
      "\n## ", chapter.title, "\n\n[The page](../chapters/", chapter.name,
      "/README.md)", chapter.section.empty() ? "" : " mirrors the section ",
      chapter.section, ".\n\n| behaviour | mistakes rejected |\n",
      "|---|---|\n");
  for (const std::string& rule : chapter.rules) {
    const auto it = chapter.rejected.find(NameOf(rule));
    absl::StrAppend(&out, "| ", Cell(Behaviour(rule)), " | ",
                    it == chapter.rejected.end()
                        ? ""
                        : Cell(absl::StrJoin(it->second, "; ")),
                    " |\n");
  }
  return out;
}

}  // namespace

absl::StatusOr<std::string> CoveragePage(const std::string& root) {
  std::vector<Chapter> chapters;
  for (const std::string& name : Names(fs::path(root) / "chapters")) {
    if (!fs::exists(fs::path(root) / "chapters" / name / "README.md")) continue;
    absl::StatusOr<Chapter> chapter = ReadChapter(root, name);
    if (!chapter.ok()) return chapter.status();
    chapters.push_back(*std::move(chapter));
  }

  size_t rules = 0, mistakes = 0;
  std::string out(kHead);
  absl::StrAppend(&out,
                  "| section of the source | chapter | behaviours tested | "
                  "mistakes rejected |\n|---|---|---|---|\n");
  for (const Chapter& chapter : chapters) {
    absl::StrAppend(&out, "| ", Cell(chapter.section), " | [",
                    Cell(chapter.title), "](#",
                    literate::GitHubAnchor(chapter.title), ") | ",
                    chapter.rules.size(), " | ", chapter.mistakes, " |\n");
    rules += chapter.rules.size();
    mistakes += chapter.mistakes;
  }
  absl::StrAppend(&out, "| | all | ", rules, " | ", mistakes, " |\n");
  for (const Chapter& chapter : chapters) out += Details(chapter);
  return out;
}

}  // namespace coverage
