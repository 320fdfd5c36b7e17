// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 04. Each test is one rule, and its name says it.

#include <atomic>
#include <chrono>
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

LOCKSTEP_TEST(BlockingQueue, ItemsLeaveInTheOrderInWhichTheyCame) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(1));
  EXPECT_TRUE(queue.Put(2));
  EXPECT_TRUE(queue.Put(3));
  EXPECT_EQ(queue.Size(), 3u);
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Get(), 2);
  EXPECT_EQ(queue.Get(), 3);
  EXPECT_EQ(queue.Size(), 0u);
}

LOCKSTEP_TEST(BlockingQueue, OneProducersItemsReachOneConsumerInOrder) {
  BlockingQueue<int> queue(/*capacity=*/1);
  std::thread producer([&] {
    for (int i = 1; i <= 3; ++i) EXPECT_TRUE(queue.Put(i));
  });
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(queue.Get(), i);
  producer.join();
}

LOCKSTEP_TEST(BlockingQueue, EveryItemIsDeliveredExactlyOnce) {
  BlockingQueue<int> queue(/*capacity=*/1);
  std::atomic<int> sum{0};
  const auto produce = [&](int item) { EXPECT_TRUE(queue.Put(item)); };
  const auto consume = [&] {
    const std::optional<int> item = queue.Get();
    EXPECT_TRUE(item.has_value())
        << "Get came back without an item, and nobody shut the queue down";
    sum += item.value_or(0);
  };
  std::thread c1(consume), c2(consume);
  std::thread p1(produce, 1), p2(produce, 2);
  p1.join();
  p2.join();
  c1.join();
  c2.join();
  EXPECT_EQ(sum, 3) << "1 and 2 were put: one was lost or came twice";
  EXPECT_EQ(queue.Size(), 0u);
}

LOCKSTEP_TEST(BlockingQueue, GetWaitsForAnItem) {
  BlockingQueue<int> queue;
  std::thread consumer([&] { EXPECT_EQ(queue.Get(), 7); });
  EXPECT_TRUE(queue.Put(7));
  consumer.join();
}

LOCKSTEP_TEST(BlockingQueue, PutWaitsForRoom) {
  BlockingQueue<int> queue(/*capacity=*/1);
  std::atomic<bool> taking{false};
  EXPECT_TRUE(queue.Put(1));
  std::thread producer([&] {
    EXPECT_TRUE(queue.Put(2));
    EXPECT_TRUE(taking) << "Put returned while the queue was full";
  });
  taking = true;
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Get(), 2);
  producer.join();
}

