// SPDX-License-Identifier: Apache-2.0

#include "lockstep/report/names.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace lockstep {
namespace {

bool IsMutexKind(ObjectKind kind) {
  return kind == ObjectKind::kMutex || kind == ObjectKind::kRecursiveMutex ||
         kind == ObjectKind::kSharedMutex || kind == ObjectKind::kAbslMutex;
}

std::vector<absl::string_view> MethodsOf(ObjectKind kind) {
  if (IsMutexKind(kind)) {
    return {"lock",
            "unlock",
            "try_lock",
            "try_lock_for",
            "try_lock_until",
            "lock_shared",
            "unlock_shared",
            "try_lock_shared",
            "Lock",
            "Unlock",
            "TryLock",
            "ReaderLock",
            "ReaderUnlock",
            "WriterLock",
            "WriterUnlock",
            "Await",
            "LockWhen",
            "LockWhenWithTimeout",
            "AwaitWithTimeout"};
  }
  switch (kind) {
    case ObjectKind::kConditionVariable:
    case ObjectKind::kAbslCondVar:
      return {"wait",       "wait_for", "wait_until",      "notify_one",
              "notify_all", "Wait",     "WaitWithTimeout", "WaitWithDeadline",
              "Signal",     "SignalAll"};
    case ObjectKind::kSemaphore:
      return {"acquire", "release", "try_acquire", "try_acquire_for",
              "try_acquire_until"};
    case ObjectKind::kAtomic:
      return {"load",
              "store",
              "exchange",
              "fetch_add",
              "fetch_sub",
              "fetch_or",
              "fetch_and",
              "fetch_xor",
              "compare_exchange_weak",
              "compare_exchange_strong",
              "test_and_set",
              "clear",
              "test"};
    default:
      return {};
  }
}

bool IsNameChar(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// The operand that ends just before `end`: names joined by . -> :: and
// subscripts.
std::string OperandBefore(absl::string_view source, size_t end) {
  size_t begin = end;
  int brackets = 0;
  while (begin > 0) {
    const char c = source[begin - 1];
    if (c == ']') ++brackets;
    if (c == '[' && --brackets < 0) break;
    const bool arrow = c == '>' && begin > 1 && source[begin - 2] == '-';
    if (brackets == 0 && !IsNameChar(c) && c != '.' && c != ':' && c != '[' &&
        !arrow) {
      break;
    }
    begin -= arrow ? 2 : 1;
  }
  return std::string(source.substr(begin, end - begin));
}

// The first argument of the call or initialiser whose bracket is at `open`.
std::string FirstArgument(absl::string_view source, size_t open) {
  size_t begin = open + 1;
  int depth = 0;
  for (size_t i = begin; i < source.size(); ++i) {
    const char c = source[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') {
      if (depth-- == 0) return std::string(source.substr(begin, i - begin));
    }
    if (c == ',' && depth == 0) {
      return std::string(source.substr(begin, i - begin));
    }
  }
  return "";
}

std::string Clean(std::string expression) {
  absl::string_view text = absl::StripAsciiWhitespace(expression);
  while (!text.empty() && (text[0] == '&' || text[0] == '*')) {
    text.remove_prefix(1);
  }
  absl::ConsumePrefix(&text, "this->");
  const bool plain =
      !text.empty() && !absl::ascii_isdigit(text[0]) &&
      std::all_of(text.begin(), text.end(), [](char c) {
        return IsNameChar(c) ||
               absl::string_view(".:->[]").find(c) != absl::string_view::npos;
      });
  return plain && text.size() <= 30 ? std::string(text) : "";
}

bool IsKeyword(absl::string_view word) {
  static constexpr absl::string_view kWords[] = {
      "alignas",  "atomic",   "auto",     "bool",    "break",  "case",
      "char",     "const",    "continue", "delete",  "do",     "double",
      "else",     "false",    "float",    "for",     "if",     "int",
      "int64_t",  "long",     "new",      "nullptr", "return", "short",
      "size_t",   "static",   "switch",   "this",    "throw",  "true",
      "uint32_t", "uint64_t", "unsigned", "void",    "while"};
  return std::find(std::begin(kWords), std::end(kWords), word) !=
         std::end(kWords);
}

// The variable that a line of C++ changes through an operator: "n" in "++n;",
// "n--;", "n += 2;" and "n = f();". "" if there is none or more than one.
std::string ChangedIn(absl::string_view source) {
  std::set<std::string> found;
  for (size_t i = 0; i + 1 < source.size(); ++i) {
    const absl::string_view two = source.substr(i, 2);
    if (two == "++" || two == "--") {
      const std::string before = Clean(OperandBefore(source, i));
      size_t end = i + 2;
      while (end < source.size() &&
             (IsNameChar(source[end]) || source[end] == '.' ||
              source.substr(end, 2) == "->" ||
              (source[end] == '>' && source[end - 1] == '-'))) {
        ++end;
      }
      const std::string after =
          Clean(std::string(source.substr(i + 2, end - i - 2)));
      found.insert(before.empty() ? after : before);
      ++i;
    } else if (source[i] == '=' && i > 0) {
      if (source[i + 1] == '=') {
        ++i;
        continue;
      }
      const char before = source[i - 1];
      if (before == '<' || before == '>' || before == '!' || before == '[') {
        continue;
      }
      size_t end = i;
      if (absl::string_view("+-*/%&|^").find(before) !=
          absl::string_view::npos) {
        --end;
      }
      while (end > 0 && source[end - 1] == ' ') --end;
      found.insert(Clean(OperandBefore(source, end)));
    }
  }
  found.erase("");
  return found.size() == 1 ? *found.begin() : "";
}

// Everything in a line of C++ that may be a variable: "x" and "self->next" in
// "self->next = x + Twice(2);".
std::set<std::string> VariablesIn(absl::string_view source) {
  std::set<std::string> found;
  for (size_t i = 0; i < source.size();) {
    const char c = source[i];
    if (c == '"' || c == '\'') {
      const size_t end = source.find(c, i + 1);
      if (end == absl::string_view::npos) break;
      i = end + 1;
      continue;
    }
    if (source.substr(i, 2) == "//") break;
    if (!IsNameChar(c)) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < source.size()) {
      if (IsNameChar(source[end]) || source[end] == '.') {
        ++end;
      } else if (source.substr(end, 2) == "->" ||
                 source.substr(end, 2) == "::") {
        end += 2;
      } else {
        break;
      }
    }
    std::string name(source.substr(i, end - i));
    i = end;
    size_t next = end;
    while (next < source.size() && source[next] == ' ') ++next;
    if (next < source.size() && source[next] == '(') {
      // A call: of a member of the variable, if any.
      const size_t dot = name.rfind('.');
      const size_t arrow = name.rfind("->");
      if (dot != std::string::npos) {
        name.resize(dot);
      } else if (arrow != std::string::npos) {
        name.resize(arrow);
      } else {
        continue;
      }
    }
    name = Clean(name);
    if (!name.empty() && !IsKeyword(name) && !absl::StrContains(name, "::")) {
      found.insert(name);
    }
  }
  return found;
}

// "from.mu_" -> "mu_": what remains the same whoever refers to the object.
std::string LastMember(const std::string& expression) {
  const size_t dot = expression.find_last_of(".>:");
  return dot == std::string::npos ? expression : expression.substr(dot + 1);
}

std::string Letter(size_t index) {
  std::string letters;
  for (size_t i = index + 1; i > 0; i = (i - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (i - 1) % 26));
  }
  return letters;
}

}  // namespace

