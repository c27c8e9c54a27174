#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What short messages become: llma --short beside brotli -q 11, one by one.

    bench/short_messages.py [--llma PROGRAM] [--count 200] FILE...

Takes sentences and lines of 20 to 200 bytes from each text, evenly over it.
Each is restored and compared. Needs brotli (apt-get install brotli).
"""

import argparse
import pathlib
import re
import subprocess
import sys

MIN_BYTES, MAX_BYTES = 20, 200


def messages_of(text, count):
    parts = re.split(rb"(?<=[.!?])\s+|\n\s*\n|(?<=\n)", text)
    parts = [re.sub(rb"\s+", b" ", p).strip() for p in parts]
    parts = [p for p in parts if MIN_BYTES <= len(p) <= MAX_BYTES]
    if len(parts) <= count:
        return parts
    return [parts[i * len(parts) // count] for i in range(count)]


def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--llma", default=str(root / "build/release/llma"))
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    print("| file | messages | bytes | brotli -q 11 | llma --short | of brotli |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in args.files:
        sizes = [0, 0, 0]
        messages = messages_of(pathlib.Path(name).read_bytes(), args.count)
        for message in messages:
            short = run([args.llma, "--short"], message)
            if run([args.llma, "-d"], short) != message:
                sys.exit(f"{name}: not restored: {message!r}")
            brotli = run(["brotli", "-q", "11", "-c", "-"], message)
            for i, data in enumerate((message, brotli, short)):
                sizes[i] += len(data)
        if messages:
            print(f"| {pathlib.Path(name).name} | {len(messages)} | {sizes[0]} "
                  f"| {sizes[1]} | {sizes[2]} | {sizes[2] / sizes[1]:.1%} |")


if __name__ == "__main__":
    main()
