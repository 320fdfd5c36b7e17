// SPDX-License-Identifier: Apache-2.0
//
// main() of a program of a page that is explored: the page's own main() is the
// body that lockstep runs in every schedule. Linked with -Wl,--wrap=main, so
// that a page shows a complete program and the linker does the rest.
//
//   explored_NAME              prints the report: verdict, picture, replay
//   explored_NAME --json       the same for the book's player
//   explored_NAME --graph      every schedule, for the book's "Try it"
//   explored_NAME --replay=X   runs exactly that schedule
//
// A return value of main() other than 0 is a wrong result. What the program
// prints is dropped: it is printed once per schedule.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "lockstep/graph.h"
#include "lockstep/lockstep.h"

extern "C" int __real_main(int argc, char** argv);
extern "C" int __wrap_main(int argc, char** argv);

// Defined by the first and the last object file of the link that has variables
// of the page's program in between: see listing_begin.cc.
extern char listing_data_begin[], listing_data_end[];
extern char listing_bss_begin[], listing_bss_end[];

namespace {

// The variables at namespace scope, as they were before main(): every schedule
// must start from the same state, and a short program may well have globals.
class Globals {
 public:
  Globals(char* begin, char* end) : begin_(begin) {
    if (begin > end) {
      std::fputs("explore_main: the linker has changed the order of files\n",
                 stderr);
      std::abort();
    }
    saved_.assign(begin, end);
  }

  void Restore() const { std::memcpy(begin_, saved_.data(), saved_.size()); }

 private:
  char* const begin_;
  std::string saved_;
};

bool print_json = false;
int report_fd = 1;

void Write(const std::string& text) {
  // What the program left in the buffers goes where all its output went.
  std::cout.flush();
  std::fflush(stdout);
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(report_fd, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += n;
  }
}

void Print(const lockstep::Report& report) {
  Write(print_json ? report.json : report.text);
}

}  // namespace

int __wrap_main(int argc, char** argv) {
  lockstep::Options options;
  bool print_graph = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--json") {
      print_json = true;
    } else if (arg == "--graph") {
      print_graph = true;
    } else if (arg.rfind("--replay=", 0) == 0) {
      options.replay = arg.substr(std::strlen("--replay="));
    } else {
      std::fprintf(stderr, "usage: %s [--json | --graph] [--replay=SCHEDULE]\n",
                   argv[0]);
      return 2;
    }
  }
  report_fd = dup(1);
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, 1);

  lockstep::SetFatalReportHandler([](const lockstep::Report& report) {
    Print(report);
    _exit(0);
  });
  static const Globals data(listing_data_begin, listing_data_end);
  static const Globals bss(listing_bss_begin, listing_bss_end);
  const auto body = [&] {
    data.Restore();
    bss.Restore();
    char* no_arguments[] = {argv[0], nullptr};
    const int returned_by_main = __real_main(1, no_arguments);
    if (returned_by_main != 0) {
      const std::string what =
          "main() returned " + std::to_string(returned_by_main);
      if (!lockstep::FailSchedule(what)) {  // Nothing is explored here.
        std::fprintf(stderr, "%s\n", what.c_str());
        _exit(1);
      }
    }
  };
  if (print_graph) {
    const lockstep::Graph graph = lockstep::RecordGraph({}, body);
    if (!graph.error.empty()) {
      std::fprintf(stderr, "The program has no graph: %s.\n",
                   graph.error.c_str());
      return 1;
    }
    Write(graph.json);
    return 0;
  }
  Print(lockstep::Explore(options, body));
  return 0;
}
