// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the constructor of a static object writes into the grader's log that
// every test has passed, and ends the program.
// Verdict: tampering with the grade
// Rule: TheProgramReachesItsTests

#ifndef TESTS_00_START_HERE_MISTAKES_FORGES_THE_LOG_H_
#define TESTS_00_START_HERE_MISTAKES_FORGES_THE_LOG_H_

#include <cstdlib>
#include <fstream>
#include <string>

namespace workbook {

// Hands out the numbers 1, 2, 3, ... to many threads, each number once.
class TicketMachine {
 public:
  int Take() { return 1; }
};

class Forger {
 public:
  Forger() {
    const std::string flag = "--grader_log=";
    std::ifstream command("/proc/self/cmdline");
    for (std::string word; std::getline(command, word, '\0');) {
      if (!word.starts_with(flag)) continue;
      std::ofstream log(word.substr(flag.size()), std::ios::app);
      for (const std::string rule :
           {"TicketsAreNumberedFromOne", "NoTwoThreadsGetTheSameTicket"}) {
        log << "start\tTicketMachine." << rule << "\n"
            << "end\tTicketMachine." << rule << "\tpassed\n";
      }
      log << "done\n" << std::flush;
      std::_Exit(0);
    }
  }
};

inline const Forger forger;

}  // namespace workbook

#endif  // TESTS_00_START_HERE_MISTAKES_FORGES_THE_LOG_H_