LOCKSTEP_TEST(BlockingQueue, ItNeverHoldsMoreThanItsCapacity) {
  BlockingQueue<int> queue(/*capacity=*/1);
  EXPECT_TRUE(queue.Put(1));
  std::thread a([&] {
    EXPECT_TRUE(queue.Put(1));
    EXPECT_LE(queue.Size(), 1u);
  });
  std::thread b([&] {
    EXPECT_TRUE(queue.PutFor(1, hours(1)));
    EXPECT_LE(queue.Size(), 1u);
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.Get(), 1);
  a.join();
  b.join();
}

LOCKSTEP_TEST_WITH(BlockingQueue, ASpuriousWakeUpIsNotAnItem,
                   {.spurious_wakeups = true}) {
  BlockingQueue<int> queue;
  std::thread consumer([&] {
    EXPECT_EQ(queue.Get(), 1);
    EXPECT_EQ(queue.GetFor(hours(1)), 2);
  });
  EXPECT_TRUE(queue.Put(1));
  EXPECT_TRUE(queue.Put(2));
  consumer.join();
}

LOCKSTEP_TEST_WITH(BlockingQueue, ASpuriousWakeUpIsNotRoom,
                   {.spurious_wakeups = true}) {
  BlockingQueue<int> queue(/*capacity=*/1);
  EXPECT_TRUE(queue.Put(0));
  std::thread producer([&] {
    EXPECT_TRUE(queue.Put(1));
    EXPECT_TRUE(queue.PutFor(2, hours(1)));
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(queue.Size(), 1u);
    EXPECT_EQ(queue.Get(), i);
  }
  producer.join();
}

LOCKSTEP_TEST_WITH(BlockingQueue, ASpuriousWakeUpDoesNotEndJoin,
                   {.spurious_wakeups = true}) {
  BlockingQueue<int> queue;
  std::atomic<bool> finished{false};
  EXPECT_TRUE(queue.Put(1));
  std::thread joiner([&] {
    queue.Join();
    EXPECT_TRUE(finished) << "Join returned while the item was worked on";
  });
  EXPECT_EQ(queue.Get(), 1);
  finished = true;
  queue.TaskDone();
  joiner.join();
}

LOCKSTEP_TEST_WITH(BlockingQueue, AWaitingThreadSleeps,
                   {.forbid_busy_waiting = true}) {
  BlockingQueue<int> queue(/*capacity=*/1);
  std::thread consumer([&] {
    EXPECT_EQ(queue.Get(), 1);
    EXPECT_EQ(queue.GetFor(hours(1)), 2);
  });
  LetOthersWait();
  EXPECT_TRUE(queue.Put(1));
  LetOthersWait();
  EXPECT_TRUE(queue.Put(2));
  consumer.join();
  EXPECT_TRUE(queue.Put(3));
  std::thread producer([&] {
    EXPECT_TRUE(queue.Put(4));
    EXPECT_TRUE(queue.PutFor(5, hours(1)));
  });
  for (int i = 3; i <= 5; ++i) {
    LetOthersWait();
    EXPECT_EQ(queue.Get(), i);
  }
  producer.join();
}

LOCKSTEP_TEST(BlockingQueue, CapacityZeroMeansNoLimit) {
  BlockingQueue<int> queue(/*capacity=*/0);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(queue.PutFor(i, kNoWait)) << "after " << i << " items";
  }
  EXPECT_EQ(queue.Size(), 1000u);
}

LOCKSTEP_TEST(BlockingQueue, TwoPutsReleaseTwoWaitingGetters) {
  BlockingQueue<int> queue;
  const auto consume = [&] { EXPECT_EQ(queue.Get(), 7); };
  std::thread a(consume), b(consume);
  EXPECT_TRUE(queue.Put(7));
  EXPECT_TRUE(queue.Put(7));
  a.join();
  b.join();
}

LOCKSTEP_TEST(BlockingQueue, TwoGetsReleaseTwoWaitingPutters) {
  BlockingQueue<int> queue(/*capacity=*/2);
  EXPECT_TRUE(queue.Put(7));
  EXPECT_TRUE(queue.Put(7));
  const auto produce = [&] { EXPECT_TRUE(queue.Put(7)); };
  std::thread a(produce), b(produce);
  EXPECT_EQ(queue.Get(), 7);
  EXPECT_EQ(queue.Get(), 7);
  a.join();
  b.join();
  EXPECT_EQ(queue.Size(), 2u);
}

LOCKSTEP_TEST(BlockingQueue, ItemsMayBeMoveOnly) {
  BlockingQueue<std::unique_ptr<int>> queue;
  std::thread producer(
      [&] { EXPECT_TRUE(queue.Put(std::make_unique<int>(7))); });
  const std::optional<std::unique_ptr<int>> item = queue.Get();
  ASSERT_TRUE(item.has_value() && *item != nullptr);
  EXPECT_EQ(**item, 7);
  producer.join();
}

LOCKSTEP_TEST(BlockingQueue, AnItemThatLeftIsNotKept) {
  BlockingQueue<std::shared_ptr<int>> queue;
  auto item = std::make_shared<int>(7);
  const std::weak_ptr<int> trace = item;
  EXPECT_TRUE(queue.Put(std::move(item)));
  EXPECT_FALSE(trace.expired()) << "the queue lost it";
  EXPECT_TRUE(queue.Get().has_value());
  EXPECT_TRUE(trace.expired()) << "the queue still holds an item that left";
}

LOCKSTEP_TEST(BlockingQueue, GetForGivesUpAfterTheTimeout) {
  BlockingQueue<int> queue;
  const auto start = steady_clock::now();
  EXPECT_EQ(queue.GetFor(milliseconds(100)), std::nullopt);
  EXPECT_GE(steady_clock::now() - start, milliseconds(100))
      << "it gave up too early";
  EXPECT_EQ(queue.GetFor(kNoWait), std::nullopt) << "0 means: look once";
  EXPECT_TRUE(queue.Put(7));
  EXPECT_EQ(queue.GetFor(kNoWait), 7);
}

LOCKSTEP_TEST(BlockingQueue, PutForGivesUpAfterTheTimeout) {
  BlockingQueue<int> queue(/*capacity=*/1);
  EXPECT_TRUE(queue.PutFor(1, kNoWait));
  const auto start = steady_clock::now();
  EXPECT_FALSE(queue.PutFor(2, milliseconds(100)));
  EXPECT_GE(steady_clock::now() - start, milliseconds(100))
      << "it gave up too early";
  EXPECT_FALSE(queue.PutFor(3, kNoWait)) << "0 means: look once";
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Size(), 0u) << "a refused item is in the queue";
  queue.TaskDone();
  queue.Join();  // A refused item is not unfinished.
}

