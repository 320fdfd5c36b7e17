# SPDX-License-Identifier: Apache-2.0
"""What grade_all reads from logs, and what it takes over from a hand-in.

That it grades, from a folder of hand-ins to a table, is seen in .ci/walk.
"""

import pathlib
import tempfile
import unittest

import grade_all


class ReadLogTest(unittest.TestCase):

    def test_passed(self):
        self.assertEqual(
            grade_all.read_log("✓ It holds\n\n08_mutex: all 25 rules hold.\n"),
            ("passed", "25", "25", "", ""))

    def test_failed_names_the_first_broken_rule(self):
        self.assertEqual(
            grade_all.read_log("✗ One at a time  [data race]\n    x\n"
                               "✗ It ends  [deadlock]\n\n"
                               "08_mutex: 23 of 25 rules hold. Edit x\n"),
            ("failed", "23", "25", "One at a time", "data race"))

    def test_the_words_of_an_answer_are_no_pass(self):
        text = ("08_mutex: all 25 rules hold.\n"
                "✗ The program reaches its tests  [exit]\n"
                "08_mutex: 0 of 1 rules hold (the rest did not run).\n")
        self.assertEqual(grade_all.read_log(text)[0], "failed")
        self.assertEqual(grade_all.read_log("")[0], "failed")

    def test_not_started(self):
        self.assertEqual(
            grade_all.read_log("08_mutex: not started.\n  read x\n")[0],
            "not started")


class TakeOverTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.student = pathlib.Path(scratch.name) / "student"
        self.copy = pathlib.Path(scratch.name) / "copy"
        (self.copy / "exercises/08_mutex").mkdir(parents=True)

    def take_over(self):
        return grade_all.take_over(self.student, self.copy, "08_mutex",
                                   ["lock.h"])

    def hand_in(self, path, text="mine"):
        (self.student / path).parent.mkdir(parents=True)
        (self.student / path).write_text(text)

    def test_both_layouts_are_found_and_other_files_are_not(self):
        for folder in ["08_mutex", "exercises/08_mutex"]:
            with self.subTest(folder):
                self.hand_in(folder + "/lock.h", folder)
                (self.student / folder / "BUILD.bazel").write_text("evil")
                self.assertEqual(self.take_over(), (True, ""))
                taken = list((self.copy / "exercises/08_mutex").iterdir())
                self.assertEqual([t.name for t in taken], ["lock.h"])
                self.assertEqual(taken[0].read_text(), folder)

    def test_a_link_is_refused(self):
        (self.student / "08_mutex").mkdir(parents=True)
        (self.student / "08_mutex/lock.h").symlink_to("/etc/passwd")
        self.assertEqual(self.take_over(),
                         (False, "lock.h is not a regular file"))

    def test_a_large_file_is_refused(self):
        self.hand_in("08_mutex/lock.h", "x" * (grade_all.LARGEST + 1))
        found, remark = self.take_over()
        self.assertFalse(found)
        self.assertIn("bytes", remark)

    def test_nothing_handed_in(self):
        self.student.mkdir()
        self.assertEqual(self.take_over(), (False, ""))


class CompilerErrorTest(unittest.TestCase):

    def test_the_first_one_in_the_file_of_the_student(self):
        output = ("x.cc:1:1: error: other\n"
                  "exercises/08_mutex/lock.h:7:3: error: expected ';'\n")
        self.assertEqual(grade_all.compiler_error(output, "08_mutex"),
                         "exercises/08_mutex/lock.h:7:3: error: expected ';'")

    def test_the_sentence_of_make_answer(self):
        output = 'answer.h:1:2: error: #error "exercises/08_mutex/a.h is empty."'
        self.assertIn("is empty",
                      grade_all.compiler_error(output, "08_mutex"))


if __name__ == "__main__":
    unittest.main()
