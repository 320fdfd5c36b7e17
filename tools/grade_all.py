#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Grades what many students handed in, and writes a table.

  bazel run //tools:grade_all -- HAND_INS [--csv=FILE [--resume]]
      [--chapter=NN_topic ...]

HAND_INS is a folder with one folder per student, which holds what the student
has in exercises/: STUDENT/NN_topic/x.h or STUDENT/exercises/NN_topic/x.h.
Everything else in it is left alone. The table has a line per student and
chapter:

  student,chapter,grade,rules held,rules,first broken rule,verdict,look at,
  same as,remark

The grade is passed, failed, not started, does not compile, or missing (only for
chapters named with --chapter; by default those are graded that a student
handed in). "look at" names words of the code that no reference answer of the
chapter needs and that somebody who is after the grade would use: asm, /proc,
setenv and others. They prove nothing; they say where to begin to read. "same as"
names hand-ins, and reference answers, that differ in comments and white space
only.

Your own workbook is not touched: this works in a copy, without solutions/, in a
temporary folder. Of a hand-in only the files are taken that the chapter's
skeleton has; links and files of more than a megabyte are refused. The copy is
built and run by Bazel, in its sandbox and without network.

After Ctrl-C the table has the students graded so far, and --resume goes on with
the others.
"""

import argparse
import collections
import csv
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

COLUMNS = ["student", "chapter", "grade", "rules held", "rules",
           "first broken rule", "verdict", "look at", "same as", "remark"]
LARGEST = 1 << 20  # bytes
MINUTES_PER_CHAPTER = 10  # for one student; a compiler can be kept busy for ever

# Ways to the grade that lead past the rules: out of the language, into the
# grader or the tests, and round the comparison of values.
LOOK_AT = re.compile(
    r"""\b(?:asm|__asm__|__asm|__attribute__|constructor|init_priority|section
        |dlsym|dlopen|ptrace|process_vm_\w+|mprotect|mmap|memfd_create|syscall
        |getenv|secure_getenv|setenv|putenv|environ|getppid|prctl|system|popen
        |longjmp|siglongjmp|_exit|_Exit|quick_exit|atexit|signal|sigaction
        |\w*(?:gtest|lockstep|grader|verdicts|program_invocation|progname)\w*
        |testing|__tsan\w*|_Z\w+|__libc\w*|FLAGS_\w+|set_terminate
        |solutions|fstream|ifstream|ofstream|fopen|filesystem|unlink|rename)\b
        |/proc\b|/dev\b|\.\./|extern\s*"C"|namespace\s+std\b|operator\s*[=!]=
    """, re.X)


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


def read_hand_in(folder, chapter, files):
    """Reads a hand-in's files of one chapter: ({name: bytes}, remark)."""
    found, remarks = {}, []
    if folder.is_symlink():
        return found, ""
    for name in files:
        for place in [pathlib.Path("exercises", chapter, name),
                      pathlib.Path(chapter, name)]:
            source = folder / place
            try:
                status = os.lstat(source)
                if (not stat.S_ISREG(status.st_mode)
                        or source.resolve() != folder.parent.resolve()
                        / folder.name / place):
                    remarks.append(f"{name} is not a regular file")
                elif status.st_size > LARGEST:
                    remarks.append(f"{name} has {status.st_size} bytes")
                else:
                    found[name] = source.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                remarks.append(f"{name}: {error.strerror}")
            break
    return found, "; ".join(remarks)


def take_over(folder, copy, chapter, files):
    """Copies a hand-in's files of one chapter. Returns (found any, remark)."""
    found, remark = read_hand_in(folder, chapter, files)
    for name, text in found.items():
        (copy / "exercises" / chapter / name).write_bytes(text)
    return bool(found), remark


def why_nothing(folder, chapters, wanted):
    """What may be wrong with a hand-in without a file of the chapters wanted."""
    if folder.is_symlink():
        return "it is a link"
    if not folder.is_dir():
        return "it is not a folder: if it is an archive, unpack it"
    expected = {name: chapter for chapter in wanted
                for name in chapters[chapter]}
    right = {f"{start}{chapter}/{name}" for chapter in chapters
             for name in chapters[chapter] for start in ("", "exercises/")}
    seen = 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), folder)
            if path in right:
                continue
            if name in expected:
                return (f"{path} is not where it is looked for, "
                        f"{expected[name]}/{name}")
            if re.search(r"\.(zip|rar|7z|tar|tgz|gz|xz|bz2)$", name, re.I):
                return f"{path} is to be unpacked"
            if name.endswith((".h", ".hpp", ".cc", ".cpp")):
                return f"{path} is the file of no exercise"
            seen += 1
            if seen > 10000:
                return "it has very many files, and none of any chapter"
    return "no file of any chapter was found" if len(wanted) > 1 else ""


