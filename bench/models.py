#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What models are good for what: bits per byte, speed and memory of each on each
file, as a table for README.md.

    models.py [--llma build/release/llma] [--level 6] [--models NAME...] -- FILE...

Models are those that are installed, or paths of .llmm files. Each file is
compressed, restored and compared, by one thread: speeds count the processor's
time, which other work on the machine changes less than the clock's. Each
result is on standard error as soon as it is there.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def run(command):
    """Seconds of the processor that a command took, and its memory in MB."""
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def measure(llma, model, level, path, folder):
    """bits per byte, KB/s there and back, MB."""
    packed, back = f"{folder}/packed", f"{folder}/back"
    size = os.path.getsize(path)
    encode_s, encode_mb = run(
        [llma, "-f", "-q", "-T1", f"-{level}", "--model", model, "-o", packed, path]
    )
    decode_s, decode_mb = run(
        [llma, "-d", "-f", "-q", "-T1", "--model", model, "-o", back, packed]
    )
    if pathlib.Path(back).read_bytes() != pathlib.Path(path).read_bytes():
        raise SystemExit(f"{path}: not restored")
    row = {
        "bytes": os.path.getsize(packed),
        "bits": os.path.getsize(packed) * 8 / size,
        "encode": size / 1000 / encode_s,
        "decode": size / 1000 / decode_s,
        "mb": max(encode_mb, decode_mb),
    }
    print(
        f"{model} {path}: {row['bytes']} B, {row['encode']:.2f} and "
        f"{row['decode']:.2f} KB/s, {row['mb']:.0f} MB",
        file=sys.stderr,
        flush=True,
    )
    return row


def installed(llma):
    output = subprocess.run(
        [llma, "model", "list", "--json"],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return [model["name"] for model in json.loads(output)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--llma", default="build/release/llma")
    parser.add_argument("--level", type=int, default=6)
    parser.add_argument("--models", nargs="+", help="default: all installed")
    args = parser.parse_args()
    columns = [pathlib.Path(path).name for path in args.files]
    print(
        "| model | memory, MB | KB/s, there / back | " + " | ".join(columns)
        + " |"
    )
    print("| --- |" + " ---: |" * (2 + len(columns)))
    for model in args.models or installed(args.llma):
        with tempfile.TemporaryDirectory() as folder:
            rows = [
                measure(args.llma, model, args.level, path, folder)
                for path in args.files
            ]
        speeds = [
            sum(row[way] for row in rows) / len(rows)
            for way in ("encode", "decode")
        ]
        cells = [f"{row['bits']:.3f} ({row['bytes']:,} B)" for row in rows]
        print(
            f"| {pathlib.Path(model).stem} "
            f"| {max(row['mb'] for row in rows):.0f} "
            f"| {speeds[0]:.1f} / {speeds[1]:.1f} | " + " | ".join(cells) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
