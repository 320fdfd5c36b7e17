// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/page.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "md4c.h"

namespace literate {
namespace {

// Decodes one UTF-8 sequence at the front of `text` and removes it. A stray
// byte counts as one character.
uint32_t NextRune(absl::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80   ? 1
                        : first < 0xc0 ? 1
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                                       : 4;
  if (length == 1 || text.size() < length) {
    text.remove_prefix(1);
    return first;
  }
  uint32_t rune = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) rune = rune << 6 | (byte(i) & 0x3f);
  text.remove_prefix(length);
  return rune;
}

// Punctuation and symbols beyond ASCII that occur in headings: GitHub drops
// them from an anchor, and keeps letters of every script.
bool IsWidePunctuation(uint32_t rune) {
  return (rune >= 0x80 && rune < 0xc0 && rune != 0xaa && rune != 0xb5 &&
          rune != 0xba) ||
         rune == 0xd7 || rune == 0xf7 ||       // multiplication, division
         (rune >= 0x2000 && rune < 0x2c00) ||  // general punctuation, arrows
         (rune >= 0x3000 && rune < 0x3004) ||  // CJK punctuation
         (rune >= 0x3008 && rune < 0x3021) ||
         (rune >= 0xff00 && rune < 0xff10) ||  // full-width forms
         (rune >= 0xff1a && rune < 0xff21);
}

std::string ToText(const MD_ATTRIBUTE& attribute) {
  return attribute.text == nullptr
             ? std::string()
             : std::string(attribute.text, attribute.size);
}

// Splits an info string; a value may stand in double quotes to hold spaces.
void ParseInfo(CodeBlock& block) {
  absl::string_view rest = block.info;
  bool first = true;
  while (true) {
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (rest.empty()) return;
    size_t end = 0;
    bool quoted = false;
    while (end < rest.size() &&
           (quoted || !absl::ascii_isspace(static_cast<uint8_t>(rest[end])))) {
      if (rest[end] == '"') quoted = !quoted;
      ++end;
    }
    const absl::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    const size_t equals = word.find('=');
    if (equals != absl::string_view::npos) {
      absl::string_view value = word.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      block.attributes[std::string(word.substr(0, equals))] =
          std::string(value);
    } else if (first) {
      block.language = std::string(word);
    } else {
      block.flags.insert(std::string(word));
    }
    first = false;
  }
}

// Receives md4c's events and builds a Page.
class Builder {
 public:
  explicit Builder(Page& page) : page_(page) {
    line_starts_.push_back(0);
    for (size_t i = 0; i < page.source.size(); ++i) {
      if (page.source[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  void Run() {
    MD_PARSER parser = {};
    parser.flags = MD_DIALECT_GITHUB;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
      static_cast<Builder*>(self)->EnterBlock(type, detail);
      return 0;
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
      static_cast<Builder*>(self)->LeaveBlock(type, detail);
      return 0;
    };
    parser.enter_span = [](MD_SPANTYPE type, void* detail, void* self) {
      static_cast<Builder*>(self)->EnterSpan(type, detail);
      return 0;
    };
    parser.leave_span = [](MD_SPANTYPE, void*, void*) { return 0; };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size,
                     void* self) {
      static_cast<Builder*>(self)->Text(type, text, size);
      return 0;
    };
    md_parse(page_.source.data(), page_.source.size(), &parser, this);
    Finish();
  }

 private:
  int LineOfOffset(size_t offset) const {
    return static_cast<int>(
        std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) -
        line_starts_.begin());
  }

  absl::string_view SourceLine(int line) const {
    if (line < 1 || line > static_cast<int>(line_starts_.size())) return "";
    const size_t begin = line_starts_[line - 1];
    const size_t end = page_.source.find('\n', begin);
    return absl::string_view(page_.source)
        .substr(begin, end == std::string::npos ? end : end - begin);
  }

  // md4c hands out pointers into the source wherever it can; they are all the
  // position it gives.
  std::optional<size_t> OffsetOf(const char* text) const {
    const char* begin = page_.source.data();
    if (text < begin || text >= begin + page_.source.size()) return {};
    return text - begin;
  }

  void See(const char* text) {
    if (const auto offset = OffsetOf(text)) line_ = LineOfOffset(*offset);
  }

  void EnterBlock(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_QUOTE:
        ++containers_;
        break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        EndProse();
        ++containers_;
        ordered_.push_back(type == MD_BLOCK_OL);
        break;
      case MD_BLOCK_LI:
        page_.items.push_back(
            {0, ordered_.back(), static_cast<int>(ordered_.size()), ""});
        open_items_.push_back(page_.items.size() - 1);
        BeginProse();
        break;
      case MD_BLOCK_H:
        text_.clear();
        text_line_ = 0;
        in_heading_ = true;
        break;
      case MD_BLOCK_P:
      case MD_BLOCK_TD:
      case MD_BLOCK_TH:
        BeginProse();
        break;
      case MD_BLOCK_CODE:
        EnterCode(*static_cast<MD_BLOCK_CODE_DETAIL*>(detail));
        break;
      case MD_BLOCK_HTML:
        html_.clear();
        html_line_ = 0;
        break;
      default:
        break;
    }
  }

