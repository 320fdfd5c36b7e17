# SPDX-License-Identifier: Apache-2.0
"""Programs compiled, dependencies included, the way the explorer needs them.

The explorer (//lockstep) sees a program through the calls that a compiler adds
for -fsanitize=thread: one per memory access, per atomic operation and per
function entry. The link does not get the flag: the explorer's own runtime
defines those functions in place of the sanitizer's. All code of a test must be
compiled this way, Abseil and GoogleTest included, so the flags are set by a
configuration transition and not by `copts`.

    load("//tools:instrumented.bzl", "instrumented_cc_test")

    instrumented_cc_test(
        name = "queue_test",
        srcs = ["queue_test.cc"],
        deps = ["//lockstep:gtest_main"],
    )

A library that must not be instrumented, such as the explorer itself, says
`copts = ["-fno-sanitize=all"]`; the flags of a target come after these.

Where the command line already decides about a sanitizer (--config=tsan, asan
and bench all pass -fsanitize= or -fno-sanitize=) nothing is added, and the
program is built as the command line says.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")

# For all code, dependencies included. -Og keeps helpers of the standard library
# inlined, which -O0 does not. -g1 is what a stack trace needs: files, lines,
# inlined calls. The macro chooses between libstdc++'s two semaphores: the
# one of GCC 12 on atomics can sleep although its count is not 0 (a waiter that
# loses its compare-and-swap sleeps on the count it has read, which an unnoticed
# release may have restored), so correct programs deadlock; the one on sem_t
# cannot. The last two: g++ warns that ThreadSanitizer ignores fences, but lockstep
# does not; clang has no such warning.
INSTRUMENTED_COPTS = [
    "-fsanitize=thread",
    "-Og",
    "-g1",
    "-fno-omit-frame-pointer",
    "-D_GLIBCXX_USE_POSIX_SEMAPHORE=1",
    "-Wno-tsan",
    "-Wno-unknown-warning-option",
]

# For the code that is graded, in addition: no access that the source names may
# be merged with another, so that a thread can come between any two. In
# `n++; n++;` there are two reads and two writes; with -Og alone GCC drops the
# second read, at -O1 also the first write. Clang's -Og is its -O1, which merges
# as much and removes loops on a plain variable; it needs -O0.
#
# _GLIBCXX_ASSERTIONS makes reading from an empty container end in a message and
# not in whatever is there, and it has std::string compiled with the test: since
# GCC 13 its members are otherwise taken from libstdc++.so, whose accesses are
# not instrumented.
#
# instrumented_cc_test and instrumented_cc_binary add these to their own srcs; a
# cc_library of graded code says `copts = FAITHFUL_COPTS`. Empty in builds that
# are not instrumented.
FAITHFUL_COPTS = select({
    "//tools:explorer_off": [],
    "//tools:explorer_off_clang": [],
    "//tools:clang": [
        "-O0",
        "-D_GLIBCXX_ASSERTIONS",
    ],
    "//conditions:default": [
        "-fno-tree-fre",
        "-D_GLIBCXX_ASSERTIONS",
    ],
})

def _instrumented_transition_impl(settings, attr):
    # Bazel insists on the parameter, though nothing depends on it.
    _ = attr  # @unused
    copts = settings["//command_line_option:copt"]
    for copt in copts:
        if copt.startswith("-fsanitize=") or copt.startswith("-fno-sanitize="):
            return {"//command_line_option:copt": copts}
    return {"//command_line_option:copt": copts + INSTRUMENTED_COPTS}

_instrumented_transition = transition(
    implementation = _instrumented_transition_impl,
    inputs = ["//command_line_option:copt"],
    outputs = ["//command_line_option:copt"],
)

def _link_to_actual(ctx, launcher = None):
    """Returns a DefaultInfo whose program is a symbolic link to `actual`.

    With a launcher it is a link to that, and `actual` is beside it.
    """
    actual = ctx.attr.actual[0]  # An attribute with a transition is a list.
    program = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = program,
        target_file = launcher or actual[DefaultInfo].files_to_run.executable,
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [program] + ctx.files.data)
    runfiles = runfiles.merge(actual[DefaultInfo].default_runfiles)
    for target in ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    return DefaultInfo(executable = program, runfiles = runfiles)

def _instrumented_test_impl(ctx):
    env = {
        name: ctx.expand_location(value, ctx.attr.data)
        for name, value in ctx.attr.env.items()
    }

    # RunEnvironmentInfo, its successor, is not in Bazel 4.
    return [_link_to_actual(ctx, ctx.executable.launcher), testing.TestEnvironment(env)]

def _instrumented_binary_impl(ctx):
    return [_link_to_actual(ctx)]

_ATTRS = {
    "actual": attr.label(
        cfg = _instrumented_transition,
        doc = "The program to build with the instrumentation. Tag it `manual`: nobody wants it built without.",
        executable = True,
        mandatory = True,
    ),
    "data": attr.label_list(
        allow_files = True,
        doc = "Files the program reads when it runs, beside those of `actual`.",
    ),
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}

instrumented_test = rule(
    attrs = dict(
        _ATTRS,
        env = attr.string_dict(
            doc = "Environment of the test; $(location) of `data` is expanded.",
        ),
        launcher = attr.label(
            cfg = "target",
            doc = "A program without instrumentation to run in place of `actual`. It finds that under its own name with _program.",
            executable = True,
        ),
    ),
    doc = "A test that runs `actual`, compiled for the explorer. The usual attributes of a test (args, size, timeout, ...) belong here, not on `actual`.",
    implementation = _instrumented_test_impl,
    test = True,
)

instrumented_binary = rule(
    attrs = _ATTRS,
    doc = "A program, not a test: `actual`, compiled for the explorer.",
    executable = True,
    implementation = _instrumented_binary_impl,
)

# What belongs to the wrapper; everything else describes the program.
_WRAPPER_ATTRS = [
    "args",
    "env",
    "flaky",
    "launcher",
    "local",
    "shard_count",
    "size",
    "tags",
    "timeout",
    "visibility",
]

def _split(name, kwargs):
    """Splits the attributes of a macro into the wrapper's and the program's."""
    wrapper = {k: kwargs.pop(k) for k in _WRAPPER_ATTRS if k in kwargs}
    wrapper["name"] = name
    for both in ["testonly", "target_compatible_with", "deprecation"]:
        if both in kwargs:
            wrapper[both] = kwargs[both]
    if "data" in kwargs:
        wrapper["data"] = kwargs["data"]
    wrapper["actual"] = ":" + name + "_program"

    program = dict(kwargs)
    program["name"] = name + "_program"
    program["tags"] = ["manual"]
    program["visibility"] = ["//visibility:private"]
    program["copts"] = FAITHFUL_COPTS + kwargs.get("copts", [])

    # The explorer replaces functions of the C library, and only a definition in
    # the program itself goes before the library's.
    program.setdefault("linkstatic", True)
    return wrapper, program

def instrumented_cc_test(name, **kwargs):
    """A cc_test compiled for the explorer. Takes the attributes of cc_test.

    Args:
      name: the name of the test; NAME_program is the cc_test behind it.
      **kwargs: as for cc_test.
    """
    wrapper, program = _split(name, kwargs)
    cc_test(**program)
    instrumented_test(**wrapper)

def instrumented_cc_binary(name, **kwargs):
    """A cc_binary compiled for the explorer. Takes the attributes of cc_binary.

    Args:
      name: the name of the program; NAME_program is the cc_binary behind it.
      **kwargs: as for cc_binary.
    """
    wrapper, program = _split(name, kwargs)
    cc_binary(**program)
    instrumented_binary(**wrapper)
