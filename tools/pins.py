#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the archives that WORKSPACE and MODULE.bazel pin.

Both files are Starlark whose pins are calls with constant arguments, which is
also Python, so Python's own parser reads them.
"""

import ast
import base64
import collections

Pin = collections.namedtuple("Pin", "name urls strip_prefix sha256")


def calls(path):
    """Yields (function, {argument: value}) for each top-level call in a file."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    for statement in tree.body:
        call = getattr(statement, "value", None)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            yield call.func.id, {
                keyword.arg: ast.literal_eval(keyword.value)
                for keyword in call.keywords
            }


def _pin(name, arguments):
    """Builds a Pin; sha256 is in hexadecimal whichever way the file has it."""
    sha256 = arguments.get("sha256")
    if sha256 is None:
        algorithm, digest = arguments["integrity"].split("-", 1)
        if algorithm != "sha256":
            raise ValueError("%s: integrity is not sha256" % name)
        sha256 = base64.b64decode(digest).hex()
    return Pin(name, arguments["urls"], arguments["strip_prefix"], sha256)


def workspace_pins(path):
    """Returns {repository name: Pin} of a WORKSPACE file."""
    return {
        arguments["name"]: _pin(arguments["name"], arguments)
        for function, arguments in calls(path)
        if function == "http_archive"
    }


def module_pins(path):
    """Returns {repository name: Pin} of a MODULE.bazel file.

    An archive_override names a module; the repository name comes from the
    bazel_dep of that module.
    """
    repositories = {}
    pins = {}
    for function, arguments in calls(path):
        if function == "bazel_dep":
            name = arguments["name"]
            repositories[name] = arguments.get("repo_name", name)
        elif function == "archive_override":
            name = repositories[arguments["module_name"]]
            pins[name] = _pin(name, arguments)
        elif function == "http_archive":
            pins[arguments["name"]] = _pin(arguments["name"], arguments)
    return pins
