#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs a Python program, which Bazel 4 and 7 would need different rules for:
# run_python.sh FILE [ARGS].

exec python3 "$@"
