#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a stress test would have found: runs each bug of the corpus 2,000 times
# on real threads and prints a Markdown table of what could be seen.
#
#   bazel build -c opt //lockstep/tests:native
#   lockstep/benchmark/native_luck.sh bazel-bin/lockstep/tests/native

set -uo pipefail

native=$1
times=${2:-2000}
# Ample for 2,000 runs of the slowest that ends; what takes longer hangs.
seconds=5

echo "| bug | seen in $times native runs |"
echo "|---|---|"
seen=0
all=0
while read -r name kind _; do
  [[ $kind == bug ]] || continue
  all=$((all + 1))
  output=$(timeout "$seconds" "$native" --run="$name" --times="$times" 2>&1)
  case $? in
    0) result="never" ;;
    1) result="$(sed -n 's/.*: \([0-9]* expectations failed\).*/\1/p' <<<"$output")" ;;
    124) result="hangs" ;;
    *) result="crashes" ;;
  esac
  [[ $result == never ]] || seen=$((seen + 1))
  echo "| $name | $result |"
done < <("$native" --list)
echo
echo "Seen: $seen of $all."
