// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/observe.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/literate/files.h"
#include "tools/literate/json.h"
#include "tools/literate/subprocess.h"

namespace literate {
namespace {

// A program on a page ends in milliseconds, an exploration in a second; this is
// for one that never does.
constexpr absl::Duration kDeadline = absl::Seconds(10);

std::string Indented(absl::string_view text) {
  std::string indented;
  for (const std::string& line : Lines(text)) {
    absl::StrAppend(&indented, "  ", line, "\n");
  }
  return indented;
}

// Runs `argv` in `folder`, with a file in it.
absl::StatusOr<Finished> RunBeside(const TempFolder& folder,
                                   const std::string& file,
                                   absl::string_view text,
                                   const std::vector<std::string>& argv) {
  const absl::Status written = WriteFile(folder.path() + "/" + file, text);
  if (!written.ok()) return written;
  return Run(argv, kDeadline, folder.path());
}

class Observer {
 public:
  Observer(const Page& page, const Listings& listings, const Spec& spec,
           Problems& problems)
      : page_(page), listings_(listings), spec_(spec), problems_(problems) {}

  Observations Observe() && {
    for (const Program& program : listings_.programs) {
      if (!program.explored_only()) RunNatively(program);
      if (!program.schedules.empty() && spec_.explorer) Explore(program);
    }
    for (const MistakePicture& mistake : listings_.mistakes) {
      if (spec_.explorer) Grade(mistake);
    }
    if (!listings_.not_started.empty()) AskFreshCheckout();
    return std::move(observations_);
  }

 private:
  void Complain(int line, std::string what, std::string fix) {
    problems_.push_back({page_.path, line, std::move(what), std::move(fix)});
  }

  void RunNatively(const Program& program) {
    const auto binary = spec_.listings.find(program.name);
    if (binary == spec_.listings.end()) {
      Complain(program.line(),
               absl::StrFormat("BUILD.bazel does not list the program \"%s\".",
                               program.name),
               absl::StrFormat("add \"%s\" to `listings` in %s/BUILD.bazel.",
                               program.name, spec_.package));
      return;
    }
    const absl::StatusOr<Finished> run = Run({binary->second}, kDeadline);
    if (!run.ok()) {
      Complain(program.line(),
               absl::StrFormat("The program \"%s\" %s.", program.name,
                               run.status().message()),
               "make it end; a program that hangs on purpose is shown by a "
               "`schedule=` block instead.");
      return;
    }
    if (run->status != program.exit_status) {
      const int line =
          program.output != nullptr ? program.output->line : program.line();
      Complain(line,
               absl::StrFormat("The program \"%s\" exits with status %d, not "
                               "%d. It printed:\n%s%s",
                               program.name, run->status, program.exit_status,
                               Indented(run->out), Indented(run->err)),
               absl::StrFormat("correct the program, or write `text output=%s "
                               "exit=%d` if that is what it shows.",
                               program.name, run->status));
      return;
    }
    if (program.output == nullptr) {
      if (run->out.empty()) return;
      Complain(program.line(),
               absl::StrFormat("The program \"%s\" prints, but the page does "
                               "not show what:\n%s",
                               program.name, Indented(run->out)),
               absl::StrFormat("add a block `text output=%s` below it.",
                               program.name));
      return;
    }
    if (!run->out.empty() && run->out.back() != '\n') {
      Complain(program.output->line,
               absl::StrFormat("The output of \"%s\" has no line end at its "
                               "end, so no block can show it.",
                               program.name),
               "print a line end last.");
      return;
    }
    observations_.blocks.push_back(
        {program.output, run->out,
         absl::StrFormat("the program \"%s\"", program.name)});
  }

  void Explore(const Program& program) {
    const CodeBlock& first = *program.schedules.front();
    const auto binary = spec_.explored.find(program.name);
    if (binary == spec_.explored.end()) {
      Complain(first.line,
               absl::StrFormat("BUILD.bazel does not list the schedule of "
                               "\"%s\".",
                               program.name),
               absl::StrFormat("add \"%s\" to `schedules` in %s/BUILD.bazel.",
                               program.name, spec_.package));
      return;
    }
    // The report quotes the program's lines, so they must be where the
    // debugging information says: after the #line directive.
    const TempFolder folder;
    std::string source = Tangle(page_, program, Positions::kListing);
    source.erase(0, source.find('\n') + 1);
    const absl::StatusOr<Finished> run = RunBeside(
        folder, program.name + ".cc", source, {binary->second, "--json"});
    if (!run.ok() || run->status != 0) {
      Complain(first.line,
               absl::StrFormat(
                   "The exploration of \"%s\" %s\n", program.name,
                   run.ok() ? absl::StrFormat("ends with status %d:\n%s",
                                              run->status, Indented(run->err))
                            : std::string(run.status().message())),
               absl::StrFormat("see what `bazel run //%s:explored_%s` says.",
                               spec_.package, program.name));
      return;
    }
    for (const CodeBlock* block : program.schedules) {
      Record(*block, program.name, run->out,
             absl::StrFormat("the exploration of \"%s\"", program.name));
    }
    if (program.graph != nullptr) {
      RecordGraph(program, source, binary->second);
    }
  }

