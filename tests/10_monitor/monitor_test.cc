// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 10. Each test is one rule, and its name says it.

#include <atomic>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"
#include "lockstep/gtest.h"
#include "tests/support/waiting.h"

namespace workbook {
namespace {

using Messages = std::vector<std::string>;

// Counts who owns the mutex, each owner once.
class Inside {
 public:
  void Enter() {
    EXPECT_EQ(count_.fetch_add(1) + 1, 1) << "two threads own the mutex";
  }
  void Leave() { count_.fetch_sub(1); }

 private:
  std::atomic<int> count_{0};
};

LOCKSTEP_TEST(ReentrantMutex, ItsOwnerMayLockItAgain) {
  ReentrantMutex mutex;
  mutex.lock();
  mutex.lock();
  EXPECT_EQ(mutex.Depth(), 2);
  mutex.unlock();
  EXPECT_EQ(mutex.Depth(), 1);
  mutex.unlock();
  EXPECT_EQ(mutex.Depth(), 0);
}

LOCKSTEP_TEST(ReentrantMutex, TwoThreadsNeverOwnItTogether) {
  ReentrantMutex mutex;
  Inside inside;
  const auto visit = [&] {
    mutex.lock();
    inside.Enter();
    inside.Leave();
    mutex.unlock();
  };
  std::thread a(visit), b(visit);
  a.join();
  b.join();
}

LOCKSTEP_TEST(ReentrantMutex, OthersStayOutUntilTheLastUnlock) {
  ReentrantMutex mutex;
  Inside inside;
  std::thread other([&] {
    mutex.lock();
    inside.Enter();
    inside.Leave();
    mutex.unlock();
  });
  mutex.lock();
  inside.Enter();
  mutex.lock();
  mutex.unlock();  // The inner level only.
  inside.Leave();
  EXPECT_NO_THROW(mutex.unlock()) << "one level was left";
  other.join();
}

LOCKSTEP_TEST(ReentrantMutex, TheNextOwnerSeesWhatTheLastOneWrote) {
  ReentrantMutex mutex;
  int written = 0;
  const auto write = [&] {
    mutex.lock();
    mutex.lock();
    ++written;
    mutex.unlock();
    mutex.unlock();
  };
  std::thread a(write), b(write);
  a.join();
  b.join();
  EXPECT_EQ(written, 2);
}

LOCKSTEP_TEST(ReentrantMutex, ThreeWaitingThreadsAllGetThrough) {
  ReentrantMutex mutex;
  std::atomic<bool> freed{false};
  mutex.lock();
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&] {
      mutex.lock();
      EXPECT_TRUE(freed) << "lock() returned while another thread owned it";
      mutex.unlock();
    });
  }
  freed = true;
  mutex.unlock();
  for (std::thread& waiter : waiters) waiter.join();
}

LOCKSTEP_TEST(ReentrantMutex, UnlockOfAFreeMutexIsRefused) {
  ReentrantMutex mutex;
  EXPECT_THROW(mutex.unlock(), std::logic_error);
  mutex.lock();
  mutex.unlock();
  EXPECT_THROW(mutex.unlock(), std::logic_error);
  EXPECT_TRUE(mutex.try_lock()) << "a refused unlock() changes nothing";
  EXPECT_EQ(mutex.Depth(), 1);
  mutex.unlock();
}

LOCKSTEP_TEST(ReentrantMutex, UnlockByAnotherThreadIsRefused) {
  ReentrantMutex mutex;
  mutex.lock();
  std::thread other([&] { EXPECT_THROW(mutex.unlock(), std::logic_error); });
  other.join();
  EXPECT_EQ(mutex.Depth(), 1) << "a refused unlock() changes nothing";
  mutex.unlock();
}

