// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 00. Each test is one rule, and its name says it.

#include <thread>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

namespace workbook {
namespace {

LOCKSTEP_TEST(TicketMachine, TicketsAreNumberedFromOne) {
  TicketMachine machine;
  EXPECT_EQ(machine.Take(), 1);
  EXPECT_EQ(machine.Take(), 2);
}

LOCKSTEP_TEST(TicketMachine, NoTwoThreadsGetTheSameTicket) {
  TicketMachine machine;
  int first = 0;
  std::thread other([&] { first = machine.Take(); });
  const int second = machine.Take();
  other.join();
  EXPECT_NE(first, second);
  EXPECT_EQ(machine.Take(), 3);
}

}  // namespace
}  // namespace workbook
