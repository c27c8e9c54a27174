#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory that llma says it needs, and the peak that it then takes.

    bench/memory_peaks.py [--llma LLMA] [--model NAME] [--levels 1,6] [--lanes 1,64]
                          [--bytes N] FILE

For each level and number of lanes, the first N bytes of FILE (8,000) there and
back: what -M must allow, and the peak of the process with just that limit, without
the program itself and the model's file, which is mapped. Exit status 1 if a peak is
above what was said.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MIB = 1 << 20
# What differs from run to run: allocators, libraries.
SLACK_BYTES = 4 * MIB


def run(command):
    """Exit status, standard error, and the peak of the process in bytes."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        return process.returncode, errors.read().decode(), usage.ru_maxrss << 10


def needed_bytes(command):
    """The least -M that the command takes."""
    status, text, _ = run([*command, "-M", "1M", "--no-adjust"])
    found = re.search(r"needs ([0-9]+) MiB of memory", text)
    if status != 1 or not found:
        sys.exit(f"{command}: exit {status}, {text}")
    return (int(found[1]) + 1) * MIB


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--llma", default="build/release/llma")
    parser.add_argument("--model", default="smollm2-135m-text")
    parser.add_argument("--levels", default="1,2,3,4,5,6,7,8,9")
    parser.add_argument("--lanes", default="1,12,64")
    parser.add_argument("--bytes", type=int, default=8000)
    arguments = parser.parse_args()
    llma = arguments.llma
    _, _, base = run([llma, "--version"])
    listed = subprocess.run([llma, "model", "list", "--robot"], check=True,
                            capture_output=True, text=True).stdout
    models = {fields[1]: int(fields[3]) for fields in
              (line.split("\t") for line in listed.splitlines())
              if fields[0] == "model"}
    model = arguments.model
    model_bytes = pathlib.Path(model).stat().st_size if "/" in model else models[model]
    too_low = 0
    print("level  lanes           needs       peak  share")
    with tempfile.TemporaryDirectory() as folder:
        content, packed = pathlib.Path(folder, "in"), pathlib.Path(folder, "packed")
        content.write_bytes(arguments.file.read_bytes()[:arguments.bytes])
        for level in map(int, arguments.levels.split(",")):
            uses_model = level > 2
            for lanes in arguments.lanes.split(",") if uses_model else [""]:
                options = ["--model", model] if uses_model else []
                set_lanes = ["--lanes", lanes] if uses_model else []
                for way, command in (
                        ("there", [llma, "-qf", f"-{level}", *options, *set_lanes,
                                   "-o", packed, content]),
                        ("back", [llma, "-qt", *options, packed])):
                    needed = needed_bytes([p for p in command if p != "-q"])
                    status, text, peak = run([*command, "-M", str(needed)])
                    if status != 0:
                        sys.exit(f"{command} with {needed} bytes: {text}")
                    peak = max(0, peak - base - (model_bytes if uses_model else 0))
                    is_low = peak > needed + SLACK_BYTES
                    too_low += is_low
                    print(f"   -{level}  {lanes or '-':>5}  {way:<5} "
                          f"{needed / MIB:8.0f} MiB {peak / MIB:6.0f} MiB "
                          f"{100 * peak / needed:5.0f} %"
                          f"{'  TOO LOW' if is_low else ''}", flush=True)
    return 1 if too_low else 0


if __name__ == "__main__":
    sys.exit(main())