std::string ExpressionIn(absl::string_view source, ObjectKind kind) {
  std::set<std::string> found;
  for (const absl::string_view method : MethodsOf(kind)) {
    for (size_t at = source.find(method); at != absl::string_view::npos;
         at = source.find(method, at + 1)) {
      const size_t end = at + method.size();
      if (end >= source.size() || source[end] != '(' || at == 0) continue;
      size_t operand_end;
      if (source[at - 1] == '.') {
        operand_end = at - 1;
      } else if (at > 1 && source.substr(at - 2, 2) == "->") {
        operand_end = at - 2;
      } else {
        continue;
      }
      found.insert(Clean(OperandBefore(source, operand_end)));
    }
  }
  if (IsMutexKind(kind)) {
    for (const absl::string_view guard :
         {"lock_guard", "unique_lock", "scoped_lock", "shared_lock",
          "MutexLock", "MutexLockMaybe", "ReleasableMutexLock"}) {
      for (size_t at = source.find(guard); at != absl::string_view::npos;
           at = source.find(guard, at + 1)) {
        size_t i = at + guard.size();
        // Template arguments, then the variable's name, then its initialiser.
        if (i < source.size() && source[i] == '<') {
          int depth = 0;
          do {
            if (source[i] == '<') ++depth;
            if (source[i] == '>') --depth;
            ++i;
          } while (i < source.size() && depth > 0);
        }
        while (i < source.size() &&
               (IsNameChar(source[i]) || source[i] == ' ')) {
          ++i;
        }
        if (i < source.size() && (source[i] == '(' || source[i] == '{')) {
          const std::string argument = Clean(FirstArgument(source, i));
          if (!argument.empty()) found.insert(argument);
        }
      }
    }
  }
  found.erase("");
  return found.size() == 1 ? *found.begin() : "";
}

