#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs gtest_failures and checks what a student and a grader get to see.
set -u
program=$1
uninstrumented=$2
# In a build without the explorer these tests would really deadlock.
[ "${3:-}" = off ] && exit 0
out=$TEST_TMPDIR/out
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# check NAME VERDICT TEXT...: the test fails with the verdict, and its output
# has every TEXT.
check() {
  local name=$1 verdict=$2 text
  shift 2
  rm -f "$TEST_TMPDIR/verdicts" "$TEST_TMPDIR"/*.json "$TEST_TMPDIR/test.xml"
  env -u XML_OUTPUT_FILE TEST_TARGET=//some:target "$program" \
    --gtest_filter="Failures.$name" --lockstep_color=no \
    --lockstep_verdicts="$TEST_TMPDIR/verdicts" \
    --lockstep_json_dir="$TEST_TMPDIR" \
    --gtest_output="xml:$TEST_TMPDIR/test.xml" >"$out" 2>&1 &&
    fail "$name: passed"
  for text in "$verdict" "lockstep/gtest_failures.cc:" "$@" \
    "bazel test //some:target --test_arg=--gtest_filter=Failures.$name --test_arg=--lockstep_replay=v1:"; do
    grep -qF -e "$text" "$out" || fail "$name: no \"$text\" in: $(cat "$out")"
  done
  grep -q $'\x1b' "$out" && fail "$name: colour codes"
  [ "$(grep -cP "^verdict\tFailures.$name\t$verdict\t.+" "$TEST_TMPDIR/verdicts")" = 1 ] ||
    fail "$name: wrong verdict line: $(cat "$TEST_TMPDIR/verdicts")"
  grep -qF "\"verdict\":\"$verdict\"" "$TEST_TMPDIR/Failures.$name.json" ||
    fail "$name: no JSON"
  grep -qF '"steps":[]' "$TEST_TMPDIR/Failures.$name.json" &&
    fail "$name: JSON without steps"
  # The same schedule again, by the command that was printed.
  local replay
  replay=$(grep -o 'lockstep_replay=v1:.*' "$out" | head -1)
  "$program" --gtest_filter="Failures.$name" "--$replay" >"$out.replay" 2>&1 &&
    fail "$name: the replay passes"
  grep -qF "$verdict" "$out.replay" || fail "$name: the replay differs"
}

check_xml() {
  local name=$1 verdict=$2
  grep -qF "<property name=\"verdict\" value=\"$verdict\"" "$TEST_TMPDIR/test.xml" ||
    fail "$name: no verdict in test.xml"
  grep -qF "To run exactly this schedule again" "$TEST_TMPDIR/test.xml" ||
    fail "$name: no picture in test.xml"
}

check Deadlock "deadlock" "waits for mu" "held by T1" "held by T2"
check_xml Deadlock "deadlock"
check LostWakeup "lost wake-up" "came too early, from T1" "waits on ready"
check_xml LostWakeup "lost wake-up"
check ExpectationInAThread "wrong result" "seen by the second thread" "in T2"
check_xml ExpectationInAThread "wrong result"
check AssertionAfterTheThreads "wrong result" "Which is: 1" "in a helper"
check TooManyLocks "too much synchronisation" "2 lock operations; the test allows 1"
check Livelock "livelock" "T1 reads stop = 0"
check Crash "crash" "SIGSEGV" "starts T1"
check Exit "exit" "exit(0)"
check DataRace "data race" "writes 4 bytes" "holding no lock"

"$program" --gtest_filter=Failures.None >"$out" 2>&1 || fail "None: $(cat "$out")"
grep -q "schedule" "$out" && fail "a passing test talks: $(cat "$out")"

"$uninstrumented" --gtest_filter=Failures.None >"$out" 2>&1 &&
  fail "it explores what it does not see"
grep -qF "This program is not instrumented" "$out" ||
  fail "no word on the missing instrumentation: $(cat "$out")"
[ "$failures" = 0 ]
