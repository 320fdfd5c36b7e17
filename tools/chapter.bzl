# SPDX-License-Identifier: Apache-2.0
"""Pairs a chapter's page, skeleton, solutions, tests and mistakes.

    chapters/NN_topic/BUILD.bazel   chapter(...)        page and grade
    exercises/BUILD.bazel           exercises()         what a student edits
    solutions/BUILD.bazel           solutions()         reference answers
    tests/BUILD.bazel               chapter_tests()     tests and self-checks

The last three find the chapters in the folders beside them, so a new chapter
edits no central list. All meet at one rule: a chapter's tests include
"answer.h", a generated file that includes the answer under test, be it the
student's, a reference solution, a mistake or the pristine skeleton.
"""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//tools:instrumented.bzl", "instrumented_cc_test")
load("//tools/literate:page.bzl", "page")

# What every answer may use, so that no chapter needs a list of its own.
_ANSWER_DEPS = [
    "@com_google_absl//absl/base:core_headers",
    "@com_google_absl//absl/cleanup",
    "@com_google_absl//absl/container:flat_hash_map",
    "@com_google_absl//absl/functional:any_invocable",
    "@com_google_absl//absl/functional:function_ref",
    "@com_google_absl//absl/status",
    "@com_google_absl//absl/status:statusor",
    "@com_google_absl//absl/strings",
    "@com_google_absl//absl/synchronization",
    "@com_google_absl//absl/time",
    "@com_google_absl//absl/types:span",
]

def _answer_test(name, chapter, answer, path, self_check = "", tags = []):
    """Holds one answer to the tests of its chapter.

    Args:
      name: name of the test.
      chapter: the chapter's folder name, as 08_mutex.
      answer: label of the answer's file, or of a filegroup that holds it (and
        may be empty, if a student deleted the file).
      path: the answer's path from the workspace root, for messages.
      self_check: see tests/grader/grader_main.cc; empty to grade.
      tags: further tags of the test.
    """
    native.genrule(
        name = name + "_header",
        srcs = [answer],
        outs = [name + "_include/answer.h"],
        cmd = "bash $(execpath //tools:make_answer.sh) %s %s $(SRCS) > $@" %
              (chapter, path),
        message = "Reading " + path,
        tags = ["manual"],
        tools = ["//tools:make_answer.sh"],
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name + "_answer",
        hdrs = [name + "_include/answer.h"],
        includes = [name + "_include"],
        tags = ["manual"],
        textual_hdrs = [answer],
        visibility = ["//visibility:private"],
        deps = _ANSWER_DEPS,
    )
    skeleton = "//tests:%s/skeleton_file" % chapter
    instrumented_cc_test(
        name = name,
        size = "small",  # .bazelrc says how long it may take
        srcs = ["//tests:%s/sources" % chapter],
        args = [
            "--chapter=" + chapter,
            "--answer=" + path,
            "--skeleton=tests/%s/skeleton/%s" % (chapter, path.split("/")[-1]),
        ] + (["--self_check=" + self_check] if self_check else []),
        # The sources tell the grader which tests must run.
        data = [answer, skeleton, "//tests:%s/sources" % chapter],
        launcher = "//tests/grader",
        tags = tags + ["block-network"],
        deps = _ANSWER_DEPS + [
            name + "_answer",
            "//lockstep:gtest",
            "//tests/grader:program_main",
            "//tests/support",
            "@com_google_googletest//:gtest",
        ],
    )

