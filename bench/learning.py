#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What learning while reading gives and costs.

    learning.py LLMA [--level N] [--bytes N] [--threads N] [--restore] FILE...

Each file (or its first N bytes) is compressed without learning and with it: sizes,
seconds of the wall clock, and the most memory. --restore: both are restored, compared
and timed, too.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile
import time


def run(program, arguments, folder):
    """Seconds, and the most memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([program, "-q", *arguments], cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(arguments)}: status {status}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e6


def measure(arguments, content, option):
    """Size, seconds and memory of both ways."""
    program = str(pathlib.Path(arguments.program).resolve())
    threads = [f"--threads={arguments.threads}"] if arguments.threads else []
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "text").write_bytes(content)
        result = [run(program, [f"-{arguments.level}", option, *threads,
                                "text"], folder), (0, 0)]
        packed = pathlib.Path(folder, "text.llma")
        if arguments.restore:
            result[1] = run(program, ["-d", *threads, "-o", "back",
                                      "text.llma"], folder)
            if pathlib.Path(folder, "back").read_bytes() != content:
                raise SystemExit("what came back is something else")
        return packed.stat().st_size, *result


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", metavar="LLMA")
    parser.add_argument("--level", type=int, default=9)
    parser.add_argument("--bytes", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--restore", action="store_true")
    parser.add_argument("files", metavar="FILE", nargs="+")
    arguments = parser.parse_args()
    print("file                          bytes  without     with   gain"
          "   compress s, MB         restore s, MB")
    for path in arguments.files:
        content = pathlib.Path(path).read_bytes()[:arguments.bytes]
        (size, *plain), (learnt_size, *learnt) = (
            measure(arguments, content, option)
            for option in ("--no-learn", "--learn"))
        ways = [f"{a:6.1f} {b:6.1f} {c:4.0f} {d:4.0f}"
                for (a, c), (b, d) in zip(plain, learnt)]
        print(f"{pathlib.Path(path).name:25} {len(content):9} {size:8} "
              f"{learnt_size:8} {100 * (learnt_size / size - 1):5.1f}%   "
              + "   ".join(ways), flush=True)


if __name__ == "__main__":
    main()
