#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ./bazelw on machines that are not there: a copy of it runs with a PATH of fake
# programs. Each case checks the exit code, and either the one sentence that the
# reader gets or the command that runs in the end.

set -u
here=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d "${TEST_TMPDIR:-/tmp}/bazelw.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
cases=0
failures=0

# A copy of what ./bazelw needs, in a folder whose name has a space.
checkout="$tmp/the checkout"
new_checkout() {
  rm -rf "$checkout"
  mkdir -p "$checkout/tools/offline/repos/platforms"
  cp -L "$here/bazelw" "$here/WORKSPACE" "$here/.bazelversion" "$checkout"
  cp -L "$here/tools/pins.py" "$checkout/tools"
  cp -L "$here"/tools/offline/{setup.sh,archives.py} "$checkout/tools/offline"
}

# new_machine: a machine with a compiler, 9,000 MiB of free space, a terminal
# user without sudo, no Bazel, no apt, no Node.js.
new_machine() {
  bin=$tmp/bin
  log=$tmp/log
  rm -rf "$bin"
  mkdir "$bin"
  : >"$log"
  local program
  for program in awk basename bash cat cksum dirname env flock grep gzip mkdir \
    mktemp mv readlink rm sha256sum tail touch true; do
    ln -s "$(type -P "$program")" "$bin/$program"
  done
  # Not what is on PATH: that may be a script which needs more programs.
  ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$bin/python3"
  fake gcc 'exit 0'
  fake df 'echo header; echo disk 10000 1000 9000 10% /'
  fake id 'echo 1000'
  new_checkout
}

# fake NAME SCRIPT: a program that writes its name and arguments to the log.
fake() {
  printf '#!/bin/bash\nprintf "%%s\\n" "%s $*" >>"%s"\n%s\n' \
    "$1" "$log" "$2" >"$bin/$1"
  chmod +x "$bin/$1"
}

# A Debian machine: apt works and knows a mirror; nothing of ours is installed.
new_debian() {
  new_machine
  fake dpkg-query 'exit 1'
  fake apt-cache 'echo "bazel-bootstrap | 4.2.3+ds-9 | mirror"'
  fake apt-get 'if [ "$1" = indextargets ]; then
    echo "http://mirror.invalid/debian/ Debian|Debian"; fi'
}

run() { # ARGS...
  output=$(cd "$tmp" && env -i PATH="$bin" HOME="$tmp" "$checkout/bazelw" "$@" \
    2>&1 </dev/null)
  status=$?
}

check() { # CASE CONDITION...
  cases=$((cases + 1))
  if ! "${@:2}"; then
    failures=$((failures + 1))
    printf 'FAILED: %s\n  exit code %s, output:\n%s\n  programs run:\n%s\n' \
      "$1" "$status" "$output" "$(cat "$log")"
  fi
}

# The reader is told $1, in one line that starts with bazelw:, and no Bazel ran.
says() {
  [ "$status" = 1 ] && [[ $output == *"bazelw: "*"$1"* ]] &&
    ! grep -q -E '^(bazel|bazelisk) (test|build)' "$log"
}

ends_with_command() { # COMMAND
  [ "$status" = 0 ] && [ "$(tail -n 1 "$log")" = "$1" ]
}

ran() { grep -q -- "$1" "$log"; }
did_not_run() { ! ran "$1"; }

# --- Bazel is there ---------------------------------------------------------

new_machine
fake bazelisk '[ "$1" != --version ] || echo "bazel 7.7.1"'
run test //a:b --test_arg='x y'
check "Bazelisk gets the arguments" ends_with_command \
  "bazelisk test //a:b --test_arg=x y"

new_machine
fake bazel '[ "$1" != --version ] || echo "bazel 5.0.0-pre.2"'
run test //...
check "a newer Bazel is used as it is" ends_with_command "bazel test //..."

new_machine
fake bazel '[ "$1" != --version ] || echo "bazel 3.7.2"'
run test //...
check "an old Bazel is named, with what is needed" says \
  "Bazel 3.7.2 cannot build this workbook, which needs 4.2 to 7"

new_machine
fake bazel '[ "$1" != --version ] || echo "bazel 4.1.0"'
run test //...
check "4.1 is too old" says "Bazel 4.1.0 cannot build this workbook"

new_machine
fake bazel '[ "$1" != --version ] || echo "bazel 10.0.0"'
run test //...
check "10.0 is too new" says "Bazel 10.0.0 cannot build this workbook"

new_machine
fake bazelisk 'echo "could not download" >&2; exit 1'
run test //...
check "Bazelisk without a network" says "no network: "
check "... and which Bazel it wanted" says \
  "could not fetch Bazel $(cat "$here/.bazelversion"); install Bazelisk"

new_machine
fake npx '[ "$3" != --version ] || echo "bazel 7.7.1"'
run test //...
check "Node.js brings Bazelisk" ends_with_command \
  "npx --yes @bazel/bazelisk@1.28.1 test //..."

new_machine
run test //...
check "no Bazel, no Debian, no Node.js" says "no Bazel found; install Bazelisk"

# --- Something else is missing ----------------------------------------------

new_machine
fake bazelisk '[ "$1" != --version ] || echo "bazel 7.7.1"'
rm "$bin/gcc"
run test //...
check "no compiler" says "no C++ compiler: 'gcc' is not on PATH; install g++"

