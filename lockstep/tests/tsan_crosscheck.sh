#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Compares the corpus with real ThreadSanitizer: it must report a data race in
# the programs that are marked so, and in no other. Programs marked "undefined"
# are left out; the comments beside them say why.
#
#   bazel build --config=tsan //lockstep/tests:native
#   lockstep/tests/tsan_crosscheck.sh bazel-bin/lockstep/tests/native
#
# or, as a test, bazel test --config=tsan //lockstep/tests:tsan_crosscheck.

set -uo pipefail

native=$1
# A deadlock would last for ever; a race shows in far less. Each program gets
# the full time only if it hangs.
seconds=${TSAN_CROSSCHECK_SECONDS:-3}

# Lock-order warnings are not compared: gate-locked philosophers get one
# although they cannot deadlock.
export TSAN_OPTIONS="detect_deadlocks=0 halt_on_error=1 exitcode=66"

if ! nm -D "$native" | grep -q __tsan_read4; then
  echo "skipped: $native is not built with --config=tsan"
  exit 0
fi

compared=0
wrong=0
while read -r name kind expected; do
  [[ $expected == undefined ]] && continue
  times=100
  # The report must come from one of several runs: ThreadSanitizer keeps only
  # the last few accesses of each cell. What hangs is run once.
  output=$(timeout "$seconds" "$native" --run="$name" --times=$times 2>&1)
  if [[ $output == *"WARNING: ThreadSanitizer: data race"* ]]; then
    actual=reports
  else
    actual=silent
  fi
  compared=$((compared + 1))
  if [[ $actual != "$expected" ]]; then
    wrong=$((wrong + 1))
    echo "$name ($kind): ThreadSanitizer should be: $expected, is: $actual"
    echo "$output" | head -40
  fi
done < <("$native" --list)

echo "$compared programs compared, $wrong wrong"
[[ $compared -gt 0 && $wrong -eq 0 ]]