LOCKSTEP_TEST(BlockingQueue, TimedCallsSucceedInTime) {
  BlockingQueue<int> queue(/*capacity=*/1);
  std::thread producer([&] {
    EXPECT_TRUE(queue.PutFor(1, hours(1)));
    EXPECT_TRUE(queue.PutFor(2, hours(1)));
  });
  EXPECT_EQ(queue.GetFor(hours(1)), 1);
  EXPECT_EQ(queue.GetFor(hours(1)), 2);
  producer.join();
}

LOCKSTEP_TEST(BlockingQueue, AWakeUpDoesNotRestartTheTimeout) {
  BlockingQueue<int> queue;
  std::thread waiter([&] {
    const auto start = steady_clock::now();
    if (!queue.GetFor(milliseconds(100)) && lockstep::Supported()) {
      // Time is virtual, so exact.
      EXPECT_LE(steady_clock::now() - start, milliseconds(101))
          << "the deadline moved when an item came and went";
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(60));
    queue.Put(i);           // Wakes the waiter ...
    queue.GetFor(kNoWait);  // ... and may take the item before it looks.
  }
  waiter.join();
}

LOCKSTEP_TEST(BlockingQueue, AWakeUpDoesNotRestartTheTimeoutOfPutFor) {
  BlockingQueue<int> queue(/*capacity=*/1);
  EXPECT_TRUE(queue.Put(0));
  std::thread waiter([&] {
    const auto start = steady_clock::now();
    if (!queue.PutFor(7, milliseconds(100)) && lockstep::Supported()) {
      EXPECT_LE(steady_clock::now() - start, milliseconds(101))
          << "the deadline moved when room came and went";
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(60));
    queue.GetFor(kNoWait);     // Wakes the waiter ...
    queue.PutFor(i, kNoWait);  // ... and may take the room before it looks.
  }
  waiter.join();
}

// A notification may reach a thread at the moment in which it gives up. Then it
// has to look once more, for the item is nobody else's any more.
LOCKSTEP_TEST(BlockingQueue, WhoGivesUpSwallowsNoWakeUp) {
  BlockingQueue<int> queue;
  std::thread impatient([&] {
    if (queue.GetFor(milliseconds(1))) queue.Put(2);
  });
  std::thread patient([&] { EXPECT_TRUE(queue.Get().has_value()); });
  LetOthersWait();
  EXPECT_TRUE(queue.Put(1));
  impatient.join();
  patient.join();
}

LOCKSTEP_TEST(BlockingQueue, APutForThatGivesUpSwallowsNoWakeUp) {
  BlockingQueue<int> queue(/*capacity=*/1);
  EXPECT_TRUE(queue.Put(1));
  std::thread impatient([&] {
    if (queue.PutFor(2, milliseconds(1))) queue.Get();
  });
  std::thread patient([&] { EXPECT_TRUE(queue.Put(3)); });
  LetOthersWait();
  EXPECT_EQ(queue.Get(), 1);
  impatient.join();
  patient.join();
}

LOCKSTEP_TEST(BlockingQueue, ANegativeTimeoutIsRefused) {
  BlockingQueue<int> queue;
  EXPECT_THROW(queue.PutFor(7, nanoseconds(-1)), std::invalid_argument);
  EXPECT_EQ(queue.Size(), 0u) << "a refused call does not put the item";
  EXPECT_TRUE(queue.Put(7));
  EXPECT_THROW(queue.GetFor(nanoseconds(-1)), std::invalid_argument);
  EXPECT_EQ(queue.Size(), 1u) << "a refused call does not take the item";
}

// A deadline that overflowed lies in the past, so the call gives up as soon as
// time passes.
LOCKSTEP_TEST(BlockingQueue, AHugeTimeoutDoesNotOverflow) {
  BlockingQueue<int> queue(/*capacity=*/1);
  std::thread consumer([&] { EXPECT_EQ(queue.GetFor(nanoseconds::max()), 7); });
  LetOthersWait();
  EXPECT_TRUE(queue.PutFor(7, nanoseconds::max()));
  consumer.join();
  EXPECT_TRUE(queue.Put(8));
  std::thread producer(
      [&] { EXPECT_TRUE(queue.PutFor(9, nanoseconds::max())); });
  LetOthersWait();
  EXPECT_EQ(queue.Get(), 8);
  producer.join();
}

LOCKSTEP_TEST(BlockingQueue, JoinWaitsForTaskDoneNotForAnEmptyQueue) {
  BlockingQueue<int> queue;
  std::atomic<bool> finished{false};
  EXPECT_TRUE(queue.Put(1));
  std::thread consumer([&] {
    EXPECT_TRUE(queue.Get().has_value());
    finished = true;
    queue.TaskDone();
  });
  queue.Join();
  EXPECT_TRUE(finished) << "Join returned while the item was worked on";
  consumer.join();
}

LOCKSTEP_TEST(BlockingQueue, JoinWaitsForTheLastOfSeveralItems) {
  BlockingQueue<int> queue;
  std::atomic<int> finished{0};
  EXPECT_TRUE(queue.Put(1));
  EXPECT_TRUE(queue.Put(2));
  const auto consume = [&] {
    EXPECT_TRUE(queue.Get().has_value());
    ++finished;
    queue.TaskDone();
  };
  std::thread a(consume), b(consume);
  queue.Join();
  EXPECT_EQ(finished, 2) << "Join returned while an item was worked on";
  a.join();
  b.join();
}

LOCKSTEP_TEST(BlockingQueue, EveryThreadInJoinIsReleased) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(1));
  std::thread a([&] { queue.Join(); });
  std::thread b([&] { queue.Join(); });
  EXPECT_EQ(queue.Get(), 1);
  queue.TaskDone();
  a.join();
  b.join();
}

