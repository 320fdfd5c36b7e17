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
echo '#include "absl/flags/reflection.h"' > $file
expect "the tests' flags are refused" '^#error ".*includes a file of absl/flags' $file

# refused NAME TEXT: an answer with this text, in the notation of printf, is an
# #error that names file and line, and is not included.
refused() {
  # shellcheck disable=SC2059  # a format on purpose
  printf "int x;\n$2\nint y;\n" > $file
  expect "refused: $1" "^#error \"$file:[23]: " $file
}
# taken NAME TEXT: an answer with this text is included.
taken() {
  # shellcheck disable=SC2059
  printf "int x;\n$2\nint y;\n" > $file
  expect "taken: $1" '^#include "exercises/01_a/x.h"$' $file
}
refused "a macro" '#define EXPECT_EQ(a, b)'
refused "the guard of another header" '#define LOCKSTEP_GTEST_H_'
refused "a word of the language" '#define private public'
refused "a guard with a value" '#define EXERCISES_01_A_X_H_ 1'
refused "the other spelling of #" '%%:define TEST'
refused "a macro after a comment" '/* */ #define TEST'
refused "a macro after two comments" '/* # */ /* */ # define TEST'
refused "a macro after the end of a comment" '/*\n*/#define TEST'
refused "a macro behind // in a comment" '/* // */ #define TEST'
refused "a directive in two lines" '#\\\ndefine TEST'
refused "a directive in two lines, with a blank" '#\\ \ndefine TEST'
refused "a directive in two lines of Windows" '#\\\r\ndefine TEST'
refused "a comment that goes on" '// \\\n#define TEST'
refused "a pragma" '#pragma push_macro("TEST")'
refused "a pragma within a line" 'int z; _Pragma("redefine_extname a b")'
refused "a condition" '#if __has_include("gtest/gtest.h")'
refused "an include of a macro" '#include FILE'
refused "an absolute path" '#include "/home/me/x.h"'
refused "a path that goes up" '#include <absl/../../x.h>'
refused "a second file of the answer" '#include "other.h"'
refused "another spelling of include" '#include_next <vector>'
refused "yet another one" '#import <vector>'
refused "include in a comment's company" '#/**/include "x"'
refused "an include and more" '#include <vector> "x"'
refused "a solution after a comment" '/**/#include "solutions/01_a/std/x.h"'
refused "gtest in angle brackets" '#/**/include <gtest/gtest.h>'
taken "headers" '#include <vector>\n # include <sys/wait.h> // wait\n#include "absl/time/time.h"'
taken "Windows' ends of lines" '#include <vector>\r\n'
taken "an include guard" '#ifndef EXERCISES_01_A_X_H_\n#define EXERCISES_01_A_X_H_\n#endif  // EXERCISES_01_A_X_H_'
taken "a guard of one's own" '#ifndef MY_X_H\n#define MY_X_H\n#endif /* MY_X_H */'
taken "the other guard" '#pragma once'
taken "a # that is none" '// see #1\nauto s = "#define"; /* # */\nint n; // #2'
for bytes in '\0' '\f' '\v' '\r'; do
  # shellcheck disable=SC2059
  printf "int x;\n${bytes}#define TEST\n" > $file
  expect "refused: a hidden macro" '^#error "exercises/01_a/x.h holds control' $file
done
printf '\xEF\xBB\xBF#define TEST\n' > $file
expect "a byte order mark hides nothing" '^#error "exercises/01_a/x.h:1: ' $file
printf '\xEF\xBB\xBF#include <gtest/gtest.h>\n' > $file
expect "no include either" '^#error ".*includes a file of gtest' $file
printf '\0\0\n' > $file
expect "a binary file" '^#error "exercises/01_a/x.h ' $file

# A name that the tests use is theirs. This needs a compiler.
compiles() {
  bash "$make" 01_a "$file" $file > answer.h
  printf '#include "answer.h"\nstd::string s; namespace workbook { namespace {
    std::string t; } }\n' > test.cc
  "${CXX:-g++}" -std=c++20 -fsyntax-only -I. -iquote . test.cc 2> errors
}
if command -v "${CXX:-g++}" > /dev/null; then
  printf '#include <string>\nnamespace workbook { int x; }\n' > $file
  if compiles; then echo "ok: an answer compiles"; else
    cat errors
    failures=$((failures + 1))
  fi
  for taken in 'namespace std {}' 'namespace { namespace std {} }' \
    'namespace testing { }' 'struct std {};' 'namespace t {} namespace std = t;'; do
    printf '#include <string>\nnamespace workbook { %s }\n' "$taken" > $file
    if ! compiles && grep -q "choose another name" errors; then
      echo "ok: $taken"
    else
      echo "FAILED: $taken"
      cat errors
      failures=$((failures + 1))
    fi
  done
fi
exit "$failures"
