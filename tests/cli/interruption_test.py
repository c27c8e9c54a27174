#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the program says of its work while it runs and when it is interrupted,
and what it keeps. A clock that runs 1,000 times as fast makes a second of work
last minutes.

    interruption_test.py LLMA FAST_CLOCK_LIBRARY [NAME_PART]
"""

import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

OPTIONS = ["-1", "--frame-size", "64K", "-T", "1"]
TIMEOUT_SECONDS = 300


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


class Place:
    """A folder with a file that takes a second to compress."""

    def __init__(self, folder, llma, clock):
        self.folder, self.llma, self.clock = folder, llma, clock
        noise = os.urandom(1_000_000).hex().encode()  # half of it code
        (folder / "big").write_bytes(noise)

    def __truediv__(self, name):
        return self.folder / name

    def files(self):
        return sorted(os.listdir(self.folder))

    def start(self, *options, fast=True, limit_bytes=None):
        environment = {**os.environ, "LC_ALL": "C"}
        if fast:
            environment["LD_PRELOAD"] = str(self.clock)

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        return subprocess.Popen(
            [self.llma, *options], cwd=self.folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=limit if limit_bytes is not None else None)

    def run(self, *options, **how):
        work = self.start(*options, **how)
        said = work.communicate(timeout=TIMEOUT_SECONDS)[1]
        return work.returncode, said

    def wait_for(self, work, name, size=1):
        """Until the file is there, and so large."""
        end = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < end:
            expect(work.poll() is None, "the work ended before the signal")
            for path in self.folder.glob(name):
                if path.stat().st_size >= size:
                    return
            time.sleep(0.01)
        raise Failed(f"there is no {name}")

    def interrupt(self, *options, how=signal.SIGINT, wait="big.llma.part",
                  size=1, **more):
        work = self.start(*options, **more)
        self.wait_for(work, wait, size)
        if more.get("fast", True):
            time.sleep(0.15)  # two minutes
        work.send_signal(how)
        said = work.communicate(timeout=TIMEOUT_SECONDS)[1]
        expect(work.returncode == -how, f"ended with {work.returncode}")
        return said


def case_long_work_is_kept(place):
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        (place / "big.llma.part").unlink(missing_ok=True)
        said = place.interrupt(*OPTIONS, "big", how=how)
        expect(re.fullmatch(
            r"llma: big: interrupted at \d+\.\d % of 2\.0 MB after \d+:\d\d; "
            r"big\.llma\.part is kept, and the same command with --resume goes "
            r"on with it\n", said), said)
        expect(place.files() == ["big", "big.llma.part"], place.files())
    status, said = place.run(*OPTIONS, "big")
    expect(status == 1 and "--resume goes on" in said, said)
    status, said = place.run(*OPTIONS, "--resume", "-vv", "big")
    expect(status == 0 and "goes on at byte" in said, said)
    place.run(*OPTIONS, "-o", "whole", "big")
    expect((place / "whole").read_bytes() == (place / "big.llma").read_bytes(),
           "what was gone on with differs")


def case_a_failure_keeps_long_work(place):
    status, said = place.run(*OPTIONS, "big", limit_bytes=700_000)
    expect(status == 1 and "File too large" in said, said)
    expect("big.llma.part is kept, and the same command with --resume" in said,
           said)
    status, said = place.run(*OPTIONS, "--resume", "big")
    expect(status == 0 and said == "", said)
    status, _ = place.run("-d", "-o", "back", "big.llma")
    expect((place / "back").read_bytes() == (place / "big").read_bytes(), "back")


def case_short_work_leaves_nothing(place):
    said = place.interrupt(*OPTIONS, "big", fast=False)
    expect(said == "", said)
    expect(place.files() == ["big"], place.files())


def case_no_frame_is_complete(place):
    said = place.interrupt("-1", "-T", "1", "big", size=0)
    expect(said.endswith("; nothing is kept: no frame was complete\n"), said)
    expect(place.files() == ["big"], place.files())


def case_what_cannot_be_gone_on_with(place):
    said = place.interrupt(*OPTIONS, "--no-check", "big")
    expect(re.search(r"after \d+:\d\d; nothing is kept\n$", said), said)
    expect(place.files() == ["big"], place.files())


def case_quiet(place):
    expect(place.interrupt(*OPTIONS, "-q", "big") == "", "-q says something")
    expect(place.files() == ["big", "big.llma.part"], place.files())


def case_resume_is_kept_at_once(place):
    said = place.interrupt(*OPTIONS, "--resume", "big", fast=False)
    expect("big.llma.part is kept, and the same command goes on" in said, said)


def case_decompressing(place):
    place.run(*OPTIONS, "big")
    os.rename(place / "big", place / "kept")
    said = place.interrupt("-d", "-T", "1", "big.llma", wait="big.tmp.*")
    expect(re.search(r"interrupted at .* after \d+:\d\d; nothing is kept\n$",
                     said), said)
    expect(place.files() == ["big.llma", "kept"], place.files())


def case_many_files(place):
    """What is done stays, and only its source goes; of the rest nothing is there."""
    small = [f"small{i:02}" for i in range(20)]
    for name in small:
        (place / name).write_bytes(name.encode() * 100)
    coded = [f"{name}.llma" for name in small]
    last = [*OPTIONS, "--rm", *small, "big"]
    expect(place.interrupt(*last, fast=False, wait="big.*") == "", "says something")
    expect(place.files() == ["big", *coded], place.files())
    expect(place.run("-d", "--rm", *coded) == (0, ""), "cannot be restored")
    first = [*OPTIONS, "--rm", "big", *small]
    expect(place.interrupt(*first, fast=False, wait="big.*") == "", "says something")
    expect(place.files() == ["big", *small], place.files())


def case_progress_on_request(place):
    wanted = [signal.SIGUSR1] + ([signal.SIGINFO] if hasattr(signal, "SIGINFO")
                                 else [])
    work = place.start(*OPTIONS, "-q", "big")
    place.wait_for(work, "big.llma.part")
    for each in wanted:
        work.send_signal(each)
        time.sleep(0.1)
    said = work.communicate(timeout=TIMEOUT_SECONDS)[1]
    expect(work.returncode == 0, f"ended with {work.returncode}")
    expect(re.fullmatch(
        r"(llma: big: \d+\.\d % of 2\.0 MB after \d+:\d\d(:\d\d)?, "
        r"[\d.]+ K?B/s, \d+:\d\d(:\d\d)? left\n)+", said), said)
    expect(said.count("\n") == len(wanted), said)


def case_forecast(place):
    forecast = r"llma: big: takes about [\d hmin]+: 2\.00 MB at [\d.]+ K?B/s\n"
    status, said = place.run(*OPTIONS, "-v", "big")
    expect(status == 0 and re.match(forecast, said), said)
    expect(place.run(*OPTIONS, "-f", "big") == (0, ""), "told without -v")
    status, said = place.run(*OPTIONS, "-vf", "big", fast=False)
    expect("takes about" not in said, said)


def main():
    llma, clock = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    part = sys.argv[3] if len(sys.argv) > 3 else ""
    cases = {name: case for name, case in globals().items()
             if name.startswith("case_") and part in name}
    num_failed = 0
    for name, case in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(Place(pathlib.Path(folder), llma, clock))
            except Failed as failure:
                num_failed += 1
                print(f"FAILED: {name}\n  {failure}")
    print(f"{len(cases)} cases, {num_failed} failed")
    return 1 if num_failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
