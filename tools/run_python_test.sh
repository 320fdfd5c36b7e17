#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs a test written in Python: run_python_test.sh FILE [ARGS].

exec python3 "$@"
