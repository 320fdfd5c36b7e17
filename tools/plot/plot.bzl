# SPDX-License-Identifier: Apache-2.0
"""A measured picture on a page: a benchmark, its figures, and their plot.

    load("//tools/plot:plot.bzl", "plot")

    plot(
        src = "measure.cc",
        title = "Four milliseconds of work, shared out",
        description = "...",
        x = "workers",
        y = "milliseconds",
    )

makes `:plot`, tagged `manual`, which measures and writes three files beside the
page: measured.csv, measured.svg, and measured.txt, whose text it also puts into
the page, in the place of the block `text file=.../measured.txt`:

    bazel run --config=bench //chapters/03_scaling:plot
"""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def plot(
        src,
        title,
        description,
        x,
        y,
        name = "plot",
        y_is = "time",
        y_scale = 1,
        log_x = False,
        log_y = False):
    """Measures and draws.

    Args:
      src: a program with Google Benchmark's main(). The name of a benchmark is
        the name of its curve, its first argument the place on the x axis.
      title: what the picture shows.
      description: the picture in words, for those who do not see it. It must
        stay true when somebody else measures.
      x: the label of the x axis.
      y: the label of the y axis.
      name: of the target.
      y_is: "time" for the wall time of an iteration, "time_per_item" for that
        divided by the items that SetItemsProcessed() names.
      y_scale: how many of the unit in `y` make a second.
      log_x: draw the x axis in powers of ten.
      log_y: draw the y axis in powers of ten.
    """
    cc_binary(
        name = name + "_benchmark",
        srcs = [
            src,
            "//tools/plot:context.cc",
        ],
        tags = ["manual"],
        deps = [
            "@com_google_absl//absl/base:core_headers",
            "@com_google_absl//absl/synchronization",
            "@com_google_benchmark//:benchmark_main",
        ],
    )
    native.sh_binary(
        name = name,
        srcs = ["//tools:run_python.sh"],
        args = [
            "$(location //tools/plot:plot.py)",
            "--benchmark=$(location :%s_benchmark)" % name,
            "--folder=" + native.package_name(),
            "--title='%s'" % title,
            "--description='%s'" % description,
            "--x='%s'" % x,
            "--y='%s'" % y,
            "--y_is=" + y_is,
            "--y_scale=%d" % y_scale,
        ] + (["--log_x"] if log_x else []) + (["--log_y"] if log_y else []),
        data = [
            ":%s_benchmark" % name,
            "//tools/plot:plot.py",
        ],
        tags = ["manual"],
    )
