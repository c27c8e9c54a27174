#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes and speeds of all levels on some files, as a Markdown table.

    bench/levels.py [--program build/release/llma] [--levels 1-9]
                    [--bytes N] [--lanes N] FILE...

runs `llma bench` once for each level and file, so that memory is that of one
level. --bytes takes the beginning of each file, --lanes forces a number of
lanes: a short sample then shows the speed of a long file, at a size that is too
large by some 20 bytes for each lane.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

# "   -6     39866      1.084   4.88 KB/s   2.89 KB/s    1346    796  360 MB"
LINE = re.compile(
    r"^\s*-(\d)\s+(\d+)\s+[\d.]+\s+([\d.]+ \S*B/s)\s+([\d.]+ \S*B/s).*?"
    r"([\d.]+ [KMG]?B)\s*$",
    re.MULTILINE,
)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="build/release/llma")
    parser.add_argument("--levels", default="1-9")
    parser.add_argument("--bytes", type=int)
    parser.add_argument("--lanes", type=int)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    return parser.parse_args()


def measure(args, level, path):
    """Bytes, both speeds and memory of one level."""
    command = [args.program, "bench", "--levels", f"{level}-{level}"]
    if args.lanes:
        command += ["--lanes", str(args.lanes)]
    done = subprocess.run(
        [*command, str(path)], capture_output=True, text=True, check=False
    )
    found = LINE.search(done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)} {path}: {done.stderr or done.stdout}")
    return int(found[2]), found[3], found[4], found[5]


def main():
    args = parse_arguments()
    first, _, last = args.levels.partition("-")
    print("| level | file | bytes | packed | bits/byte | compress | decompress | memory |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for level in range(int(first), int(last or first) + 1):
            for path in args.files:
                content = path.read_bytes()[: args.bytes]
                sample = pathlib.Path(folder) / path.name
                sample.write_bytes(content)
                packed, compress, decompress, memory = measure(args, level, sample)
                print(
                    f"| -{level} | {path.name} | {len(content)} | {packed} |"
                    f" {8 * packed / max(1, len(content)):.3f} | {compress} |"
                    f" {decompress} | {memory} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
