#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Under limits of the shell, `ulimit -v`, `-u`, `-n`, `-f`, `-t` and `-s`: an
error that says why, or a right file.

    limits_test.py DATA_FOLDER [--llma LLMA] [--c CODEC_IN_LIMITS]
                   [--python PYTHON] [--more]

Of the program, the library in C, and of the package that PYTHON has. --more
takes smaller steps.
"""

import argparse
import collections
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

from fault_scenarios import text_bytes

SECONDS = 120
# Nobody else's, so that no other process of theirs counts.
USER = 64321
MB = 1 << 20

NOT_STARTED = ("error while loading shared libraries", "Fatal Python error",
               "python: no module")
OWN_MESSAGES = ("llma: ", "codec_in_limits: ", "python: ")

PYTHON_CODE = """
import sys
try:
    import llma
except (ImportError, MemoryError, OSError) as error:
    sys.exit(f"python: no module: {error}")
text = b"Errors are values, also where there is little of anything. " * 20
try:
    model = llma.Model(sys.argv[1])
    how = {"level": int(sys.argv[2]), "threads": int(sys.argv[3]), "model": model}
    back = llma.decompress(llma.compress(text, **how), model=model)
except (llma.LlmaError, MemoryError) as error:
    sys.exit(f"python: {type(error).__name__}: {error}")
