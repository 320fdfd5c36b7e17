#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bazel run //tools:reset -- 08_mutex: puts the skeleton of a chapter back into
# exercises/. What was there is kept as FILE.bak.1, FILE.bak.2, ...
set -euo pipefail
root=${BUILD_WORKSPACE_DIRECTORY:?run it as: bazel run //tools:reset -- NN_topic}

chapter=${1:-}
chapter=${chapter%/}
chapter=${chapter##*/}
if [[ -z $chapter || ! -d $root/tests/$chapter/skeleton ]]; then
  [[ -z $chapter ]] || echo "There is no chapter '$chapter'." >&2
  echo "usage: bazel run //tools:reset -- NN_topic, with one of:" >&2
  for skeleton in "$root"/tests/*/skeleton; do
    echo "  $(basename "$(dirname "$skeleton")")" >&2
  done
  exit 1
fi

mkdir -p "$root/exercises/$chapter"
for skeleton in "$root/tests/$chapter/skeleton"/*; do
  file=$root/exercises/$chapter/$(basename "$skeleton")
  name=${file#"$root"/}
  if [[ -e $file ]] && cmp -s "$skeleton" "$file"; then
    echo "$name is the skeleton already."
    continue
  fi
  if [[ -e $file ]]; then
    n=1
    while [[ -e $file.bak.$n ]]; do n=$((n + 1)); done
    # A copy first, and never over another one: nothing of yours is lost.
    cp --no-clobber "$file" "$file.bak.$n"
    cmp -s "$file" "$file.bak.$n" || {
      echo "Could not keep a copy of $name as $name.bak.$n; nothing changed." >&2
      exit 1
    }
    echo "Kept your version as $name.bak.$n"
  fi
  cp "$skeleton" "$file"
  chmod u+w "$file"
  echo "$name is the skeleton again."
done
