#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Formats the C++ and Bazel files of the tree, in place.
#
#   tools/format/format.sh            formats
#   tools/format/format.sh --check    changes nothing; fails if it would
#
# Needs clang-format 14 (Debian: apt-get install clang-format-14) and Node.js,
# which brings buildifier. Other versions of clang-format break lines elsewhere.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() {
  printf 'format: %s\n' "$*" >&2
  exit 1
}

case ${1:-} in
  "") check= ;;
  --check) check=yes ;;
  *) die "usage: tools/format/format.sh [--check]" ;;
esac

clang_format=$(type -P clang-format-14 || type -P clang-format) &&
  [[ $("$clang_format" --version) == *"version 14."* ]] ||
  die "clang-format 14 is missing; on Debian: apt-get install clang-format-14"

buildifier=tools/format/node_modules/.bin/buildifier
if [ ! -x "$buildifier" ] ||
  [ tools/format/package-lock.json -nt tools/format/node_modules ]; then
  type -P npm >/dev/null ||
    die "npm is missing, which brings buildifier; on Debian: apt-get install npm"
  (cd tools/format && npm ci --no-audit --no-fund --loglevel=error \
    --fetch-timeout=60000 --fetch-retries=2) >&2 ||
    die "npm could not install buildifier; see its messages above"
  touch tools/format/node_modules
fi

# Files of the tree, whether already added to git or not yet.
files() {
  git ls-files -z --cached --others --exclude-standard -- "$@" |
    while IFS= read -r -d '' file; do
      [ ! -f "$file" ] || printf '%s\0' "$file"
    done
}

cpp=('*.cc' '*.h')
bazel=('*.bazel' '*.bzl' '*.BUILD' 'WORKSPACE' 'WORKSPACE.bzlmod')
if [ -z "$check" ]; then
  files "${cpp[@]}" | xargs -0 -r "$clang_format" -i
  files "${bazel[@]}" | xargs -0 -r "$buildifier" -mode=fix -lint=off
else
  status=0
  # One short line per file: what to change is seen after formatting.
  unformatted=$(files "${cpp[@]}" |
    xargs -0 -r "$clang_format" --dry-run 2>&1 |
    sed -n 's/^\([^ :]*\):[0-9]*:.*clang-format-violations.*/\1/p' | sort |
    uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/\2 # clang-format, places: \1/')
  [ -z "$unformatted" ] || {
    printf '%s\n' "$unformatted" >&2
    status=1
  }
  files "${bazel[@]}" |
    xargs -0 -r "$buildifier" -mode=check -lint=off >&2 || status=1
  [ "$status" = 0 ] || die "run tools/format/format.sh"
fi
