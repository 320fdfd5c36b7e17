// SPDX-License-Identifier: Apache-2.0

#include "tests/support/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/data.h"

namespace support {
namespace {

// The entries of `directory` that are numbers.
std::vector<int> Numbers(const char* directory) {
  std::vector<int> numbers;
  DIR* dir = opendir(directory);
  if (dir == nullptr) return numbers;
  while (const dirent* entry = readdir(dir)) {
    int number = 0;
    if (absl::SimpleAtoi(entry->d_name, &number)) numbers.push_back(number);
  }
  closedir(dir);
  return numbers;
}

struct Process {
  std::string name;
  char state = '?';
  pid_t parent = 0;
};

// Reads /proc/PID/stat; nothing if there is no such process.
std::optional<Process> ReadProcess(pid_t pid) {
  const std::string text = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  // "4711 (name) S 42 ...": the name may hold spaces and parentheses.
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  Process process;
  process.name = text.substr(open + 1, close - open - 1);
  if (std::sscanf(text.c_str() + close + 1, " %c %d", &process.state,
                  &process.parent) != 2) {
    return {};
  }
  return process;
}

std::map<pid_t, std::vector<pid_t>> ChildrenByParent() {
  std::map<pid_t, std::vector<pid_t>> children;
  for (pid_t pid : Numbers("/proc")) {
    const std::optional<Process> process = ReadProcess(pid);
    if (process.has_value()) children[process->parent].push_back(pid);
  }
  return children;
}

}  // namespace

std::map<int, std::string> OpenDescriptors() {
  std::map<int, std::string> descriptors;
  for (int fd : Numbers("/proc/self/fd")) {
    char target[4096];
    const ssize_t n = readlink(absl::StrCat("/proc/self/fd/", fd).c_str(),
                               target, sizeof(target));
    // The descriptor that listed the directory is closed by now.
    if (n >= 0) descriptors[fd] = std::string(target, n);
  }
  return descriptors;
}

int FirstFreeDescriptor(const std::map<int, std::string>& open) {
  int fd = 0;
  while (open.count(fd) > 0) ++fd;
  return fd;
}

std::string NewDescriptors(const std::map<int, std::string>& before,
                           const std::map<int, std::string>& after) {
  std::vector<std::string> lines;
  for (const auto& [fd, target] : after) {
    const auto old = before.find(fd);
    if (old == before.end() || old->second != target) {
      lines.push_back(absl::StrCat("descriptor ", fd, " (", target, ")"));
    }
  }
  return absl::StrJoin(lines, ", ");
}

std::map<int, std::string> NewLinks(const std::map<int, std::string>& before) {
  std::map<int, std::string> links;
  for (const auto& [fd, target] : OpenDescriptors()) {
    const auto old = before.find(fd);
    if (old != before.end() && old->second == target) continue;
    if (absl::StartsWith(target, "pipe:") ||
        absl::StartsWith(target, "socket:")) {
      links[fd] = target;
    }
  }
  return links;
}

std::vector<pid_t> Descendants() {
  const std::map<pid_t, std::vector<pid_t>> children = ChildrenByParent();
  std::vector<pid_t> found = {getpid()};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto family = children.find(found[i]);
    if (family == children.end()) continue;
    found.insert(found.end(), family->second.begin(), family->second.end());
  }
  found.erase(found.begin());
  return found;
}

bool Exists(pid_t pid) { return kill(pid, 0) == 0 || errno == EPERM; }

bool IsSleeping(pid_t pid) {
  const std::optional<Process> process = ReadProcess(pid);
  return process.has_value() && process->state == 'S';
}

void WaitUntilItSleeps(pid_t pid) {
  while (!IsSleeping(pid)) sched_yield();
}

void SleepForEver() {
  for (;;) pause();
}

std::string ChildrenLeft() {
  std::vector<std::string> lines;
  std::map<pid_t, std::vector<pid_t>> children = ChildrenByParent();
  for (pid_t pid : children[getpid()]) {
    const std::optional<Process> process = ReadProcess(pid);
    if (!process.has_value()) continue;
    lines.push_back(absl::StrCat("process ", pid, " (", process->name, ") is ",
                                 process->state == 'Z'
                                     ? "a zombie: nobody has waited for it"
                                     : "running"));
  }
  // The kernel has the last word.
  siginfo_t info;
  if (lines.empty() &&
      waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
    lines.push_back("waitpid(-1) knows of a child");
  }
  return absl::StrJoin(lines, "\n");
}

void EndAllDescendants() {
  // Killing a process hands its children to the subreaper, and a child may have
  // forked since we looked: look again, and never wait for one not yet killed.
  while (true) {
    const std::vector<pid_t> descendants = Descendants();
    if (descendants.empty()) return;
    for (pid_t pid : descendants) kill(pid, SIGKILL);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    sched_yield();
  }
}

Watchdog::Watchdog(std::chrono::milliseconds patience) {
  for (const auto& [fd, target] : OpenDescriptors()) known_.insert(target);
  thread_ = std::thread([this, patience] { Watch(patience); });
}

Watchdog::~Watchdog() { Stop(); }

void Watchdog::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Watchdog::acted() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return acted_;
}

void Watchdog::Watch(std::chrono::milliseconds patience) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto stopped = [this] { return stopped_; };
  if (changed_.wait_for(lock, patience, stopped)) return;
  acted_ = true;
  do {
    for (pid_t pid : Descendants()) kill(pid, SIGKILL);
    CutLinks();
  } while (!changed_.wait_for(lock, std::chrono::milliseconds(50), stopped));
}

void Watchdog::CutLinks() const {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (const auto& [fd, target] : OpenDescriptors()) {
    const bool link = absl::StartsWith(target, "pipe:") ||
                      absl::StartsWith(target, "socket:");
    // Not closed but replaced: the number stays taken, so that the code under
    // test can go on and close it without hitting somebody else's.
    if (link && known_.count(target) == 0) dup3(null, fd, O_CLOEXEC);
  }
  close(null);
}

Gate::Gate(const std::string& path) : path_(path) {
  if (mkfifo(path_.c_str(), 0600) != 0) {
    std::perror(path_.c_str());
    abort();
  }
  // Both ends at once, so that no open() waits for the other side.
  fd_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
}

Gate::~Gate() {
  close(fd_);
  unlink(path_.c_str());
}

bool Gate::WaitForByte(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  pollfd ready = {fd_, POLLIN, 0};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() < 0) return false;
    const int n = poll(&ready, 1, static_cast<int>(left.count()));
    char byte;
    if (n > 0) return read(fd_, &byte, 1) == 1;
  }
}

void Gate::Open() { (void)!write(fd_, "\n", 1); }

}  // namespace support
