#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes and processor time of files of several sizes, both ways.

    bench/small_files.py [--program build/release/llma] [--sizes 3000,23618]
                         [--lanes 0,1,2,4,6,12] [--level 6] [--rounds 1]

writes a Markdown table. The content is text that is on any machine with Python:
samples/alice.txt, which is 23,618 bytes, for all that is no larger, else
Python's help texts and the sources of its library. Lanes 0: as the level has
them. Times are those of the processes that pack and restore, user and system,
so that other programs' work counts little; the best of the rounds.
"""

import argparse
import os
import pathlib
import pydoc_data.topics
import subprocess
import sysconfig
import tempfile

SAMPLE = pathlib.Path(__file__).parent.parent / "samples" / "alice.txt"


def parse_arguments():
    def numbers(text):
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--program", default="build/release/llma")
    parser.add_argument(
        "--sizes", type=numbers, default=[3000, 23618, 300000, 3000000]
    )
    parser.add_argument("--lanes", type=numbers, default=[0])
    parser.add_argument("--level", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=1)
    return parser.parse_args()


def make_text(size):
    """The first bytes of a text that is large enough."""
    text = SAMPLE.read_bytes()
    if size <= len(text):
        return text[:size]
    parts = [topic.encode() for topic in pydoc_data.topics.topics.values()]
    have = sum(map(len, parts))
    for path in sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("*.py")):
        if have >= size:
            break
        parts.append(path.read_bytes())
        have += len(parts[-1])
    return b"".join(parts)[:size]


def processor_seconds(command):
    """Of a process that must succeed; and those on the clock."""
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return max(used, 0.01), after.elapsed - before.elapsed


def measure(args, folder, size, lanes):
    """The packed size; the best times to pack and to restore."""
    content = make_text(size)
    file = folder / "text"
    packed, restored = folder / "text.llma", folder / "restored"
    file.write_bytes(content)
    best = [(float("inf"), 0.0)] * 2
    pack = [args.program, "-q", f"-{args.level}", "-k", "-f", str(file)]
    if lanes:
        pack[3:3] = ["--lanes", str(lanes)]
    unpack = [args.program, "-q", "-d", "-f", "-o", str(restored), str(packed)]
    for _ in range(args.rounds):
        for i, command in enumerate((pack, unpack)):
            best[i] = min(best[i], processor_seconds(command))
        if restored.read_bytes() != content:
            raise SystemExit(f"{size} bytes in {lanes} lanes came back wrong")
    return len(content), packed.stat().st_size, best


def main():
    args = parse_arguments()
    print("| bytes | lanes | packed | | packs, KB/s | | restores, KB/s | |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        for size in args.sizes:
            first_bytes = None
            for lanes in args.lanes:
                have, packed, (there, back) = measure(
                    args, pathlib.Path(name), size, lanes
                )
                first_bytes = first_bytes or packed
                print(
                    f"| {have:,} | {lanes or 'level'} | {packed:,}"
                    f" | {100 * (packed / first_bytes - 1):+.1f} %"
                    f" | {have / there[0] / 1000:.2f} | {there[0]:.2f} s"
                    f" | {have / back[0] / 1000:.2f} | {back[0]:.2f} s |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
