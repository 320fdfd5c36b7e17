# SPDX-License-Identifier: Apache-2.0
"""The npm packages of the book, and the Node.js that runs them.

Two repositories. Nothing outside of //book uses them, so that nothing else
needs Node.js; and neither fails where Node.js is missing: then `node` is a
script that says in one sentence what to install.

    book_node   which Node.js there is; looked up anew by each Bazel server
    book_npm    :node and :node_modules, what `npm ci` installs
"""

_OLDEST_NODE = 18

_MISSING = "The book needs Node.js {oldest} or newer with npm{found}: on Debian, " + \
           "`apt-get install nodejs npm`; then `bazel shutdown`, and try again."

def _node_impl(ctx):
    node = ctx.which("node")
    npm = ctx.which("npm")
    problem = ""
    if not node or not npm:
        problem = _MISSING.format(oldest = _OLDEST_NODE, found = "")
    else:
        version = ctx.execute([node, "--version"]).stdout.strip()
        major = version.lstrip("v").split(".")[0]
        if not major.isdigit() or int(major) < _OLDEST_NODE:
            problem = _MISSING.format(oldest = _OLDEST_NODE, found = ", and found " + version)
    lines = [problem, str(node), str(npm)]
    ctx.file("found.txt", "\n".join(lines) + "\n")
    ctx.file("BUILD.bazel", "exports_files([\"found.txt\"])\n")

book_node = repository_rule(
    doc = "found.txt: what is wrong (empty if nothing), the paths of node and npm.",
    environ = ["PATH"],
    implementation = _node_impl,
    local = True,
)

_BUILD = """package(default_visibility = ["//visibility:public"])

exports_files(["node"])

filegroup(
    name = "node_modules",
    # Without what no build or test reads: types, maps, documentation.
    srcs = glob(
        ["node_modules/**"],
        exclude = [
            "**/* *",
            "**/*.d.cts",
            "**/*.d.mts",
            "**/*.d.ts",
            "**/*.map",
            "**/*.md",
            "**/*.woff",
            "node_modules/.bin/**",
            "node_modules/.package-lock.json",
        ],
        allow_empty = True,
    ),
)
"""

def _npm_impl(ctx):
    problem, node, npm = ctx.read(ctx.attr.node).split("\n")[:3]
    ctx.file("BUILD.bazel", _BUILD)
    if problem:
        ctx.file("node", "#!/bin/sh\ncat >&2 <<'END'\n%s\nEND\nexit 1\n" % problem)
        return
    ctx.symlink(node, "node")
    for file in ctx.attr.files:
        ctx.symlink(file, file.name)
    result = ctx.execute(
        [
            npm,
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--fetch-timeout=60000",
            "--fetch-retries=2",
        ],
        timeout = 600,
    )
    if result.return_code:
        fail("npm could not install the packages of book/package-lock.json:\n" + result.stderr)

book_npm = repository_rule(
    attrs = {
        "files": attr.label_list(doc = "What npm ci reads."),
        "node": attr.label(doc = "found.txt of book_node."),
    },
    doc = "Installs the packages that package-lock.json names.",
    implementation = _npm_impl,
)