def without_comments(text):
    """C++ source without comments; strings stay as they are."""
    return re.sub(
        r'//[^\n]*|/\*.*?\*/|("(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])*\')',
        lambda match: match.group(1) or " ", text, flags=re.S)


def suspicious(code):
    """The words of LOOK_AT in source code without comments."""
    return {" ".join(word.split()) for word in LOOK_AT.findall(code)}


class Comparison:
    """Hand-ins compared with the reference answers and with each other."""

    def __init__(self, root, chapters, students):
        # From (chapter, code without comments and white space) to who has it.
        self.owners = collections.defaultdict(list)
        self.skeletons = set()
        self.usual = collections.defaultdict(set)
        for chapter in chapters:
            for file in root.glob(f"tests/{chapter}/skeleton/*"):
                code = self.read(file.read_bytes())
                self.usual[chapter] |= suspicious(code)
                self.skeletons.add(self.key(chapter, code))
            for file in root.glob(f"solutions/{chapter}/*/*.h"):
                code = self.read(file.read_bytes())
                self.usual[chapter] |= suspicious(code)
                self.owners[self.key(chapter, code)].append(
                    f"solutions/{chapter}/{file.parent.name}")
        for student in students:
            for chapter, files in chapters.items():
                found, _ = read_hand_in(student, chapter, files)
                for text in found.values():
                    self.owners[self.key(chapter, self.read(text))].append(
                        student.name)

    @staticmethod
    def read(text):
        return without_comments(text.decode("utf-8", errors="replace"))

    @staticmethod
    def key(chapter, code):
        return chapter, "".join(code.split())

    def columns(self, student, chapter, files):
        """The cells "look at" and "same as"."""
        words, same = set(), set()
        for text in read_hand_in(student, chapter, files)[0].values():
            code = self.read(text)
            words |= suspicious(code) - self.usual[chapter]
            key = self.key(chapter, code)
            if key not in self.skeletons:
                same |= set(self.owners[key]) - {student.name}
        return " ".join(sorted(words)), ", ".join(sorted(same))


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
    return "failed", "", "", rule, verdict or "the grader was ended"


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
    """The message that says most about the student's file."""
    for pattern in [
            rf'#error "(exercises/{chapter}/.*)"',  # of make_answer.sh
            rf"(exercises/{chapter}/\S+:\d+:\d+: (?:fatal )?error: .*)",
            r"(multiple definition of .*)",
            r"([^\s:]+:\d+:\d+: (?:fatal )?error: .*)"]:
        match = re.search(pattern, output)
        if match:
            return match.group(1)[:300]
    errors = re.findall(r"^ERROR: (.*)", output, re.M)
    return ("Bazel: " + errors[0])[:300] if errors else ""


def sandbox(bazel, copy):
    """Flags of Bazel for tests that are not to be trusted.

    They see no process but their own, and what they write is gone with them.
    Without this sandbox there would be another, which only hides files.
    """
    if sys.platform != "linux":
        return []
    # Where Bazel itself works cannot be replaced by an empty folder.
    used = [str(copy)] + [word.split("=")[-1] for word in bazel]
    return ["--strategy=TestRunner=linux-sandbox"] + [
        f"--sandbox_tmpfs_path={folder}" for folder in ("/tmp", "/dev/shm")
        if not any(path.startswith(folder + "/") for path in used)]


def grade(bazel, copy, chapters):
    """Grades exercises/ of the copy. Yields a tuple for each chapter."""
    events = copy.parent / "events.json"
    events.unlink(missing_ok=True)
    run = subprocess.Popen(
        [*bazel, "test", "--keep_going", "--curses=no", "--noshow_progress",
         "--test_output=summary", "--nocache_test_results", *sandbox(bazel, copy),
         f"--build_event_json_file={events}", "--",
         *[f"//chapters/{c}:grade" for c in chapters]],
        cwd=copy, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace")
    minutes = MINUTES_PER_CHAPTER * (1 + len(chapters))
    late = ""
    try:
        output, _ = run.communicate(timeout=60 * minutes)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGINT)  # Bazel then stops what it has started.
        output, _ = run.communicate()
        late = f"not compiled and graded within {minutes} minutes"
    except BaseException:
        run.send_signal(signal.SIGINT)
        run.wait()
        raise
    if "'linux-sandbox' was requested" in output:
        die("Bazel has no linux-sandbox on this machine, and outside it "
            "students' code is not run.\nIt needs user namespaces: in a "
            "container, start that with more rights (docker run --privileged);"
            "\nelsewhere, try sysctl -w kernel.unprivileged_userns_clone=1")
    # 2: Bazel could not begin, and no hand-in is to blame.
    if run.returncode == 2 or not events.exists():
        die("Bazel did not start:\n" + output[-2000:])
    results = read_events(events)
    for chapter in chapters:
        passed, log = results.get(f"//chapters/{chapter}:grade", (False, None))
        if log is None:
            yield (chapter, "does not compile", "", "", "", "",
                   late or compiler_error(output, chapter))
            continue
        text = pathlib.Path(log).read_text(encoding="utf-8", errors="replace")
        row = read_log(text)
        # Bazel's word counts: the log is what the answer may have printed, too.
        if passed != (row[0] == "passed"):
            row = ("passed" if passed else "failed", *row[1:])
        yield (chapter, *row, "")


