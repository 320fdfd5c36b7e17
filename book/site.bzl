# SPDX-License-Identifier: Apache-2.0
"""Rules of the book: its static site, and programs in JavaScript."""

# How run.sh is called; see there.
_ATTRS = {
    "program": attr.label(
        allow_single_file = [".mjs"],
        mandatory = True,
    ),
    "srcs": attr.label_list(
        allow_files = True,
        doc = "What the program reads or imports, at its place in the workbook.",
    ),
    "_node": attr.label(
        allow_single_file = True,
        default = "@book_npm//:node",
    ),
    "_node_modules": attr.label(default = "@book_npm//:node_modules"),
    "_run": attr.label(
        allow_single_file = True,
        default = "//book:run.sh",
    ),
}

def _root_of_modules(paths):
    """The folder node_modules that `paths` are in; "none" without Node.js."""
    if not paths:
        return "none"
    where = paths[0]
    return where[:where.find("node_modules/") + len("node_modules")]

def _write_list(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".list")
    files = ctx.files.srcs + [ctx.file.program]
    ctx.actions.write(out, "".join([f.short_path + "\n" for f in files]))
    return out

def _site_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    files = _write_list(ctx)
    ctx.actions.run(
        arguments = [
            files.path,
            ctx.file._node.path,
            _root_of_modules([f.path for f in ctx.files._node_modules]),
            ctx.file.program.path,
            out.path,
        ],
        executable = ctx.file._run,
        inputs = ctx.files.srcs + ctx.files._node_modules + [
            files,
            ctx.file._node,
            ctx.file.program,
        ],
        mnemonic = "BuildBook",
        outputs = [out],
        progress_message = "Building the book",
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]))]

site = rule(
    attrs = _ATTRS,
    doc = "A folder that `program` fills; it is given the folder's path.",
    implementation = _site_impl,
)

def _program_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name)
    files = _write_list(ctx)
    words = [
        ctx.file._run.short_path,
        files.short_path,
        ctx.file._node.short_path,
        _root_of_modules([f.short_path for f in ctx.files._node_modules]),
        ctx.file.program.short_path,
    ] + [f.short_path for f in ctx.files.site]
    ctx.actions.write(
        script,
        "#!/bin/sh\nexec %s \"$@\"\n" % " ".join(["'%s'" % word for word in words]),
        is_executable = True,
    )
    runfiles = ctx.runfiles(
        files = ctx.files.srcs + ctx.files.site + ctx.files._node_modules + [
            files,
            ctx.file._node,
            ctx.file._run,
            ctx.file.program,
        ],
    )
    return [DefaultInfo(executable = script, runfiles = runfiles)]

_PROGRAM_ATTRS = dict(
    _ATTRS,
    site = attr.label(doc = "A site; its folder is the program's first argument."),
)

node_binary = rule(
    attrs = _PROGRAM_ATTRS,
    doc = "A program for `bazel run`.",
    executable = True,
    implementation = _program_impl,
)

node_test = rule(
    attrs = _PROGRAM_ATTRS,
    doc = "A program that exits with 0 if all is well.",
    implementation = _program_impl,
    test = True,
)
