// SPDX-License-Identifier: Apache-2.0
//
// The rules of chapter 17. Each test is one rule, and its name says it. All of
// it happens in one thread, so there is one schedule and nothing to explore.
//
// One behaviour of a larger scheduler has no rule: Python's sched orders tasks
// by time and priority. Here there is only the order of arrival.

#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "answer.h"
#include "gtest/gtest.h"

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
#define HAS_MALLINFO2
#include <malloc.h>
#endif

namespace workbook {
namespace {

// Coroutines in these tests are functions with parameters, not lambdas with
// captures: a frame copies parameters, while captures die with the lambda.

// Yields 10 * id + 1, 10 * id + 2, ..., so that a line says whose it is.
Generator<int> Count(int id, int steps) {
  for (int step = 1; step <= steps; ++step) co_yield 10 * id + step;
}

Generator<int> NotesItsStart(bool* started) {
  *started = true;
  co_yield 1;
}

Generator<int> ThrowsAfter(int steps) {
  for (int step = 1; step <= steps; ++step) co_yield step;
  throw std::runtime_error("out of paper");
}

Generator<int> ThrowsANumber() {
  throw 42;
  co_return;
}

// Counts its destructions.
class Witness {
 public:
  explicit Witness(int* destroyed) : destroyed_(destroyed) {}
  ~Witness() { ++*destroyed_; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

 private:
  int* const destroyed_;
};

Generator<int> HasALocal(int* destroyed) {
  Witness witness(destroyed);
  co_yield 1;
  co_yield 2;
}

Generator<int> HasAnArgument(std::shared_ptr<int> number) { co_yield *number; }

// What the scheduler prints, in one line.
std::string Print(std::vector<Generator<int>> tasks) {
  std::ostringstream out;
  RoundRobin scheduler(out);
  for (Generator<int>& task : tasks) scheduler.Add(std::move(task));
  scheduler.Run();
  std::string text = out.str();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

template <typename... Tasks>
std::string Printed(Tasks... tasks) {
  std::vector<Generator<int>> list;
  (list.push_back(std::move(tasks)), ...);
  return Print(std::move(list));
}

// --- Generators ------------------------------------------------------------

TEST(Generator, ItYieldsItsValuesInOrder) {
  Generator<int> numbers = Count(1, 3);
  EXPECT_EQ(numbers.Next(), 11);
  EXPECT_EQ(numbers.Next(), 12);
  EXPECT_EQ(numbers.Next(), 13);
  EXPECT_EQ(numbers.Next(), std::nullopt) << "the body has ended";
}

TEST(Generator, NothingRunsBeforeTheFirstNext) {
  bool started = false;
  Generator<int> task = NotesItsStart(&started);
  EXPECT_FALSE(started) << "a call only makes the frame";
  task.Next();
  EXPECT_TRUE(started);
}

TEST(Generator, AfterTheEndThereIsNothing) {
  Generator<int> other = Count(2, 1);
  Generator<int> numbers = Count(1, 1);
  EXPECT_EQ(numbers.Next(), 11);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(numbers.Next(), std::nullopt);
  EXPECT_EQ(other.Next(), 21) << "the end of one is not the end of another";
}

TEST(Generator, TwoOfThemDoNotDisturbEachOther) {
  Generator<int> a = Count(1, 2), b = Count(2, 2);
  EXPECT_EQ(a.Next(), 11);
  EXPECT_EQ(b.Next(), 21);
  EXPECT_EQ(a.Next(), 12);
  EXPECT_EQ(b.Next(), 22);
}

TEST(Generator, AnExceptionReachesTheCallerOfNext) {
  Generator<int> task = ThrowsAfter(1);
  EXPECT_EQ(task.Next(), 1);
  EXPECT_THROW(task.Next(), std::runtime_error);
  EXPECT_EQ(task.Next(), std::nullopt) << "it is thrown once";
}

TEST(Generator, AnUnfinishedOneDestroysItsLocalsOnce) {
  int destroyed = 0;
  {
    Generator<int> task = HasALocal(&destroyed);
    task.Next();
    EXPECT_EQ(destroyed, 0) << "the body stands at its first co_yield";
  }
  EXPECT_EQ(destroyed, 1);
}

TEST(Generator, AnUnstartedOneDestroysItsArguments) {
  auto number = std::make_shared<int>(7);
  {
    [[maybe_unused]] Generator<int> task = HasAnArgument(number);
    EXPECT_EQ(number.use_count(), 2) << "the frame has its own copy";
  }
  EXPECT_EQ(number.use_count(), 1) << "the frame was not destroyed";
}

TEST(Generator, MovingHandsTheFrameOver) {
  int destroyed = 0;
  {
    Generator<int> first = HasALocal(&destroyed);
    EXPECT_EQ(first.Next(), 1);
    Generator<int> second = std::move(first);
    EXPECT_EQ(second.Next(), 2) << "it goes on where it stood";
    EXPECT_EQ(first.Next(), std::nullopt) << "one that was moved from is empty";
    int replaced = 0;
    Generator<int> third = HasALocal(&replaced);
    third.Next();
    third = std::move(second);
    EXPECT_EQ(replaced, 1) << "third had a frame of its own before";
    EXPECT_EQ(destroyed, 0);
  }
  EXPECT_EQ(destroyed, 1);
}

TEST(Generator, ItsValuesMayBeMoveOnly) {
  struct Make {
    static Generator<std::unique_ptr<int>> One() {
      co_yield std::make_unique<int>(1);
    }
  };
  Generator<std::unique_ptr<int>> values = Make::One();
  std::optional<std::unique_ptr<int>> value = values.Next();
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(**value, 1);
  EXPECT_FALSE(values.Next().has_value());
}

TEST(GenFib, ItYieldsFibonacciNumbers) {
  Generator<int> fib = GenFib(8);
  for (int expected : {1, 1, 2, 3, 5, 8, 13, 21}) {
    EXPECT_EQ(fib.Next(), expected);
  }
  EXPECT_EQ(fib.Next(), std::nullopt);
  EXPECT_EQ(GenFib(0).Next(), std::nullopt);
}

// How many bytes of the heap are in use; 0 where nobody can tell: with another
// C library, or with AddressSanitizer's heap.
size_t HeapInUse() {
#ifdef HAS_MALLINFO2
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
#else
  return 0;
#endif
}

TEST(GenFib, ItComputesOnlyWhatIsAskedFor) {
  constexpr int kMany = 1'000'000;
  const size_t before = HeapInUse();
  Generator<int> fib = GenFib(kMany);
  for (int expected : {1, 1, 2}) EXPECT_EQ(fib.Next(), expected);
  EXPECT_LT(HeapInUse(), before + kMany)
      << "3 numbers were asked for; who keeps the others?";
}

TEST(GenFib, ItHasAnArgumentOfItsOwn) {
  int n = 3;
  Generator<int> fib = GenFib(n);
  n = 1;  // The caller's variable. It might as well be gone by now.
  EXPECT_EQ(fib.Next(), 1);
  EXPECT_EQ(fib.Next(), 1);
  EXPECT_EQ(fib.Next(), 2);
  EXPECT_EQ(fib.Next(), std::nullopt);
}

// --- The scheduler ---------------------------------------------------------

TEST(RoundRobin, FibOfFiveAndFibOfThreeTakeTurns) {
  EXPECT_EQ(Printed(GenFib(5), GenFib(3)), "1 1 1 1 2 2 3 done 5 done ");
}

TEST(RoundRobin, OneStepPerTurnInTheOrderOfArrival) {
  EXPECT_EQ(Printed(Count(1, 2), Count(2, 2), Count(3, 2)),
            "11 21 31 12 22 32 done done done ");
}

TEST(RoundRobin, WhenOneIsDoneTheOthersKeepTheirOrder) {
  EXPECT_EQ(Printed(Count(1, 3), Count(2, 1), Count(3, 3), Count(4, 3)),
            "11 21 31 41 12 done 32 42 13 33 43 done done done ");
}

TEST(RoundRobin, BeingDoneTakesATurnOfItsOwn) {
  EXPECT_EQ(Printed(Count(1, 1), Count(2, 1)), "11 21 done done ");
}

TEST(RoundRobin, WithoutTasksItReturnsAtOnce) { EXPECT_EQ(Printed(), ""); }

TEST(RoundRobin, ATaskThatYieldsNothingIsDoneInItsFirstTurn) {
  EXPECT_EQ(Printed(Count(1, 0), Count(2, 1)), "done 21 done ");
}

TEST(RoundRobin, NothingRunsBeforeItsFirstTurn) {
  std::ostringstream out;
  RoundRobin scheduler(out);
  bool started = false;
  scheduler.Add(NotesItsStart(&started));
  EXPECT_FALSE(started) << "adding a task does not start it";
  EXPECT_EQ(out.str(), "");
  scheduler.Run();
  EXPECT_TRUE(started);
}

Generator<int> AddsAnother(RoundRobin* scheduler) {
  scheduler->Add(Count(9, 1));
  co_yield 11;
  co_yield 12;
}

TEST(RoundRobin, ATaskAddedInATurnJoinsTheBack) {
  std::ostringstream out;
  RoundRobin scheduler(out);
  scheduler.Add(AddsAnother(&scheduler));
  scheduler.Add(Count(2, 2));
  scheduler.Run();
  EXPECT_EQ(out.str(), "11\n21\n91\n12\n22\ndone\ndone\ndone\n");
}

TEST(RoundRobin, ATaskThatThrowsIsReportedAndDropped) {
  EXPECT_EQ(Printed(Count(1, 2), ThrowsAfter(1), Count(3, 2)),
            "11 1 31 12 error: out of paper 32 done done ");
}

TEST(RoundRobin, AnExceptionOfAnyTypeIsSurvived) {
  EXPECT_EQ(Printed(ThrowsANumber(), Count(2, 1)), "error: unknown 21 done ");
}

TEST(RoundRobin, ItCanRunAgain) {
  std::ostringstream out;
  RoundRobin scheduler(out);
  scheduler.Add(Count(1, 1));
  scheduler.Run();
  scheduler.Add(Count(2, 1));
  scheduler.Run();
  EXPECT_EQ(out.str(), "11\ndone\n21\ndone\n");
}

TEST(RoundRobin, TasksThatNeverRanAreDestroyedOnce) {
  auto number = std::make_shared<int>(7);
  {
    std::ostringstream out;
    RoundRobin scheduler(out);
    for (int i = 0; i < 3; ++i) scheduler.Add(HasAnArgument(number));
    EXPECT_EQ(number.use_count(), 4);
  }
  EXPECT_EQ(number.use_count(), 1);
}

Generator<int> CountsOwners(std::weak_ptr<int> number) {
  co_yield static_cast<int>(number.use_count());
  co_yield static_cast<int>(number.use_count());
  co_yield static_cast<int>(number.use_count());
}

TEST(RoundRobin, ATaskThatIsDoneIsDestroyedBeforeTheNextTurn) {
  auto number = std::make_shared<int>(7);
  EXPECT_EQ(Printed(HasAnArgument(number), CountsOwners(number)),
            "7 2 done 1 1 done ");
}

// Every turn sees the calling thread, and nobody else between its two looks.
Generator<int> Looks(std::thread::id caller, int* inside) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(++*inside, 1) << "another task is in the middle of its turn";
    EXPECT_EQ(std::this_thread::get_id(), caller)
        << "a turn is a function call, not a thread";
    --*inside;
    co_yield i;
  }
}

TEST(RoundRobin, EveryTurnIsInTheThreadThatCallsRun) {
  int inside = 0;
  const std::thread::id self = std::this_thread::get_id();
  EXPECT_EQ(Printed(Looks(self, &inside), Looks(self, &inside)),
            "0 0 1 1 done done ");
}

// Not EXPECT_EQ on the text: nobody reads two megabytes.
TEST(RoundRobin, AHundredThousandTasksNeedNoDeepStack) {
  constexpr int kTasks = 100'000;
  std::vector<Generator<int>> tasks;
  std::string expected;
  for (int i = 0; i < kTasks; ++i) tasks.push_back(Count(0, 2));
  for (const char* line : {"1 ", "2 ", "done "}) {
    for (int i = 0; i < kTasks; ++i) expected += line;
  }
  EXPECT_TRUE(Print(std::move(tasks)) == expected)
      << "100,000 tasks of two steps each: some turn is missing or misplaced";
}

TEST(RoundRobin, AHundredThousandStepsOfOneTaskNeedNoDeepStack) {
  constexpr int kSteps = 100'000;
  std::string expected;
  for (int i = 1; i <= kSteps; ++i) expected += std::to_string(i) + " ";
  expected += "done ";
  EXPECT_TRUE(Printed(Count(0, kSteps)) == expected)
      << "one task of 100,000 steps: some turn is missing or misplaced";
}

}  // namespace
}  // namespace workbook
