// SPDX-License-Identifier: Apache-2.0
//
// What a test about processes wants to know and to tidy up: descriptors,
// children and their states, and student code that blocks on them. Linux: reads
// /proc.

#ifndef TESTS_SUPPORT_PROCESSES_H_
#define TESTS_SUPPORT_PROCESSES_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace support {

// The open descriptors of this process, each with what it is: a path, or a name
// like "pipe:[4711]".
std::map<int, std::string> OpenDescriptors();

// The lowest number that is not in `open`: with RLIMIT_NOFILE at this number
// the process gets no descriptor more, whatever high numbers it has inherited.
int FirstFreeDescriptor(const std::map<int, std::string>& open);

// What `after` has and `before` has not, as "descriptor 7 (pipe:[4711])" joined
// by commas. Empty if nothing is new.
std::string NewDescriptors(const std::map<int, std::string>& before,
                           const std::map<int, std::string>& after);

// The pipes and sockets of this process that are not in `before`.
std::map<int, std::string> NewLinks(const std::map<int, std::string>& before);

// This process's children, their children, and so on. Zombies count.
std::vector<pid_t> Descendants();

// True if a process `pid` exists; a zombie does.
bool Exists(pid_t pid);

// True if `pid` sleeps in a system call that a signal can interrupt.
bool IsSleeping(pid_t pid);
void WaitUntilItSleeps(pid_t pid);

// Ends only by a signal. For children.
[[noreturn]] void SleepForEver();

// One line per child that has not been waited for, zombies included: "process
// 4711 (cat) is running" or "process 4711 (cat) is a zombie". Empty if there is
// none, which is to say that waitpid(-1) fails with ECHILD.
std::string ChildrenLeft();

// Kills all descendants and waits for them. The caller should be a subreaper
// (prctl(PR_SET_CHILD_SUBREAPER)), or orphans are killed but not waited for.
void EndAllDescendants();

// Frees a thread that blocks on child processes or on pipes to them, so that a
// test can say what is wrong instead of hanging. Once its patience is over it
// kills all descendants of this process, and puts /dev/null in the place of
// each pipe and socket that was opened after the watchdog: reads find the end
// of file, writes and waits return. It goes on doing so until it is stopped.
// Code that blocks on anything else (a mutex, an endless loop) is left to the
// grader's deadline. Thread-safe.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::milliseconds patience);
  ~Watchdog();  // stops
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Ends the watch.
  void Stop();
  // True if it had to act.
  bool acted() const;

 private:
  void Watch(std::chrono::milliseconds patience);
  void CutLinks() const;

  std::set<std::string> known_;  // what was open before; immutable
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;  // guarded by mutex_
  bool acted_ = false;    // guarded by mutex_
  std::thread thread_;    // last: uses the members above
};

// A named pipe at which a test and a child process meet.
//
//   Gate up(directory + "/up");
//   ... start a child that does:  echo > DIRECTORY/up
//   up.WaitForByte();             // returns once the child has come so far
//
// or, the other way round, the child does `read line < PATH`, and the test
// Opens() the gate when it may go on.
class Gate {
 public:
  // Makes the named pipe; `path` must not exist.
  explicit Gate(const std::string& path);
  ~Gate();  // removes it
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  const std::string& path() const { return path_; }
  // Takes one byte. False if none comes within `patience`.
  bool WaitForByte(
      std::chrono::milliseconds patience = std::chrono::seconds(10));
  // Gives one line, for one reader.
  void Open();

 private:
  const std::string path_;
  int fd_;
};

}  // namespace support

#endif  // TESTS_SUPPORT_PROCESSES_H_
