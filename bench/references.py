#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a reference saves.

    references.py LLMA [--level N] --file OLD NEW [--file OLD NEW]...
    references.py LLMA --lines FILE [--given BYTES]
    references.py LLMA [--level N] --parts FILE SEPARATOR
    references.py LLMA [--level N] --thread FOLDER SUBJECT

--file: NEW with OLD as its reference, and without. --lines: the lines of FILE
after the first BYTES (2048), at most 200 of them, each as a short message, with
those first lines as the reference and without. --parts: FILE is cut before each
line that starts with SEPARATOR, as a mailbox is; each part given all before it,
and without. --thread: the mails below FOLDER, a file each, that have this subject
or are replies, in the order of their dates, each but the first given all before it,
and without; and the same of their texts without the headers. Everything is restored
and compared, which takes most of the time, unless --sizes is given.
"""

import argparse
import email
import email.utils
import pathlib
import re
import subprocess
import tempfile
import time


class Runner:
    def __init__(self, program, restores):
        self.program = str(pathlib.Path(program).resolve())
        self.restores = restores

    def sizes(self, options, contents, reference):
        """The bytes of each, the seconds to write and to restore all."""
        with tempfile.TemporaryDirectory() as folder:
            names = []
            for i, content in enumerate(contents):
                names.append(f"{i:05}")
                pathlib.Path(folder, names[-1]).write_bytes(content)
            given = []
            if reference:
                pathlib.Path(folder, "reference").write_bytes(reference)
                given = ["-D", "reference"]

            def run(*arguments):
                start = time.perf_counter()
                subprocess.run([self.program, "-q", *given, *arguments],
                               cwd=folder, check=True)
                return time.perf_counter() - start

            packed = [name + ".llma" for name in names]
            writing, restoring = run(*options, *names), 0
            if self.restores:
                restoring = run("-d", "--output-dir", "back", *packed)
                for name, content in zip(names, contents):
                    if pathlib.Path(folder, "back", name).read_bytes() != content:
                        raise SystemExit(f"{name} came back as something else")
            return ([pathlib.Path(folder, name).stat().st_size
                     for name in packed], writing, restoring)

    def compare(self, name, options, contents, references):
        """references: one for each content, or one for all."""
        without, *seconds_without = self.sizes(options, contents, b"")
        if isinstance(references, bytes):
            with_it, *seconds = self.sizes(options, contents, references)
        else:
            with_it, seconds = [], [0, 0]
            for content, reference in zip(contents, references):
                sizes, *one = self.sizes(options, [content], reference)
                with_it += sizes
                seconds = [a + b for a, b in zip(seconds, one)]
        change = sum(with_it) / sum(without) - 1
        print(f"{name}: {len(contents)} of {sum(map(len, contents))} bytes: "
              f"{sum(without)} without, {sum(with_it)} with: {change:+.1%}; "
              f"seconds {seconds_without[0]:.1f}, {seconds_without[1]:.1f}; "
              f"{seconds[0]:.1f}, {seconds[1]:.1f}", flush=True)


def first_lines(lines, num_bytes):
    """How many lines have so many bytes."""
    size = 0
    for i, line in enumerate(lines):
        if size >= num_bytes:
            return i
        size += len(line)
    return len(lines)


def cut(text, separator):
    parts = [b""]
    for line in text.splitlines(keepends=True):
        if line.startswith(separator) and parts[-1]:
            parts.append(b"")
        parts[-1] += line
    return parts


def subject_of(mail):
    """In one line, without the marks of replies."""
    subject = " ".join(str(mail["Subject"]).split())
    return re.sub(r"^(re:\s*)+", "", subject, flags=re.IGNORECASE)


def thread(folder, subject):
    """Its mails, whole."""
    found = []
    for path in pathlib.Path(folder).rglob("*"):
        if not path.is_file():
            continue
        data = path.read_bytes()
        mail = email.message_from_bytes(data)
        if subject_of(mail) == subject:
            date = email.utils.parsedate_to_datetime(mail["Date"])
            found.append((date.timestamp(), data))
    if len(found) < 2:
        raise SystemExit(f"no thread below {folder}: {subject}")
    return [data for _, data in sorted(found)]


def compare_parts(runner, name, options, parts):
    runner.compare(name, options, parts[1:],
                   [b"".join(parts[:i]) for i in range(1, len(parts))])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--level", default="6")
    parser.add_argument("--file", nargs=2, action="append", default=[])
    parser.add_argument("--lines")
    parser.add_argument("--given", type=int, default=2048)
    parser.add_argument("--parts", nargs=2)
    parser.add_argument("--thread", nargs=2)
    parser.add_argument("--sizes", action="store_true")
    options = parser.parse_args()
    runner = Runner(options.program, not options.sizes)
    level = [f"-{options.level}"]
    for old, new in options.file:
        runner.compare(pathlib.Path(new).name, level,
                       [pathlib.Path(new).read_bytes()],
                       pathlib.Path(old).read_bytes())
    if options.lines:
        lines = pathlib.Path(options.lines).read_bytes().splitlines(True)
        first = first_lines(lines, options.given)
        runner.compare(options.lines, ["--short"], lines[first:first + 200],
                       b"".join(lines[:first]))
    if options.parts:
        path, separator = options.parts
        parts = cut(pathlib.Path(path).read_bytes(), separator.encode())
        compare_parts(runner, path, level, parts)
    if options.thread:
        mails = thread(*options.thread)
        compare_parts(runner, "mails", level, mails)
        compare_parts(runner, "mails without headers", level,
                      [mail.split(b"\n\n", 1)[1] for mail in mails])


if __name__ == "__main__":
    main()