void NameObjects(const Trace& trace, Symbolizer& symbolizer, Story* story) {
  const size_t n = story->objects.size();
  // What the source calls each object, over all steps that touch it.
  std::vector<std::set<std::string>> expressions(n);
  std::vector<std::set<std::string>> guesses(n);
  std::vector<bool> guessed(n, false);
  // Atomics and plain variables are used through operators. Whatever variable
  // occurs in all lines that use the object must be it.
  const auto guess = [&](ObjectId id, const std::string& source, bool writes) {
    std::set<std::string> here = VariablesIn(source);
    const std::string changed = writes ? ChangedIn(source) : "";
    if (!changed.empty()) here = {changed};
    std::set<std::string>& all = guesses[id - 1];
    if (guessed[id - 1]) {
      std::set<std::string> both;
      std::set_intersection(here.begin(), here.end(), all.begin(), all.end(),
                            std::inserter(both, both.begin()));
      here = both;
    }
    all = here;
    guessed[id - 1] = true;
  };
  for (const StoryStep& step : story->steps) {
    const ObjectId id = step.step.object;
    if (id == 0 || id > n || step.place.source.empty()) continue;
    // Letting a guard go out of scope is a step on its closing brace.
    const ObjectKind kind = story->objects[id - 1].kind;
    const std::string expression = ExpressionIn(step.place.source, kind);
    if (!expression.empty()) {
      expressions[id - 1].insert(expression);
    } else if (kind == ObjectKind::kAtomic) {
      guess(id, step.place.source,
            step.step.op == Op::kAtomicStore ||
                step.step.op == Op::kAtomicReadModifyWrite);
    }
  }
  for (const StorySite& site : story->sites) {
    if (site.object == 0 || site.object > n || site.place.source.empty() ||
        story->objects[site.object - 1].kind != ObjectKind::kMemory) {
      continue;
    }
    guess(site.object, site.place.source, absl::StartsWith(site.what, "write"));
  }
  for (size_t i = 0; i < n; ++i) {
    if (expressions[i].empty() && guesses[i].size() == 1) {
      expressions[i] = guesses[i];
    }
  }
  std::vector<std::string> base(n);
  for (size_t i = 0; i < n; ++i) {
    const StoryObject& object = story->objects[i];
    base[i] = symbolizer.GlobalName(trace.objects[i].address);
    // Never seen in a picture (see story.cc), and where it lies in its table
    // depends on addresses.
    if (absl::StrContains(base[i], "__waiter_pool")) {
      base[i] = "libstdc++'s sleepers";
    }
    if (!base[i].empty()) continue;
    if (expressions[i].size() == 1) {
      base[i] = *expressions[i].begin();
    } else if (expressions[i].size() > 1) {
      std::set<std::string> members;
      for (const std::string& e : expressions[i]) members.insert(LastMember(e));
      if (members.size() == 1) base[i] = *members.begin();
    }
    if (base[i].empty() && object.kind == ObjectKind::kMemory &&
        object.allocated_at.known()) {
      base[i] = absl::StrCat("block from ", object.allocated_at.Short());
      if (trace.objects[i].offset_in_block > 0) {
        absl::StrAppend(&base[i], "+", trace.objects[i].offset_in_block);
      }
    }
  }
  // An expression that means different objects in different places ("from.mu")
  // would mislead: use its last member, and letters to tell them apart.
  std::map<std::string, int> times;
  for (const std::string& name : base) ++times[name];
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < n; ++i) {
    if (base[i].empty()) {
      base[i] = ObjectKindName(story->objects[i].kind);
      groups[base[i]].push_back(i);
    } else if (times[base[i]] > 1 || expressions[i].size() > 1) {
      base[i] = LastMember(base[i]);
      groups[base[i]].push_back(i);
    } else {
      story->objects[i].name = base[i];
    }
  }
  for (const auto& [name, members] : groups) {
    const bool kind_name =
        name == ObjectKindName(story->objects[members[0]].kind);
    for (size_t k = 0; k < members.size(); ++k) {
      story->objects[members[k]].name =
          members.size() == 1 && !kind_name
              ? name
              : absl::StrCat(name, " ", Letter(k));
    }
  }
}

}  // namespace lockstep
