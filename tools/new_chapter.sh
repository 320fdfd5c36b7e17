#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bazel run //tools:new_chapter -- 23_barrier: makes the files of a new chapter.
# They compile at once; what is still to be written is marked WRITE, and the
# chapter's self-checks are red on each such place. Overwrites nothing.
set -euo pipefail
root=${BUILD_WORKSPACE_DIRECTORY:?run it as: bazel run //tools:new_chapter -- NN_topic}
template=$root/tools/chapter_template

name=${1:-}
if [[ ! $name =~ ^[0-9][0-9]_[a-z][a-z0-9_]*$ ]]; then
  echo "usage: bazel run //tools:new_chapter -- NN_topic" >&2
  echo "Two digits, an underscore, small letters: 23_barrier." >&2
  exit 1
fi
for folder in chapters exercises solutions tests; do
  if [[ -e $root/$folder/$name ]]; then
    echo "$folder/$name exists already; nothing was changed." >&2
    exit 1
  fi
done

number=${name%%_*}
topic=${name#*_}
# 23_thread_barrier -> ThreadBarrier, and 23_THREAD_BARRIER for include guards.
class=$(sed -E 's/(^|_)([a-z])/\U\2/g' <<< "$topic")
guard=${name^^}
title=$(sed -E 's/_/ /g; s/^(.)/\U\1/' <<< "$topic")

# copy TEMPLATE TARGET GUARD_PREFIX
copy() {
  mkdir -p "$(dirname "$root/$2")"
  sed -e "s/@NAME@/$name/g" -e "s/@NUMBER@/$number/g" -e "s/@TOPIC@/$topic/g" \
    -e "s/@CLASS@/$class/g" -e "s/@TITLE@/$title/g" \
    -e "s/@GUARD@/${3:-}${guard}/g" "$template/$1" > "$root/$2"
  echo "  $2"
}

echo "Made:"
copy README.md.in "chapters/$name/README.md"
copy BUILD.bazel.in "chapters/$name/BUILD.bazel"
copy skeleton.h.in "exercises/$name/$topic.h" EXERCISES_
copy skeleton.h.in "tests/$name/skeleton/$topic.h" EXERCISES_
copy test.cc.in "tests/$name/${topic}_test.cc"
copy mistake.h.in "tests/$name/mistakes/no_lock.h" TESTS_
copy solution.h.in "solutions/$name/std/$topic.h" SOLUTIONS_
cat << END
Next: replace every WRITE, then see what is left:
  bazel test //tests:$name //solutions:$name
CONTRIBUTING.md says in which order to write.
END
