#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# An answer that cannot be graded becomes one clear #error.
set -u
make=$PWD/tools/make_answer.sh
failures=0
cd "$(mktemp -d)" || exit 1
mkdir -p exercises/01_a
file=exercises/01_a/x.h

# expect NAME PATTERN [FILE...]: what make_answer prints matches PATTERN.
expect() {
  local name=$1 pattern=$2
  shift 2
  local out
  out=$(bash "$make" 01_a "$file" "$@")
  if grep -qE "$pattern" <<< "$out"; then echo "ok: $name"; else
    printf 'FAILED: %s\n%s\n' "$name" "$out"
    failures=$((failures + 1))
  fi
}

echo 'int x;' > $file
expect "an answer is included" '^#include "exercises/01_a/x.h"$' $file
expect "a missing file is named" '^#error "exercises/01_a/x.h is missing.*reset'
: > $file
expect "an empty file is named" '^#error "exercises/01_a/x.h is empty.*reset' $file
printf '// all commented out\n\n  // int x;\n' > $file
expect "comments alone are empty" '^#error ".* is empty' $file
echo '#include "solutions/01_a/std/x.h"' > $file
expect "a solution is refused" '^#error ".*includes a file of solutions' $file
echo ' #  include <../../solutions/01_a/std/x.h>' > $file
expect "however it is written" '^#error ".*includes a file of solutions' $file
echo '#include "gtest/gtest.h"' > $file
expect "the tests' library is refused" '^#error ".*includes a file of gtest' $file
exit "$failures"
