# SPDX-License-Identifier: Apache-2.0
"""What grade_all reads from logs, takes over from a hand-in, and says about it.

That it grades, from a folder of hand-ins to a table, is seen in .ci/walk.
"""

import csv
import os
import pathlib
import shlex
import signal
import subprocess
import sys
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

    def test_without_a_last_word_the_grader_was_ended(self):
        text = "08_mutex: all 25 rules hold for me.\n"
        self.assertEqual(grade_all.read_log(text)[4], "the grader was ended")

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

    def test_a_link_further_up_is_refused(self):
        self.hand_in("08_mutex/lock.h")
        other = self.student.parent / "other"
        other.mkdir()
        (other / "exercises").symlink_to(self.student)
        link = self.student.parent / "link"
        link.symlink_to(self.student)
        for student in [other, link]:
            found, _ = grade_all.take_over(student, self.copy, "08_mutex",
                                           ["lock.h"])
            self.assertFalse(found)

    def test_a_pipe_or_a_folder_in_place_of_the_file_is_refused(self):
        (self.student / "08_mutex").mkdir(parents=True)
        os.mkfifo(self.student / "08_mutex/lock.h")
        (self.student / "exercises/08_mutex/lock.h").mkdir(parents=True)
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


class WhyNothingTest(unittest.TestCase):

    def test_each_has_its_sentence(self):
        chapters = {"08_mutex": ["lock.h"], "09_deadlock": ["bank.h"]}
        for file, wanted, sentence in [
                ("src/lock.h", chapters, "src/lock.h is not where it is looked "
                 "for, 08_mutex/lock.h"),
                ("08_mutex/Lock.h", chapters, "08_mutex/Lock.h is the file of "
                 "no exercise"),
                ("work.ZIP", chapters, "work.ZIP is to be unpacked"),
                ("notes.txt", chapters, "no file of any chapter was found"),
                ("09_deadlock/bank.h", ["08_mutex"], "")]:
            with self.subTest(file), tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("x")
                self.assertEqual(grade_all.why_nothing(
                    pathlib.Path(folder), chapters, wanted), sentence)
                self.assertIn("unpack it",
                              grade_all.why_nothing(path, chapters, wanted))
                link = path.parent / "link"
                link.symlink_to(folder)
                self.assertEqual(
                    grade_all.why_nothing(link, chapters, wanted),
                    "it is a link")


class ComparisonTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        self.write("tests/08_mutex/skeleton/lock.h", "int TODO; // kill(1)")
        self.write("solutions/08_mutex/std/lock.h", "int x = getenv(nullptr);")

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def columns(self, **hand_ins):
        for name, text in hand_ins.items():
            self.write(f"in/{name}/08_mutex/lock.h", text)
        students = sorted((self.root / "in").iterdir())
        chapters = {"08_mutex": ["lock.h"]}
        comparison = grade_all.Comparison(self.root, chapters, students)
        return {s.name: comparison.columns(s, "08_mutex", ["lock.h"])
                for s in students}

    def test_words_that_no_answer_needs(self):
        got = self.columns(
            ada='auto f = open("/proc/self/mem"); extern  "C" int dlsym();',
            ben="int y = getenv(nullptr); // asm /proc ptrace",
            cleo='int systems = 1\'000; /* asm */ char c = \'"\'; int a;',
            dan="bool operator==(A, B); namespace std { }")
        self.assertEqual(got["ada"][0], '/proc dlsym extern "C"')
        self.assertEqual(got["ben"][0], "")
        self.assertEqual(got["cleo"][0], "")
        self.assertEqual(got["dan"][0], "namespace std operator==")

    def test_the_same_apart_from_comments_and_white_space(self):
        got = self.columns(
            ada="int a; // by ada", ben="/* by ben */ int\n a;", cleo="int b;",
            dan="int x = getenv( nullptr );", eve="int TODO;",
            fay="int TODO; // fay", gus=b"\xff\x00")
        self.assertEqual(got["ada"][1], "ben")
        self.assertEqual(got["ben"][1], "ada")
        self.assertEqual(got["cleo"][1], "")
        self.assertEqual(got["dan"][1], "solutions/08_mutex/std")
        self.assertEqual(got["fay"][1], "", "nobody has started")
        self.assertEqual(got["gus"][1], "")


@unittest.skipUnless(sys.platform == "linux", "Bazel's sandbox for Linux")
class SandboxTest(unittest.TestCase):

    def test_what_is_written_is_gone_unless_bazel_works_there(self):
        strategy, *folders = grade_all.sandbox(["./bazelw"], "/var/tmp/x")
        self.assertEqual(strategy, "--strategy=TestRunner=linux-sandbox")
        self.assertEqual(folders, ["--sandbox_tmpfs_path=/tmp",
                                   "--sandbox_tmpfs_path=/dev/shm"])
        for bazel, copy in [(["./bazelw"], "/tmp/x"),
                            (["bazel", "--output_base=/tmp/x"], "/var/tmp/x")]:
            self.assertEqual(grade_all.sandbox(bazel, copy)[1:],
                             ["--sandbox_tmpfs_path=/dev/shm"])


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
        self.assertEqual(grade_all.compiler_error(output, "08_mutex"),
                         "exercises/08_mutex/a.h is empty.")

    def test_what_the_tests_miss(self):
        output = "tests/08_mutex/lock_test.cc:9:1: error: no 'Lock'\n"
        self.assertEqual(grade_all.compiler_error(output, "08_mutex"),
                         output.strip())

    def test_what_bazel_says_if_no_compiler_does(self):
        self.assertEqual(
            grade_all.compiler_error("x\nERROR: no space\nERROR: b\n", "08_mutex"),
            "Bazel: no space")

    def test_what_the_linker_says(self):
        self.assertIn("'main'", grade_all.compiler_error(
            "x.o: multiple definition of 'main'\n", "08_mutex"))


