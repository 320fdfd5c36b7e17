#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Grades what many students handed in, and writes a table.

  bazel run //tools:grade_all -- HAND_INS [--csv=FILE] [--chapter=NN_topic ...]

HAND_INS is a folder with one folder per student, which holds what the student
has in exercises/: STUDENT/NN_topic/x.h or STUDENT/exercises/NN_topic/x.h.
Everything else in it is left alone. The table has a line per student and
chapter:

  student,chapter,grade,rules held,rules,first broken rule,verdict,remark

The grade is passed, failed, not started, does not compile, or missing (only for
chapters named with --chapter; by default those are graded that a student
handed in).

Your own workbook is not touched: this works in a copy, without solutions/, in a
temporary folder. Of a hand-in only the files are taken that the chapter's
skeleton has; links and files of more than a megabyte are refused. The copy is
built and run by Bazel, in its sandbox and without network.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile

COLUMNS = ["student", "chapter", "grade", "rules held", "rules",
           "first broken rule", "verdict", "remark"]
LARGEST = 1 << 20  # bytes


def die(message):
    sys.exit("grade_all: " + message)


def copy_workbook(root, copy):
    """Copies what grading needs, exercises as the skeletons that they were."""
    left_out = {"solutions", ".git", "node_modules", "exercises"}
    for entry in root.iterdir():
        if entry.name in left_out or entry.name.startswith("bazel-"):
            continue
        if entry.is_dir():
            shutil.copytree(entry, copy / entry.name, symlinks=True,
                            ignore=shutil.ignore_patterns("node_modules",
                                                          ".vitepress"))
        else:
            shutil.copy2(entry, copy / entry.name)
    (copy / "exercises").mkdir()
    shutil.copy2(root / "exercises/BUILD.bazel", copy / "exercises")


def chapters_of(root):
    """Maps each chapter to the names of its exercise files."""
    return {
        folder.parent.name: sorted(f.name for f in folder.iterdir())
        for folder in sorted(root.glob("tests/*/skeleton"))
    }


def begin_again(copy, chapters):
    """Puts the skeleton of every chapter into exercises/."""
    for chapter in chapters:
        target = copy / "exercises" / chapter
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(copy / "tests" / chapter / "skeleton", target)


def take_over(folder, copy, chapter, files):
    """Copies a hand-in's files of one chapter. Returns (found any, remark)."""
    found, remarks = False, []
    for name in files:
        target = copy / "exercises" / chapter / name
        for source in [folder / "exercises" / chapter / name,
                       folder / chapter / name]:
            try:
                status = os.lstat(source)
            except OSError:
                continue
            if source.parent.is_symlink() or not stat.S_ISREG(status.st_mode):
                remarks.append(f"{name} is not a regular file")
            elif status.st_size > LARGEST:
                remarks.append(f"{name} has {status.st_size} bytes")
            else:
                shutil.copyfile(source, target)
                found = True
            break
    return found, "; ".join(remarks)


def read_log(text):
    """Reads what the grader printed: (grade, held, rules, rule, verdict)."""
    if re.search(r"^\S+: not started\.$", text, re.M):
        return "not started", "", "", "", ""
    broken = re.search(r"^✗ (.*?)  \[(.*)\]$", text, re.M)
    rule, verdict = broken.groups() if broken else ("", "")
    # The grader's last word; an answer may have printed before it.
    passed = re.findall(r"^\S+: all (\d+) rules hold\.$", text, re.M)
    partly = re.findall(r"^\S+: (\d+) of (\d+) rules hold", text, re.M)
    if partly:
        return "failed", *partly[-1], rule, verdict
    if passed and not broken:
        return "passed", passed[-1], passed[-1], "", ""
    return "failed", "", "", rule, verdict


