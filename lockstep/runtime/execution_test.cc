// SPDX-License-Identifier: Apache-2.0
//
// Both executions run the same schedules in the same way; thread-local
// storage, exceptions and stacks survive every switch; abandoned threads come
// back.

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "lockstep/runtime/runtime.h"
#include "lockstep/strategy/random_walk.h"

namespace lockstep {
namespace {

void Check(bool condition, const char* what) {
  if (!condition) ReportFinding(Verdict::kWrongResult, what);
}

struct Results {
  std::vector<uint64_t> hashes;
  std::vector<Verdict> verdicts;
  std::string message;  // of the first failure
};

Results Explore(absl::FunctionRef<void()> body, Execution execution,
                int schedules, RunOptions options = {}) {
  options.execution = execution;
  RandomWalk strategy(7);
  Trace trace;
  Results results;
  for (int i = 0; i < schedules; ++i) {
    strategy.BeginSchedule();
    RunOnce(options, strategy, body, &trace);
    strategy.EndSchedule(trace.counters);
    results.hashes.push_back(LastRunHash());
    results.verdicts.push_back(trace.finding.verdict);
    if (results.message.empty() && trace.finding.verdict != Verdict::kNone) {
      results.message = trace.finding.message;
      for (const Site& site : trace.finding.sites) {
        results.message +=
            "; T" + std::to_string(site.thread) + " " + site.what;
      }
    }
  }
  return results;
}

// The body passes under both executions, with identical schedules.
void ExpectSame(absl::FunctionRef<void()> body, int schedules = 300,
                RunOptions options = {}) {
  // Lazy initialisation makes the first run differ.
  Explore(body, Execution::kUserLevel, 2, options);
  Explore(body, Execution::kOsThreads, 2, options);
  const Results user = Explore(body, Execution::kUserLevel, schedules, options);
  const Results os = Explore(body, Execution::kOsThreads, schedules, options);
  EXPECT_EQ(user.message, "");
  EXPECT_EQ(os.message, "");
  EXPECT_EQ(user.hashes, os.hashes);
}

std::atomic<int> g_point;  // loading it is a scheduling point

TEST(Execution, Exceptions) {
  ExpectSame([] {
    struct Noisy {
      ~Noisy() {
        Check(std::uncaught_exceptions() == 1, "uncaught_exceptions");
        g_point.load();
      }
    };
    std::exception_ptr saved[3];
    auto thrower = [&](int id) {
      try {
        try {
          Noisy noisy;
          throw std::runtime_error(std::to_string(id));
        } catch (const std::runtime_error& e) {
          g_point.load();
          Check(e.what() == std::to_string(id), "another thread's exception");
          saved[id] = std::current_exception();
          g_point.load();
          throw;
        }
      } catch (const std::exception& e) {
        g_point.load();
        Check(e.what() == std::to_string(id), "another thread's exception");
      }
    };
    std::thread a(thrower, 0), b(thrower, 1), c(thrower, 2);
    a.join();
    b.join();
    c.join();
    for (int i = 0; i < 3; ++i) {
      try {
        std::rethrow_exception(saved[i]);
      } catch (const std::runtime_error& e) {
        Check(e.what() == std::to_string(i), "saved exception");
      }
    }
  });
}

std::atomic<int> g_destroyed;
struct Local {
  std::string text = "long enough to need a block of memory of its own";
  int value = 0;
  ~Local() {
    if (value >= 1000) g_destroyed.fetch_add(1);
  }
};
thread_local Local tls_object;
thread_local int tls_seven = 7;
thread_local int tls_zero;

TEST(Execution, ThreadLocals) {
  ExpectSame([] {
    g_destroyed = 0;
    auto use = [](int id) {
      Check(tls_seven == 7 && tls_zero == 0, "not a new thread's variables");
      tls_seven = tls_zero = id;
      errno = id;
      const pthread_t me = pthread_self();
      for (int i = 0; i < 3; ++i) {
        tls_object.value = 1000 + id;
        g_point.load();
        Check(tls_object.value == 1000 + id, "another thread's object");
        Check(tls_seven == id && tls_zero == id && errno == id,
              "another thread's variable");
        Check(pthread_equal(me, pthread_self()), "another thread's id");
      }
    };
    std::thread a(use, 1), b(use, 2), c(use, 3);
    a.join();
    b.join();
    c.join();
    Check(g_destroyed == 3, "destructors of thread_local objects");
  });
}

TEST(Execution, PthreadExitUnwindsAndKeysAreDestroyed) {
  ExpectSame([] {
    static std::atomic<int> ends;
    ends = 0;
    pthread_key_t key;
    pthread_key_create(&key, [](void*) { ends.fetch_add(10); });
    struct Scope {
      ~Scope() { ends.fetch_add(1); }
    };
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void* k) -> void* {
          Scope outer;
          pthread_setspecific(*static_cast<pthread_key_t*>(k), k);
          try {
            Scope inner;
            g_point.load();
            pthread_exit(&ends);
          } catch (...) {
            throw;
          }
        },
        &key);
    void* result = nullptr;
    pthread_join(thread, &result);
    Check(result == &ends, "pthread_exit's value");
    Check(ends == 12, "destructors");
    pthread_key_delete(key);
  });
}

