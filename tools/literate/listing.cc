// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/listing.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace literate {
namespace {

bool IsCpp(absl::string_view language) {
  for (const absl::string_view name :
       {"c", "cc", "cpp", "c++", "cxx", "h", "hpp", "objc"}) {
    if (absl::EqualsIgnoreCase(language, name)) return true;
  }
  return false;
}

bool IsName(absl::string_view name) {
  return !name.empty() && absl::ascii_islower(name[0]) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

class Reader {
 public:
  Reader(const Page& page, Problems& problems)
      : page_(page), problems_(problems) {}

  Listings Read() && {
    for (const CodeBlock& block : page_.code) {
      if (IsCpp(block.language)) ReadCpp(block);
    }
    // A picture may stand above its program, so programs come first.
    for (const CodeBlock& block : page_.code) {
      if (block.language.empty()) {
        Complain(block, "This block does not say what it is.",
                 "write a language behind the fence: cpp, text, sh, console or "
                 "python. (An indented block needs a fence first.)");
      } else if (block.language == "text") {
        ReadText(block);
      }
    }
    return std::move(listings_);
  }

 private:
  void Complain(const CodeBlock& block, std::string what, std::string fix) {
    problems_.push_back(
        {page_.path, block.line, std::move(what), std::move(fix)});
  }

  // Whether `block` has only the given attributes and flags, and stands where
  // its lines can be compared and rewritten.
  bool WellFormed(const CodeBlock& block,
                  std::initializer_list<absl::string_view> attributes) {
    for (const auto& [key, value] : block.attributes) {
      if (std::find(attributes.begin(), attributes.end(), key) ==
          attributes.end()) {
        Complain(block,
                 absl::StrFormat("The info string \"%s\" has the unknown part "
                                 "\"%s=\".",
                                 block.info, key),
                 absl::StrCat("remove it; this kind of block takes: ",
                              absl::StrJoin(attributes, ", "), "."));
        return false;
      }
    }
    if (!block.top_level) {
      Complain(block,
               "This block stands inside a list or a quotation, where its "
               "lines cannot be rewritten.",
               "move it to the left margin, between paragraphs.");
      return false;
    }
    return true;
  }

  bool ValidName(const CodeBlock& block, absl::string_view name) {
    if (IsName(name)) return true;
    Complain(block, absl::StrFormat("\"%s\" is no name for a program.", name),
             "use lower-case letters, digits and _, beginning with a letter.");
    return false;
  }

  void ReadCpp(const CodeBlock& block) {
    if (block.attributes.count("file") > 0) {
      if (WellFormed(block, {"file"})) listings_.excerpts.push_back(&block);
      return;
    }
    const absl::string_view name = block.Attribute("run");
    if (name.empty()) {
      Complain(block, "This C++ block is neither run nor compared with a file.",
               "write `cpp run=NAME` to make it (a piece of) the program NAME, "
               "or `cpp file=PATH` if it shows lines of a file in the tree.");
      return;
    }
    if (!WellFormed(block, {"run"}) || !ValidName(block, name)) return;
    Program* program = Find(name);
    if (program == nullptr) {
      program = &listings_.programs.emplace_back();
      program->name = std::string(name);
    }
    program->blocks.push_back(&block);
  }

  void ReadText(const CodeBlock& block) {
    const bool output = block.attributes.count("output") > 0;
    const bool schedule = block.attributes.count("schedule") > 0;
    const bool not_started = block.flags.count("not_started") > 0;
    const bool sketch = block.flags.count("sketch") > 0;
    const bool file = block.attributes.count("file") > 0;
    if (output + schedule + not_started + sketch + file != 1) {
      Complain(
          block, "Nothing says where this text comes from.",
          "write `text output=NAME` for the output of the program NAME, `text "
          "schedule=NAME` for its picture, `text "
          "schedule=mistakes/FILE.h:Suite.Test` for that of a mistake, `text "
          "not_started` for what a fresh checkout prints, `text file=PATH` for "
          "lines of a file in the tree, or `text sketch` for a drawing that no "
          "program could print.");
      return;
    }
    if (output) ReadOutput(block);
    if (schedule) ReadSchedule(block);
    if (not_started && WellFormed(block, {})) {
      listings_.not_started.push_back(&block);
    }
    if (file && WellFormed(block, {"file"})) {
      listings_.excerpts.push_back(&block);
    }
    if (sketch) WellFormed(block, {});
  }

  void ReadOutput(const CodeBlock& block) {
    if (!WellFormed(block, {"output", "exit"})) return;
    Program* program = FindOrComplain(block, block.Attribute("output"));
    if (program == nullptr) return;
    if (program->output != nullptr) {
      Complain(
          block,
          absl::StrFormat("The program \"%s\" has an output block already, "
                          "at line %d.",
                          program->name, program->output->line),
          "keep one of them.");
      return;
    }
    const absl::string_view exit = block.Attribute("exit");
    if (!exit.empty() && !absl::SimpleAtoi(exit, &program->exit_status)) {
      Complain(block, absl::StrFormat("\"exit=%s\" is no exit status.", exit),
               "write a number; 128 + N stands for death by signal N.");
      return;
    }
    program->output = &block;
  }

  void ReadSchedule(const CodeBlock& block) {
    if (!WellFormed(block, {"schedule", "verdict"})) return;
    const absl::string_view what = block.Attribute("schedule");
    if (!absl::StartsWith(what, "mistakes/")) {
      Program* program = FindOrComplain(block, what);
      if (program != nullptr) program->schedules.push_back(&block);
      return;
    }
    const size_t colon = what.find(':');
    if (colon == absl::string_view::npos ||
        !absl::StrContains(what.substr(colon), '.')) {
      Complain(block, absl::StrFormat("\"schedule=%s\" names no test.", what),
               "write `schedule=mistakes/FILE.h:Suite.Test`.");
      return;
    }
    listings_.mistakes.push_back({&block, std::string(what.substr(0, colon)),
                                  std::string(what.substr(colon + 1))});
  }

  Program* Find(absl::string_view name) {
    for (Program& program : listings_.programs) {
      if (program.name == name) return &program;
    }
    return nullptr;
  }

  Program* FindOrComplain(const CodeBlock& block, absl::string_view name) {
    Program* program = Find(name);
    if (program == nullptr) {
      Complain(
          block,
          absl::StrFormat("There is no program \"%s\" on this page.", name),
          absl::StrFormat("mark the C++ blocks it consists of with `cpp "
                          "run=%s`, or correct the name.",
                          name));
    }
    return program;
  }

  const Page& page_;
  Problems& problems_;
  Listings listings_;
};

}  // namespace

const Program* Listings::Find(absl::string_view name) const {
  for (const Program& program : programs) {
    if (program.name == name) return &program;
  }
  return nullptr;
}

Listings ReadListings(const Page& page, Problems& problems) {
  return Reader(page, problems).Read();
}

std::string Tangle(const Page& page, const Program& program,
                   Positions positions) {
  std::string source;
  if (positions == Positions::kListing) {
    absl::StrAppendFormat(&source, "#line 1 \"%s.cc\"\n", program.name);
  }
  for (const CodeBlock* block : program.blocks) {
    if (positions == Positions::kPage) {
      absl::StrAppendFormat(&source, "#line %d \"%s\"\n", block->line + 1,
                            page.path);
    }
    source += block->text;
  }
  return source;
}

std::string RecordingPath(absl::string_view package,
                          absl::string_view schedule) {
  return absl::StrCat(package, "/schedules/",
                      absl::StrReplaceAll(schedule, {{".h:", "/"}}), ".json");
}

}  // namespace literate
