// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 09. Each test is one rule, and its name says it.

#include <chrono>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"

namespace workbook {
namespace {

TEST(Bank, ATransferMovesTheMoney) {
  Bank bank({10, 5});
  EXPECT_TRUE(bank.Transfer(0, 1, 7));
  EXPECT_EQ(bank.Balance(0), 3);
  EXPECT_EQ(bank.Balance(1), 12);
  EXPECT_TRUE(bank.Transfer(1, 0, 12)) << "all of it may leave";
  EXPECT_EQ(bank.Balance(0), 15);
  EXPECT_EQ(bank.Balance(1), 0);
}

TEST(Bank, TheTotalIsTheSumOfAllBalances) {
  Bank bank({1, 2, 3});
  EXPECT_EQ(bank.Total(), 6);
  EXPECT_EQ(Bank({}).Total(), 0);
}

TEST(Bank, WithoutEnoughMoneyNothingChanges) {
  Bank bank({10, 5});
  bool recorded = false;
  EXPECT_FALSE(bank.Transfer(0, 1, 11, [&] { recorded = true; }));
  EXPECT_FALSE(recorded) << "record() was called for a refused transfer";
  EXPECT_EQ(bank.Balance(0), 10);
  EXPECT_EQ(bank.Balance(1), 5);
}

TEST(Bank, ANegativeAmountIsRefused) {
  Bank bank({10, 5});
  EXPECT_THROW(bank.Transfer(0, 1, -1), std::invalid_argument);
  EXPECT_EQ(bank.Balance(0), 10);
  EXPECT_EQ(bank.Balance(1), 5);
}

LOCKSTEP_TEST(Bank, ATransferToItselfChangesNothing) {
  Bank bank({10});
  EXPECT_TRUE(bank.Transfer(0, 0, 10));
  EXPECT_FALSE(bank.Transfer(0, 0, 11)) << "there is not enough money";
  EXPECT_EQ(bank.Balance(0), 10);
}

LOCKSTEP_TEST(Bank, OppositeTransfersBothComplete) {
  Bank bank({10, 10});
  std::thread there([&] { EXPECT_TRUE(bank.Transfer(0, 1, 3)); });
  std::thread back([&] { EXPECT_TRUE(bank.Transfer(1, 0, 4)); });
  there.join();
  back.join();
  EXPECT_EQ(bank.Balance(0), 11);
  EXPECT_EQ(bank.Balance(1), 9);
}

LOCKSTEP_TEST(Bank, ACircleOfTransfersCompletes) {
  Bank bank({5, 5, 5});
  std::thread a([&] { EXPECT_TRUE(bank.Transfer(0, 1, 1)); });
  std::thread b([&] { EXPECT_TRUE(bank.Transfer(1, 2, 2)); });
  std::thread c([&] { EXPECT_TRUE(bank.Transfer(2, 0, 3)); });
  a.join();
  b.join();
  c.join();
  EXPECT_EQ(bank.Balance(0), 7);
  EXPECT_EQ(bank.Balance(1), 4);
  EXPECT_EQ(bank.Balance(2), 4);
}

LOCKSTEP_TEST(Bank, NoMoneyIsLostBetweenTwoTransfers) {
  Bank bank({10, 0});
  const auto move = [&] { EXPECT_TRUE(bank.Transfer(0, 1, 2)); };
  std::thread a(move), b(move);
  a.join();
  b.join();
  EXPECT_EQ(bank.Balance(0), 6);
  EXPECT_EQ(bank.Balance(1), 4);
}

LOCKSTEP_TEST(Bank, NoBalanceBecomesNegative) {
  Bank bank({5, 0, 0});
  bool first = false;
  bool second = false;
  std::thread a([&] { first = bank.Transfer(0, 1, 5); });
  std::thread b([&] { second = bank.Transfer(0, 2, 5); });
  a.join();
  b.join();
  EXPECT_NE(first, second) << "the same money was spent twice, or never";
  EXPECT_EQ(bank.Balance(0), 0);
}

LOCKSTEP_TEST(Bank, AnAuditorSeesEveryCent) {
  Bank bank({10, 10});
  std::thread mover([&] { bank.Transfer(1, 0, 4); });
  EXPECT_EQ(bank.Total(), 20) << "the balances are not of one instant";
  mover.join();
}

LOCKSTEP_TEST(Bank, TwoAuditorsAndATransferAllComplete) {
  Bank bank({10, 10});
  std::thread auditor([&] { EXPECT_EQ(bank.Total(), 20); });
  std::thread mover([&] { bank.Transfer(0, 1, 1); });
  EXPECT_EQ(bank.Total(), 20);
  auditor.join();
  mover.join();
}

LOCKSTEP_TEST(Bank, ReadingABalanceWhileMoneyMovesIsSafe) {
  Bank bank({10, 0});
  std::thread mover([&] { bank.Transfer(0, 1, 4); });
  const int seen = bank.Balance(0);
  EXPECT_TRUE(seen == 10 || seen == 6) << "seen: " << seen;
  mover.join();
  EXPECT_EQ(bank.Balance(0), 6);
}

// Each transfer waits in its record() for the other: neither can end unless
// they overlap.
LOCKSTEP_TEST(Bank, TransfersBetweenOtherAccountsOverlap) {
  Bank bank({10, 0, 10, 0});
  std::latch both_inside(2);
  const auto meet = [&] { both_inside.arrive_and_wait(); };
  std::thread a([&] { EXPECT_TRUE(bank.Transfer(0, 1, 1, meet)); });
  std::thread b([&] { EXPECT_TRUE(bank.Transfer(3, 2, 0, meet)); });
  a.join();
  b.join();
  EXPECT_EQ(bank.Total(), 20);
}

LOCKSTEP_TEST(Bank, RecordsOfOneAccountAreWrittenOneAfterTheOther) {
  Bank bank({10, 10, 10});
  int records = 0;  // Of account 1. Plain: its lock must be enough.
  const auto record = [&] { ++records; };
  std::thread a([&] { EXPECT_TRUE(bank.Transfer(0, 1, 1, record)); });
  std::thread b([&] { EXPECT_TRUE(bank.Transfer(1, 2, 1, record)); });
  a.join();
  b.join();
  EXPECT_EQ(records, 2);
}

LOCKSTEP_TEST(Bank, AFailedRecordUndoesTheTransfer) {
  Bank bank({10, 5});
  std::thread unlucky([&] {
    EXPECT_THROW(
        bank.Transfer(0, 1, 3, [] { throw std::runtime_error("no ink left"); }),
        std::runtime_error);
  });
  // The accounts are free again, or this would wait for ever.
  EXPECT_TRUE(bank.Transfer(1, 0, 1));
  unlucky.join();
  EXPECT_EQ(bank.Balance(0), 11);
  EXPECT_EQ(bank.Balance(1), 4);
}

TEST(Bank, AFailureOfAnyTypeUndoesTheTransfer) {
  Bank bank({10, 5});
  EXPECT_THROW(bank.Transfer(0, 1, 3, [] { throw 42; }), int);
  EXPECT_EQ(bank.Balance(0), 10);
  EXPECT_EQ(bank.Balance(1), 5);
}

LOCKSTEP_TEST(Bank, AnAuditorHoldsAllAccountsAtOneInstant) {
  Bank bank({10, 0, 0, 0});
  std::thread mover([&] { EXPECT_TRUE(bank.Transfer(0, 3, 4)); });
  EXPECT_EQ(bank.Total(), 10) << "the balances are not of one instant";
  mover.join();
}

LOCKSTEP_TEST(Bank, ATransferToItselfIsRecordedLikeAnyOther) {
  Bank bank({10, 0});
  int records = 0;  // Of account 0. Plain: its lock must be enough.
  const auto record = [&] { ++records; };
  std::thread other([&] { EXPECT_TRUE(bank.Transfer(0, 1, 1, record)); });
  EXPECT_TRUE(bank.Transfer(0, 0, 1, record));
  other.join();
  EXPECT_EQ(records, 2);
}

// The time of a test passes only while everybody sleeps: whoever tries again
// and again until the first transfer has ended does so for ever.
LOCKSTEP_TEST(Bank, ATransferThatHasToWaitSleeps) {
  Bank bank({10, 10, 10});
  std::latch inside(1);
  std::thread first([&] {
    EXPECT_TRUE(bank.Transfer(0, 1, 3, [&] {
      inside.count_down();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }));
  });
  inside.wait();
  // Account 2 is free, and account 1 is not.
  EXPECT_TRUE(bank.Transfer(2, 1, 4));
  first.join();
}

// Two accounts, so two acquisitions: a transfer that locks, looks, unlocks and
// locks again does too much.
LOCKSTEP_TEST_WITH(Bank, ATransferTakesEachLockOnce,
                   {.cost_budget = {.lock_operations = 2}}) {
  Bank bank({10, 5});
  EXPECT_TRUE(bank.Transfer(0, 1, 3));
}

}  // namespace
}  // namespace workbook
