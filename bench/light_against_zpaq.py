#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llma -1 beside zpaq -m5 on each FILE, in both directions.

    bench/light_against_zpaq.py [--rounds N] [--llma PROGRAM] FILE...

Packs and restores FILE with both in turn, N times, with one thread each and
then with each program's own choice of threads, and prints the least processor
time and the least time on the clock of each. A ratio above 1 says that llma is
faster. What was packed is restored and compared.

Exit status: 0 llma is smaller on every file and, with one thread, takes at most
half the processor time in both directions; 1 it does not, or something failed.
"""

import argparse
import filecmp
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NEEDED_RATIO = 2


class Failure(Exception):
    """A program failed, or restored something else."""


def run(command, folder):
    """(processor seconds, seconds on the clock) of a program and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True)
    clock_s = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Failure(f"{' '.join(command)}: " + done.stderr.decode(
            errors="replace").strip())
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
            clock_s)


def measure(llma, path, threads, rounds):
    """{(program, direction): (processor s, clock s)}, {program: packed bytes}."""
    zpaq_threads = [f"-t{threads}"] if threads else []
    llma_threads = ["-T", str(threads)] if threads else []
    commands = {
        ("zpaq", "pack"): ["zpaq", "add", "z.zpaq", "in", "-m5", *zpaq_threads],
        ("llma", "pack"): [llma, "-q", "-1", *llma_threads, "-o", "l.llma", "in"],
        ("zpaq", "unpack"): ["zpaq", "extract", "z.zpaq", "in", "-to", "z.out",
                             *zpaq_threads],
        ("llma", "unpack"): [llma, "-q", "-d", *llma_threads, "-o", "l.out",
                             "l.llma"],
    }
    best = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            shutil.copyfile(path, folder / "in")
            for key, command in commands.items():
                times = run(command, folder)
                best[key] = tuple(map(min, best.get(key, times), times))
            sizes = {"zpaq": (folder / "z.zpaq").stat().st_size,
                     "llma": (folder / "l.llma").stat().st_size}
            for out in ("z.out", "l.out"):
                if not filecmp.cmp(folder / "in", folder / out, shallow=False):
                    raise Failure(f"{path}: {out} is another content")
    return best, sizes


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--llma", type=pathlib.Path,
                        default=ROOT / "build/release/llma")
    args = parser.parse_args()
    if not shutil.which("zpaq"):
        raise Failure("zpaq is not installed: apt-get install zpaq")
    llma = str(args.llma.resolve())

    print(f"{'':22}{'':>9}{'packed bytes':>20}{'':8}  "
          f"{'pack, us a byte':>22}  {'unpack, us a byte':>22}")
    print(f"{'file':22}{'bytes':>9}{'zpaq':>10}{'llma':>10}{'':8}  "
          f"{'zpaq':>8}{'llma':>7}{'ratio':>7}  {'zpaq':>8}{'llma':>7}{'ratio':>7}")
    is_good = True
    for path in args.files:
        num_bytes = max(path.stat().st_size, 1)
        for threads in (1, 0):  # processor time, then time on the clock
            best, sizes = measure(llma, path, threads, args.rounds)
            at = 0 if threads else 1
            percent = 100 * (sizes["llma"] / sizes["zpaq"] - 1)
            line = (f"{path.name:22}{num_bytes:9}{sizes['zpaq']:10}"
                    f"{sizes['llma']:10}{percent:+7.1f}%" if threads else
                    f"{'  clock, own threads':22}{'':37}")
            for direction in ("pack", "unpack"):
                zpaq_s = best["zpaq", direction][at]
                llma_s = best["llma", direction][at]
                ratio = zpaq_s / llma_s
                line += (f"  {zpaq_s * 1e6 / num_bytes:8.2f}"
                         f"{llma_s * 1e6 / num_bytes:7.2f}{ratio:7.2f}")
                if threads:
                    is_good &= ratio >= NEEDED_RATIO
            if threads:
                is_good &= sizes["llma"] < sizes["zpaq"]
            print(line, flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as problem:
        sys.exit(f"light_against_zpaq.py: {problem}")
