#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program for Windows, under Wine, writes the same bytes as that for Linux,
and each restores the other's files.

    same_as_linux_test.py [--speed] LLMA LLMA.EXE MODEL SAMPLES

MODEL is the path of a .llmm file; with `--speed` it is measured in turn how fast
both are, three times, and the best time of each counts.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

RUN = str(pathlib.Path(__file__).resolve().parent / "run_exe.sh")
# Of which a processor runs those it has.
KERNELS = ["scalar", "avx2", "avxvnni", "avx512vnni256", "avx512vnni",
           "amx"]


def run(command, kernels="", **options):
    environment = dict(os.environ)
    if kernels:
        environment["LLMA_KERNELS"] = kernels
    done = subprocess.run(command, capture_output=True, env=environment,
                          **options)
    if done.returncode != 0:
        sys.exit(f"{command} ({kernels}) ended with {done.returncode}: "
                 f"{done.stderr.decode(errors='replace')}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("linux")
    parser.add_argument("exe")
    parser.add_argument("model")
    parser.add_argument("samples")
    args = parser.parse_args()
    text = (pathlib.Path(args.samples) / "alice.txt").read_bytes()
    inputs = {"text": text[:3000], "empty": b"",
              "zeros": bytes(20000), "bytes": bytes(range(256)) * 4}
    linux, windows = [args.linux], [RUN, args.exe]
    listed = run(windows + ["--version", "-v"]).decode()
    own = [k for k in KERNELS if k in listed]
    if "avx2" not in own:
        sys.exit(f"which kernels are there?\n{listed}")
    num_compared = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for title, content in inputs.items():
            path = folder / title
            path.write_bytes(content)
            for options in (["-1"], ["-2"], ["-3"], ["-6"]):
                how = options + ["--model", args.model, "-c", str(path)]
                wanted = run(linux + how)
                for kernels in own if options == ["-6"] else [""]:
                    if run(windows + how, kernels) != wanted:
                        sys.exit(f"{title} {options} {kernels}: other bytes")
                    num_compared += 1
                back = ["--model", args.model, "-dc"]
                for program in (linux, windows):
                    if run(program + back, input=wanted) != content:
                        sys.exit(f"{title} {options}: {program} restores it "
                                 "wrongly")
        print(f"{num_compared} files have the same bytes, with {', '.join(own)}")
        if args.speed:
            path = folder / "speed"
            path.write_bytes(text[:3000])
            best = {}
            for _ in range(3):
                for title, program in (("linux", linux), ("wine", windows)):
                    start = time.monotonic()
                    run(program + ["--model", args.model, "-c", str(path)])
                    used = time.monotonic() - start
                    best[title] = min(used, best.get(title, used))
            share = best["linux"] / best["wine"]
            print(f"{best['linux']:.2f} s, under Wine {best['wine']:.2f} s: "
                  f"{100 * share:.0f} % of the speed")
            if share < 0.8:
                sys.exit("that is less than 80 %")


if __name__ == "__main__":
    main()
