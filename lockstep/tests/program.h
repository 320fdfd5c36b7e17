// SPDX-License-Identifier: Apache-2.0
//
// The corpus: small concurrent programs with a known verdict. The bugs must
// be found, the controls must never raise an alarm.
//
// The programs are ordinary C++ and know nothing of lockstep: the same code
// runs natively, under ThreadSanitizer and under lockstep::Explore().

#ifndef LOCKSTEP_TESTS_PROGRAM_H_
#define LOCKSTEP_TESTS_PROGRAM_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lockstep/trace.h"

namespace lockstep::tests {

// A set of verdicts. A program may have more than one right diagnosis: a
// thread that waits inside a nested monitor is in a deadlock, and its wake-up
// is lost too.
class VerdictSet {
 public:
  constexpr VerdictSet(Verdict verdict)  // NOLINT(google-explicit-constructor)
      : bits_(Bit(verdict)) {}
  constexpr VerdictSet(std::initializer_list<Verdict> verdicts) {
    for (Verdict verdict : verdicts) bits_ |= Bit(verdict);
  }
  constexpr bool contains(Verdict verdict) const {
    return (bits_ & Bit(verdict)) != 0;
  }

 private:
  static constexpr uint32_t Bit(Verdict verdict) {
    return uint32_t{1} << static_cast<int>(verdict);
  }
  uint32_t bits_ = 0;
};

// How often the failure shows.
enum class Shows : uint8_t {
  kSometimes,  // some schedules fail
  kAlways,     // every schedule fails, so the first one does
};

// What ThreadSanitizer makes of a native run.
enum class Tsan : uint8_t {
  kSilent,     // it must not report a data race
  kReports,    // it must report a data race
  kUndefined,  // not compared: the comment beside the program says why
};

struct Program {
  const char* name;
  void (*body)();
  VerdictSet expected = Verdict::kNone;
  Shows shows = Shows::kSometimes;
  Tsan tsan = Tsan::kSilent;
  // Options the program needs; see lockstep::Options.
  bool forbid_busy_waiting = false;
  bool spurious_wakeups = false;
};

// All programs with a bug, in the order of the files in bugs/.
std::vector<Program> Bugs();
// All correct programs, in the order of the files in controls/.
std::vector<Program> Controls();

// Checks what a program computed. If `condition` is false, calls the handler
// that the test driver has set: under lockstep it ends the schedule with
// "wrong result"; natively it counts.
void Expect(bool condition, const char* message);

using ExpectHandler = void (*)(const char* message);
void SetExpectHandler(ExpectHandler handler);

}  // namespace lockstep::tests

#endif  // LOCKSTEP_TESTS_PROGRAM_H_
