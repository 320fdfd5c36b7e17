#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs plot.py, whose path is the first argument; plot.bzl passes the others.

exec python3 "$@"
