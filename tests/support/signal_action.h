// SPDX-License-Identifier: Apache-2.0
//
// What a signal does for as long as an object lives.

#ifndef TESTS_SUPPORT_SIGNAL_ACTION_H_
#define TESTS_SUPPORT_SIGNAL_ACTION_H_

#include <signal.h>

namespace support {

// Sets what a signal does, and sets it back.
class SignalAction {
 public:
  // `handler` may also be SIG_IGN or SIG_DFL. Without SA_RESTART: waits that
  // the signal interrupts fail with EINTR.
  SignalAction(int signal_number, void (*handler)(int))
      : signal_number_(signal_number) {
    struct sigaction action = {};
    action.sa_handler = handler;
    sigaction(signal_number, &action, &old_);
  }
  ~SignalAction() { sigaction(signal_number_, &old_, nullptr); }
  SignalAction(const SignalAction&) = delete;
  SignalAction& operator=(const SignalAction&) = delete;

 private:
  const int signal_number_;
  struct sigaction old_;
};

}  // namespace support

#endif  // TESTS_SUPPORT_SIGNAL_ACTION_H_
