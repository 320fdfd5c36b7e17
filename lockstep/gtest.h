// SPDX-License-Identifier: Apache-2.0
//
// Lockstep for GoogleTest: a test whose body is explored.
//
//   LOCKSTEP_TEST(BlockingQueue, DeliversEveryItemOnce) {
//     workbook::BlockingQueue<int> queue(/*capacity=*/1);
//     std::thread producer([&] { queue.Put(1); });
//     EXPECT_EQ(queue.Get(), 1);
//     producer.join();
//   }
//
//   LOCKSTEP_TEST_WITH(Lock, AcquiresOnce,
//                      {.cost_budget = {.lock_operations = 4}}) { ... }
//
//   LOCKSTEP_TEST_F(Fixture, Name) { ... }  // SetUp, body and TearDown run in
//                                           // every schedule, on a new Fixture
//   LOCKSTEP_TEST_F_WITH(Fixture, Name, {.schedules = 10'000}) { ... }
//
// The body runs from scratch in every schedule. A failing EXPECT_ or ASSERT_
// in any of its threads ends that schedule with "wrong result"; the report
// names the thread. The verdict, the picture and the replay command go to the
// test's failure message (and so to test.xml). A test that passes has the
// properties "verdict", "schedules" and, where there is one, "guarantee".
//
// GTEST_SKIP() in the first run of the body skips the test.
//
// Flags of the test binary: --lockstep_replay, --lockstep_schedules,
// --lockstep_schedules_factor, --lockstep_seed, --lockstep_strategy,
// --lockstep_os_threads, --lockstep_color, --lockstep_json_dir (one JSON file
// per failing test), --lockstep_verdicts (a file that gets one tab-separated
// line per failing test: "verdict", Suite.Name, the verdict, one sentence; also
// written before a crash ends the process). They are parsed by
// lockstep::InitGoogleTest, which //lockstep:gtest_main calls.
//
// Where schedules cannot be explored (lockstep::Supported() is false) the body
// runs 50 times as an ordinary test, and the output says so once.

#ifndef LOCKSTEP_GTEST_H_
#define LOCKSTEP_GTEST_H_

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"
#include "lockstep/lockstep.h"

namespace lockstep {

// Parses GoogleTest's flags, then lockstep's and all other Abseil flags.
// Unknown flags end the process. Call first thing in main().
void InitGoogleTest(int* argc, char** argv);

namespace internal {

// Explores `body` as the current GoogleTest test and reports the outcome there.
// `file` and `line` say where the test is defined.
void RunLockstepTest(const Options& options, const char* file, int line,
                     absl::FunctionRef<void()> body);

// Registers a test of class Test in a suite whose fixture is Fixture, though
// Test is not derived from it: the fixture is constructed once per schedule,
// not once per test.
template <typename Fixture, typename Test>
::testing::TestInfo* Register(const char* suite, const char* name,
                              const char* file, int line,
                              ::testing::internal::TypeId fixture_id) {
  using Api = ::testing::internal::SuiteApiResolver<Fixture>;
  return ::testing::internal::MakeAndRegisterTestInfo(
      suite, name, nullptr, nullptr,
      ::testing::internal::CodeLocation(file, line), fixture_id,
      Api::GetSetUpCaseOrSuite(file, line),
      Api::GetTearDownCaseOrSuite(file, line),
      new ::testing::internal::TestFactoryImpl<Test>);
}

}  // namespace internal
}  // namespace lockstep

#define LOCKSTEP_TEST(suite, name) LOCKSTEP_TEST_WITH(suite, name, {})

// The last arguments are the initialiser of a lockstep::Options.
#define LOCKSTEP_TEST_WITH(suite, name, ...)                             \
  class suite##_##name##_LockstepTest : public ::testing::Test {         \
   public:                                                               \
    /* Static: no fixture to construct in every schedule. */             \
    static void LockstepBody();                                          \
    void TestBody() override {                                           \
      const ::lockstep::Options options = __VA_ARGS__;                   \
      ::lockstep::internal::RunLockstepTest(options, __FILE__, __LINE__, \
                                            &LockstepBody);              \
    }                                                                    \
    static ::testing::TestInfo* const test_info_;                        \
  };                                                                     \
  ::testing::TestInfo* const suite##_##name##_LockstepTest::test_info_ = \
      ::lockstep::internal::Register<::testing::Test,                    \
                                     suite##_##name##_LockstepTest>(     \
          #suite, #name, __FILE__, __LINE__,                             \
          ::testing::internal::GetTestTypeId());                         \
  void suite##_##name##_LockstepTest::LockstepBody()

#define LOCKSTEP_TEST_F(fixture, name) LOCKSTEP_TEST_F_WITH(fixture, name, {})

#define LOCKSTEP_TEST_F_WITH(fixture, name, ...)                              \
  class fixture##_##name##_LockstepBody : public fixture {                    \
   public:                                                                    \
    void LockstepBody();                                                      \
    void TestBody() override {                                                \
      this->SetUp();                                                          \
      LockstepBody();                                                         \
      this->TearDown();                                                       \
    }                                                                         \
  };                                                                          \
  class fixture##_##name##_LockstepTest : public ::testing::Test {            \
   public:                                                                    \
    void TestBody() override {                                                \
      const ::lockstep::Options options = __VA_ARGS__;                        \
      ::lockstep::internal::RunLockstepTest(options, __FILE__, __LINE__, [] { \
        fixture##_##name##_LockstepBody().TestBody();                         \
      });                                                                     \
    }                                                                         \
    static ::testing::TestInfo* const test_info_;                             \
  };                                                                          \
  ::testing::TestInfo* const fixture##_##name##_LockstepTest::test_info_ =    \
      ::lockstep::internal::Register<fixture,                                 \
                                     fixture##_##name##_LockstepTest>(        \
          #fixture, #name, __FILE__, __LINE__,                                \
          ::testing::internal::GetTypeId<fixture>());                         \
  void fixture##_##name##_LockstepBody::LockstepBody()

#endif  // LOCKSTEP_GTEST_H_
