#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rebuilds the archives that WORKSPACE pins from Debian's source packages.

usage: archives.py packages
       archives.py build SOURCE_DIR OUTPUT_DIR

The first form prints the names of the source packages. The second turns their
files in SOURCE_DIR into archives in OUTPUT_DIR, named as at the end of the
pinned addresses, so that OUTPUT_DIR serves as Bazel's --distdir. An archive
whose SHA-256 is not the pinned one is an error: nothing is trusted because of
where it came from.

Debian keeps some archives as they were published. Others it unpacked from git
itself: the same files in the same order, but below another folder, and packed
by another program. Since `git archive` writes a tar file byte by byte as
specified, renaming that folder in the headers and compressing with `gzip -cn`
gives the published file again.
"""

import collections
import gzip
import hashlib
import lzma
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 2)
sys.path.insert(0, os.path.join(ROOT, "tools"))

import pins  # pylint: disable=wrong-import-position

# package, version: of Debian's source package, whose file is
#   PACKAGE_VERSION.orig.SUFFIX.
# folder: the top folder in that file; None if the file is used as it is.
# commit, mtime: what the published archive has in its header where Debian's
#   file has something else.
Source = collections.namedtuple(
    "Source", "package version suffix folder commit mtime", defaults=[None] * 3
)

SOURCES = {
    "rules_cc": Source(
        "bazel-rules-cc", "0.0.4", "tar.xz", "rules_cc-0.0.4"
    ),
    "bazel_skylib": Source(
        "bazel-skylib", "1.0.3", "tar.xz", "bazel-skylib-1.0.3"
    ),
    "com_google_absl": Source(
        "abseil", "20240722.0", "tar.gz", "abseil-20240722.0"
    ),
    "com_google_googletest": Source(
        "googletest",
        "1.16.0",
        "tar.gz",
        "googletest-1.16.0",
        "6910c9d9165801d8827d628cb72eb7ea9dd538c5",
        1738944296,
    ),
    "com_google_benchmark": Source("benchmark", "1.9.1", "tar.gz"),
    "md4c": Source("md4c", "0.5.2", "tar.gz"),
}

BLOCK = 512


def split_path(path):
    """Splits a path into the tar header's (name, prefix), as git does."""
    if len(path) <= 100:
        return path, b""
    end = min(len(path), 155)
    if end > 1 and path[end - 1 : end] == b"/":
        end -= 1
    end = path.rfind(b"/", 0, end)
    rest = path[end + 1 :]
    if end <= 0 or len(rest) > 100:
        raise ValueError("path too long for a tar header: %r" % path)
    return rest, path[:end]


def set_checksum(header):
    header[148:156] = b" " * 8
    header[148:156] = b"%07o\0" % sum(header)


def rename_top_folder(data, old, new, commit=None, mtime=None):
    """Returns the tar file `data` with its top folder renamed.

    commit and mtime, if given, replace the commit in the global header and the
    time of each entry.
    """
    old, new = old.encode(), new.encode()
    result = bytearray()
    at = 0
    while True:
        header = bytearray(data[at : at + BLOCK])
        if not any(header):
            break
        size = int(header[124:136].rstrip(b"\0 "), 8)
        padded = (size + BLOCK - 1) // BLOCK * BLOCK
        body = data[at + BLOCK : at + BLOCK + padded]
        at += BLOCK + padded
        if mtime is not None:
            header[136:148] = b"%011o\0" % mtime
        kind = header[156:157]
        if kind == b"g":  # The commit, as a comment.
            if commit is not None:
                body = b"52 comment=%s\n" % commit.encode()
                body = body.ljust(BLOCK, b"\0")
        elif kind == b"x":
            raise ValueError("extended headers are not supported")
        else:
            path = bytes(header[:100]).rstrip(b"\0")
            if header[345]:
                path = bytes(header[345:500]).rstrip(b"\0") + b"/" + path
            if not path.startswith(old + b"/"):
                raise ValueError("not below %r: %r" % (old, path))
            name, prefix = split_path(new + path[len(old) :])
            header[:100] = name.ljust(100, b"\0")
            header[345:500] = prefix.ljust(155, b"\0")
        set_checksum(header)
        result += header + body
    # Two empty blocks, then up to the size of a tar record.
    record = 20 * BLOCK
    length = (len(result) + 2 * BLOCK + record - 1) // record * record
    return bytes(result.ljust(length, b"\0"))


def build(source, strip_prefix, path):
    """Returns the bytes of the published archive, from Debian's file `path`."""
    with open(path, "rb") as file:
        data = file.read()
    if source.folder is None:
        return data
    unpack = lzma.decompress if path.endswith(".xz") else gzip.decompress
    data = rename_top_folder(
        unpack(data), source.folder, strip_prefix, source.commit, source.mtime
    )
    # Python's gzip chooses other matches than the program does.
    return subprocess.run(
        ["gzip", "-cn"], input=data, stdout=subprocess.PIPE, check=True
    ).stdout


def main(arguments):
    if arguments == ["packages"]:
        print(" ".join(sorted(s.package for s in SOURCES.values())))
        return 0
    if len(arguments) != 3 or arguments[0] != "build":
        print(__doc__, file=sys.stderr)
        return 2
    _, source_dir, output_dir = arguments
    workspace = pins.workspace_pins(os.path.join(ROOT, "WORKSPACE"))
    for name, pin in sorted(workspace.items()):
        source = SOURCES[name]
        file = "%s_%s.orig.%s" % (source.package, source.version, source.suffix)
        path = os.path.join(source_dir, file)
        if not os.path.exists(path):
            sys.exit(
                "%s: Debian no longer has %s; the build needs access to %s."
                % (name, file, pin.urls[0])
            )
        data = build(source, pin.strip_prefix, path)
        if hashlib.sha256(data).hexdigest() != pin.sha256:
            sys.exit(
                "%s: the archive made from %s has not the SHA-256 in WORKSPACE."
                % (name, file)
            )
        output = os.path.join(output_dir, os.path.basename(pin.urls[0]))
        with open(output, "wb") as out:
            out.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
