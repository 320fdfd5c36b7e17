#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs a program of the book on real copies of its files, because Node.js and
# Vite look for packages beside the file that a link leads to.
#
#   run.sh LIST NODE NODE_MODULES PROGRAM [ARGUMENT...]
#
# LIST names the files, one a line, relative to the current folder; PROGRAM is
# one of them.

set -eu
list=$1 node=$2 modules=$3 program=$4
shift 4

# Without Node.js, this says what to install.
[ -d "$modules" ] || exec "$node"

work=$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/lockstep-book.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir "$work/workbook"
tar -chf - -T "$list" | tar -xf - -C "$work/workbook"
# Above the files: Vite would search a link among them for pages.
ln -s "$(cd "$modules" && pwd)" "$work/node_modules"
"$node" "$work/workbook/$program" "$@"
