# SPDX-License-Identifier: Apache-2.0
"""Compiler flags of the explorer itself, as opposed to the code it explores."""

# The explorer runs inside the programs it explores, so it must never be
# instrumented, and it is optimised whatever the program under test is.
LOCKSTEP_COPTS = [
    "-fno-sanitize=all",
    "-O2",
    "-Wall",
    "-Wextra",
]
