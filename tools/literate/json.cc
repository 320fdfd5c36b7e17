// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/json.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace literate {
namespace {

void AppendUtf8(uint32_t rune, std::string& text) {
  if (rune < 0x80) {
    text += static_cast<char>(rune);
  } else if (rune < 0x800) {
    text += static_cast<char>(0xc0 | rune >> 6);
    text += static_cast<char>(0x80 | (rune & 0x3f));
  } else {
    text += static_cast<char>(0xe0 | rune >> 12);
    text += static_cast<char>(0x80 | (rune >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (rune & 0x3f));
  }
}

// Takes a string literal from the front of `rest`.
std::optional<std::string> TakeString(absl::string_view& rest) {
  if (rest.empty() || rest[0] != '"') return {};
  rest.remove_prefix(1);
  std::string text;
  while (!rest.empty() && rest[0] != '"') {
    if (rest[0] != '\\') {
      text += rest[0];
      rest.remove_prefix(1);
      continue;
    }
    if (rest.size() < 2) return {};
    const char escape = rest[1];
    rest.remove_prefix(2);
    uint32_t rune;
    switch (escape) {
      case 'n':
        text += '\n';
        break;
      case 't':
        text += '\t';
        break;
      case 'r':
        text += '\r';
        break;
      case 'b':
        text += '\b';
        break;
      case 'f':
        text += '\f';
        break;
      case 'u':
        if (!absl::SimpleHexAtoi(rest.substr(0, 4), &rune)) return {};
        AppendUtf8(rune, text);
        rest.remove_prefix(4);
        break;
      default:
        text += escape;
    }
  }
  if (rest.empty()) return {};
  rest.remove_prefix(1);
  return text;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> TopLevelStrings(
    absl::string_view json) {
  std::map<std::string, std::string> fields;
  std::optional<std::string> key;
  bool is_value = false;
  int depth = 0;
  absl::string_view rest = json;
  while (!rest.empty()) {
    const char c = rest[0];
    if (c == '"') {
      std::optional<std::string> text = TakeString(rest);
      if (!text.has_value()) {
        return absl::InvalidArgumentError("JSON with a broken string");
      }
      if (depth != 1) continue;
      if (is_value) {
        fields[*key] = *std::move(text);
      } else {
        key = std::move(text);
      }
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth == 1 && c == ':' && key.has_value()) is_value = true;
    if (depth == 1 && c == ',') is_value = false;
    rest.remove_prefix(1);
  }
  if (depth != 0) return absl::InvalidArgumentError("JSON that ends early");
  return fields;
}

}  // namespace literate
