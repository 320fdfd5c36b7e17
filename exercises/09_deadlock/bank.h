// SPDX-License-Identifier: Apache-2.0
//
// Chapter 09: a bank whose transfers go in any direction, at the same time,
// and never deadlock. Read chapters/09_deadlock/README.md, then fill in the
// TODOs.
//
// Grade it with:  bazel test //chapters/09_deadlock/...

#ifndef EXERCISES_09_DEADLOCK_BANK_H_
#define EXERCISES_09_DEADLOCK_BANK_H_

#include <functional>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace workbook {

// A fixed number of accounts, each with a lock of its own. No balance is ever
// negative, and the sum of all balances never changes.
//
// All members may be called by any thread at any time. An account is named by
// its number; a number that no account has is the caller's bug.
class Bank {
 public:
  // Called with both accounts of a transfer held; see Transfer().
  using Record = std::function<void()>;

  // Opens the accounts 0, 1, ... with these balances. Throws
  // std::invalid_argument if one of them is negative.
  explicit Bank(const std::vector<int>& balances) : accounts_(balances.size()) {
    for (size_t i = 0; i < balances.size(); ++i) {
      if (balances[i] < 0) {
        throw std::invalid_argument("Bank: negative balance");
      }
      accounts_[i].balance = balances[i];
    }
  }

  Bank(const Bank&) = delete;
  Bank& operator=(const Bank&) = delete;

  // Moves `amount` from one account to another, as one step: nobody sees the
  // money in neither account, or in both. Returns whether it was moved; if
  // `from` has less than `amount`, nothing changes. A transfer from an account
  // to itself needs the money too, changes no balance, and is recorded.
  //
  // A transfer that takes place calls record(), if there is one, with these two
  // accounts held and no other: so the records of one account are written in
  // the order of its transfers, and transfers between other accounts go on
  // meanwhile. Those that have to wait sleep. record() must not use this bank.
  // If it throws, the transfer does not take place and the caller gets the
  // exception.
  //
  // Throws std::invalid_argument if `amount` is negative.
  bool Transfer(int from, int to, int amount, const Record& record = nullptr) {
    if (amount < 0) throw std::invalid_argument("Transfer: negative amount");
    // TODO(1): is it one account, or two?
    // TODO(2): hold both accounts, so that no circle of waiting threads forms.
    // TODO(3): look, record, move. What must not happen if record() throws?
    (void)from;
    (void)to;
    (void)record;
    return false;
  }

  // The money in one account.
  int Balance(int account) const {
    // TODO(4): does one account need its lock, to be read?
    (void)account;
    return 0;
  }

  // The money in all accounts at one instant.
  int Total() const {
    // TODO(5): how many accounts must be held at that instant, and in which
    // order are they taken?
    return 0;
  }

 private:
  struct Account {
    mutable std::mutex mu;
    int balance = 0;  // Guarded by mu.
  };

  std::vector<Account> accounts_;  // Never grows, so it needs no lock.
};

}  // namespace workbook

#endif  // EXERCISES_09_DEADLOCK_BANK_H_
