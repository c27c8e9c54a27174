#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Restores many small files in one call, with several builds in turn.

    bench/many_small_files.py [--files 64] [--bytes 2048] [--level 6]
                              [--rounds 3] PROGRAM...

The content is consecutive parts of Python's help texts, the same with every
Python of one version. Writes for each program the best of the rounds: seconds
on the clock and processor seconds (user and system), and how much less that is
than with the first program. What is restored is compared with what was
compressed.
"""

import argparse
import pathlib
import pydoc_data.topics
import resource
import subprocess
import tempfile
import time


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--bytes", type=int, default=2048)
    parser.add_argument("--level", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM")
    return parser.parse_args()


def run(command):
    """Seconds on the clock and of processors, of what must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, check=True)
    clock = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock, used


def main():
    arguments = parse_arguments()
    text = "".join(pydoc_data.topics.topics.values()).encode()
    size = arguments.bytes
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        contents = {}
        for number in range(arguments.files):
            path = folder / f"{number:04}.txt"
            contents[path] = text[number * size : (number + 1) * size]
            path.write_bytes(contents[path])
        run([arguments.programs[0], f"-{arguments.level}", "-q", *contents])
        packed = [path.with_name(path.name + ".llma") for path in contents]
        packed_bytes = sum(path.stat().st_size for path in packed)
        print(
            f"{len(contents)} files, {sum(map(len, contents.values()))} bytes,"
            f" {packed_bytes} compressed"
        )
        best = {program: (float("inf"),) * 2 for program in arguments.programs}
        for _ in range(arguments.rounds):
            for program in arguments.programs:
                times = run([program, "-d", "-f", "-q", *packed])
                best[program] = tuple(map(min, best[program], times))
                for path, content in contents.items():
                    if path.read_bytes() != content:
                        raise SystemExit(f"{program}: {path.name} differs")
        first = best[arguments.programs[0]]
        for program, (clock, used) in best.items():
            print(
                f"{program}: {clock:.2f} s ({first[0] / clock:.2f}),"
                f" {used:.2f} processor seconds ({first[1] / used:.2f})"
            )


if __name__ == "__main__":
    main()
