#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes, times and memory of llma beside other compressors, for each FILE.

    bench/ratio.py --levels 1,2,6 --csv sizes.csv --svg sizes.svg FILE...

Compressors that are not installed are left out. All of them, on Debian:

    apt-get install gzip bzip2 xz-utils zstd brotli p7zip-full zpaq

Each runs once, by itself, on a copy of the file. The size is that of the whole
file or archive that it writes; seconds are on the clock; memory is the peak of
compressing, in millions of bytes. What was compressed is restored and compared.

Exit status: 0 all went well, 1 something failed or came back changed.
"""

import argparse
import collections
import csv
import ctypes
import filecmp
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import ratio_picture

ROOT = pathlib.Path(__file__).resolve().parent.parent
SLOW_LEVEL = 3  # from here on a language model is asked: kilobytes a second

# Shell commands that make the file `packed` from `in`, and `out` from `packed`,
# in a folder with nothing else.
Compressor = collections.namedtuple("Compressor", "name package packed pack unpack")
# Megabytes have 10^6 bytes. unpack_s is None where nothing was restored.
Result = collections.namedtuple(
    "Result", "file bytes compressor packed pack_s unpack_s peak_mb")


class Failure(Exception):
    """A program failed, or restored something else."""


def other_compressors():
    """Each at its strongest; of PPMd's orders 6 to 32, 12 is the best on dce.txt."""
    seven = next((n for n in ("7z", "7zz", "7za") if shutil.which(n)), "7z")
    return [
        Compressor("gzip -9", "gzip", "packed",
                   "gzip -n -9 -c in >packed", "gzip -dc <packed >out"),
        Compressor("bzip2 -9", "bzip2", "packed",
                   "bzip2 -9 -c in >packed", "bzip2 -dc <packed >out"),
        Compressor("xz -9e", "xz-utils", "packed",
                   "xz -9e -c in >packed", "xz -dc <packed >out"),
        Compressor("zstd --ultra -22", "zstd", "packed",
                   "zstd -q --ultra -22 in -o packed", "zstd -q -d packed -o out"),
        Compressor("brotli -q 11", "brotli", "packed",
                   "brotli -q 11 --lgwin=24 in -o packed", "brotli -d packed -o out"),
        Compressor("7z PPMd", "p7zip-full", "packed.7z",
                   f"{seven} a -m0=PPMd:o=12:mem=256m packed.7z in",
                   f"{seven} x -so packed.7z >out"),
        Compressor("zpaq -m5", "zpaq", "packed.zpaq",
                   "zpaq a packed.zpaq in -m5", "zpaq x packed.zpaq in -to out"),
    ]


def become_reaper():
    """Grandchildren without a parent become children of this process."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1)


def run(command, folder):
    """Seconds on the clock and the peak of memory in megabytes.

    A child's peak is never below the memory of the process that it was forked
    from. So a shell, which is small, starts the program, names it and ends; the
    program, now ours, waits for a line before it begins.
    """
    script = (f"exec 3<&0 4>&1 >/dev/null; (read line; exec {command}) <&3 4>&- & "
              "echo $! >&4")
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(["sh", "-c", script], cwd=folder, stderr=errors,
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as shell:
            pid = int(shell.stdout.readline())
            shell.wait()
            start = time.monotonic()
            shell.stdin.write(b"\n")
        _, wait_status, usage = os.wait4(pid, 0)
        seconds = time.monotonic() - start
        status = os.waitstatus_to_exitcode(wait_status)
        if status:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            raise Failure(lines[0] if lines else f"exit status {status}")
    return seconds, usage.ru_maxrss * 1024 / 1e6


def measure(compressor, path, label, check):
    """The Result of one compressor on one file; raises Failure."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copyfile(path, folder / "in")
        pack_s, peak_mb = run(compressor.pack, folder)
        packed = (folder / compressor.packed).stat().st_size
        unpack_s = None
        if check:
            unpack_s, _ = run(compressor.unpack, folder)
            if not filecmp.cmp(folder / "in", folder / "out", shallow=False):
                raise Failure("restored another content")
        return Result(label, path.stat().st_size, compressor.name, packed,
                      pack_s, unpack_s, peak_mb)


def usable_compressors(args):
    """Those that are here, then the levels of llma; says what is left out."""
    usable = []
    for compressor in other_compressors():
        if shutil.which(compressor.pack.split()[0]):
            usable.append(compressor)
        else:
            print(f"left out: {compressor.name}: not installed "
                  f"(apt-get install {compressor.package})")
    for level in args.levels:
        options = " ".join([f"-{level}", *args.llma_options.split()])
        name = f"llma {options}"
        if args.skip_slow and level >= SLOW_LEVEL:
            print(f"left out: {name}: slow")
            continue
        llma = shlex.quote(str(args.llma.resolve()))
        llma = Compressor(name, "", "packed", f"{llma} -q -f {options} -o packed in",
                          f"{llma} -q -d packed out")
        try:  # is the model there that the level needs?
            measure(llma, pathlib.Path(__file__), "", check=False)
            usable.append(llma)
        except Failure as failure:
            print(f"left out: {name}: {failure}")
    return usable


