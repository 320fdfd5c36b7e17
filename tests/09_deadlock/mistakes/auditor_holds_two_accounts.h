// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the auditor goes hand over hand: it never holds more than two
// accounts. Money that moves from the first account to the last is counted in
// both, or in neither.
// Verdict: wrong result
// Rule: AnAuditorHoldsAllAccountsAtOneInstant

#ifndef TESTS_09_DEADLOCK_MISTAKES_AUDITOR_HOLDS_TWO_ACCOUNTS_H_
#define TESTS_09_DEADLOCK_MISTAKES_AUDITOR_HOLDS_TWO_ACCOUNTS_H_

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
    if (&source == &target) {
      // scoped_lock must not get the same mutex twice.
      std::lock_guard lock(source.mu);
      return Move(source, target, amount, record);
    }
    std::scoped_lock lock(source.mu, target.mu);
    return Move(source, target, amount, record);
  }

  int Balance(int account) const {
    std::lock_guard lock(accounts_[account].mu);
    return accounts_[account].balance;
  }

  int Total() const {
    std::vector<std::unique_lock<std::mutex>> locks;
    locks.reserve(accounts_.size());
    int total = 0;
    for (const Account& account : accounts_) {
      locks.emplace_back(account.mu);
      if (locks.size() > 2) locks.erase(locks.begin());
      total += account.balance;
    }
    return total;
  }

 private:
  struct Account {
    mutable std::mutex mu;
    int balance = 0;  // Guarded by mu.
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

  std::vector<Account> accounts_;
};

}  // namespace workbook

#endif  // TESTS_09_DEADLOCK_MISTAKES_AUDITOR_HOLDS_TWO_ACCOUNTS_H_
