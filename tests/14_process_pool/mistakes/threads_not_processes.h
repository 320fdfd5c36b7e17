// SPDX-License-Identifier: Apache-2.0
//
// Mistake: the workers are threads, which share the caller's memory and its
//   fate.
// Verdict: wrong result
// Rule: TasksRunInOtherProcesses

#ifndef WORKBOOK_14_PROCESS_POOL_PROCESS_POOL_H_
#define WORKBOOK_14_PROCESS_POOL_PROCESS_POOL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace workbook {

class TaskError : public std::runtime_error {
 public:
  TaskError(std::string type, const std::string& text)
      : std::runtime_error(text), type(std::move(type)) {}

  std::string type;
};

class BrokenProcessPool : public std::runtime_error {
 public:
  explicit BrokenProcessPool(int status)
      : std::runtime_error("a worker has ended"), status(status) {}

  int status;
};

class ProcessPool {
 public:
  using Task = std::function<std::string(const std::string&)>;
  using Strings = std::vector<std::string>;

  static constexpr size_t kMaxResultSize = size_t{16} << 20;

  ProcessPool(size_t workers, Task task)
      : workers_(workers), task_(std::move(task)) {
    if (workers == 0) throw std::invalid_argument("ProcessPool: no workers");
  }

  Strings Map(const Strings& items, size_t chunk = 1) {
    if (chunk == 0) throw std::invalid_argument("Map: the chunks are empty");
    if (workers_ == 0) throw std::logic_error("Map: the pool is shut down");
    Strings results(items.size());
    std::vector<std::optional<std::string>> errors(items.size());
    std::atomic<size_t> next = 0;
    std::vector<std::thread> threads;
    for (size_t t = 0; t < workers_; ++t) {
      threads.emplace_back([&] {
        for (size_t i = next++; i < items.size(); i = next++) {
          try {
            results[i] = task_(items[i]);
          } catch (const std::exception& error) {
            errors[i] = error.what();
          } catch (...) {
            errors[i] = "";
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& error : errors) {
      if (error.has_value()) throw TaskError("std::exception", *error);
    }
    return results;
  }

  std::vector<int> Shutdown() {
    return std::vector<int>(std::exchange(workers_, 0), 0);
  }

 private:
  size_t workers_;
  const Task task_;
};

}  // namespace workbook

#endif  // WORKBOOK_14_PROCESS_POOL_PROCESS_POOL_H_