TEST(Execution, StandardFacilities) {
  ExpectSame([] {
    std::barrier barrier(3);
    std::latch latch(3);
    std::counting_semaphore<3> slots(1);
    std::shared_mutex shared;
    std::recursive_timed_mutex recursive;
    int value = 0;
    auto work = [&] {
      barrier.arrive_and_wait();
      slots.acquire();
      {
        std::unique_lock lock(shared);
        ++value;
      }
      slots.release();
      {
        std::shared_lock lock(shared);
        Check(value >= 1, "value");
      }
      {
        std::lock_guard outer(recursive);
        Check(recursive.try_lock_for(std::chrono::hours(1)), "recursive");
        recursive.unlock();
      }
      latch.count_down();
    };
    std::thread a(work), b(work), c(work);
    latch.wait();
    a.join();
    b.join();
    c.join();
    Check(value == 3, "value");
  });
}

TEST(Execution, Futures) {
  ExpectSame([] {
    auto three = std::async(std::launch::async, [] { return 3; });
    auto boom = std::async(std::launch::async,
                           []() -> int { throw std::runtime_error("boom"); });
    std::promise<int> promise;
    std::thread thread([&] { promise.set_value_at_thread_exit(5); });
    Check(promise.get_future().get() == 5, "promise");
    Check(three.get() == 3, "future");
    bool caught = false;
    try {
      boom.get();
    } catch (const std::runtime_error& e) {
      caught = std::string(e.what()) == "boom";
    }
    Check(caught, "exception through a future");
    thread.join();
    std::packaged_task<int()> task([] { return 9; });
    auto nine = task.get_future();
    std::thread runner(std::move(task));
    Check(nine.get() == 9, "packaged_task");
    runner.join();
  });
}

TEST(Execution, OnceAndStaticLocals) {
  ExpectSame([] {
    std::once_flag flag;
    int runs = 0, tries = 0;
    auto call = [&] {
      for (;;) {
        try {
          std::call_once(flag, [&] {
            g_point.load();
            if (tries++ == 0) throw 1;
            ++runs;
          });
          break;
        } catch (int) {
        }
      }
      Check(runs == 1, "call_once");
    };
    std::thread a(call), b(call), c(call);
    a.join();
    b.join();
    c.join();
    Check(runs == 1 && tries == 2, "call_once");
  });
}

TEST(Execution, StopTokens) {
  ExpectSame([] {
    std::mutex mutex;
    std::condition_variable_any changed;
    bool stopped = false;
    {
      std::jthread worker([&](std::stop_token token) {
        std::unique_lock lock(mutex);
        changed.wait(lock, token, [] { return false; });
        stopped = token.stop_requested();
      });
    }
    Check(stopped, "stop_token");
  });
}

TEST(Execution, Abseil) {
  ExpectSame([] {
    absl::Mutex mutex;
    absl::CondVar changed;
    absl::Notification done;
    int value = 0;
    std::thread a([&] {
      absl::MutexLock lock(&mutex);
      mutex.Await(absl::Condition(
          +[](int* v) { return *v == 1; }, &value));
      value = 2;
      changed.SignalAll();
    });
    std::thread b([&] {
      absl::MutexLock lock(&mutex);
      while (value != 2) changed.Wait(&mutex);
      value = 3;
      done.Notify();
    });
    std::thread c([&] {
      {
        absl::MutexLock lock(&mutex);
        value = 1;
      }
      const bool early = mutex.LockWhenWithTimeout(
          absl::Condition(
              +[](int* v) { return *v == 77; }, &value),
          absl::Hours(1));
      Check(!early, "timeout");
      mutex.Unlock();
    });
    done.WaitForNotification();
    {
      absl::ReaderMutexLock lock(&mutex);
      Check(value == 3, "value");
    }
    a.join();
    b.join();
    c.join();
  });
}

