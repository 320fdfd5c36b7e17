// SPDX-License-Identifier: Apache-2.0
//
// A Markdown page as the other rooms of this tool see it: headings, fenced
// blocks, links, list items and folded parts, each with its line. Markdown is
// read by md4c (CommonMark with GitHub's extensions); what a block's info
// string means is decided in listing.h.

#ifndef TOOLS_LITERATE_PAGE_H_
#define TOOLS_LITERATE_PAGE_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace literate {

struct Heading {
  int line = 0;
  int level = 0;
  std::string text;
  // The fragment under which GitHub lets one link to it.
  std::string anchor;
};

// A fenced block (or, with an empty `info`, possibly an indented one).
struct CodeBlock {
  // Line of the opening fence; the text begins on the next one.
  int line = 0;
  // The info string, and its parts: "text output=f exit=3 red" has the language
  // "text", the attributes {output: f, exit: 3} and the flag "red".
  std::string info;
  std::string language;
  std::map<std::string, std::string> attributes;
  std::set<std::string> flags;
  // What stands between the fences; each line ends with '\n'.
  std::string text;
  // The bytes of `text` in Page::source, if top_level.
  size_t begin = 0;
  size_t end = 0;
  // Not inside a list or a quotation.
  bool top_level = true;

  // The attribute's value, or "" if it has none.
  absl::string_view Attribute(absl::string_view key) const;
};

struct Link {
  int line = 0;
  std::string target;
  bool image = false;
};

struct ListItem {
  int line = 0;
  bool ordered = false;
  // 1 for an item of a list that is in no other list.
  int depth = 0;
  std::string text;
};

// A piece of prose: a paragraph, a table cell or an item of a tight list.
struct Prose {
  int line = 0;
  std::string text;
};

// <details><summary>...</summary> ... </details>
struct Folded {
  int line = 0;
  int last_line = 0;
  std::string summary;
};

struct Page {
  std::string path;
  std::string source;
  std::vector<Heading> headings;
  std::vector<CodeBlock> code;
  std::vector<Link> links;
  std::vector<ListItem> items;
  std::vector<Prose> prose;
  std::vector<Folded> folded;
  // Targets of "#..." beside the headings: id= and name= in raw HTML.
  std::set<std::string> anchors;

  const Heading* FindAnchor(absl::string_view anchor) const;
};

// Never fails: every text is Markdown. `path` is kept for messages.
Page ParsePage(absl::string_view path, absl::string_view source);

// GitHub's rule: lower case, no punctuation but '-' and '_', a space becomes
// '-'. The caller numbers repeated ones.
std::string GitHubAnchor(absl::string_view heading);

// The number of words, as `wc -w` counts; a run of Chinese characters is one.
int CountWords(absl::string_view text);

// The lines of `text`, without their line ends and without an empty one behind
// the last.
std::vector<std::string> Lines(absl::string_view text);

}  // namespace literate

#endif  // TOOLS_LITERATE_PAGE_H_
