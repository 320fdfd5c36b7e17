# SPDX-License-Identifier: Apache-2.0
"""Tests of plot.py: all but measuring and drawing."""

import argparse
import sys
import unittest

sys.dont_write_bytecode = True

import plot


def run(name, **more):
    """What Google Benchmark reports of one repetition."""
    return {"name": name, "run_name": name, "run_type": "iteration",
            "real_time": 1.0, "time_unit": "ms", **more}


class PlotTest(unittest.TestCase):

    def test_times_are_sorted_into_curves(self):
        report = {"benchmarks": [
            run("a/1/real_time", real_time=2.0),
            run("a/1/real_time", real_time=4.0),
            run("a/2/real_time"),
            run("b/1/real_time", real_time=0.5, time_unit="s"),
            run("a/1/real_time_mean", run_type="aggregate"),
        ]}
        self.assertEqual(plot.table(report, "time", 1000),
                         {"a": {1: [2.0, 4.0], 2: [1.0]}, "b": {1: [500.0]}})

    def test_time_per_item(self):
        report = {"benchmarks": [run("a/1", items_per_second=2e6)]}
        curves = plot.table(report, "time_per_item", 1e9)
        self.assertAlmostEqual(curves["a"][1][0], 500)

    def test_a_failed_benchmark_is_an_error(self):
        report = {"benchmarks": [
            run("a/1", error_occurred=True, error_message="no luck")]}
        with self.assertRaisesRegex(SystemExit, "a/1 failed: no luck"):
            plot.table(report, "time", 1)
        with self.assertRaisesRegex(SystemExit, "reports nothing"):
            plot.table({"benchmarks": []}, "time", 1)

    def test_csv(self):
        self.assertEqual(
            plot.as_csv({"a": {2: [3.0, 1.0, 2.0]}}, "ms", "here"),
            "# ms; least, median and greatest of the repetitions\n# here\n"
            "curve,x,min,median,max\na,2,1,2,3\n")

    def test_table_for_the_page(self):
        text = plot.as_text({"a": {1: [120.4]}, "b": {1: [1.0], 10: [25.31]}},
                            "n", "ms", "here")
        self.assertEqual(
            text, "ms, by n: the fastest of the runs\n\n"
            " n         a         b\n"
            " 1       120      1.00\n"
            "10         -      25.3\n\nhere\n")

    def test_the_page_takes_the_new_table(self):
        page = ("x\n```text file=c/measured.txt\nold\n```\ny\n"
                "```text file=c/other.txt\nold\n```\n")
        self.assertEqual(
            plot.put_into_page(page, "c/measured.txt", "new\n"),
            page.replace("old", "new", 1))

    def test_quotes_in_labels_survive(self):
        options = argparse.Namespace(title="it's", x="x", y="y", log_x=True,
                                     log_y=False)
        script = plot.gnuplot_script({"a": {1: [1.0]}}, options, "here")
        self.assertIn("set title 'it''s'", script)
        self.assertIn("set logscale x", script)


if __name__ == "__main__":
    unittest.main()
