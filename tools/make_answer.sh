#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make_answer.sh CHAPTER PATH [FILE...]: prints "answer.h", the header through
# which a chapter's tests include the answer under test. An answer that cannot
# be graded becomes one clear #error instead of a page of compiler output.
#
# The answer stands before the tests and their libraries in one compilation, so
# a macro of it would change their text, and a file that it includes would be
# graded in its place. An answer needs neither: it gets an include guard and the
# headers of the standard library, of the system and of Abseil. Refused is what
# does not plainly look like that, so nothing is gained by how it is written.
set -u
export LC_ALL=C
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

# The text as the compiler sees it: without a byte order mark, lines end in \n.
text() { sed -e '1s/^\xEF\xBB\xBF//' -e 's/\r$//' "$file"; }

# What is left without comments and white space?
code=$(sed -e 's://.*$::' "$file" | tr -d '[:space:]\0')
[[ -n $code ]] || refuse "$path is empty. Get the skeleton back with: $reset"
# To the compiler a NUL is white space, and so are some others.
[[ -z $(text | tr -d '\t\n\40-\176\200-\377' | tr '\0' 0 | head -c 1) ]] ||
  refuse "$path holds control characters: save it as plain text, in UTF-8."

# Answers stand on their own: no solution, test or explorer internals, nor the
# flags with which those are set.
bad=$(text | sed -e 's://.*$::' |
  grep -aE '^[[:space:]]*#[[:space:]]*include' |
  grep -oE 'solutions/|tests/|lockstep/|gtest|gmock|absl/flags' | head -n 1)
[[ -z $bad ]] ||
  refuse "$path includes a file of $bad: write the answer in $path itself."

# line_with PATTERN [EXCEPT]: the number of the first line that matches one and
# not the other.
line_with() {
  text | grep -anE -- "$1" | grep -avE "^[0-9]+:${2:-\$^}" | head -n 1 |
    cut -d : -f 1
}
# refuse_line NUMBER SENTENCE: refuses if there is such a line.
refuse_line() { [[ -z $1 ]] || refuse "$path:$1: $2"; }

refuse_line "$(line_with '\\[[:blank:]]*$')" \
  "a backslash at the end joins two lines: write it without."

# A directive is a line whose first token is # or %:. Before it there may be the
# end of a comment. This takes some lines of comments for directives; no
# directive for something else, as no line is joined to another.
blank='[[:blank:]]*'
name='[A-Za-z0-9_+]+(/[A-Za-z0-9_+]+)*(\.h)?'
stem=${path##*/}
stem=${stem%.h}
guard="([A-Z0-9_]*${chapter^^}[A-Z0-9_]*|([A-Z0-9_]*_)?${stem^^}_H(PP)?_*)"
rest="$blank(//.*|/\*[^*]*\*/)?\$"
include="$blank#${blank}include"
refuse_line "$(line_with "^$include" "$include$blank(<$name>|\"absl/$name\")$rest")" \
  "an answer includes <the standard library> and absl/..., each on a line of its own, and nothing else."
allowed="$blank#$blank(ifndef +$guard|define +$guard|endif|pragma +once|include.*)$rest"
refuse_line "$(line_with "^(.*\*/)?$blank(#|%:)" "$allowed")" \
  "an answer may begin a line with # for #include and for an include guard like EXERCISES_${chapter^^}_${stem^^}_H_ only; make a macro a constant or a function."
refuse_line "$(line_with '\b_Pragma\b')" "an answer goes without _Pragma."

echo "// Generated: includes the answer under test."
echo "#include \"$path\""
# What the tests call std is std, and not a namespace that the answer has put in
# its way. The compiler shows the line of the error, so that says what to do.
why="// $path calls something else so: choose another name"
aliases=$(for name in absl lockstep std support testing; do
  echo "namespace $name = ::$name;  $why"
done)
echo "namespace absl {} namespace lockstep {} namespace std {}"
echo "namespace support {} namespace testing {}"
printf '%s\n' "namespace {" "$aliases" "}" "namespace workbook {" "$aliases" \
  "namespace {" "$aliases" "}" "}"
