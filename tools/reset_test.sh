#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tools/reset.sh never loses a student's file.
set -u
reset=$PWD/tools/reset.sh
failures=0
check() {
  if eval "$2"; then echo "ok: $1"; else
    echo "FAILED: $1 ($2)"
    failures=$((failures + 1))
  fi
}

root=$(mktemp -d)
export BUILD_WORKSPACE_DIRECTORY=$root
mkdir -p "$root/tests/01_a/skeleton" "$root/exercises/01_a"
echo skeleton > "$root/tests/01_a/skeleton/x.h"
file=$root/exercises/01_a/x.h

echo "first answer" > "$file"
"$reset" 01_a > "$root/out"
check "the skeleton is back" '[[ $(< "$file") == skeleton ]]'
check "the answer is kept" '[[ $(< "$file.bak.1") == "first answer" ]]'
check "and the copy is named" 'grep -q "exercises/01_a/x.h.bak.1" "$root/out"'

echo "second answer" > "$file"
"$reset" exercises/01_a/ > /dev/null
check "a second copy does not overwrite the first" \
  '[[ $(< "$file.bak.1") == "first answer" && $(< "$file.bak.2") == "second answer" ]]'

"$reset" 01_a > /dev/null
check "a pristine file makes no copy" '[[ ! -e $file.bak.3 ]]'

rm -r "$root/exercises/01_a"
"$reset" 01_a > /dev/null
check "a deleted folder comes back" '[[ $(< "$file") == skeleton ]]'

"$reset" 99_none > "$root/out" 2>&1
check "an unknown chapter is refused" '[[ $? -ne 0 ]]'
check "with the names that exist" 'grep -q "  01_a" "$root/out"'

rm -r "$root"
exit "$failures"
