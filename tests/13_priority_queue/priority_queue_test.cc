// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 13. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "tests/support/waiting.h"

namespace workbook {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using support::LetOthersWait;

constexpr nanoseconds kNoWait(0);

LOCKSTEP_TEST(PriorityQueue, TheHighestPriorityLeavesFirst) {
  PriorityQueue<int> queue;
  for (const int priority : {3, -1, 7, 0, 5}) queue.Put(priority, priority);
  EXPECT_EQ(queue.Size(), 5u);
  for (const int priority : {7, 5, 3, 0, -1}) EXPECT_EQ(queue.Pop(), priority);
  EXPECT_EQ(queue.Size(), 0u);
}

LOCKSTEP_TEST(PriorityQueue, EqualPrioritiesLeaveInTheOrderInWhichTheyCame) {
  PriorityQueue<int> queue;
  queue.Put(100, 1);
  for (const int item : {5, 2, 4, 1, 3}) queue.Put(item, 7);
  queue.Put(200, 9);
  EXPECT_EQ(queue.Pop(), 200);
  for (const int item : {5, 2, 4, 1, 3}) EXPECT_EQ(queue.Pop(), item);
  EXPECT_EQ(queue.Pop(), 100);
}

TEST(PriorityQueue, ManyOfEqualPriorityStayInOrderToo) {
  PriorityQueue<int> queue;
  for (int i = 0; i < 1000; ++i) queue.Put(i, 7);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(queue.Pop(), i);
}

LOCKSTEP_TEST(PriorityQueue, ItemsThatComeBetweenPopsTakeTheirPlace) {
  PriorityQueue<int> queue;
  queue.Put(1, 5);
  queue.Put(2, 5);
  EXPECT_EQ(queue.Pop(), 1);
  queue.Put(3, 5);
  queue.Put(4, 6);
  EXPECT_EQ(queue.Pop(), 4);
  EXPECT_EQ(queue.Pop(), 2);
  EXPECT_EQ(queue.Pop(), 3);
}

LOCKSTEP_TEST(PriorityQueue, AnyIntIsAPriority) {
  PriorityQueue<int> queue;
  constexpr int kLowest = std::numeric_limits<int>::min();
  constexpr int kHighest = std::numeric_limits<int>::max();
  for (const int priority : {0, kLowest, -1, kHighest, 1}) {
    queue.Put(priority, priority);
  }
  for (const int priority : {kHighest, 1, 0, -1, kLowest}) {
    EXPECT_EQ(queue.Pop(), priority);
  }
}

// Compares, but should not.
struct Task {
  int name = 0;
  bool operator<(const Task& other) const {
    ADD_FAILURE() << "the queue compared two items";
    return name < other.name;
  }
  bool operator>(const Task& other) const { return other < *this; }
};

LOCKSTEP_TEST(PriorityQueue, ItemsAreNotCompared) {
  PriorityQueue<Task> queue;
  for (const int name : {2, 1, 3}) queue.Put(Task{name}, 7);
  for (const int name : {2, 1, 3}) EXPECT_EQ(queue.Pop().name, name);
}

LOCKSTEP_TEST(PriorityQueue, ItemsMayBeMoveOnly) {
  PriorityQueue<std::unique_ptr<int>> queue;
  std::thread producer([&] {
    queue.Put(std::make_unique<int>(1), 1);
    queue.Put(std::make_unique<int>(2), 2);
  });
  producer.join();
  for (const int expected : {2, 1}) {
    const std::unique_ptr<int> item = queue.Pop();
    ASSERT_NE(item, nullptr);
    EXPECT_EQ(*item, expected);
  }
}

LOCKSTEP_TEST(PriorityQueue, AnItemThatLeftIsNotKept) {
  PriorityQueue<std::shared_ptr<int>> queue;
  auto item = std::make_shared<int>(7);
  const std::weak_ptr<int> trace = item;
  queue.Put(std::move(item), 0);
  EXPECT_FALSE(trace.expired()) << "the queue lost it";
  queue.Pop().reset();
  EXPECT_TRUE(trace.expired()) << "the queue still holds an item that left";
}

LOCKSTEP_TEST(PriorityQueue, APutBeforeThePopIsNotLost) {
  PriorityQueue<int> queue;
  queue.Put(7, 0);
  EXPECT_EQ(queue.Pop(), 7);
}

LOCKSTEP_TEST(PriorityQueue, PopWaitsForAnItem) {
  PriorityQueue<int> queue;
  std::thread consumer([&] { EXPECT_EQ(queue.Pop(), 7); });
  queue.Put(7, 0);
  consumer.join();
}

LOCKSTEP_TEST(PriorityQueue, TwoPutsReleaseTwoWaitingPops) {
  PriorityQueue<int> queue;
  const auto consume = [&] { EXPECT_EQ(queue.Pop(), 7); };
  std::thread a(consume), b(consume);
  queue.Put(7, 0);
  queue.Put(7, 0);
  a.join();
  b.join();
}

LOCKSTEP_TEST(PriorityQueue, EveryItemIsPoppedExactlyOnce) {
  PriorityQueue<int> queue;
  std::atomic<int> sum{0};
  const auto consume = [&] { sum += queue.Pop(); };
  std::thread c1(consume), c2(consume);
  std::thread p1([&] { queue.Put(1, 0); });
  std::thread p2([&] { queue.Put(2, 0); });
  p1.join();
  p2.join();
  c1.join();
  c2.join();
  EXPECT_EQ(sum, 3) << "1 and 2 were put: one was lost or came twice";
  EXPECT_EQ(queue.Size(), 0u);
}

LOCKSTEP_TEST(PriorityQueue, AnItemThatIsInLeavesBeforeAnEqualThatIsNot) {
  PriorityQueue<int> queue;
  std::thread p1([&] { queue.Put(1, 0); });
  std::thread p2([&] { queue.Put(2, 0); });
  p2.join();
  const bool only_two_is_in = queue.Size() == 1;
  p1.join();
  const int first = queue.Pop();
  if (only_two_is_in) {
    EXPECT_EQ(first, 2) << "2 was in the queue when 1 was not";
  }
}

LOCKSTEP_TEST(PriorityQueue, APopTakesTheHighestThatIsThere) {
  PriorityQueue<int> queue;
  queue.Put(1, 1);
  std::thread producer([&] {
    queue.Put(3, 3);
    queue.Put(2, 2);
  });
  const int first = queue.Pop();
  EXPECT_TRUE(first == 1 || first == 3)
      << first << " left first, but 3 was put before it";
  producer.join();
  EXPECT_EQ(queue.Pop(), first == 3 ? 2 : 3);
}

LOCKSTEP_TEST(PriorityQueue, TryPopTakesAnItemOrNothing) {
  PriorityQueue<int> queue;
  EXPECT_EQ(queue.TryPop(), std::nullopt);
  queue.Put(7, 0);
  queue.Put(8, 1);
  EXPECT_EQ(queue.TryPop(), 8);
  EXPECT_EQ(queue.TryPop(), 7);
  EXPECT_EQ(queue.TryPop(), std::nullopt);
}

LOCKSTEP_TEST(PriorityQueue, TwoTryPopsTakeTwoItems) {
  PriorityQueue<int> queue;
  queue.Put(7, 0);
  queue.Put(8, 0);
  std::thread other([&] { EXPECT_TRUE(queue.TryPop().has_value()); });
  EXPECT_TRUE(queue.TryPop().has_value()) << "there was an item for each";
  other.join();
}

LOCKSTEP_TEST(PriorityQueue, OnlyOneTryPopTakesTheLastItem) {
  PriorityQueue<int> queue;
  std::atomic<int> taken{0};
  queue.Put(7, 0);
  const auto attempt = [&] {
    if (queue.TryPop()) ++taken;
  };
  std::thread a(attempt), b(attempt);
  a.join();
  b.join();
  EXPECT_EQ(taken, 1);
}

LOCKSTEP_TEST(PriorityQueue, PopForGivesUpAfterTheTimeout) {
  PriorityQueue<int> queue;
  const auto start = steady_clock::now();
  EXPECT_EQ(queue.PopFor(milliseconds(100)), std::nullopt);
  EXPECT_GE(steady_clock::now() - start, milliseconds(100))
      << "it gave up too early";
  EXPECT_EQ(queue.PopFor(kNoWait), std::nullopt) << "0 means: look once";
  queue.Put(7, 0);
  EXPECT_EQ(queue.PopFor(kNoWait), 7);
}

LOCKSTEP_TEST(PriorityQueue, PopForTakesAnItemThatComesInTime) {
  PriorityQueue<int> queue;
  std::thread consumer([&] { EXPECT_EQ(queue.PopFor(hours(1)), 7); });
  queue.Put(7, 0);
  consumer.join();
}

LOCKSTEP_TEST(PriorityQueue, AWakeUpDoesNotRestartTheTimeout) {
  PriorityQueue<int> queue;
  std::thread waiter([&] {
    const auto start = steady_clock::now();
    if (!queue.PopFor(milliseconds(100)) && lockstep::Supported()) {
      // Time is virtual, so exact.
      EXPECT_LE(steady_clock::now() - start, milliseconds(101))
          << "the deadline moved when an item came and went";
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(60));
    queue.Put(i, 0);  // Wakes the waiter ...
    queue.TryPop();   // ... and may take the item before it looks.
  }
  waiter.join();
}

// A notification may reach a thread at the moment in which it gives up. Then it
// has to look once more, for nobody else is told of the item.
LOCKSTEP_TEST(PriorityQueue, WhoGivesUpSwallowsNoWakeUp) {
  PriorityQueue<int> queue;
  std::thread impatient([&] {
    if (queue.PopFor(milliseconds(1))) queue.Put(2, 0);
  });
  std::thread patient([&] { queue.Pop(); });
  LetOthersWait();
  queue.Put(1, 0);
  impatient.join();
  patient.join();
}

TEST(PriorityQueue, ANegativeTimeoutIsRefused) {
  PriorityQueue<int> queue;
  queue.Put(7, 0);
  EXPECT_THROW(queue.PopFor(nanoseconds(-1)), std::invalid_argument);
  EXPECT_EQ(queue.Size(), 1u) << "a refused call does not take the item";
}

// A deadline that overflowed lies in the past, so the call gives up as soon as
// time passes.
LOCKSTEP_TEST(PriorityQueue, AHugeTimeoutDoesNotOverflow) {
  PriorityQueue<int> queue;
  std::thread consumer([&] { EXPECT_EQ(queue.PopFor(nanoseconds::max()), 7); });
  LetOthersWait();
  queue.Put(7, 0);
  consumer.join();
}

LOCKSTEP_TEST_WITH(PriorityQueue, AWaitingThreadSleeps,
                   {.forbid_busy_waiting = true}) {
  PriorityQueue<int> queue;
  std::thread consumer([&] {
    EXPECT_EQ(queue.Pop(), 7);
    EXPECT_EQ(queue.PopFor(hours(1)), 8);
  });
  LetOthersWait();
  queue.Put(7, 0);
  LetOthersWait();
  queue.Put(8, 0);
  consumer.join();
}

LOCKSTEP_TEST_WITH(PriorityQueue, ASpuriousWakeUpIsNotAnItem,
                   {.spurious_wakeups = true}) {
  PriorityQueue<int> queue;
  std::thread consumer([&] {
    EXPECT_EQ(queue.Pop(), 7);
    EXPECT_EQ(queue.PopFor(hours(1)), 8);
  });
  queue.Put(7, 0);
  queue.Put(8, 0);
  consumer.join();
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(PriorityQueue, AllItsOperationsMayMeet) {
  PriorityQueue<int> queue;
  std::atomic<int> taken{0};
  std::thread producer([&] {
    queue.Put(1, 0);
    queue.Put(2, 1);
  });
  std::thread consumer([&] {
    if (queue.PopFor(milliseconds(1))) ++taken;
    if (queue.TryPop()) ++taken;
  });
  std::thread observer([&] { EXPECT_LE(queue.Size(), 3u); });
  queue.Put(3, 2);
  queue.Pop();
  producer.join();
  consumer.join();
  observer.join();
  EXPECT_EQ(queue.Size() + taken, 2u);
}

// One acquisition of the mutex for each call.
LOCKSTEP_TEST_WITH(PriorityQueue, PutAndPopTakeTheMutexOnce,
                   {.cost_budget = {.lock_operations = 2}}) {
  PriorityQueue<int> queue;
  queue.Put(7, 0);
  EXPECT_EQ(queue.Pop(), 7);
}

}  // namespace
}  // namespace workbook