new_machine
fake bazelisk '[ "$1" != --version ] || echo "bazel 7.7.1"'
fake df 'echo header; echo disk 10000 9988 12 99% /'
run test //...
check "no disk space" says "not enough disk space: Bazel needs 500 MiB free in"
check "... how much there is" says "which has 12 MiB"

# --- Debian -----------------------------------------------------------------

new_debian
fake sudo 'exit 1'
run test //...
check "an ordinary user gets one command for the administrator" says "ask an \
administrator to run this one command, then run ./bazelw again:
  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends \
bazel-bootstrap python3 bazel-rules-java'"
check "... and nothing is installed" did_not_run "apt-get.*install"

new_debian
fake sudo '[ "$1" != -n ] || shift; exec "$@"'
run test //...
check "sudo without a password installs" ran \
  "apt-get -qq .*install -y --no-install-recommends bazel-bootstrap"

new_debian
fake id 'echo 0'
fake df 'echo header; echo disk 10000 9000 1000 90% /'
run test //...
check "no disk space for the packages" says \
  "not enough disk space: installing bazel-bootstrap"

new_debian
fake id 'echo 0'
fake apt-cache 'exit 0'
fake apt-get 'exit 100'
run test //...
check "no network for apt" says \
  "no network: apt cannot reach the Debian mirror it is configured for"

new_debian
fake id 'echo 0'
fake apt-cache 'exit 0'
run test //...
check "a distribution without bazel-bootstrap" says \
  "has no package bazel-bootstrap; install Bazelisk instead, or use Debian 12."

new_debian
fake id 'echo 0'
fake apt-get 'case " $* " in *" install "*) echo "E: held packages"; exit 100; esac'
run test //...
check "apt fails" says "apt could not install bazel-bootstrap"
check "... with its own words" says "mend that, then run ./bazelw again."
check "... which are shown" grep -q "E: held packages" <<<"$output"

# From here on the packages are installed.
new_installed() {
  new_debian
  fake dpkg-query '[ "$1" != -S ] || exit 1; echo -n installed'
  fake bazel '[ "$1" != --version ] || exit 1'
}

new_installed
fake apt-get 'case " $* " in
  *" indextargets "*) echo "http://mirror.invalid/debian/ Debian|Debian" ;;
  *" source "*) exit 100 ;; esac'
run test //...
check "no network and no archives" says "no network: apt's Debian mirror does \
not give the source packages, and the archives are not prepared yet"
check "... leaves nothing that looks complete" \
  test ! -e "$checkout/.offline/bazelrc"

new_installed
fake apt-get ''
run test //...
check "apt without a Debian mirror" says "apt is configured for no Debian mirror"

new_installed
fake apt-get 'case " $* " in *" update --print-uris"*)
  echo "'"'"'http://mirror.invalid/debian/dists/x/InRelease'"'"' x 0" ;; esac'
run test //...
check "apt without lists still gives its mirror" \
  grep -q "Debian no longer has" <<<"$output"

new_installed
run test //...
check "a source package that Debian replaced" says "could not be prepared"
check "... is named" grep -q "Debian no longer has .*orig" <<<"$output"

new_installed
fake apt-get 'case " $* " in
  *" indextargets "*) echo "http://mirror.invalid/debian/ Debian|Debian" ;;
  *" source "*) touch bazel-skylib_1.0.3.orig.tar.xz benchmark_1.9.1.orig.tar.gz \
    abseil_20240722.0.orig.tar.gz googletest_1.16.0.orig.tar.gz \
    bazel-rules-cc_0.0.4.orig.tar.xz md4c_0.5.2.orig.tar.gz
    echo forged >benchmark_1.9.1.orig.tar.gz
    python3 -c "import lzma; lzma.open(\"bazel-skylib_1.0.3.orig.tar.xz\", \"w\").write(bytes(1024))" ;;
  esac'
run test //...
check "a source package with other contents" says "could not be prepared"
check "... is recognised by its hash" grep -q "has not the SHA-256" <<<"$output"

# --- The second run ---------------------------------------------------------

# What a set-up leaves behind for the pins of this WORKSPACE.
finish_setup() {
  mkdir -p "$checkout/.offline"
  printf '# for %s, pins %s\n' "$checkout" "$(cksum <"$checkout/WORKSPACE")" \
    >"$checkout/.offline/bazelrc"
}

new_installed
finish_setup
run test //chapters/...
check "after the set-up only Bazel runs" ends_with_command \
  "bazel test //chapters/..."
check "... and no apt" did_not_run apt-get
check "... and no dpkg" did_not_run dpkg-query

new_installed
finish_setup
echo "# a new pin" >>"$checkout/WORKSPACE"
run test //...
check "new pins repeat the set-up" ran "apt-get.* source "

new_installed
finish_setup
mv "$checkout" "$checkout.moved"
new_checkout
mv "$checkout.moved/.offline" "$checkout"
sed -i.bak 's/the checkout/elsewhere/' "$checkout/.offline/bazelrc"
run test //...
check "a checkout that was moved repeats the set-up" ran "apt-get.* source "

new_installed
mkdir -p "$checkout/.offline/work.killed/dist" "$checkout/.offline/dist"
touch "$checkout/.offline/dist/1.0.3.tar.gz"
run test //...
check "an interrupted set-up is done again" ran "apt-get.* source "
check "... and tidied up" test ! -e "$checkout/.offline/work.killed"

printf '%s checks, %s failed\n' "$cases" "$failures"
[ "$failures" = 0 ]