LOCKSTEP_TEST(ReentrantMutex, TryLockSucceedsForItsOwnerOnly) {
  ReentrantMutex mutex;
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_TRUE(mutex.try_lock()) << "the caller owns it";
  std::thread other([&] { EXPECT_FALSE(mutex.try_lock()); });
  other.join();
  mutex.unlock();
  std::thread next([&] { EXPECT_FALSE(mutex.try_lock()) << "one level left"; });
  next.join();
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

LOCKSTEP_TEST(ReentrantMutex, TryLockOfItsOwnerNeverFails) {
  ReentrantMutex mutex;
  mutex.lock();
  std::thread stranger([&] { EXPECT_FALSE(mutex.try_lock()); });
  EXPECT_TRUE(mutex.try_lock()) << "somebody else tried at the same moment";
  stranger.join();
  mutex.unlock();
  mutex.unlock();
}

LOCKSTEP_TEST(ReentrantMutex, OnlyItsOwnerSeesADepth) {
  ReentrantMutex mutex;
  std::thread other([&] { EXPECT_EQ(mutex.Depth(), 0); });
  mutex.lock();
  mutex.lock();
  EXPECT_EQ(mutex.Depth(), 2);
  mutex.unlock();
  mutex.unlock();
  other.join();
}

LOCKSTEP_TEST_WITH(ReentrantMutex, AThousandLevelsAreFine, {.schedules = 1}) {
  ReentrantMutex mutex;
  for (int i = 0; i < 1000; ++i) mutex.lock();
  EXPECT_EQ(mutex.Depth(), 1000);
  for (int i = 0; i < 1000; ++i) mutex.unlock();
  EXPECT_EQ(mutex.Depth(), 0);
}

LOCKSTEP_TEST(ReentrantMutex, AnExceptionUnwindsEveryLevel) {
  ReentrantMutex mutex;
  try {
    std::lock_guard outer(mutex);
    std::lock_guard inner(mutex);
    throw std::runtime_error("both scopes are left");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(mutex.Depth(), 0);
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(ReentrantMutex, AllItsOperationsMayMeet) {
  ReentrantMutex mutex;
  Inside inside;
  std::thread a([&] {
    mutex.lock();
    inside.Enter();
    inside.Leave();
    mutex.unlock();
  });
  std::thread b([&] {
    if (mutex.try_lock()) {
      inside.Enter();
      EXPECT_EQ(mutex.Depth(), 1);
      inside.Leave();
      mutex.unlock();
    }
  });
  EXPECT_EQ(mutex.Depth(), 0);
  EXPECT_THROW(mutex.unlock(), std::logic_error);
  a.join();
  b.join();
}

LOCKSTEP_TEST(Condition, WaitReturnsAtOnceIfItsConditionIsTrue) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  mutex.lock();
  int looks = 0;
  condition.Wait([&] { return ++looks > 0; });
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(mutex.Depth(), 1);
  mutex.unlock();
}

// The test of every level: as long as one is kept, the other thread cannot make
// the condition true.
LOCKSTEP_TEST(Condition, AWaitGivesUpEveryLevel) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  bool ready = false;  // Guarded by mutex.
  std::thread other([&] {
    mutex.lock();
    ready = true;
    condition.NotifyAll();
    mutex.unlock();
  });
  mutex.lock();
  mutex.lock();
  condition.Wait([&] { return ready; });
  mutex.unlock();
  mutex.unlock();
  other.join();
}

LOCKSTEP_TEST(Condition, AfterAWaitTheCallerOwnsItAsDeepAsBefore) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  bool ready = false;
  std::thread other([&] {
    mutex.lock();
    ready = true;
    condition.NotifyAll();
    mutex.unlock();
  });
  mutex.lock();
  mutex.lock();
  condition.Wait([&] {
    EXPECT_EQ(mutex.Depth(), 2) << "ready() runs with the mutex owned";
    return ready;
  });
  EXPECT_EQ(mutex.Depth(), 2);
  EXPECT_NO_THROW(mutex.unlock());
  EXPECT_NO_THROW(mutex.unlock());
  EXPECT_EQ(mutex.Depth(), 0);
  other.join();
}

LOCKSTEP_TEST(Condition, AWaitReturnsOnlyWhenItsConditionIsTrue) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  int count = 0;  // Guarded by mutex.
  std::thread other([&] {
    for (int i = 0; i < 2; ++i) {
      std::lock_guard lock(mutex);
      ++count;
      condition.NotifyAll();
    }
  });
  mutex.lock();
  condition.Wait([&] { return count == 2; });
  EXPECT_EQ(count, 2);
  mutex.unlock();
  other.join();
}

LOCKSTEP_TEST(Condition, ANotificationReachesEveryWaiter) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  Inside inside;
  bool ready = false;  // Guarded by mutex.
  const auto wait = [&] {
    mutex.lock();
    condition.Wait([&] { return ready; });
    inside.Enter();
    inside.Leave();
    mutex.unlock();
  };
  std::thread a(wait), b(wait);
  mutex.lock();
  ready = true;
  condition.NotifyAll();
  mutex.unlock();
  a.join();
  b.join();
}

// Whoever waits must let a thread in that waits for the mutex itself, too.
LOCKSTEP_TEST(Condition, AWaitLetsTheNextThreadIn) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  std::latch held(1);
  bool ready = false;  // Guarded by mutex.
  std::thread waiter([&] {
    mutex.lock();
    held.count_down();
    condition.Wait([&] { return ready; });
    mutex.unlock();
  });
  held.wait();
  mutex.lock();
  ready = true;
  condition.NotifyAll();
  mutex.unlock();
  waiter.join();
}

LOCKSTEP_TEST_WITH(Condition, AWaitingThreadSleeps,
                   {.forbid_busy_waiting = true}) {
  ReentrantMutex mutex;
  Condition changed(mutex);
  bool ready = false;
  std::thread waiter([&] {
    mutex.lock();
    changed.Wait([&] { return ready; });
    mutex.unlock();
  });
  support::LetOthersWait();
  mutex.lock();
  ready = true;
  changed.NotifyAll();
  mutex.unlock();
  waiter.join();
}

