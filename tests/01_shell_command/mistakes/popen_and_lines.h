// SPDX-License-Identifier: Apache-2.0
//
// Mistake: popen() with 2>&1 and fgets(): the two streams are mixed and each
//   line stops at its first zero byte.
// Verdict: wrong result
// Rule: KeepsOutputAndErrorsApartByteForByte

#ifndef WORKBOOK_01_SHELL_COMMAND_RUN_COMMAND_H_
#define WORKBOOK_01_SHELL_COMMAND_RUN_COMMAND_H_

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace workbook {

// As in the skeleton, without its comments.

struct CommandOptions {
  std::string input = {};
  std::string working_directory = {};
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
};

struct CommandResult {
  std::string out;
  std::string err;
  int status = 0;
};

class CommandTimedOut : public std::runtime_error {
 public:
  CommandTimedOut(const std::string& program, CommandResult partial)
      : std::runtime_error(program + ": timed out"),
        partial(std::move(partial)) {}

  CommandResult partial;
};

inline CommandResult RunCommand(const std::vector<std::string>& argv,
                                const CommandOptions& options = {});

inline CommandResult RunShell(const std::string& command,
                              const CommandOptions& options = {}) {
  return RunCommand({"/bin/sh", "-c", command}, options);
}

inline CommandResult RunCommand(const std::vector<std::string>& argv,
                                const CommandOptions& options) {
  if (argv.empty()) throw std::invalid_argument("RunCommand: empty argv");
  std::string command;
  if (!options.working_directory.empty()) {
    command = "cd " + options.working_directory + " && ";
  }
  for (const std::string& argument : argv) command += "'" + argument + "' ";
  FILE* pipe = popen((command + "2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::system_error(errno, std::generic_category());
  CommandResult result;
  char line[4096];
  while (fgets(line, sizeof(line), pipe) != nullptr) result.out += line;
  const int raw = pclose(pipe);
  result.status = WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
  return result;
}

}  // namespace workbook

#endif  // WORKBOOK_01_SHELL_COMMAND_RUN_COMMAND_H_