  // All schedules of a program, for readers who choose themselves.
  void RecordGraph(const Program& program, const std::string& source,
                   const std::string& binary) {
    const TempFolder folder;
    const absl::StatusOr<Finished> run =
        RunBeside(folder, program.name + ".cc", source, {binary, "--graph"});
    if (!run.ok() || run->status != 0) {
      Complain(program.graph->line,
               absl::StrFormat("The schedules of \"%s\" could not all be "
                               "recorded:\n%s",
                               program.name,
                               run.ok() ? Indented(run->err)
                                        : std::string(run.status().message())),
               "make the program smaller, or remove the word `graph`.");
      return;
    }
    observations_.recordings.push_back(
        {program.graph, GraphPath(spec_.package, program.name), run->out});
  }

  void Grade(const MistakePicture& mistake) {
    const std::string schedule(mistake.block->Attribute("schedule"));
    const auto binary = spec_.graders.find(mistake.file);
    if (binary == spec_.graders.end()) {
      Complain(mistake.block->line,
               absl::StrFormat("BUILD.bazel does not list the schedule of %s.",
                               mistake.file),
               absl::StrFormat("add \"%s\" to `schedules` in %s/BUILD.bazel.",
                               schedule, spec_.package));
      return;
    }
    const TempFolder folder;
    const std::string chapter = spec_.Chapter();
    const absl::StatusOr<Finished> run =
        Run({binary->second, "--chapter=" + chapter,
             absl::StrCat("--answer=tests/", chapter, "/", mistake.file),
             "--gtest_filter=" + mistake.test,
             "--lockstep_json_dir=" + folder.path()},
            kDeadline);
    std::string json;
    std::error_code error;
    for (const auto& file :
         std::filesystem::directory_iterator(folder.path(), error)) {
      const absl::StatusOr<std::string> text = ReadFile(file.path().string());
      if (text.ok()) json = *text;
    }
    if (json.empty()) {
      Complain(mistake.block->line,
               absl::StrFormat(
                   "The test %s does not fail under lockstep with %s:\n%s",
                   mistake.test, mistake.file,
                   run.ok() ? Indented(run->out + run->err)
                            : std::string(run.status().message())),
               "name a test that rejects this mistake.");
      return;
    }
    Record(*mistake.block, schedule, json,
           absl::StrFormat("%s with %s", mistake.test, mistake.file));
  }

  // Takes over a report on a failing schedule for `block`.
  void Record(const CodeBlock& block, const std::string& schedule,
              const std::string& json, const std::string& origin) {
    auto fields = TopLevelStrings(json);
    if (!fields.ok() || (*fields)["picture"].empty()) {
      Complain(block.line,
               absl::StrFormat("No schedule fails: there is nothing to show by "
                               "%s.",
                               origin),
               "show its output instead, or a program that is wrong.");
      return;
    }
    const absl::string_view stated = block.Attribute("verdict");
    if (!stated.empty() && stated != (*fields)["verdict"]) {
      Complain(block.line,
               absl::StrFormat("The verdict of %s is \"%s\", not \"%s\".",
                               origin, (*fields)["verdict"], stated),
               "correct the program or the stated verdict.");
      return;
    }
    std::string text =
        absl::StrCat((*fields)["verdict"], ": ", (*fields)["message"], "\n\n",
                     (*fields)["picture"]);
    if (!(*fields)["ending"].empty()) {
      absl::StrAppend(&text, "     ", (*fields)["ending"], "\n");
    }
    observations_.blocks.push_back({&block, text, origin});
    observations_.recordings.push_back(
        {&block, RecordingPath(spec_.package, schedule), json});
  }

  // What `bazel test` says before the student has changed anything: asks the
  // grader of the skeleton, which takes the skeleton for the exercise.
  void AskFreshCheckout() {
    const CodeBlock& block = *listings_.not_started.front();
    const absl::StatusOr<std::string> skeleton = ReadFile(spec_.skeleton);
    if (spec_.not_started.empty() || !skeleton.ok()) {
      Complain(block.line,
               "It is not known what a fresh checkout prints: there is no "
               "skeleton.",
               absl::StrFormat("add tests/%s/skeleton/.", spec_.Chapter()));
      return;
    }
    const TempFolder folder;
    const absl::StatusOr<Finished> run = RunBeside(
        folder, spec_.exercise, *skeleton,
        {spec_.not_started, "--chapter=" + spec_.Chapter(),
         "--answer=" + spec_.exercise, "--skeleton=" + spec_.exercise});
    if (!run.ok() || run->out.empty()) {
      Complain(block.line,
               absl::StrCat("The grader of the skeleton prints nothing: ",
                            run.ok() ? run->err : run.status().message()),
               "see what its test in //tests says.");
      return;
    }
    for (const CodeBlock* each : listings_.not_started) {
      observations_.blocks.push_back({each, run->out, "a fresh checkout"});
    }
  }

  const Page& page_;
  const Listings& listings_;
  const Spec& spec_;
  Problems& problems_;
  Observations observations_;
};

}  // namespace

Observations Observe(const Page& page, const Listings& listings,
                     const Spec& spec, Problems& problems) {
  return Observer(page, listings, spec, problems).Observe();
}

}  // namespace literate