def harmless(cell):
    """A cell that no spreadsheet or terminal takes for more than text."""
    cell = "".join(c if c.isprintable() else "?" for c in cell)
    return "'" + cell if cell[:1] in set("=+-@") else cell


class Progress:
    """Says on standard error how far it came: on a terminal in one line."""

    def __init__(self, total):
        self.total = total
        self.start = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def show(self, number, name):
        line = f"[{number}/{self.total}] {harmless(name)}"
        if self.terminal and number > 1:
            each = (time.monotonic() - self.start) / (number - 1)
            left = each * (self.total - number + 1) / 60
            line += f", about {left:.0f} more minutes"
        print(f"\r\033[K{line}" if self.terminal else line,
              end="" if self.terminal else "\n", file=sys.stderr, flush=True)

    def end(self):
        if self.terminal:
            print(file=sys.stderr)


def grade_all(options, root, scratch, bazel, done):
    """Yields the rows of each student, all at once."""
    chapters = chapters_of(root)
    for chapter in options.chapter:
        if chapter not in chapters:
            die(f"there is no chapter {chapter}; there are: "
                + " ".join(chapters))
    students = sorted(p for p in options.hand_ins.iterdir()
                      if not p.name.startswith("."))
    if not any(p.is_dir() for p in students):
        die(f"{options.hand_ins} has no folders: one per student is expected")
    comparison = Comparison(root, chapters, students)
    students = [s for s in students if harmless(s.name) not in done]
    copy = scratch / "workbook"
    copy.mkdir()
    copy_workbook(root, copy)
    progress = Progress(len(students))
    for number, student in enumerate(students, 1):
        progress.show(number, student.name)
        begin_again(copy, chapters)
        rows, graded = [], []
        for chapter in options.chapter or chapters:
            found, remark = take_over(student, copy, chapter, chapters[chapter])
            if found:
                graded.append(chapter)
            elif options.chapter or remark:
                rows.append((chapter, "missing", "", "", "", "", "", "",
                             remark or why_nothing(
                                 student, chapters, [chapter])))
        if graded:
            rows += [(*row[:-1], *comparison.columns(student, row[0],
                                                     chapters[row[0]]), row[-1])
                     for row in grade(bazel, copy, graded)]
        if not rows:
            rows = [("", "missing", "", "", "", "", "", "",
                     why_nothing(student, chapters, chapters))]
        yield [[harmless(cell) for cell in (student.name, *row)]
               for row in sorted(rows)]
    progress.end()


def already_graded(path):
    """The students of a table that is to be gone on with."""
    with open(path, newline="", encoding="utf-8") as table:
        rows = list(csv.reader(table))
    if not rows or rows[0] != COLUMNS:
        die(f"{path} is not a table of grade_all, so it cannot be resumed")
    return {row[0] for row in rows[1:]}


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
    parser.add_argument("--resume", action="store_true",
                        help="go on with the table of --csv")
    parser.add_argument("--bazel", help="how to start Bazel in the copy")
    options = parser.parse_args()
    here = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    options.hand_ins = here / options.hand_ins
    if not options.hand_ins.is_dir():
        die(f"{options.hand_ins} is not a folder")
    if options.resume and not options.csv:
        die("--resume needs the table, --csv=FILE")
    resume = options.resume and (here / options.csv).exists()
    done = already_graded(here / options.csv) if resume else set()
    if os.geteuid() == 0:
        print("grade_all: you are root: as an ordinary user you would give "
              "fewer rights to what you grade", file=sys.stderr)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-grading.",
                                            dir=os.environ.get("TMPDIR",
                                                               "/var/tmp")))
    bazel = shlex.split(options.bazel) if options.bazel else [
        "./bazelw", f"--output_base={scratch}/output"]
    try:
        table = (open(here / options.csv, "a" if resume else "w", newline="",
                      encoding="utf-8") if options.csv else sys.stdout)
        writer = csv.writer(table)
        if not resume:
            writer.writerow(COLUMNS)
        for rows in grade_all(options, root, scratch, bazel, done):
            writer.writerows(rows)
            table.flush()
    except KeyboardInterrupt:
        sys.exit("\ngrade_all: interrupted" + (
            "; --resume goes on with the students that are not in the table"
            if options.csv else ""))
    finally:
        if not options.bazel and (scratch / "output").exists():
            subprocess.run([*bazel, "shutdown"], cwd=scratch / "workbook",
                           check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        remove(scratch)


if __name__ == "__main__":
    main()