LOCKSTEP_TEST(Condition, WaitingWithoutTheMutexIsRefused) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  EXPECT_THROW(condition.Wait([] { return true; }), std::logic_error);
  mutex.lock();
  std::thread other([&] {
    EXPECT_THROW(condition.Wait([] { return true; }), std::logic_error);
  });
  other.join();
  EXPECT_EQ(mutex.Depth(), 1) << "a refused Wait() changes nothing";
  mutex.unlock();
}

LOCKSTEP_TEST(Condition, NotifyingWithoutTheMutexIsRefused) {
  ReentrantMutex mutex;
  Condition condition(mutex);
  EXPECT_THROW(condition.NotifyAll(), std::logic_error);
  mutex.lock();
  std::thread other(
      [&] { EXPECT_THROW(condition.NotifyAll(), std::logic_error); });
  other.join();
  EXPECT_NO_THROW(condition.NotifyAll());
  mutex.unlock();
}

LOCKSTEP_TEST(MessageBoard, MessagesAreTakenInTheOrderInWhichTheyWerePosted) {
  MessageBoard board;
  board.Post("a");
  board.PostAll({"b", "c"});
  EXPECT_EQ(board.Take(2), (Messages{"a", "b"}));
  EXPECT_EQ(board.Take(0), Messages{});
  EXPECT_EQ(board.Take(1), Messages{"c"});
}

LOCKSTEP_TEST(MessageBoard, AnOperationMayUseAnother) {
  MessageBoard board;
  EXPECT_EQ(board.Exchange({"a", "b"}, 1), Messages{"a"});
  EXPECT_EQ(board.Take(1), Messages{"b"});
}

LOCKSTEP_TEST(MessageBoard, MessagesPostedTogetherStandTogether) {
  MessageBoard board;
  std::thread other([&] { board.Post("x"); });
  board.PostAll({"a", "b"});
  other.join();
  const Messages all = board.Take(3);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NE(all[1], "x") << "another thread came between them";
}

LOCKSTEP_TEST(MessageBoard, NobodyComesBetweenTheStepsOfAnExchange) {
  MessageBoard board;
  std::thread other([&] { board.Take(1); });
  EXPECT_EQ(board.Exchange({"a", "b"}, 2), (Messages{"a", "b"}));
  board.Post("c");  // For the other thread.
  other.join();
}

LOCKSTEP_TEST(MessageBoard, TakeWaitsUntilThereAreEnough) {
  MessageBoard board;
  std::thread poster([&] {
    board.Post("a");
    board.Post("b");
  });
  EXPECT_EQ(board.Take(2), (Messages{"a", "b"}));
  poster.join();
}

LOCKSTEP_TEST(MessageBoard, AWaitingExchangeLetsOthersIn) {
  MessageBoard board;
  std::thread other([&] { board.Post("answer"); });
  const Messages both = board.Exchange({"question"}, 2);
  EXPECT_EQ(both.size(), 2u);
  other.join();
}

LOCKSTEP_TEST(MessageBoard, TakersOfDifferentCountsAllGetTheirs) {
  MessageBoard board;
  std::thread two([&] { EXPECT_EQ(board.Take(2).size(), 2u); });
  std::thread one([&] { EXPECT_EQ(board.Take(1).size(), 1u); });
  board.Post("a");
  board.PostAll({"b", "c"});
  two.join();
  one.join();
}

// Whoever has waited was woken up.
LOCKSTEP_TEST(MessageBoard, WaitingAndRemovingAreOneStep) {
  MessageBoard board;
  std::thread a([&] { EXPECT_EQ(board.Take(2).size(), 2u); });
  std::thread b([&] { EXPECT_EQ(board.Take(1).size(), 1u); });
  board.PostAll({"a", "b"});
  board.Post("c");
  a.join();
  b.join();
}

LOCKSTEP_TEST_WITH(MessageBoard, TwoBoardsDoNotWaitForEachOther,
                   {.cost_budget = {.wakeups = 0}}) {
  MessageBoard ours, theirs;
  std::thread other([&] { EXPECT_EQ(theirs.Exchange({"a"}, 1).size(), 1u); });
  EXPECT_EQ(ours.Exchange({"b", "c"}, 2), (Messages{"b", "c"}));
  other.join();
}

// Every pair of operations meets here, so that a race between any two shows.
LOCKSTEP_TEST(MessageBoard, AllItsOperationsMayMeet) {
  MessageBoard board;
  std::thread a([&] { board.Post("a"); });
  std::thread b([&] { EXPECT_EQ(board.Take(1).size(), 1u); });
  std::thread c([&] { EXPECT_EQ(board.Exchange({"c"}, 1).size(), 1u); });
  board.PostAll({"d", "e"});
  a.join();
  b.join();
  c.join();
  EXPECT_EQ(board.Take(2).size(), 2u) << "4 were posted, 2 taken";
}

}  // namespace
}  // namespace workbook