def chapter(exercise, listings = [], schedules = [], words = [800, 1500]):
    """A chapter: its page, and the grade of the student's answer.

    Makes `:grade`, the test that `bazel test //chapters/...` runs, `:page_test`
    (listed in //tests, not part of the grade) and `:update`, which refreshes
    the recorded parts of the page.

    Args:
      exercise: the file a student edits, as lock.h, in exercises/NN_topic/.
      listings: names of the page's programs that are run.
      schedules: names of the page's programs that lockstep explores, and of
        mistakes whose failing schedule the page shows
        ("mistakes/FILE.h:Suite.Test").
      words: the least and the greatest number of words of prose on the page.
    """
    name = native.package_name().split("/")[-1]
    _answer_test(
        name = "grade",
        answer = "//exercises:" + name,
        chapter = name,
        path = "exercises/%s/%s" % (name, exercise),
    )
    page(
        name = "page",
        # Written by :plot, see tools/plot/plot.bzl.
        files = native.glob(["measured.*"], allow_empty = True),
        listings = listings,
        schedules = schedules,
        src = "README.md",
        # Chapter 00 explains the workbook, and has other parts.
        chapter = not name.startswith("00_"),
        tests = "//tests:" + name,
        words = words,
    )
    native.exports_files(["README.md"], visibility = ["//visibility:public"])
    native.filegroup(
        name = "book",
        srcs = ["README.md"] + native.glob(
            [
                "*.png",
                "*.svg",
                "graphs/*.json",
                "schedules/**/*.json",
            ],
            allow_empty = True,
        ),
        tags = ["manual"],
        visibility = ["//visibility:public"],
    )

def _folders(files):
    """The first path components of `files`, sorted, each once."""
    return sorted({f.split("/")[0]: None for f in files if "/" in f}.keys())

def exercises():
    """Makes the student's files, one filegroup per chapter."""

    # The folders and not their files: one may be empty, if the student has
    # deleted its file, and then make_answer.sh says what to do.
    for name in native.glob(["*"], exclude = ["*.*"], exclude_directories = 0):
        native.filegroup(
            name = name,
            srcs = native.glob([name + "/**/*.h"]),
            visibility = ["//visibility:public"],
        )

def solutions():
    """Holds every reference solution, NN_topic/FLAVOUR/x.h, to its tests.

    Makes a test NN_topic/FLAVOUR_test for each, and a test suite NN_topic.
    """
    suites = {}
    for file in native.glob(["*/*/*.h"]):
        chapter_name, flavour, _ = file.split("/")

        # Not just FLAVOUR: that is the folder where the test finds the answer.
        name = "%s/%s_test" % (chapter_name, flavour)
        _answer_test(
            name = name,
            answer = file,
            chapter = chapter_name,
            path = "solutions/" + file,
        )
        suites.setdefault(chapter_name, []).append(name)
    for name, tests in suites.items():
        native.test_suite(name = name, tests = tests)

def chapter_tests():
    """Makes each chapter's tests, and checks skeleton, mistakes and page.

    Makes tests NN_topic/skeleton_test and NN_topic/mistakes/..., a test suite
    NN_topic of these and the page's test, and `:book`, all that the web site
    shows of the chapters.
    """
    native.filegroup(
        name = "book",
        srcs = native.glob([
            "*/*.cc",
            "*/*.h",
            "*/mistakes/*.h",
            "*/skeleton/*.h",
        ]) + [
            "//chapters/%s:book" % name
            for name in _folders(native.glob(["*/*_test.cc"]))
        ],
        tags = ["manual"],
        visibility = ["//visibility:public"],
    )
    for name in _folders(native.glob(["*/*_test.cc"])):
        skeletons = native.glob([name + "/skeleton/*.h"])
        native.filegroup(
            name = name + "/sources",
            srcs = native.glob([name + "/*.cc", name + "/*.h"]),
            visibility = ["//visibility:public"],
        )
        native.filegroup(
            name = name + "/skeleton_file",
            srcs = skeletons,
            visibility = ["//visibility:public"],
        )
        native.filegroup(
            name = name + "/mistake_files",
            srcs = native.glob([name + "/mistakes/*.h"]),
            visibility = ["//visibility:public"],
        )
        tests = ["//chapters/%s:page_test" % name]
        for skeleton in skeletons:
            tests.append(name + "/skeleton_test")
            _answer_test(
                name = name + "/skeleton_test",
                answer = skeleton,
                chapter = name,
                path = "tests/" + skeleton,
                self_check = "skeleton",
            )
        for mistake in native.glob([name + "/mistakes/*.h"]):
            tests.append(mistake[:-len(".h")])
            _answer_test(
                name = mistake[:-len(".h")],
                answer = mistake,
                chapter = name,
                path = "tests/" + mistake,
                self_check = "mistake",
            )
        native.test_suite(name = name, tests = tests)
