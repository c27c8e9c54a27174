#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program where threads, processors and memory are few: a right file or one
line that says what is wrong; never an abort, a wait without end or a part of a
file under its final name.

    limits_test.py LLMA DATA_FOLDER SHIM [NAME_PART]

SHIM: the library of thread_shim.c.
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TIMEOUT_SECONDS = 600
NOBODY = 65534


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def text_bytes(size):
    lines = (f"Line {i * i % 7919} of {i} in a text that goes on.\n" for i in range(size))
    text = ""
    for line in lines:
        text += line
        if len(text) >= size:
            return text[:size].encode()
    return text.encode()


class Place:
    """A folder of one test, and the program."""

    def __init__(self, folder, program, data):
        self.folder = folder
        self.program = program
        self.model = data / "tiny.llmm"

    def __truediv__(self, name):
        return self.folder / name

    def run(self, *arguments, environment=None, **how):
        env = {"PATH": os.environ["PATH"], "LLMA_MODEL_PATH": str(self.model.parent)}
        env.update(environment or {})
        command = [self.program, *arguments]
        try:
            return subprocess.run(
                [str(part) for part in command],
                env=env,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                **how,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"does not end: {command}") from None

    def expect_sane(self, result, out, content=None):
        """Exit 0 with all of the content, or 1 with one line and no file."""
        what = f"{result.args}: {result.returncode}, {result.stderr.decode()!r}"
        expect(result.returncode in (0, 1), what)
        leavings = [p.name for p in self.folder.iterdir() if ".part" in p.name]
        expect(not leavings, f"{what}: leaves {leavings}")
        if result.returncode == 0:
            expect(out.exists(), what)
            expect(content is None or out.read_bytes() == content, what)
            return True
        expect(not out.exists(), what)
        expect(len(result.stderr.decode().strip().splitlines()) in (1, 2), what)
        return False


def threads_that_cannot_be_had(place, shim):
    """Any number of them fails; with those that are there, the same file."""
    content = text_bytes(12000)
    (place / "in").write_bytes(content)
    coding = {
        "-1": ["--frame-size", "4096"],
        "-4": ["--model", place.model, "--frame-size", "4096"],
        "-6": ["--model", place.model],
    }
    for level, options in coding.items():
        made = set()
        for most in (None, 0, 1, 2):
            env = {"LD_PRELOAD": str(shim)}
            if most is not None:
                env["LLMA_TEST_THREADS"] = str(most)
            result = place.run(
                level, "-T8", *options, "-c", place / "in", place / "packed",
                environment=env,
            )
            expect(result.returncode == 0, f"{result.args}: {result.stderr!r}")
            made.add((place / "packed").read_bytes())
            result = place.run(
                "-d", "-T8", place / "packed", place / "out", environment=env
            )
            expect(place.expect_sane(result, place / "out", content), f"{result.args}: {result.stderr!r}")
            (place / "packed").unlink()
            (place / "out").unlink()
        expect(len(made) == 1, f"{level}: {len(made)} different files")


def no_more_threads_than_are_of_use(place, shim):
    """Whatever -T says: a short text has work for few, and no thread is of use
    beyond the processors."""
    env = {"LD_PRELOAD": str(shim), "LLMA_TEST_THREAD_LOG": str(place / "log")}
    (place / "in").write_bytes(text_bytes(362))
    num_processors = len(os.sched_getaffinity(0))
    for level in ("-1", "-6", "-9"):
        for arguments in (
            [level, "-T1024", "--model", place.model, "-c", place / "in", place / "packed"],
            ["-d", "-T1024", "--model", place.model, place / "packed", place / "out"],
        ):
            result = place.run(*arguments, environment=env)
            expect(result.returncode == 0, result.stderr.decode())
            num_threads = int((place / "log").read_text())
            expect(
                num_threads <= num_processors,
                f"{result.args}: {num_threads} threads, {num_processors} processors",
            )
        (place / "packed").unlink()
        (place / "out").unlink()


def a_user_without_processes(place, shim):
    """RLIMIT_NPROC, which root is exempt from."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        raise Skipped("only root can become somebody else")
    content = text_bytes(6000)
    (place / "in").write_bytes(content)
    # Where anybody reaches them.
    shutil.copy(place.program, place / "llma")
    shutil.copy(place.model, place / "tiny.llmm")
    for path in (place.folder, place / "in", place / "llma", place / "tiny.llmm"):
        os.chown(path, NOBODY, NOBODY)
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # Those that this user has already count too.
    for most in range(1, 6):
        limit = ["prlimit", f"--nproc={most}"]
        for level in ("-1", "-6"):
            outs = []
            for arguments in (
                [level, "-T8", "--model", place / "tiny.llmm", "-c", place / "in", place / "packed"],
                ["-d", "-T8", "--model", place / "tiny.llmm", place / "packed", place / "out"],
            ):
                command = [*user, *limit, place / "llma", *arguments]
                result = subprocess.run(
                    [str(part) for part in command],
                    capture_output=True,
                    timeout=TIMEOUT_SECONDS,
                )
                if b"prlimit" in result.stderr or b"setpriv" in result.stderr:
                    raise Skipped(result.stderr.decode().strip())
                outs.append(arguments[-1])
                if not place.expect_sane(result, arguments[-1]):
                    break
            else:
                expect((place / "out").read_bytes() == content, "the content")
            for out in outs:
                out.unlink(missing_ok=True)


def more_threads_than_processors_are_no_slower(place, shim):
    """As in a container with one of many processors: threads that wait must not
    take the time of those that work. Processor time, for others use this
    machine too."""
    content = text_bytes(6000)
    (place / "in").write_bytes(content)
    processor = min(os.sched_getaffinity(0))

    def seconds(threads, *arguments):
        best = 1e9
        for _ in range(2):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            result = place.run(
                *arguments,
                f"-T{threads}",
                preexec_fn=lambda: os.sched_setaffinity(0, {processor}),
            )
            expect(result.returncode == 0, result.stderr.decode())
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            best = min(
                best,
                after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            )
        return best

    result = place.run("-6", "--lanes", "8", "--model", place.model, "-c", place / "in", place / "packed")
    expect(result.returncode == 0, result.stderr.decode())
    for arguments in (
        ["-6", "--lanes", "8", "--model", place.model, "-o", "/dev/null", place / "in"],
        ["-d", "--model", place.model, "-o", "/dev/null", place / "packed"],
    ):
        one, four = seconds(1, *arguments), seconds(4, *arguments)
        print(f"  {arguments[0]}: one thread {one:.2f} s, four {four:.2f} s")
        expect(four < 1.5 * one + 0.1, f"{arguments[0]}: {one:.2f} s, {four:.2f} s")


TESTS = [
    threads_that_cannot_be_had,
    no_more_threads_than_are_of_use,
    a_user_without_processes,
    more_threads_than_processors_are_no_slower,
]


def main():
    program, data, shim = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
    wanted = sys.argv[4] if len(sys.argv) > 4 else ""
    num_failed = 0
    for test in TESTS:
        if wanted not in test.__name__:
            continue
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            try:
                test(Place(pathlib.Path(folder), program, data), shim)
                verdict = "ok"
            except Skipped as reason:
                verdict = f"skipped: {reason}"
            except Failed as failure:
                num_failed += 1
                verdict = f"FAILED: {failure}"
            print(f"{test.__name__}: {verdict} ({time.monotonic() - started:.1f} s)")
    return 1 if num_failed else 0


if __name__ == "__main__":
    sys.exit(main())
