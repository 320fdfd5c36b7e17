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
//
// The body runs from scratch in every schedule. A failing EXPECT_ or ASSERT_
// in any of its threads ends that schedule with "wrong result"; the report
// names the thread. The verdict, the picture and the replay command go to the
// test's failure message (and so to test.xml).
//
// Flags of the test binary: --lockstep_replay, --lockstep_schedules,
// --lockstep_schedules_factor, --lockstep_seed, --lockstep_strategy,
// --lockstep_os_threads, --lockstep_color, --lockstep_json_dir (one JSON file
// per failing test), --lockstep_verdicts (a file that gets one JSON line per
// finished lockstep test: {"test":"Suite.Name","verdict":"deadlock",
// "message":"..."}; also written before a crash ends the process).

#ifndef LOCKSTEP_GTEST_H_
#define LOCKSTEP_GTEST_H_

#include "gtest/gtest.h"
#include "lockstep/lockstep.h"

// (macros and lockstep::InitGoogleTest(int*, char**) to be defined here)

#endif  // LOCKSTEP_GTEST_H_
