// SPDX-License-Identifier: Apache-2.0
//
// Mistake: One lock for the whole bank: no deadlock, and no two transfers at
// the same time either.
// Verdict: deadlock
// Rule: TransfersBetweenOtherAccountsOverlap

#ifndef TESTS_09_DEADLOCK_MISTAKES_ONE_LOCK_FOR_THE_BANK_H_
#define TESTS_09_DEADLOCK_MISTAKES_ONE_LOCK_FOR_THE_BANK_H_

#include <functional>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace workbook {

class Bank {
 public:
  using Record = std::function<void()>;

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

  bool Transfer(int from, int to, int amount, const Record& record = nullptr) {
    if (amount < 0) throw std::invalid_argument("Transfer: negative amount");
    Account& source = accounts_[from];
    Account& target = accounts_[to];
    std::lock_guard lock(mu_);
    return Move(source, target, amount, record);
  }

  int Balance(int account) const {
    std::lock_guard lock(mu_);
    return accounts_[account].balance;
  }

  int Total() const {
    std::lock_guard lock(mu_);
    int total = 0;
    for (const Account& account : accounts_) total += account.balance;
    return total;
  }

 private:
  struct Account {
    int balance = 0;  // Guarded by mu_.
  };

  // REQUIRES: the mutexes of both accounts are held.
  static bool Move(Account& source, Account& target, int amount,
                   const Record& record) {
    if (source.balance < amount) return false;
    // Nobody else may look before the locks are free, so it is early enough to
    // move the money once nothing can throw any more.
    if (record) record();
    source.balance -= amount;
    target.balance += amount;
    return true;
  }

  mutable std::mutex mu_;
  std::vector<Account> accounts_;
};

}  // namespace workbook

#endif  // TESTS_09_DEADLOCK_MISTAKES_ONE_LOCK_FOR_THE_BANK_H_