def read_events(path):
    """Maps each test target to (passed, path of its log) from Bazel's events."""
    results = {}
    with open(path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            if "testResult" not in event:
                continue
            result = event["testResult"]
            log = next((o["uri"][len("file://"):]
                        for o in result.get("testActionOutput", [])
                        if o["name"] == "test.log"), None)
            label = event["id"]["testResult"]["label"]
            results[label] = (result["status"] == "PASSED", log)
    return results


def compiler_error(output, chapter):
    """The first message of the compiler that names the student's file."""
    match = re.search(rf"exercises/{chapter}/\S+:\d+:\d+: (?:fatal )?error: .*",
                      output)
    if not match:
        match = re.search(rf"error: .*exercises/{chapter}/.*", output)
    return match.group(0)[:200] if match else ""


def grade(bazel, copy, chapters):
    """Grades exercises/ of the copy. Yields a tuple for each chapter."""
    events = copy.parent / "events.json"
    events.unlink(missing_ok=True)
    run = subprocess.run(
        [*bazel, "test", "--keep_going", "--curses=no", "--noshow_progress",
         "--test_output=summary", "--nocache_test_results",
         f"--build_event_json_file={events}", "--",
         *[f"//chapters/{c}:grade" for c in chapters]],
        cwd=copy, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace")
    if not events.exists():
        die("Bazel did not start:\n" + run.stdout[-2000:])
    results = read_events(events)
    for chapter in chapters:
        passed, log = results.get(f"//chapters/{chapter}:grade", (False, None))
        if log is None:
            yield (chapter, "does not compile", "", "", "", "",
                   compiler_error(run.stdout, chapter))
            continue
        text = pathlib.Path(log).read_text(encoding="utf-8", errors="replace")
        row = read_log(text)
        # Bazel's word counts: the log is what the answer may have printed, too.
        if passed != (row[0] == "passed"):
            row = ("passed" if passed else "failed", *row[1:])
        yield (chapter, *row, "")


def harmless(cell):
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell[:1] in set("=+-@\t") else cell


def grade_all(options, root, scratch):
    chapters = chapters_of(root)
    for chapter in options.chapter:
        if chapter not in chapters:
            die(f"there is no chapter {chapter}; there are: "
                + " ".join(chapters))
    students = sorted(p for p in options.hand_ins.iterdir()
                      if p.is_dir() and not p.name.startswith("."))
    if not students:
        die(f"{options.hand_ins} has no folders: one per student is expected")
    copy = scratch / "workbook"
    copy.mkdir()
    copy_workbook(root, copy)
    bazel = shlex.split(options.bazel) if options.bazel else [
        "./bazelw", f"--output_base={scratch}/output"]
    for number, student in enumerate(students, 1):
        print(f"[{number}/{len(students)}] {student.name}", file=sys.stderr,
              flush=True)
        begin_again(copy, chapters)
        rows, graded = [], []
        for chapter in options.chapter or chapters:
            found, remark = take_over(student, copy, chapter, chapters[chapter])
            if found:
                graded.append(chapter)
            elif options.chapter or remark:
                rows.append((chapter, "missing", "", "", "", "", remark))
        if graded:
            rows += grade(bazel, copy, graded)
        if not rows:
            rows = [("", "missing", "", "", "", "",
                     "no file of any chapter was found")]
        for row in sorted(rows):
            yield [harmless(cell) for cell in (student.name, *row)]
    if not options.bazel:
        subprocess.run([*bazel, "shutdown"], cwd=copy, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def remove(folder):
    """Removes a folder in which Bazel has write-protected what it built."""
    subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def main():
    root = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."))
    parser = argparse.ArgumentParser(
        prog="bazel run //tools:grade_all --", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hand_ins", type=pathlib.Path, metavar="HAND_INS")
    parser.add_argument("--csv", help="where the table goes; default: standard "
                        "output")
    parser.add_argument("--chapter", action="append", default=[],
                        help="grade this one; may be given several times")
    parser.add_argument("--bazel", help="how to start Bazel in the copy")
    options = parser.parse_args()
    here = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    options.hand_ins = here / options.hand_ins
    if not options.hand_ins.is_dir():
        die(f"{options.hand_ins} is not a folder")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-grading.",
                                            dir=os.environ.get("TMPDIR",
                                                               "/var/tmp")))
    try:
        table = (open(here / options.csv, "w", newline="", encoding="utf-8")
                 if options.csv else sys.stdout)
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        for row in grade_all(options, root, scratch):
            writer.writerow(row)
            table.flush()
    finally:
        remove(scratch)


if __name__ == "__main__":
    main()
