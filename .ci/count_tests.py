#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the test targets of a Bazel run, from its build event file.

usage: count_tests.py FILE

Prints "PASSED FAILED". A test that was asked for and did not run, because it
or something before it did not build, counts as failed.
"""

import json
import sys


def count(lines):
    """Returns (passed, failed) for the lines of a build event file."""
    wanted = set()
    passed = set()
    for line in lines:
        event = json.loads(line)
        identity = event.get("id", {})
        # A configured target says so when it is a test. One that cannot even
        # be analysed is not announced; Bazel's exit code tells.
        if "targetConfigured" in identity and "testSize" in event.get(
            "configured", {}
        ):
            wanted.add(identity["targetConfigured"]["label"])
        if "testSummary" in identity:
            label = identity["testSummary"]["label"]
            wanted.add(label)
            if event["testSummary"]["overallStatus"] in ("PASSED", "FLAKY"):
                passed.add(label)
    return len(passed), len(wanted - passed)


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    with open(arguments[0], encoding="utf-8") as file:
        print("%d %d" % count(file))


if __name__ == "__main__":
    main(sys.argv[1:])
