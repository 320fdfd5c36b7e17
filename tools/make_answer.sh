#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make_answer.sh CHAPTER PATH [FILE...]: prints "answer.h", the header through
# which a chapter's tests include the answer under test. An answer that cannot
# be graded becomes one clear #error instead of a page of compiler output.
set -u
chapter=$1
path=$2
shift 2

refuse() {
  printf '#error "%s"\n' "$1"
  exit 0
}
reset="bazel run //tools:reset -- $chapter"

file=
for candidate in "$@"; do
  [[ $candidate == "$path" ]] && file=$candidate
done
[[ -n $file ]] || refuse "$path is missing. Get it back with: $reset"
# What is left without comments and white space?
code=$(sed -e 's://.*$::' "$file" | tr -d '[:space:]')
[[ -n $code ]] || refuse "$path is empty. Get the skeleton back with: $reset"
# Answers stand on their own: no solution, test or explorer internals.
bad=$(sed -e 's://.*$::' "$file" |
  grep -E '^[[:space:]]*#[[:space:]]*include' |
  grep -oE 'solutions/|tests/|lockstep/|gtest|gmock' | head -n 1)
[[ -z $bad ]] ||
  refuse "$path includes a file of $bad: write the answer in $path itself."

echo "// Generated: includes the answer under test."
echo "#include \"$path\""