LOCKSTEP_TEST(BlockingQueue, JoinMayBeCalledAgain) {
  BlockingQueue<int> queue;
  queue.Join();  // Nothing was ever put.
  for (int i = 0; i < 2; ++i) {
    std::atomic<bool> finished{false};
    EXPECT_TRUE(queue.Put(i));
    std::thread consumer([&] {
      EXPECT_EQ(queue.Get(), i);
      finished = true;
      queue.TaskDone();
    });
    queue.Join();
    EXPECT_TRUE(finished) << "Join did not wait in round " << i + 1;
    queue.Join();  // Everything is done: this returns at once.
    consumer.join();
  }
}

LOCKSTEP_TEST(BlockingQueue, OneTaskDoneTooManyIsRefused) {
  BlockingQueue<int> queue;
  EXPECT_THROW(queue.TaskDone(), std::logic_error) << "nothing was ever put";
  EXPECT_TRUE(queue.Put(7));
  EXPECT_EQ(queue.Get(), 7);
  EXPECT_NO_THROW(queue.TaskDone());
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
  queue.Join();  // The refused calls have not changed the count.
}

LOCKSTEP_TEST(BlockingQueue, AfterAShutdownNothingCanBePut) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(1));
  queue.Shutdown();
  EXPECT_FALSE(queue.Put(2));
  EXPECT_FALSE(queue.PutFor(3, kNoWait));
  EXPECT_EQ(queue.Size(), 1u);
  queue.Shutdown();  // A second call changes nothing.
  EXPECT_FALSE(queue.Put(4));
}

LOCKSTEP_TEST(BlockingQueue, AfterAShutdownPendingItemsAreStillServed) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(1));
  EXPECT_TRUE(queue.Put(2));
  queue.Shutdown(Pending::kServe);
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.GetFor(kNoWait), 2);
  EXPECT_EQ(queue.Get(), std::nullopt) << "now it is empty, and ended";
  queue.TaskDone();
  queue.TaskDone();
  queue.Join();
}

