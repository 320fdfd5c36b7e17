// SPDX-License-Identifier: Apache-2.0
//
// From code addresses to source lines, and from data addresses to the names
// of global variables.

#ifndef LOCKSTEP_REPORT_SYMBOLIZER_H_
#define LOCKSTEP_REPORT_SYMBOLIZER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/trace.h"

namespace lockstep {

struct Frame {
  std::string function;  // demangled; may be empty
  std::string file;      // relative to the workspace if it is inside; or ""
  int line = 0;

  bool known() const { return !file.empty() && line > 0; }
};

// True for frames of the standard library, Abseil, GoogleTest and lockstep:
// not what a student wants to see first.
bool IsLibraryFrame(const Frame& frame);

// An interface so that reports can be tested without a program to look into.
class Symbolizer {
 public:
  virtual ~Symbolizer() = default;

  // Announces addresses that will be asked for, so that all can be looked up
  // at once.
  virtual void Prepare(const std::vector<CodeAddress>& addresses) = 0;

  // The frames at a return address: inlined functions first, the function
  // that contains the address last. Empty if nothing is known.
  virtual const std::vector<Frame>& Frames(CodeAddress address) = 0;

  // False if the address is code of a shared library.
  virtual bool InProgram(CodeAddress) { return true; }

  // The global variable at `address`, or "". A member of an object or element
  // of an array gives the name and "+offset".
  virtual std::string GlobalName(uintptr_t address) = 0;

  // The text of a source line without leading space, or "".
  virtual std::string SourceLine(const std::string& file, int line) = 0;
};

// The innermost frame of the code under test in `stack`: the first that is not
// a library frame; an unknown one if there is none. Sets *in_gtest to true if
// there are frames of GoogleTest further in.
Frame StudentFrame(Symbolizer& symbolizer,
                   const std::vector<CodeAddress>& stack,
                   bool* in_gtest = nullptr);

// Looks at this process: runs addr2line once per loaded file that addresses
// lie in and reads symbol tables itself. Without addr2line, or without debug
// information, answers are empty.
std::unique_ptr<Symbolizer> MakeProcessSymbolizer();

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_SYMBOLIZER_H_
