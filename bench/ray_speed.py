#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llma.ray with two workers of one thread beside one process with two threads.

    ray_speed.py [--levels -1,-6] [--bytes 8388608,65536] [--frame-sizes 1M,16K]
                 [--repeat 3]

Of each level so much text of Debian's documentation, in frames of that size. Prints the
seconds of both, on the clock and of processors, all processes of Ray among them, and
their ratio. Starting Ray is counted by itself. Needs the installed package with
`llma[ray]`.
"""

import argparse
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import llma.ray
import ray


def documentation(size):
    """As much text as asked for, of the files in their order."""
    parts, made = [], 0
    for path in sorted(pathlib.Path("/usr/share/doc").rglob("*")):
        if made >= size:
            break
        if not path.is_file() or path.suffix not in ("", ".gz", ".txt", ".md"):
            continue
        try:
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            data.decode()
        except (OSError, UnicodeDecodeError, gzip.BadGzipFile):
            continue
        parts.append(data)
        made += len(data)
    if made < size:
        sys.exit(f"there are only {made} bytes of documentation")
    return b"".join(parts)[:size]


def processor_seconds():
    """Of this process and all below it that live, and of those that have ended."""
    parents, seconds = {}, {}
    tick = os.sysconf("SC_CLK_TCK")
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        process = int(path.parent.name)
        parents[process] = int(fields[1])
        # Its own, and of its children that it has waited for.
        seconds[process] = sum(map(int, fields[11:15])) / tick
    below = {os.getpid()}
    while True:
        more = {one for one, parent in parents.items() if parent in below} - below
        if not more:
            return sum(seconds.get(one, 0) for one in below)
        below |= more


def measure(work):
    clock, processors = time.monotonic(), processor_seconds()
    work()
    return time.monotonic() - clock, processor_seconds() - processors


def size_of(text):
    return int(text[:-1]) << {"K": 10, "M": 20}[text[-1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--levels", default="-1,-6")
    parser.add_argument("--bytes", default="8388608,65536")
    parser.add_argument("--frame-sizes", default="1M,16K")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    start = time.monotonic()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False,
             logging_level="error")
    print(f"Ray started in {time.monotonic() - start:.1f} s")
    print("level     bytes  llma -T2: s   cpu s   Ray, 2 workers: s   cpu s   "
          "ratio: clock  cpu")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "warm").write_bytes(documentation(70000))
        for level, size, frame in zip(given.levels.split(","),
                                      map(int, given.bytes.split(",")),
                                      given.frame_sizes.split(",")):
            source = folder / "text"
            source.write_bytes(documentation(size))
            number = abs(int(level))
            # Workers that have started and have read the model.
            llma.ray.compress(folder / "warm", folder / "warm.llma", level=number,
                              frame_size=8192, force=True)

            def alone():
                subprocess.run([sys.executable, "-m", "llma", "-q", "-f", level, "-T2",
                                f"--frame-size={frame}", source, "-o",
                                folder / "alone"], check=True)

            def spread():
                llma.ray.compress(source, folder / "spread", level=number,
                                  frame_size=size_of(frame), force=True)

            runs = [(measure(alone), measure(spread)) for _ in range(given.repeat)]
            if (folder / "alone").read_bytes() != (folder / "spread").read_bytes():
                sys.exit("the files differ")
            one, many = (min(run[i][0] for run in runs) for i in (0, 1))
            one_cpu, many_cpu = (min(run[i][1] for run in runs) for i in (0, 1))
            print(f"{level:>5} {size:9} {one:12.2f} {one_cpu:7.2f} {many:19.2f} "
                  f"{many_cpu:7.2f} {many / one:14.2f} {many_cpu / one_cpu:5.2f}",
                  flush=True)


if __name__ == "__main__":
    main()