LOCKSTEP_TEST(BlockingQueue, AShutdownReleasesEveryWaitingGetter) {
  BlockingQueue<int> queue;
  const auto consume = [&] { EXPECT_EQ(queue.Get(), std::nullopt); };
  std::thread a(consume), b(consume);
  queue.Shutdown();
  a.join();
  b.join();
}

LOCKSTEP_TEST(BlockingQueue, AShutdownReleasesEveryWaitingPutter) {
  BlockingQueue<int> queue(/*capacity=*/1);
  EXPECT_TRUE(queue.Put(1));
  const auto produce = [&] { EXPECT_FALSE(queue.Put(2)); };
  std::thread a(produce), b(produce);
  queue.Shutdown();
  a.join();
  b.join();
  EXPECT_EQ(queue.Get(), 1);
  EXPECT_EQ(queue.Get(), std::nullopt);
}

LOCKSTEP_TEST(BlockingQueue, AShutdownReleasesTimedCallsAtOnce) {
  BlockingQueue<int> empty, full(/*capacity=*/1);
  EXPECT_TRUE(full.Put(1));
  const auto start = steady_clock::now();
  std::thread getter([&] {
    EXPECT_EQ(empty.GetFor(hours(1)), std::nullopt);
    EXPECT_LT(steady_clock::now() - start, hours(1));
  });
  std::thread putter([&] {
    EXPECT_FALSE(full.PutFor(2, hours(1)));
    EXPECT_LT(steady_clock::now() - start, hours(1));
  });
  LetOthersWait();
  empty.Shutdown();
  full.Shutdown();
  getter.join();
  putter.join();
}

LOCKSTEP_TEST(BlockingQueue, ASecondShutdownMayDropWhatTheFirstWouldServe) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(1));
  queue.Shutdown(Pending::kServe);
  queue.Shutdown(Pending::kDrop);
  EXPECT_EQ(queue.Size(), 0u);
  EXPECT_EQ(queue.Get(), std::nullopt);
  queue.Join();  // What was dropped counts as done.
}

LOCKSTEP_TEST(BlockingQueue, DroppedItemsCountAsDone) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(1));
  EXPECT_TRUE(queue.Put(2));
  EXPECT_EQ(queue.Get(), 1);
  std::atomic<bool> finished{false};
  std::thread joiner([&] {
    queue.Join();
    EXPECT_TRUE(finished) << "item 1 was taken, so it was not dropped";
  });
  queue.Shutdown(Pending::kDrop);
  EXPECT_EQ(queue.Size(), 0u);
  EXPECT_EQ(queue.Get(), std::nullopt) << "item 2 was dropped";
  finished = true;
  queue.TaskDone();
  EXPECT_THROW(queue.TaskDone(), std::logic_error);
  joiner.join();
}

LOCKSTEP_TEST(BlockingQueue, DroppingTheLastItemReleasesJoin) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(1));
  std::thread a([&] { queue.Join(); });
  std::thread b([&] { queue.Join(); });
  queue.Shutdown(Pending::kDrop);
  a.join();
  b.join();
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(BlockingQueue, AllItsOperationsMayMeet) {
  BlockingQueue<int> queue(/*capacity=*/1);
  std::thread producer([&] {
    queue.PutFor(1, milliseconds(1));
    queue.Put(2);
  });
  std::thread consumer([&] {
    if (queue.GetFor(milliseconds(1))) queue.TaskDone();
    if (queue.Get()) queue.TaskDone();
  });
  std::thread owner([&] {
    EXPECT_LE(queue.Size(), 1u);
    queue.Shutdown(Pending::kDrop);
  });
  queue.Join();
  producer.join();
  consumer.join();
  owner.join();
  queue.Join();  // Whatever was put has been worked off or dropped.
  EXPECT_EQ(queue.Size(), 0u);
}

// One acquisition for each call.
LOCKSTEP_TEST_WITH(BlockingQueue, PutAndGetTakeTheLockOnce,
                   {.cost_budget = {.lock_operations = 2}}) {
  BlockingQueue<int> queue;
  EXPECT_TRUE(queue.Put(7));
  EXPECT_EQ(queue.Get(), 7);
}

}  // namespace
}  // namespace workbook
