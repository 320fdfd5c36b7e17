# SPDX-License-Identifier: Apache-2.0
"""Compiler flags of the explorer itself, as opposed to the code it explores."""

# The explorer runs inside the programs it explores, so it must never be
# instrumented, and it is optimised whatever the program under test is. -O3 makes
# it about 5 % faster than -O2. Its functions are small: frame pointers would be
# 5 % of the instructions it executes.
LOCKSTEP_COPTS = [
    "-fno-sanitize=all",
    "-O3",
    "-fomit-frame-pointer",
    "-Wall",
    "-Wextra",
]