sys.exit(0 if back == text else 3)
"""


def limits(more):
    """Name, what setrlimit takes, and whether it needs another user."""
    step = 10 if more else 50
    for megabytes in [*range(50, 500, step), 700, 1000]:
        yield f"-v {megabytes} MB", resource.RLIMIT_AS, megabytes * MB
    for num in (1, 2, 3, 4):
        yield f"-u {num}", resource.RLIMIT_NPROC, num
    for num in range(4, 13 if more else 10):
        yield f"-n {num}", resource.RLIMIT_NOFILE, num
    for size in (0, 1, 40, 100, 1000, 100000):
        yield f"-f {size} bytes", resource.RLIMIT_FSIZE, size
    for kilobytes in (128, 256, 512, 1024, 8192, 65536):
        yield f"-s {kilobytes} KB", resource.RLIMIT_STACK, kilobytes * 1024


class Test:
    def __init__(self, folder, data):
        self.folder = folder
        self.model = folder / "models/tiny.llmm"
        self.model.parent.mkdir()
        shutil.copy(data / "tiny.llmm", self.model)
        self.text = text_bytes(2000)
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("LLMA_", "XDG_", "LC_"))}
        self.environment.update(LC_ALL="C", HOME=str(folder / "home"),
                                LLMA_MODEL_PATH=str(self.model.parent))
        self.can_change_user = os.geteuid() == 0
        self.counts = collections.Counter()
        folder.chmod(0o755)

    def copy(self, program):
        copied = self.folder / "programs" / program.name
        copied.parent.mkdir(exist_ok=True)
        shutil.copy(program, copied)
        copied.chmod(0o755)
        return copied

    def run(self, command, folder, kind=None, value=0):
        def prepare():
            if kind is not None:
                hard = value + 5 if kind == resource.RLIMIT_CPU else value
                resource.setrlimit(kind, (value, hard))
            if kind == resource.RLIMIT_NPROC and self.can_change_user:
                os.setgroups([])
                os.setgid(USER)
                os.setuid(USER)
        try:
            return subprocess.run(
                command, cwd=folder, env=self.environment, preexec_fn=prepare,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return None
        except (subprocess.SubprocessError, OSError):
            return False  # not even the program could be started

    def check(self, name, limit, done, wrong_file):
        """Counts how it ended."""
        if done is False:
            self.counts["not started"] += 1
            return
        problem = None
        if done is None:
            problem = "hangs"
        else:
            said = done.stderr.decode(errors="replace")
            # The loader, or Python itself.
            if done.returncode in (1, 127) and any(
                    words in said for words in NOT_STARTED):
                self.counts["not started"] += 1
                return
            if done.returncode < 0:
                problem = f"ends with {signal.Signals(-done.returncode).name}"
            elif done.returncode not in (0, 1, 2):
                problem = f"exit {done.returncode}"
            elif done.returncode == 1 and not said.startswith(OWN_MESSAGES):
                problem = "exit 1 without a word of its own"
            elif wrong_file:
                problem = wrong_file
            self.counts["ok" if done.returncode in (0, 2) else "error"] += 1
        if problem:
            self.counts["failed"] += 1
            said = "" if done is None else done.stderr.decode(errors="replace")
            print(f"FAILED: {name} under {limit}: {problem}\n    {said.strip()!r}",
                  flush=True)

    def program(self, llma, limit, kind, value):
        """Both directions, each level to be tried; the restored ones from files
        that were made without a limit."""
        for level, threads in (("-1", "-T1"), ("-6", "-T2"), ("-9", "-T1")):
            files = self.files[level]
            for name, goal, command in (
                    ("text", "text.llma", [llma, level, threads, "text"]),
                    ("text.llma", "text", [llma, "-d", threads, "text.llma"])):
                with tempfile.TemporaryDirectory(dir=self.folder) as made:
                    folder = pathlib.Path(made)
                    folder.chmod(0o777)
                    (folder / name).write_bytes(files[name])
                    (folder / name).chmod(0o644)
                    done = self.run(command, folder, kind, value)
                    now = {p.name: p.read_bytes() for p in folder.iterdir()}
                wrong = None
                if now.get(name) != files[name]:
                    wrong = f"{name} is lost"
                elif now.get(goal, files[goal]) != files[goal]:
                    wrong = f"{goal} is not complete"
                elif done and done.returncode in (0, 2) and goal not in now:
                    wrong = f"{goal} is not there"
                elif set(now) - {name, goal}:
                    wrong = f"left behind: {sorted(now)}"
                self.check(" ".join(map(str, command)), limit, done, wrong)

    def make_files(self, llma):
        self.files = {}
        for level in ("-1", "-6", "-9"):
            done = self.run([llma, level, "--stdout", "text"], self.folder)
            if done.returncode != 0:
                sys.exit(done.stderr.decode())
            self.files[level] = {"text": self.text, "text.llma": done.stdout}

    def host(self, name, command, limit, kind, value):
        for level, threads in ((1, 1), (6, 1), (6, 4)):
            done = self.run([*command, self.model, str(level), str(threads)],
                            self.folder, kind, value)
            self.check(f"{name} -{level} -T{threads}", limit, done, None)

    def processor_time(self, llma):
        """Killed like by any other signal: without a trace."""
        with tempfile.TemporaryDirectory(dir=self.folder) as made:
            folder = pathlib.Path(made)
            (folder / "text").write_bytes(text_bytes(3000000))
            done = self.run([llma, "-2", "text"], folder, resource.RLIMIT_CPU, 1)
            left = sorted(p.name for p in folder.iterdir())
        if done is None or done.returncode not in (0, -signal.SIGXCPU) or \
                done.returncode < 0 and left != ["text"]:
            self.counts["failed"] += 1
            print(f"FAILED: -t 1: {done and done.returncode}, {left}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--llma", type=pathlib.Path)
    parser.add_argument("--c", type=pathlib.Path)
    parser.add_argument("--python")
    parser.add_argument("--more", action="store_true")
    arguments = parser.parse_intermixed_args()
    hosts = {}
    if arguments.python:
        hosts["Python"] = [arguments.python, "-c", PYTHON_CODE]
    with tempfile.TemporaryDirectory() as made:
        test = Test(pathlib.Path(made), arguments.data.resolve())
        (test.folder / "text").write_bytes(test.text)
        # Where another user may run them, too.
        llma = arguments.llma and test.copy(arguments.llma)
        if arguments.c:
            hosts["C"] = [test.copy(arguments.c)]
        if llma:
            test.make_files(llma)
        for limit, kind, value in limits(arguments.more):
            if kind == resource.RLIMIT_NPROC and test.can_change_user:
                first = [llma, "--version"] if llma else \
                    [*next(iter(hosts.values())), test.model, "1", "1"]
                done = test.run(first, test.folder, kind, 100)
                if not done or done.returncode != 0:
                    print(f"skipped: {limit}: another user cannot run it here")
                    continue
            if llma:
                test.program(llma, limit, kind, value)
            if kind == resource.RLIMIT_FSIZE:
                continue  # no files are written by the others
            for name, command in hosts.items():
                test.host(name, command, limit, kind, value)
        if llma:
            test.processor_time(llma)
    counts = test.counts
    print(f"{counts['ok'] + counts['error']} runs under limits: {counts['ok']} "
          f"ended well, {counts['error']} with an error, {counts['failed']} "
          f"against the rules; {counts['not started']} could not be started")
    return 1 if counts["failed"] or counts["ok"] < 1 else 0


if __name__ == "__main__":
    sys.exit(main())