def totals(results, num_files, check):
    """A Result over all files for each compressor that did all of them."""
    by_name = collections.defaultdict(list)
    for result in results:
        by_name[result.compressor].append(result)
    return [Result("all files", sum(r.bytes for r in group), name,
                   sum(r.packed for r in group),
                   sum(r.pack_s for r in group),
                   sum(r.unpack_s for r in group) if check else None,
                   max(r.peak_mb for r in group))
            for name, group in by_name.items() if len(group) == num_files]


def bits_per_byte(result):
    return 8 * result.packed / result.bytes if result.bytes else None


def cells(result):
    """A row of the table and of the CSV, as strings."""
    numbers = [(bits_per_byte(result), 3), (result.pack_s, 2),
               (result.unpack_s, 2), (result.peak_mb, 0)]
    return [result.file, str(result.bytes), result.compressor, str(result.packed),
            *("" if number is None else f"{number:.{digits}f}"
              for number, digits in numbers)]


def print_table(results):
    heads = ["file", "bytes", "compressor", "packed", "bits/byte", "pack s",
             "unpack s", "MB"]
    rows = [heads] + [cells(result) for result in results]
    widths = [max(map(len, column)) for column in zip(*rows)]
    file_before = None
    for row in rows:
        if row[0] != file_before:
            file_before = row[0]
            print()
        else:
            row[0] = row[1] = ""
        print("  ".join(
            cell.ljust(width) if column in (0, 2) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))).rstrip())


def write_csv(path, results):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "bytes", "compressor", "packed_bytes",
                         "bits_per_byte", "pack_seconds", "unpack_seconds",
                         "peak_mb"])
        writer.writerows(cells(result) for result in results)


def write_svg(path, results):
    groups = collections.defaultdict(list)
    for result in results:
        if result.bytes:
            title = f"{result.file}, {result.bytes:,} bytes"
            groups[title].append((result.compressor, bits_per_byte(result)))
    title = "Bits per byte: shorter is better; each file has its own scale"
    pathlib.Path(path).write_text(ratio_picture.draw(title, groups), encoding="utf-8")


def level_list(text):
    words = [word for word in text.split(",") if word]
    if not all(word in list("123456789") for word in words):
        raise argparse.ArgumentTypeError(f"{text}: not levels of 1 to 9")
    return list(dict.fromkeys(map(int, words)))


def existing_file(text):
    if not pathlib.Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text}: no such file")
    return pathlib.Path(text)


def writable_file(text):
    if not pathlib.Path(text).parent.is_dir() or pathlib.Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: cannot be written")
    return text


def read_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", metavar="FILE", nargs="+", type=existing_file)
    parser.add_argument("--levels", type=level_list, default=[1, 2, 6],
                        help="of llma, with commas (default: 1,2,6); none: ''")
    parser.add_argument("--llma", type=pathlib.Path, metavar="PROGRAM",
                        default=ROOT / "build/release/llma",
                        help="default: build/release/llma")
    parser.add_argument("--llma-options", default="", metavar="OPTIONS",
                        help="for compressing, such as '--lanes 1 -T 1'")
    parser.add_argument("--csv", type=writable_file, metavar="OUT",
                        help="write the table here, too")
    parser.add_argument("--svg", type=writable_file, metavar="OUT",
                        help="draw the bits per byte here")
    parser.add_argument("--skip-slow", action="store_true",
                        help="no levels of llma that use a language model")
    parser.add_argument("--no-check", action="store_true",
                        help="do not restore and compare")
    args = parser.parse_args()
    if args.levels and not args.llma.is_file():
        parser.error(f"{args.llma}: no such file; build it, or name it with --llma")
    return args


def main():
    args = read_arguments()
    names = [path.name for path in args.files]
    labels = names if len(set(names)) == len(names) else list(map(str, args.files))
    check = not args.no_check
    results, num_failed = [], 0
    become_reaper()
    compressors = usable_compressors(args)
    for path, label in zip(args.files, labels):
        for compressor in compressors:
            if sys.stderr.isatty():
                print(f"{label}: {compressor.name}", file=sys.stderr)
            try:
                results.append(measure(compressor, path, label, check))
            except Failure as failure:
                num_failed += 1
                print(f"FAILED: {compressor.name} on {label}: {failure}")
    all_rows = list(results)
    if len(labels) > 1:
        all_rows += totals(results, len(labels), check)
    print_table(all_rows)
    if args.csv:
        write_csv(args.csv, all_rows)
    if args.svg:
        write_svg(args.svg, results)
    return 1 if num_failed else 0


if __name__ == "__main__":
    sys.exit(main())