TEST(Execution, AnHourOfSleepCostsNothing) {
  const auto start = std::chrono::steady_clock::now();
  ExpectSame([] {
    const auto before = std::chrono::steady_clock::now();
    std::thread sleeper(
        [] { std::this_thread::sleep_for(std::chrono::hours(1)); });
    absl::SleepFor(absl::Minutes(30));
    sleeper.join();
    const auto slept = std::chrono::steady_clock::now() - before;
    Check(slept >= std::chrono::hours(1), "too short");
    Check(slept < std::chrono::minutes(61), "too long");
  });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(5));
}

TEST(Execution, TimeoutsAndSpuriousWakeups) {
  RunOptions options;
  options.spurious_wakeups = true;
  options.early_timeouts = true;
  ExpectSame(
      [] {
        std::mutex mutex;
        std::condition_variable changed;
        bool ready = false;
        std::thread waiter([&] {
          std::unique_lock lock(mutex);
          changed.wait_for(lock, std::chrono::seconds(1),
                           [&] { return ready; });
          changed.wait(lock, [&] { return ready; });
        });
        {
          std::lock_guard lock(mutex);
          ready = true;
        }
        changed.notify_one();
        waiter.join();
      },
      300, options);
}

TEST(Execution, DeadlocksAreEqualAndTheirThreadsComeBack) {
  auto body = [] {
    std::mutex m1, m2;
    std::thread a([&] {
      std::lock_guard l1(m1);
      std::lock_guard l2(m2);
    });
    std::thread b([&] {
      std::lock_guard l2(m2);
      std::lock_guard l1(m1);
    });
    a.join();
    b.join();
  };
  const Results user = Explore(body, Execution::kUserLevel, 500);
  const Results os = Explore(body, Execution::kOsThreads, 500);
  EXPECT_EQ(user.verdicts, os.verdicts);
  EXPECT_EQ(user.hashes, os.hashes);
  EXPECT_NE(user.message, "");
  EXPECT_NE(user.hashes[0], 0u);
}

long ResidentKilobytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Execution, AbandonedThreadsDoNotAccumulate) {
  auto body = [] {
    std::mutex mutex;
    mutex.lock();
    std::thread a([&] { mutex.lock(); });
    std::thread b([&] { mutex.lock(); });
    a.join();
    b.join();
    mutex.unlock();
  };
  Explore(body, Execution::kUserLevel, 1'000);
  const long before = ResidentKilobytes();
  Explore(body, Execution::kUserLevel, 10'000);
  EXPECT_LT(ResidentKilobytes() - before, 20'000);
}

TEST(Execution, HundredsOfThreads) {
  ExpectSame(
      [] {
        std::mutex mutex;
        int count = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 200; ++i) {
          threads.emplace_back([&] {
            std::lock_guard lock(mutex);
            ++count;
          });
        }
        for (std::thread& thread : threads) thread.join();
        Check(count == 200, "count");
      },
      5);
}

TEST(Execution, ForkInAControlledThread) {
  ExpectSame(
      [] {
        std::thread a([] {
          g_point.load();
          const pid_t child = fork();
          if (child == 0) {
            const std::string text(5'000, 'c');
            _exit(text.size() == 5'000 ? 3 : 4);
          }
          int status = 0;
          Check(waitpid(child, &status, 0) == child, "waitpid");
          Check(WIFEXITED(status) && WEXITSTATUS(status) == 3, "status");
        });
        std::thread b([] { g_point.load(); });
        a.join();
        b.join();
      },
      5);
}

TEST(Execution, PipesThatAreReadyAndNot) {
  ExpectSame(
      [] {
        int fds[2];
        Check(pipe(fds) == 0, "pipe");
        std::thread writer([&] { Check(write(fds[1], "x", 1) == 1, "write"); });
        writer.join();
        char c;
        Check(read(fds[0], &c, 1) == 1, "read");
        close(fds[0]);
        close(fds[1]);
      },
      20);
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const Results blocked = Explore(
      [&] {
        char c;
        Check(read(fds[0], &c, 1) == 1, "read");
      },
      DefaultExecution(), 1);
  EXPECT_EQ(blocked.verdicts[0], Verdict::kUncontrolledBlocking);
  EXPECT_NE(blocked.message.find("read()"), std::string::npos);
  close(fds[0]);
  close(fds[1]);
}

TEST(Execution, NothingIsControlledOutside) {
  EXPECT_FALSE(InControlledThread());
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  std::thread thread([&] {
    std::lock_guard lock(mutex);
    ready = !InControlledThread();
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return ready; });
  lock.unlock();
  thread.join();
}

}  // namespace
}  // namespace lockstep
