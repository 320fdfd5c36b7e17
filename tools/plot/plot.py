# SPDX-License-Identifier: Apache-2.0
"""Measures with Google Benchmark, and draws with gnuplot.

Writes measured.csv, measured.svg and measured.txt into the folder of a page,
and the text into the page. tools/plot/plot.bzl says how to use it.
"""

import argparse
import csv
import datetime
import io
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
from xml.sax.saxutils import escape

# Readable on white and on black alike (contrast of at least 3 to both).
TEXT = "#7a7a7a"
CURVES = ["#2f81f7", "#d9730d", "#2a9d5c", "#b05cc8"]


def die(sentence):
    sys.exit("plot: " + sentence)


def measure(program, repetitions):
    """Runs the benchmark; returns what it reports, as JSON has it.

    The repetitions of all benchmarks are mixed, so that a busy moment of the
    machine does not fall on one curve alone. What is drawn is the fastest of
    them, which was disturbed least.
    """
    out = subprocess.run(
        [
            program,
            "--benchmark_format=json",
            # One iteration each: short enough to go undisturbed now and then.
            "--benchmark_min_time=1x",
            f"--benchmark_repetitions={repetitions}",
            "--benchmark_enable_random_interleaving=true",
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    report = json.loads(out)
    if report["context"].get("library_build_type") != "release":
        die("this build is not optimised; say: bazel run --config=bench ...")
    return report


def table(report, y_is, y_scale):
    """{curve: {x: [y of each repetition]}}, in the order of the report."""
    seconds = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    curves = {}
    # Mixed repetitions are reported in any order.
    for run in sorted(report["benchmarks"],
                      key=lambda run: run.get("family_index", 0)):
        if run.get("run_type") == "aggregate":
            continue
        if run.get("error_occurred"):
            die(f"{run['name']} failed: {run.get('error_message')}")
        curve, x = run["run_name"].split("/")[:2]
        if y_is == "time_per_item":
            y = 1 / run["items_per_second"]
        else:
            y = run["real_time"] * seconds[run["time_unit"]]
        curves.setdefault(curve, {}).setdefault(int(x), []).append(y * y_scale)
    if not curves:
        die("the benchmark reports nothing")
    return curves


def cpu_model():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    model = re.search(r"^model name\s*:\s*(.*)$", text, re.M)
    return model.group(1).strip() if model else platform.machine()


def caption(context):
    """Where and when this was measured."""
    cores = len(os.sched_getaffinity(0))
    return (f"{cores} core{'s' if cores > 1 else ''} of {cpu_model()}; "
            f"{context['compiler']}; {datetime.date.today().isoformat()}")


def number(value):
    """Three digits, and no exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def as_csv(curves, y, where):
    out = io.StringIO()
    out.write(f"# {y}; least, median and greatest of the repetitions\n")
    out.write(f"# {where}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["curve", "x", "min", "median", "max"])
    for curve, points in curves.items():
        for x, ys in sorted(points.items()):
            writer.writerow([curve, x] + [
                f"{v:.6g}"
                for v in (min(ys), statistics.median(ys), max(ys))
            ])
    return out.getvalue()


def as_text(curves, x_label, y_label, where):
    """The least of each point as a table, for the page."""
    xs = sorted({x for points in curves.values() for x in points})
    first = max(len(x_label), *(len(str(x)) for x in xs))
    widths = {c: max(len(c), 9) for c in curves}
    lines = [f"{y_label}, by {x_label}: the fastest of the runs", ""]
    lines.append(" ".join([x_label.rjust(first)] +
                          [c.rjust(widths[c]) for c in curves]))
    for x in xs:
        cells = [str(x).rjust(first)]
        for curve, points in curves.items():
            cell = number(min(points[x])) if x in points else "-"
            cells.append(cell.rjust(widths[curve]))
        lines.append(" ".join(cells))
    return "\n".join(lines + ["", where]) + "\n"


def gnuplot_script(curves, options, where):
    def quoted(text):
        return "'" + text.replace("'", "''") + "'"

    lines = [
        "set terminal svg size 720,440 dynamic enhanced font 'sans-serif,13'",
        "set encoding utf8",
        f"set title {quoted(options.title)} tc rgb '{TEXT}' noenhanced",
        f"set xlabel {quoted(options.x)} tc rgb '{TEXT}' noenhanced",
        f"set ylabel {quoted(options.y)} tc rgb '{TEXT}' noenhanced",
        f"set label 1 {quoted(where)} at screen 0.5,0.025 center "
        f"font ',10' tc rgb '{TEXT}' noenhanced",
        "set bmargin 5",
        f"set border 3 lc rgb '{TEXT}'",
        f"set tics nomirror tc rgb '{TEXT}'",
        f"set grid ytics lc rgb '{TEXT}' lw 0.3",
        f"set key outside top center horizontal tc rgb '{TEXT}' noenhanced",
        "set yrange [0:*]" if not options.log_y else "set logscale y",
    ]
    if options.log_x:
        lines.append("set logscale x")
    else:
        xs = sorted({x for points in curves.values() for x in points})
        lines.append("set xtics (" + ", ".join(map(str, xs)) + ")")
        lines.append("set offsets graph 0.05, graph 0.05, 0, 0")
    plots = []
    for i, (curve, points) in enumerate(curves.items()):
        lines.append(f"$d{i} << EOD")
        for x, ys in sorted(points.items()):
            lines.append(f"{x} {min(ys)}")
        lines.append("EOD")
        color = CURVES[i % len(CURVES)]
        plots.append(f"$d{i} using 1:2 with lines lw 2 dt {i + 1} "
                     f"lc rgb '{color}' notitle")
        plots.append(f"$d{i} using 1:2 with points pt {5 + 2 * i} ps 0.7 "
                     f"lc rgb '{color}' title " + quoted(curve))
    return "\n".join(lines) + "\nplot " + ", \\\n  ".join(plots) + "\n"


def as_svg(curves, options, where):
    drawn = subprocess.run(
        ["gnuplot"],
        input=gnuplot_script(curves, options, where).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if drawn.returncode != 0 or not drawn.stdout:
        die("gnuplot failed: " + drawn.stderr.decode())
    svg = drawn.stdout.decode()
    # Gnuplot's own title and description say only that it drew the picture.
    svg = re.sub(r"<title>.*?</title>\n?", "", svg, count=1, flags=re.S)
    svg = re.sub(r"<desc>.*?</desc>\n?", "", svg, count=1, flags=re.S)
    head = (f'\n<title id="title">{escape(options.title)}</title>\n'
            f'<desc id="desc">{escape(options.description)} '
            f'{escape(where)}</desc>\n')
    return re.sub(r"(<svg\b[^>]*?)\s*>",
                  lambda m: m.group(1) +
                  ' role="img" aria-labelledby="title desc">' + head,
                  svg,
                  count=1)


def put_into_page(page, path, text):
    """The page with `text` in the block that shows the file `path`."""
    pattern = re.compile(r"^(```text file=" + re.escape(path) +
                         r"\n).*?^```$", re.M | re.S)
    return pattern.sub(lambda m: m.group(1) + text + "```", page)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benchmark", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--title", required=True)
    parser.add_argument("--description", required=True)
    parser.add_argument("--x", required=True)
    parser.add_argument("--y", required=True)
    parser.add_argument("--y_is", choices=["time", "time_per_item"],
                        default="time")
    parser.add_argument("--y_scale", type=float, default=1)
    parser.add_argument("--log_x", action="store_true")
    parser.add_argument("--log_y", action="store_true")
    parser.add_argument("--repetitions", type=int, default=100)
    options = parser.parse_args()

    root = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if root is None:
        die(f"say: bazel run --config=bench //{options.folder}:plot")
    if shutil.which("gnuplot") is None:
        die("gnuplot is missing, which draws the picture; on Debian: "
            "apt-get install gnuplot-nox")
    report = measure(options.benchmark, options.repetitions)
    curves = table(report, options.y_is, options.y_scale)
    where = caption(report["context"])
    folder = pathlib.Path(root) / options.folder
    text = as_text(curves, options.x, options.y, where)
    files = {
        "measured.csv": as_csv(curves, options.y, where),
        "measured.svg": as_svg(curves, options, where),
        "measured.txt": text,
    }
    for name, content in files.items():
        (folder / name).write_text(content)
        print(f"wrote {options.folder}/{name}")
    page = folder / "README.md"
    old = page.read_text()
    new = put_into_page(old, f"{options.folder}/measured.txt", text)
    if new != old:
        page.write_text(new)
        print(f"wrote {options.folder}/README.md")
    print("\n" + text)


if __name__ == "__main__":
    main()