# In place of Bazel: says that the chapter has passed. An answer with the word
# wait is waited for as long as there is the file that is its argument.
FAKE_BAZEL = """
import json, os, pathlib, sys, time
if b"no sandbox" in pathlib.Path("exercises/08_mutex/lock.h").read_bytes():
    print("ERROR: 'linux-sandbox' was requested for mnemonic TestRunner but no")
    sys.exit(2)
while (b"wait" in pathlib.Path("exercises/08_mutex/lock.h").read_bytes()
       and os.path.exists(sys.argv[1])):
    time.sleep(0.05)
events = next(a.split("=", 1)[1] for a in sys.argv if "build_event" in a)
log = pathlib.Path(events).parent / "log"
log.write_text("08_mutex: all 25 rules hold.\\n")
with open(events, "w") as f:
    f.write(json.dumps({"id": {"testResult": {"label": sys.argv[-1]}},
        "testResult": {"status": "PASSED", "testActionOutput": [
            {"name": "test.log", "uri": "file://%s" % log}]}}))
"""


class MainTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        for path in ["root/exercises/BUILD.bazel",
                     "root/tests/08_mutex/skeleton/lock.h", "fake.py"]:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text("int TODO;")
        (self.folder / "fake.py").write_text(FAKE_BAZEL)

    def hand_in(self, student, text=b"int x;"):
        folder = os.path.join(os.fsencode(self.folder), b"in", student,
                              b"08_mutex")
        os.makedirs(folder)
        with open(os.path.join(folder, b"lock.h"), "wb") as file:
            file.write(text)

    def start(self, *arguments, stderr=subprocess.PIPE):
        bazel = shlex.join([sys.executable, str(self.folder / "fake.py"),
                            str(self.folder / "wait")])
        return subprocess.Popen(
            [sys.executable, grade_all.__file__, "in", "--csv=t.csv",
             f"--bazel={bazel}", *arguments],
            stdout=subprocess.DEVNULL, stderr=stderr, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            env={**os.environ, "TMPDIR": str(self.folder),
                 "BUILD_WORKING_DIRECTORY": str(self.folder),
                 "BUILD_WORKSPACE_DIRECTORY": str(self.folder / "root")})

    def table(self):
        with open(self.folder / "t.csv", newline="", encoding="utf-8") as file:
            return {row["student"]: row for row in csv.DictReader(file)}

    def test_strange_hand_ins_are_rows(self):
        for name in [b"-rf", b"two words", "\u5f20\u4e09".encode(), b"\xff\n",
                     b"=1+1", b"a;b$(c)"]:
            self.hand_in(name)
        self.hand_in(b"binary", b"\x00\xff\x00")
        (self.folder / "in/ada.zip").write_bytes(b"PK")
        (self.folder / "in/link").symlink_to("/etc")
        (self.folder / "in/empty").mkdir()
        run = self.start()
        _, errors = run.communicate()
        self.assertEqual(run.returncode, 0, errors)
        table = self.table()
        for name in ["'-rf", "two words", "\u5f20\u4e09", "??", "'=1+1",
                     "a;b$(c)", "binary"]:
            self.assertEqual(table[name]["grade"], "passed", name)
        self.assertIn("unpack", table["ada.zip"]["remark"])
        self.assertIn("link", table["link"]["remark"])
        self.assertEqual(table["empty"]["grade"], "missing")
        # A pipe gets lines, and nothing for a terminal.
        self.assertIn("[1/10] '-rf\n", errors)
        self.assertNotIn("\033", errors)

    def test_without_the_sandbox_nobody_is_graded(self):
        self.hand_in(b"ada", b"// no sandbox")
        run = self.start()
        _, errors = run.communicate()
        self.assertEqual(run.returncode, 1)
        self.assertIn("user namespaces", errors)
        self.assertNotIn("Traceback", errors)
        self.assertEqual(list(self.table()), [])

    def test_a_terminal_gets_one_line_that_changes(self):
        self.hand_in(b"ada")
        self.hand_in(b"\x1b[2J")
        terminal, end = os.openpty()
        run = self.start(stderr=end)
        os.close(end)
        self.assertEqual(run.wait(), 0)
        output = os.read(terminal, 1 << 16).decode()
        os.close(terminal)
        self.assertIn("\r\033[K[1/2] ?[2J", output)
        self.assertIn("\r\033[K[2/2] ada, about 0 more minutes", output)
        self.assertNotIn("\033[2J", output)

    def test_resume_goes_on_after_an_interrupt(self):
        self.hand_in(b"ada")
        self.hand_in(b"ben", b"int wait;")
        (self.folder / "wait").write_text("")
        run = self.start()
        for line in run.stderr:
            if "[2/2] ben" in line:
                break
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate()
        self.assertEqual(run.returncode, 1)
        self.assertIn("--resume", errors)
        self.assertNotIn("Traceback", errors)
        self.assertEqual(list(self.table()), ["ada"])
        self.assertEqual(list(self.folder.glob("lockstep-grading.*")), [])
        (self.folder / "wait").unlink()
        run = self.start("--resume")
        _, errors = run.communicate()
        self.assertEqual(run.returncode, 0, errors)
        self.assertIn("[1/1] ben", errors)
        self.assertEqual(list(self.table()), ["ada", "ben"])

    def test_resume_wants_a_table_of_its_own(self):
        self.hand_in(b"ada")
        (self.folder / "t.csv").write_text("name,mark\n")
        run = self.start("--resume")
        _, errors = run.communicate()
        self.assertEqual(run.returncode, 1)
        self.assertIn("cannot be resumed", errors)


if __name__ == "__main__":
    unittest.main()
