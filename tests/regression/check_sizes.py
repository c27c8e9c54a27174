#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares sizes of compressed files with those that are pinned in SIZES.

    check_sizes.py LLMA SIZES [--models none tiny default]
    check_sizes.py LLMA SIZES --update

Sizes are the same on every machine, so they are compared exactly: a change of
ratio, for better or worse, shows as a diff of SIZES. With --update SIZES is
written instead; lines of models that are not asked for, or that cannot be used
here, stay. Levels without a model take whole inputs, the others only their
beginnings, to save time.
"""

import argparse
import collections
import pathlib
import subprocess
import sys

import inputs

TINY_MODEL = inputs.ROOT / "tests/data/tiny.llmm"
Setup = collections.namedtuple("Setup", "options levels max_input_bytes")
SETUPS = {
    "none": Setup([], (1, 2), 2**20),
    "tiny": Setup(["--model", TINY_MODEL], (6, 9), 8192),
    "default": Setup(["--model", "smollm2-135m-text"], (6, 9), 2048),
}
HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# Sizes of compressed files; tests/regression/check_sizes.py --update writes them.
# model level file bytes compressed_bytes
"""


class Failure(Exception):
    pass


def compressed_size(llma, model, level, content):
    done = subprocess.run([llma, "-q", f"-{level}", *SETUPS[model].options],
                          input=content, capture_output=True)
    if done.returncode:
        raise Failure(f"model {model}, level {level}: "
                      + done.stderr.decode(errors="replace").strip())
    return len(done.stdout)


def measure(llma, model):
    """{(model, level, file, bytes): compressed bytes}."""
    sizes = {}
    for level in SETUPS[model].levels:
        for name, content in inputs.all_inputs().items():
            content = content[:SETUPS[model].max_input_bytes]
            sizes[model, level, name, len(content)] = compressed_size(
                llma, model, level, content)
    return sizes


def read_sizes(path):
    sizes = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if not words or words[0] == "#":
            continue
        try:
            model, level, name, num_bytes, size = words
            sizes[model, int(level), name, int(num_bytes)] = int(size)
        except ValueError as error:
            raise Failure(f"{path}:{number}: what is this line?") from error
    return sizes


def write_sizes(path, sizes):
    order = list(SETUPS)
    keys = sorted(sizes, key=lambda key: order.index(key[0]))  # keeps the rest
    path.write_text(HEAD + "".join(
        " ".join(map(str, (*key, sizes[key]))) + "\n" for key in keys))


def differences(pinned, now):
    """Lines that say what changed, none if nothing did."""
    lines = []
    for key in sorted(pinned.keys() | now.keys()):
        was, is_now = pinned.get(key), now.get(key)
        if was == is_now:
            continue
        percent = f"{100 * (is_now - was) / was:+8.2f} %" if was and is_now else ""
        model, level, name, num_bytes = key
        lines.append(f"{model:8}{level:2}  {name:14}{num_bytes:8}"
                     f"{was or 'none':>8} -> {is_now or 'none':>6}{percent}")
    return lines


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("llma", type=pathlib.Path)
    parser.add_argument("sizes", type=pathlib.Path)
    parser.add_argument("--models", nargs="+", choices=SETUPS, metavar="MODEL",
                        help="of none, tiny and default; else all that there are")
    parser.add_argument("--update", action="store_true", help="write SIZES")
    args = parser.parse_args()
    llma = args.llma.resolve()

    pinned = read_sizes(args.sizes) if args.sizes.exists() else {}
    now, models = {}, []
    for model in args.models or SETUPS:
        try:
            now.update(measure(llma, model))
            models.append(model)
        except Failure as failure:
            if args.models or model != "default":
                raise
            print(f"left out: {failure}")
    lines = differences({k: v for k, v in pinned.items() if k[0] in models}, now)
    print("\n".join(lines + [f"{len(now)} sizes, {len(lines)} changed"]))
    if args.update:
        kept = {k: v for k, v in pinned.items() if k[0] not in models}
        write_sizes(args.sizes, kept | now)
    elif lines:
        before, after = (sum(sizes[key] for key in pinned.keys() & now.keys())
                         for sizes in (pinned, now))
        if before:
            print(f"all of them: {before} -> {after}, "
                  f"{100 * (after - before) / before:+.2f} %")
        print("If that is meant, pin the new sizes and commit them:\n"
              f"  {pathlib.Path(sys.argv[0])} {args.llma} {args.sizes} --update")
    return 1 if lines and not args.update else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as problem:
        sys.exit(f"check_sizes.py: {problem}")
