// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/observe.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/literate/subprocess.h"

namespace literate {
namespace {

// A program on a page ends in milliseconds; this is for one that never does.
constexpr absl::Duration kDeadline = absl::Seconds(10);

std::string Indented(absl::string_view text) {
  std::string indented;
  for (const std::string &line : Lines(text)) {
    absl::StrAppend(&indented, "  ", line, "\n");
  }
  return indented;
}

class Observer {
public:
  Observer(const Page &page, const Listings &listings, const Spec &spec,
           Problems &problems)
      : page_(page), listings_(listings), spec_(spec), problems_(problems) {}

  Observations Observe() && {
    for (const Program &program : listings_.programs) {
      if (!program.explored_only())
        RunNatively(program);
    }
    return std::move(observations_);
  }

private:
  void Complain(int line, std::string what, std::string fix) {
    problems_.push_back({page_.path, line, std::move(what), std::move(fix)});
  }

  void RunNatively(const Program &program) {
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
      if (run->out.empty())
        return;
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

  const Page &page_;
  const Listings &listings_;
  const Spec &spec_;
  Problems &problems_;
  Observations observations_;
};

} // namespace

Observations Observe(const Page &page, const Listings &listings,
                     const Spec &spec, Problems &problems) {
  return Observer(page, listings, spec, problems).Observe();
}

} // namespace literate
