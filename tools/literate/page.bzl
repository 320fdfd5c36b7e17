# SPDX-License-Identifier: Apache-2.0
"""A page whose listings are compiled and run, and whose outputs are compared.

    load("//tools/literate:page.bzl", "page")

    page(
        name = "page",
        src = "README.md",
        listings = ["counter", "locked_counter"],   # cpp run=NAME
        schedules = ["counter"],                    # text schedule=NAME
    )

makes, all of them tagged `manual`:

    :page_test           fails if the page says anything that is not so
    :update              bazel run it: rewrites outputs and pictures in the page
    :listing_NAME        the program NAME, to run it by hand
    :explored_NAME       the same, explored by lockstep: prints the picture

README.md beside this file describes the markup of a page.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//tools:instrumented.bzl", "instrumented_cc_binary")

# What programs on a page may use without asking.
_LISTING_DEPS = [
    "@com_google_absl//absl/base:core_headers",
    "@com_google_absl//absl/container:flat_hash_map",
    "@com_google_absl//absl/functional:any_invocable",
    "@com_google_absl//absl/status",
    "@com_google_absl//absl/status:statusor",
    "@com_google_absl//absl/strings",
    "@com_google_absl//absl/strings:str_format",
    "@com_google_absl//absl/synchronization",
    "@com_google_absl//absl/time",
]

# A listing is compiled once and run for milliseconds: a page must be quick to
# build. Warnings are errors, because readers copy listings; assert() works in any
# build, because pages state facts with it.
_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-UNDEBUG",
]
_LISTING_COPTS = _WARNINGS + [
    "-O1",
    "-g0",
]

def _extract_impl(ctx):
    # g++ may place an instruction of a listing in this file, whatever #line says:
    # so that a picture shows one name, it is called like the listing.
    out = ctx.actions.declare_file("%s/%s.cc" % (ctx.label.name, ctx.attr.listing))
    ctx.actions.run(
        arguments = [
            "extract",
            "--page=" + ctx.file.page.path,
            "--listing=" + ctx.attr.listing,
            "--positions=" + ctx.attr.positions,
            "--output=" + out.path,
        ],
        executable = ctx.executable._literate,
        inputs = [ctx.file.page],
        mnemonic = "Extract",
        outputs = [out],
        progress_message = "Extracting %s from %s" % (ctx.attr.listing, ctx.file.page.short_path),
    )
    return [DefaultInfo(files = depset([out]))]

_LITERATE = attr.label(
    cfg = "exec",
    default = "//tools/literate",
    executable = True,
)

_extract = rule(
    attrs = {
        "listing": attr.string(mandatory = True),
        "not_started": attr.label(
            cfg = "target",
            executable = True,
        ),
        "page": attr.label(allow_single_file = True, mandatory = True),
        "positions": attr.string(values = ["listing", "page"]),
        "_literate": _LITERATE,
    },
    implementation = _extract_impl,
)

def _page_impl(ctx):
    """A script that runs the literate tool on what it needs to know."""
    facts = [
        ["page", ctx.file.page.short_path],
        ["package", ctx.label.package],
        ["update", "bazel run //%s:update" % ctx.label.package],
        ["words"] + [str(n) for n in ctx.attr.words],
    ]
    if not ctx.attr.explorer:
        facts.append(["no_explorer"])
    if ctx.attr.chapter:
        facts.append(["chapter"])
    runfiles = ctx.runfiles(files = [ctx.file.page] + ctx.files.files + ctx.files.mistakes + ctx.files.recordings)
    runfiles = runfiles.merge(ctx.attr._literate[DefaultInfo].default_runfiles)
    for kind, programs in [
        ["listing", ctx.attr.listings],
        ["explored", ctx.attr.explored],
        ["grader", ctx.attr.graders],
    ]:
        for target, name in programs.items():
            program = target[DefaultInfo].files_to_run.executable
            facts.append([kind, name, program.short_path])
            runfiles = runfiles.merge(ctx.runfiles(files = [program]))
            runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    for kind in ["file", "mistake", "recording"]:
        facts += [[kind, f.short_path] for f in getattr(ctx.files, kind + "s")]
    facts += [["picture", picture] for picture in ctx.attr.pictures]
    for skeleton in ctx.files.skeleton:
        facts.append(["skeleton", skeleton.short_path])
        facts.append(["exercise", "exercises/%s/%s" % (ctx.label.package.split("/")[-1], skeleton.basename)])
        runfiles = runfiles.merge(ctx.runfiles(files = [skeleton]))
    if ctx.attr.not_started:
        program = ctx.executable.not_started
        facts.append(["not_started", program.short_path])
        runfiles = runfiles.merge(ctx.runfiles(files = [program]))
        runfiles = runfiles.merge(ctx.attr.not_started[DefaultInfo].default_runfiles)

    spec = ctx.actions.declare_file(ctx.label.name + ".spec")
    ctx.actions.write(spec, "".join(["\t".join(fact) + "\n" for fact in facts]))
    script = ctx.actions.declare_file(ctx.label.name)
    tool = ctx.executable._literate
    ctx.actions.write(
        script,
        "#!/bin/sh\nexec %s %s --spec=%s \"$@\"\n" % (tool.short_path, ctx.attr.command, spec.short_path),
        is_executable = True,
    )
    runfiles = runfiles.merge(ctx.runfiles(files = [spec, tool]))
    return [DefaultInfo(executable = script, runfiles = runfiles)]

_PAGE_ATTRS = {
    "chapter": attr.bool(doc = "Whether the page has the parts of a chapter."),
    "command": attr.string(mandatory = True, values = ["check", "update"]),
    "explored": attr.label_keyed_string_dict(cfg = "target"),
    "explorer": attr.bool(doc = "Whether this build explores schedules."),
    "files": attr.label_list(allow_files = True),
    "graders": attr.label_keyed_string_dict(cfg = "target"),
    "listings": attr.label_keyed_string_dict(cfg = "target"),
    "mistakes": attr.label_list(allow_files = True),
    "not_started": attr.label(
        cfg = "target",
        executable = True,
    ),
    "page": attr.label(allow_single_file = True, mandatory = True),
    "pictures": attr.string_list(),
    "recordings": attr.label_list(allow_files = [".json"]),
    "skeleton": attr.label(allow_files = True),
    "words": attr.int_list(default = [800, 1500]),
    "_literate": _LITERATE,
}

_page_test = rule(
    attrs = _PAGE_ATTRS,
    implementation = _page_impl,
    test = True,
)

_page_update = rule(
    attrs = _PAGE_ATTRS,
    executable = True,
    implementation = _page_impl,
)

def page(
        name,
        src = "README.md",
        listings = [],
        schedules = [],
        files = [],
        chapter = True,
        tests = None,
        words = [800, 1500],
        deps = [],
        copts = [],
        linkopts = [],
        tags = [],
        visibility = ["//visibility:public"]):
    """Checks a page against reality.

    Args:
      name: the test is NAME_test.
      src: the page.
      listings: the names of its programs that are run natively (cpp run=NAME;
        all but those that have a schedule block and no output block).
      schedules: the names of its programs that are explored (text schedule=NAME),
        and the schedules of mistakes, "mistakes/FILE.h:Suite.Test".
      files: files that the page shows lines of (cpp or text file=PATH).
      chapter: hold the page to the parts of a chapter, in order.
      tests: "//tests:NN_topic" if the page belongs to tests, whose targets
        NN_topic/skeleton_file, NN_topic/skeleton_test, NN_topic/mistake_files
        and NN_topic/mistakes/FILE it then uses.
      words: the least and the greatest number of words of prose.
      deps: of all programs on the page, beside Abseil.
      copts: further compiler options of all programs on the page.
      linkopts: further linker options of all programs on the page.
      tags: of the test, beside "manual": a page is part of the workbook's
        self-check (//tests/...), not of a student's grade (//chapters/...).
      visibility: of the test.
    """
    for listing in listings:
        _extract(
            name = "extract_" + listing,
            listing = listing,
            page = src,
            positions = "page",
            tags = ["manual"],
        )
        cc_binary(
            name = "listing_" + listing,
            srcs = [":extract_" + listing],
            copts = _LISTING_COPTS + copts,
            linkopts = linkopts,
            tags = ["manual"],
            deps = _LISTING_DEPS + deps,
        )
    explored = [s for s in schedules if not s.startswith("mistakes/")]
    pictures = [s for s in schedules if s.startswith("mistakes/")]
    for listing in explored:
        _extract(
            name = "extract_explored_" + listing,
            listing = listing,
            page = src,
            positions = "listing",
            tags = ["manual"],
        )
        instrumented_cc_binary(
            name = "explored_" + listing,
            # In this order: the first and the last file enclose its variables.
            srcs = [
                "//tools/literate:listing_begin.cc",
                ":extract_explored_" + listing,
                "//tools/literate:listing_end.cc",
            ],
            copts = _WARNINGS + copts,
            # The start-up code calls the driver's main; the page's own becomes
            # __real_main, which the driver explores.
            linkopts = ["-Wl,--wrap=main"] + linkopts,
            tags = ["manual"],
            deps = _LISTING_DEPS + ["//tools/literate:explore_main"] + deps,
        )
    attrs = {
        "chapter": chapter,
        "explored": {":explored_" + listing: listing for listing in explored},
        "explorer": select({
            "//tools:explorer_off": False,
            "//conditions:default": True,
        }),
        "files": files,
        "graders": {},
        "listings": {":listing_" + listing: listing for listing in listings},
        "page": src,
        "pictures": pictures,
        "recordings": native.glob([
            "graphs/*.json",
            "schedules/**/*.json",
        ]),
        "words": words,
    }
    if tests:
        for picture in pictures:
            mistake = picture.split(":")[0]
            attrs["graders"]["%s/%s" % (tests, mistake[:-len(".h")])] = mistake
        attrs["mistakes"] = [tests + "/mistake_files"]
        attrs["not_started"] = tests + "/skeleton_test"
        attrs["skeleton"] = tests + "/skeleton_file"
    _page_test(
        name = name + "_test",
        size = "small",
        command = "check",
        tags = ["manual"] + tags,
        visibility = visibility,
        **attrs
    )
    _page_update(
        name = "update",
        command = "update",
        testonly = True,
        tags = ["manual"],
        visibility = visibility,
        **attrs
    )
