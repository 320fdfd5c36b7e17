// SPDX-License-Identifier: Apache-2.0
//
// The command line of the literate tool. Authors meet it as the test and the
// `update` program of a chapter; see README.md and page.bzl beside this file.

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/literate/check.h"
#include "tools/literate/files.h"
#include "tools/literate/links.h"
#include "tools/literate/listing.h"
#include "tools/literate/page.h"
#include "tools/literate/problem.h"
#include "tools/literate/spec.h"
#include "tools/literate/structure.h"
#include "tools/literate/update.h"

ABSL_FLAG(std::string, page, "", "the page to read");
ABSL_FLAG(std::string, listing, "", "the program to extract");
ABSL_FLAG(std::string, positions, "page", "what #line names: page or listing");
ABSL_FLAG(std::string, output, "", "the file to write");
ABSL_FLAG(std::string, root, ".", "the source tree");
ABSL_FLAG(std::string, spec, "", "what page.bzl says about a page");

namespace literate {
namespace {

constexpr char kUsage[] =
    "Lists, runs and checks what a page of the workbook shows.\n"
    "  literate extract --page=README.md --listing=NAME --output=NAME.cc\n"
    "  literate check --spec=FILE      compare the page with reality\n"
    "  literate update --spec=FILE     (under bazel run) rewrite the page\n"
    "  literate structure --page=chapters/NN_topic/README.md\n"
    "                                  only look whether a chapter is "
    "complete\n"
    "  literate links --root=FOLDER    the links of all its *.md files";

int Fail(const absl::Status& status) {
  std::cerr << status.message() << "\n";
  return 2;
}

int Report(const Problems& problems) {
  if (problems.empty()) return 0;
  std::cerr << ToString(problems);
  return 1;
}

int Extract() {
  const absl::StatusOr<std::string> source =
      ReadFile(absl::GetFlag(FLAGS_page));
  if (!source.ok()) return Fail(source.status());
  const Page page = ParsePage(absl::GetFlag(FLAGS_page), *source);
  Problems problems;  // The page's test reports them.
  const Listings listings = ReadListings(page, problems);
  const std::string name = absl::GetFlag(FLAGS_listing);
  const Program* program = listings.Find(name);
  if (program == nullptr) {
    return Report({{page.path, 1,
                    "BUILD.bazel lists the program \"" + name +
                        "\", which is not on the page.",
                    "mark its blocks with `cpp run=" + name +
                        "`, or remove \"" + name + "\" from BUILD.bazel."}});
  }
  const absl::Status written = WriteFile(
      absl::GetFlag(FLAGS_output),
      Tangle(page, *program,
             absl::GetFlag(FLAGS_positions) == "listing" ? Positions::kListing
                                                         : Positions::kPage));
  return written.ok() ? 0 : Fail(written);
}

absl::StatusOr<Spec> TheSpec() {
  const absl::StatusOr<std::string> text = ReadFile(absl::GetFlag(FLAGS_spec));
  if (!text.ok()) return text.status();
  return ParseSpec(*text);
}

int CheckPage() {
  const absl::StatusOr<Spec> spec = TheSpec();
  if (!spec.ok()) return Fail(spec.status());
  const absl::StatusOr<Problems> problems = Check(*spec);
  return problems.ok() ? Report(*problems) : Fail(problems.status());
}

int UpdatePage() {
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const absl::StatusOr<Spec> spec = TheSpec();
  if (!spec.ok()) return Fail(spec.status());
  if (root == nullptr) {
    return Fail(absl::FailedPreconditionError(
        "the source tree is unknown: run `" + spec->update + "`"));
  }
  Problems problems;
  const absl::StatusOr<std::string> report = Update(*spec, root, problems);
  if (!report.ok()) return Fail(report.status());
  std::cout << *report;
  return Report(problems);
}

int CheckOneStructure() {
  Spec spec;
  spec.page = absl::GetFlag(FLAGS_page);
  spec.package = spec.page.substr(0, spec.page.rfind('/'));
  const absl::StatusOr<std::string> source = ReadFile(spec.page);
  if (!source.ok()) return Fail(source.status());
  Problems problems;
  CheckStructure(ParsePage(spec.page, *source), spec, problems);
  return Report(problems);
}

int CheckAllLinks() {
  const std::string root = absl::GetFlag(FLAGS_root);
  Problems problems;
  CheckLinks(root, MarkdownFiles(root), problems);
  return Report(problems);
}

int Main(int argc, char** argv) {
  absl::SetProgramUsageMessage(kUsage);
  const std::vector<char*> args = absl::ParseCommandLine(argc, argv);
  const std::string command = args.size() == 2 ? args[1] : "";
  if (command == "extract") return Extract();
  if (command == "check") return CheckPage();
  if (command == "update") return UpdatePage();
  if (command == "structure") return CheckOneStructure();
  if (command == "links") return CheckAllLinks();
  return Fail(absl::InvalidArgumentError(kUsage));
}

}  // namespace
}  // namespace literate

int main(int argc, char** argv) { return literate::Main(argc, argv); }