  void LeaveBlock(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_QUOTE:
        --containers_;
        break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        --containers_;
        ordered_.pop_back();
        break;
      case MD_BLOCK_LI:
        EndProse();
        open_items_.pop_back();
        break;
      case MD_BLOCK_H: {
        in_heading_ = false;
        Heading heading;
        heading.level = static_cast<MD_BLOCK_H_DETAIL*>(detail)->level;
        heading.line = text_line_ == 0 ? line_ + 1 : text_line_;
        heading.text = text_;
        heading.anchor = GitHubAnchor(text_);
        const int repeats = anchor_uses_[heading.anchor]++;
        if (repeats > 0) absl::StrAppend(&heading.anchor, "-", repeats);
        page_.headings.push_back(std::move(heading));
        break;
      }
      case MD_BLOCK_P:
      case MD_BLOCK_TD:
      case MD_BLOCK_TH:
        EndProse();
        break;
      case MD_BLOCK_CODE:
        LeaveCode();
        break;
      case MD_BLOCK_HTML:
        ReadHtml(html_, html_line_);
        break;
      default:
        break;
    }
  }

  void EnterSpan(MD_SPANTYPE type, void* detail) {
    if (type == MD_SPAN_A) {
      const auto& a = *static_cast<MD_SPAN_A_DETAIL*>(detail);
      AddLink(a.href, false);
    } else if (type == MD_SPAN_IMG) {
      AddLink(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src, true);
    }
  }

  void AddLink(const MD_ATTRIBUTE& target, bool image) {
    See(target.text);
    page_.links.push_back({std::max(line_, 1), ToText(target), image});
  }

  void Text(MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size) {
    const absl::string_view piece(text, size);
    See(text);
    switch (type) {
      case MD_TEXT_CODE:
        if (in_code_) {
          page_.code.back().text.append(piece);
          return;
        }
        break;
      case MD_TEXT_HTML:
        if (in_prose_ || in_heading_) {
          ReadHtml(piece, line_);
        } else {
          if (html_line_ == 0) html_line_ = line_;
          html_.append(piece);
        }
        return;
      case MD_TEXT_BR:
      case MD_TEXT_SOFTBR:
        text_ += ' ';
        return;
      default:
        break;
    }
    if (!in_prose_ && !in_heading_) return;
    if (text_line_ == 0) text_line_ = line_;
    text_.append(piece);
  }

  void BeginProse() {
    EndProse();
    in_prose_ = true;
    text_.clear();
    text_line_ = 0;
  }

  void EndProse() {
    if (!in_prose_) return;
    in_prose_ = false;
    if (text_.empty()) return;
    if (!open_items_.empty()) {
      ListItem& item = page_.items[open_items_.back()];
      if (item.line == 0) item.line = text_line_;
      if (!item.text.empty()) item.text += ' ';
      item.text += text_;
    }
    page_.prose.push_back({text_line_, std::exchange(text_, "")});
  }

  void EnterCode(const MD_BLOCK_CODE_DETAIL& detail) {
    EndProse();
    in_code_ = true;
    CodeBlock block;
    block.info = ToText(detail.info);
    block.top_level = containers_ == 0;
    ParseInfo(block);
    See(detail.info.text);
    if (detail.fence_char != 0) {
      // The fence stands on the line of its info string, or, without one (or
      // with one that md4c had to rewrite), on the next line that looks it.
      const std::string fence(3, detail.fence_char);
      int line = line_;
      if (!OffsetOf(detail.info.text)) {
        line = std::max(line_, last_code_line_) + 1;
        while (line < static_cast<int>(line_starts_.size()) &&
               !absl::StrContains(SourceLine(line), fence)) {
          ++line;
        }
      }
      block.line = line;
      fence_ = fence;
    } else {
      fence_.clear();
    }
    page_.code.push_back(std::move(block));
  }

  void LeaveCode() {
    in_code_ = false;
    CodeBlock& block = page_.code.back();
    if (block.line == 0) block.line = line_;  // An indented block.
    const int lines = std::count(block.text.begin(), block.text.end(), '\n');
    last_code_line_ = block.line + lines + (fence_.empty() ? 0 : 1);
    if (!fence_.empty()) {
      const auto start = [&](int line) {
        return line > static_cast<int>(line_starts_.size())
                   ? page_.source.size()
                   : line_starts_[line - 1];
      };
      block.begin = start(block.line + 1);
      block.end = start(block.line + 1 + lines);
    }
    line_ = std::max(line_, last_code_line_);
  }

