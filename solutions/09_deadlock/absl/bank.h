// SPDX-License-Identifier: Apache-2.0
//
// Chapter 09, reference answer with Abseil: one order for all. Whoever holds
// several accounts has taken them in ascending order of their numbers.

#ifndef SOLUTIONS_09_DEADLOCK_ABSL_BANK_H_
#define SOLUTIONS_09_DEADLOCK_ABSL_BANK_H_

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace workbook {

class Bank {
 public:
  using Record = std::function<void()>;

  // Nobody else knows this bank yet, so there is nothing to lock.
  explicit Bank(const std::vector<int>& balances) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : accounts_(balances.size()) {
    for (size_t i = 0; i < balances.size(); ++i) {
      if (balances[i] < 0) {
        throw std::invalid_argument("Bank: negative balance");
      }
      accounts_[i].balance = balances[i];
    }
  }

  Bank(const Bank&) = delete;
  Bank& operator=(const Bank&) = delete;

  // The analysis follows names, not values: it cannot know that `first` and
  // `second` are `from` and `to`.
  bool Transfer(int from, int to, int amount,
                const Record& record = nullptr) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (amount < 0) throw std::invalid_argument("Transfer: negative amount");
    const auto [first, second] = std::minmax({from, to});
    absl::MutexLock lock(&accounts_[first].mu);
    // A mutex of Abseil is not recursive: take one account once.
    absl::MutexLockMaybe other(first == second ? nullptr
                                               : &accounts_[second].mu);
    return Move(accounts_[from], accounts_[to], amount, record);
  }

  int Balance(int account) const {
    absl::MutexLock lock(&accounts_[account].mu);
    return accounts_[account].balance;
  }

  // A loop over locks is beyond the analysis, too.
  int Total() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    int total = 0;
    for (const Account& account : accounts_) {
      account.mu.Lock();
      total += account.balance;
    }
    for (const Account& account : accounts_) account.mu.Unlock();
    return total;
  }

 private:
  struct Account {
    mutable absl::Mutex mu;
    int balance ABSL_GUARDED_BY(mu) = 0;
  };

  static bool Move(Account& source, Account& target, int amount,
                   const Record& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(source.mu, target.mu) {
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

#endif  // SOLUTIONS_09_DEADLOCK_ABSL_BANK_H_
