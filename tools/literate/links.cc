// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/links.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "tools/literate/files.h"
#include "tools/literate/page.h"

namespace literate {
namespace {

namespace fs = std::filesystem;

// Undoes %20 and the like.
std::string Decoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    int byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

class Checker {
 public:
  Checker(const std::string& root, Problems& problems)
      : root_(root), problems_(problems) {}

  void Check(const std::string& file) {
    const Page* page = Read(file);
    if (page == nullptr) {
      problems_.push_back({file, 1, "This file cannot be read.", ""});
      return;
    }
    for (const Link& link : page->links) CheckLink(*page, link);
  }

 private:
  // The parsed page, or null.
  const Page* Read(const std::string& file) {
    const auto known = pages_.find(file);
    if (known != pages_.end()) return &known->second;
    const absl::StatusOr<std::string> source =
        ReadFile((root_ / file).string());
    if (!source.ok()) return nullptr;
    return &pages_.emplace(file, ParsePage(file, *source)).first->second;
  }

  void CheckLink(const Page& page, const Link& link) {
    static const std::regex* const scheme =
        new std::regex("[A-Za-z][A-Za-z0-9+.-]*:.*");
    if (std::regex_match(link.target, *scheme)) return;
    const auto complain = [&](std::string what, std::string fix) {
      problems_.push_back(
          {page.path, link.line, std::move(what), std::move(fix)});
    };
    if (absl::StartsWith(link.target, "/")) {
      complain(absl::StrFormat("The link \"%s\" begins at a root that GitHub "
                               "does not know.",
                               link.target),
               "write it relative to this file.");
      return;
    }
    const size_t hash = std::min(link.target.find('#'), link.target.size());
    std::string target = Decoded(link.target.substr(0, hash));
    const std::string fragment =
        hash == link.target.size() ? "" : Decoded(link.target.substr(hash + 1));

    fs::path path =
        target.empty()
            ? fs::path(page.path)
            : (fs::path(page.path).parent_path() / target).lexically_normal();
    if (absl::StartsWith(path.string(), "..")) {
      complain(
          absl::StrFormat("The link \"%s\" leaves the workbook.", link.target),
          "link to something inside it, or to a URL.");
      return;
    }
    if (!fs::exists(root_ / path)) {
      if (absl::StartsWith(path.string(), "solutions") &&
          !fs::exists(root_ / fs::path("solutions"))) {
        return;
      }
      complain(absl::StrFormat("The link \"%s\" leads to %s, which does not "
                               "exist.",
                               link.target, path.string()),
               "correct the path.");
      return;
    }
    if (!fragment.empty()) CheckFragment(link, path, fragment, complain);
  }

  template <typename Complain>
  void CheckFragment(const Link& link, fs::path path,
                     const std::string& fragment, const Complain& complain) {
    if (fs::is_directory(root_ / path)) path /= "README.md";
    int line = 0;
    if (path.extension() != ".md") {
      const absl::StatusOr<std::string> text =
          ReadFile((root_ / path).string());
      const std::string first = fragment.substr(0, fragment.find('-'));
      if (!absl::StartsWith(first, "L") ||
          !absl::SimpleAtoi(first.substr(1), &line)) {
        complain(absl::StrFormat("\"#%s\" means nothing in %s.", fragment,
                                 path.string()),
                 "write `#L12` for a line, or leave it out.");
      } else if (text.ok() && line > static_cast<int>(Lines(*text).size())) {
        complain(absl::StrFormat("%s has no line %d.", path.string(), line),
                 "correct the line, or better: name the function.");
      }
      return;
    }
    const Page* page = Read(path.string());
    if (page == nullptr || page->FindAnchor(fragment) != nullptr ||
        page->anchors.count(fragment) > 0) {
      return;
    }
    std::string known;
    for (const Heading& heading : page->headings) {
      if (heading.level > 1) absl::StrAppend(&known, " #", heading.anchor);
    }
    complain(absl::StrFormat("The link \"%s\" leads to no heading of %s.",
                             link.target, path.string()),
             absl::StrCat("its headings are:", known, "."));
  }

  const fs::path root_;
  Problems& problems_;
  std::map<std::string, Page> pages_;
};

}  // namespace

std::vector<std::string> MarkdownFiles(const std::string& root) {
  std::vector<std::string> files;
  fs::recursive_directory_iterator it(root), end;
  for (; it != end; ++it) {
    const std::string name = it->path().filename().string();
    if (it->is_directory() || it->is_symlink()) {
      if (name[0] == '.' || name == "node_modules" || it->is_symlink()) {
        it.disable_recursion_pending();
      }
    } else if (it->path().extension() == ".md") {
      files.push_back(it->path().lexically_relative(root).string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void CheckLinks(const std::string& root, const std::vector<std::string>& files,
                Problems& problems) {
  Checker checker(root, problems);
  for (const std::string& file : files) checker.Check(file);
}

}  // namespace literate