  // Looks for what matters in raw HTML: folded parts, links and anchors.
  void ReadHtml(absl::string_view html, int first_line) {
    for (size_t i = 0; i < html.size(); ++i) {
      if (html[i] != '<') continue;
      const int line =
          first_line + std::count(html.begin(), html.begin() + i, '\n');
      const absl::string_view rest = html.substr(i);
      if (absl::StartsWithIgnoreCase(rest, "<details")) {
        open_folds_.push_back(page_.folded.size());
        page_.folded.push_back({line, line, ""});
      } else if (absl::StartsWithIgnoreCase(rest, "</details")) {
        if (!open_folds_.empty()) {
          page_.folded[open_folds_.back()].last_line = line;
          open_folds_.pop_back();
        }
      } else if (absl::StartsWithIgnoreCase(rest, "<summary") &&
                 !open_folds_.empty()) {
        page_.folded[open_folds_.back()].summary = SummaryText(rest);
      }
      const absl::string_view tag = rest.substr(0, rest.find('>'));
      for (const char* key : {" href=", " src="}) {
        if (const auto value = Value(tag, key)) {
          page_.links.push_back({line, *value, key[1] == 's'});
        }
      }
      for (const char* key : {" id=", " name="}) {
        if (const auto value = Value(tag, key)) page_.anchors.insert(*value);
      }
    }
  }

  static std::optional<std::string> Value(absl::string_view tag,
                                          absl::string_view key) {
    const size_t at = tag.find(key);
    if (at == absl::string_view::npos) return {};
    absl::string_view rest = tag.substr(at + key.size());
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return {};
    const size_t end = rest.find(rest[0], 1);
    if (end == absl::string_view::npos) return {};
    return std::string(rest.substr(1, end - 1));
  }

  static std::string SummaryText(absl::string_view html) {
    html = html.substr(0, html.find("</summary"));
    std::string text;
    bool in_tag = false;
    for (const char c : html) {
      if (c == '<') in_tag = true;
      if (!in_tag) text += c == '\n' ? ' ' : c;
      if (c == '>') in_tag = false;
    }
    return std::string(absl::StripAsciiWhitespace(text));
  }

  void Finish() {
    for (const size_t open : open_folds_) {
      page_.folded[open].last_line = static_cast<int>(line_starts_.size());
    }
  }

  Page& page_;
  std::vector<size_t> line_starts_;
  int line_ = 0;
  int containers_ = 0;
  std::vector<bool> ordered_;
  std::vector<size_t> open_items_;
  bool in_prose_ = false;
  bool in_heading_ = false;
  bool in_code_ = false;
  std::string text_;
  int text_line_ = 0;
  std::string fence_;
  int last_code_line_ = 0;
  std::string html_;
  int html_line_ = 0;
  std::vector<size_t> open_folds_;
  std::map<std::string, int> anchor_uses_;
};

}  // namespace

absl::string_view CodeBlock::Attribute(absl::string_view key) const {
  const auto it = attributes.find(std::string(key));
  return it == attributes.end() ? absl::string_view() : it->second;
}

const Heading* Page::FindAnchor(absl::string_view anchor) const {
  for (const Heading& heading : headings) {
    if (heading.anchor == anchor) return &heading;
  }
  return nullptr;
}

Page ParsePage(absl::string_view path, absl::string_view source) {
  Page page;
  page.path = std::string(path);
  page.source = std::string(source);
  Builder(page).Run();
  return page;
}

std::string GitHubAnchor(absl::string_view heading) {
  std::string anchor;
  absl::string_view rest = heading;
  while (!rest.empty()) {
    const absl::string_view before = rest;
    const uint32_t rune = NextRune(rest);
    const absl::string_view bytes =
        before.substr(0, before.size() - rest.size());
    if (rune == ' ') {
      anchor += '-';
    } else if (rune < 0x80) {
      const auto c = static_cast<unsigned char>(rune);
      if (absl::ascii_isalnum(c) || c == '-' || c == '_') {
        anchor += absl::ascii_tolower(c);
      }
    } else if (!IsWidePunctuation(rune)) {
      anchor.append(bytes);
    }
  }
  return anchor;
}

int CountWords(absl::string_view text) {
  int words = 0;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \t\n"), absl::SkipEmpty())) {
    // A dash or an arrow between spaces is no word.
    for (absl::string_view rest = word; !rest.empty();) {
      const uint32_t rune = NextRune(rest);
      if (rune < 0x80 ? absl::ascii_isalnum(rune) : !IsWidePunctuation(rune)) {
        ++words;
        break;
      }
    }
  }
  return words;
}

std::vector<std::string> Lines(absl::string_view text) {
  if (text.empty()) return {};
  absl::ConsumeSuffix(&text, "\n");
  return absl::StrSplit(text, '\n');
}

}  // namespace literate
