// SPDX-License-Identifier: Apache-2.0

#include "tools/literate/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace literate {
namespace {

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void Exec(char* const* argv, const char* folder, int out,
                       int err) {
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(out, 1);
  dup2(err, 2);
  if (folder[0] == '\0' || chdir(folder) == 0) execv(argv[0], argv);
  const char* why = strerror(errno);
  const char* const words[] = {argv[0], ": ", why, "\n"};
  for (const char* text : words) {
    if (write(2, text, strlen(text)) < 0) break;
  }
  _exit(127);
}

// Appends what can be read from `fd`; false at the end of the stream.
bool ReadSome(int fd, std::string& text) {
  char buffer[1 << 16];
  const ssize_t n = read(fd, buffer, sizeof(buffer));
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  text.append(buffer, n);
  return n > 0;
}

}  // namespace

absl::StatusOr<Finished> Run(const std::vector<std::string>& argv,
                             absl::Duration deadline,
                             const std::string& folder) {
  const std::string program = std::filesystem::absolute(argv[0]).string();
  std::vector<char*> pointers = {const_cast<char*>(program.c_str())};
  for (size_t i = 1; i < argv.size(); ++i) {
    pointers.push_back(const_cast<char*>(argv[i].c_str()));
  }
  pointers.push_back(nullptr);

  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  if (pipe2(err, O_CLOEXEC) != 0) {
    const int error = errno;
    close(out[0]), close(out[1]);
    return absl::ErrnoToStatus(error, "pipe");
  }
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) Exec(pointers.data(), folder.c_str(), out[1], err[1]);
  const int fork_error = errno;
  close(out[1]), close(err[1]);
  if (child < 0) {
    close(out[0]), close(err[0]);
    return absl::ErrnoToStatus(fork_error, "fork");
  }
  setpgid(child, child);  // The child does so too: whoever comes first.

  Finished finished;
  const absl::Time end = absl::Now() + deadline;
  bool late = false;
  pollfd fds[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const int64_t left = absl::ToInt64Milliseconds(end - absl::Now());
    if (left <= 0) {
      late = true;
      break;
    }
    poll(fds, 2, static_cast<int>(std::min<int64_t>(left, 1000)));
    if (fds[0].revents != 0 && !ReadSome(out[0], finished.out)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !ReadSome(err[0], finished.err)) fds[1].fd = -1;
  }
  // Its output has ended, but has the program? One may close its streams and
  // go on for ever.
  int status = 0;
  while (!late && waitpid(child, &status, WNOHANG) == 0) {
    late = absl::Now() > end;
    absl::SleepFor(absl::Milliseconds(1));
  }
  kill(-child, SIGKILL);
  if (late) waitpid(child, &status, 0);
  close(out[0]), close(err[0]);
  if (late) {
    return absl::DeadlineExceededError(
        absl::StrCat("did not end within ", absl::FormatDuration(deadline)));
  }
  finished.status =
      WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return finished;
}

}  // namespace literate
