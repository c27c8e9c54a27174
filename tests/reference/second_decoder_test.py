#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares llma with the second decoder (reference/) on small files.

    second_decoder_test.py LLMA SOURCE_FOLDER [--random N] [--seed S]

Without --random: the files of tests/files, as its list says, and the
checksums of tables and start texts that docs/CONTEXT_LAW.md gives. With it: N
files that LLMA makes of random contents.
"""

import argparse
import hashlib
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

try:
    import numpy  # noqa: F401
except ImportError:
    print("skipped: numpy is not installed")
    sys.exit(77)


class Test:
    def __init__(self, options):
        self.program = options.program
        self.source = pathlib.Path(options.source)
        self.files = self.source / "tests" / "files"
        self.num_faults = 0
        sys.path.insert(0, str(self.source / "reference"))
        from decode import Decoder
        from model_file import Model
        self.new_decoder = Decoder
        self.model_path = self.source / "tests" / "data" / "tiny.llmm"
        self.model = Model(self.model_path.read_bytes())

    def fault(self, text):
        self.num_faults += 1
        print(f"FAILED: {text}", flush=True)

    def run_program(self, *arguments):
        environment = dict(os.environ, LLMA_MODEL_PATH="/nonexistent",
                           XDG_DATA_HOME="/nonexistent")
        return subprocess.run([self.program, *map(str, arguments)],
                              capture_output=True, env=environment)

    def decode(self, data, num_traced=0):
        """The content, or the error; and the first probabilities."""
        from errors import Damaged, Unsupported
        decoder = self.new_decoder([self.model], num_traced)
        try:
            return b"".join(decoder.decode_file(data)), decoder.traces
        except (Damaged, Unsupported) as error:
            return error, decoder.traces

    # ------------------------------------------------- The files of the list

    def check_list(self):
        listed = set()
        for line in (self.files / "list.tsv").read_text().splitlines():
            if line.startswith("#"):
                continue
            name, kind, expected, _ = line.split("\t")
            listed.add(name)
            self.check_file(name, kind, expected)
        here = {path.name for path in self.files.glob("*.llma")}
        for name in sorted(here ^ listed):
            self.fault(f"{name}: only in the list, or not in it")

    def check_file(self, name, kind, expected):
        path = self.files / name
        content, _ = self.decode(path.read_bytes())
        tested = self.run_program("-t", "--model", self.model_path, path)
        if kind == "good":
            right = (self.files / expected).read_bytes()
            if content != right:
                self.fault(f"{name}: the second decoder: {content!r:.200}")
            restored = self.run_program("-dc", "--model", self.model_path,
                                        path)
            if restored.stdout != right or tested.returncode != 0:
                self.fault(f"{name}: llma: {restored.stderr!r:.200}")
            return
        if isinstance(content, bytes):
            self.fault(f"{name}: the second decoder does not reject it")
        elif type(content).__name__.lower() != {
                "bad": "damaged", "unsupported": "unsupported"}[kind]:
            self.fault(f"{name}: the second decoder: {content!r}")
        message = tested.stderr.decode().strip()
        if tested.returncode != 1 or expected not in message:
            self.fault(f"{name}: llma says {message!r}")

    # -------------------------------------------- The numbers of documents

    def check_traces(self):
        for line in (self.files / "first_probabilities.tsv"
                     ).read_text().splitlines():
            name, *numbers = line.split("\t")
            numbers = [int(number) for number in numbers]
            _, traces = self.decode((self.files / name).read_bytes(), 1)
            if traces[0][:len(numbers)] != numbers:
                self.fault(f"{name}: the first probabilities are {traces[0]}")

    def check_checksums(self):
        import cm_basics
        law = (self.source / "docs" / "CONTEXT_LAW.md").read_text()
        sums = [("bit histories", cm_basics.HISTORIES_SHA256)]
        for path in sorted((self.source / "reference" / "start_texts"
                            ).glob("*.txt")):
            sums.append((path.name,
                         hashlib.sha256(path.read_bytes()).hexdigest()))
            code = (self.source / "src" / "cm" /
                    f"start_text_{path.stem}.cc").read_text()
            parts = re.findall(r'R"~\((.*?)\)~"', code, re.S)
            if "".join(parts).encode() != path.read_bytes():
                self.fault(f"{path.name}: src/cm has another text")
        for what, number in sums:
            if number not in law:
                self.fault(f"{what}: docs/CONTEXT_LAW.md has another SHA-256"
                           f" than {number}")

    # ------------------------------------------------------- Random files

    def check_random(self, count, seed):
        corpus = [path.read_bytes() for path in sorted(
            [*self.source.glob("docs/*.md"), *self.source.glob("src/*/*.cc"),
             *self.source.glob("samples/*")]) if path.is_file()]
        with tempfile.TemporaryDirectory() as folder:
            for i in range(count):
                generator = random.Random(f"{seed} {i}")
                content = random_content(generator, corpus)
                options = random_options(generator)
                self.check_round(pathlib.Path(folder), content, options,
                                 f"{seed} {i}")
        print(f"{count} random files", flush=True)

    def check_round(self, folder, content, options, what):
        plain, packed = folder / "content", folder / "content.llma"
        plain.write_bytes(content)
        made = self.run_program("-f", "-q", "--model", self.model_path,
                                *options, "-o", packed, plain)
        if made.returncode != 0:
            self.fault(f"{what}: {options}: {made.stderr.decode()}")
            return
        restored, _ = self.decode(packed.read_bytes())
        if restored != content:
            self.fault(f"random file {what}, {len(content)} bytes, {options}: "
                       f"{restored!r:.200}")


def random_content(generator, corpus):
    size = generator.choice((1, 20, 60, 150, 300, 500))
    size = generator.randint(1, size)
    kind = generator.randrange(8)
    if kind < 3:
        part = generator.choice(corpus)
        begin = generator.randrange(max(1, len(part) - size))
        return part[begin:begin + size]
    if kind == 3:
        rows = (f"{i},{generator.randrange(90)};\"{generator.choice('abc')}\","
                f"{generator.random():.3f}\t|x\n" for i in range(size // 8 + 1))
        return "".join(rows).encode()[:size]
    if kind == 4:
        rows = (f'{{"id": {i}, "tag": ["<b class=\'{i % 3}\'>", {{"k": '
                f'"v{generator.randrange(4)}"}}]}},\n<li a="{i}">x</li>\n'
                for i in range(size // 30 + 1))
        return "".join(rows).encode()[:size]
    if kind == 5:
        return bytes(generator.choice((0, 0, 1, 2, 128, 255, i & 255))
                     for i in range(size))
    if kind == 6:
        words = ("北京", "大学", "的", "Straße", "…", "école", "Привет", " ")
        return "".join(generator.choice(words)
                       for _ in range(size)).encode()[:size]
    once = bytes(generator.randrange(97, 101) for _ in range(size // 3 + 1))
    return (once * 4)[:size]


def random_options(generator):
    level = generator.choice((1, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, "short"))
    if level == "short":
        return ["--short"]
    options = [f"-{level}"]
    if level > 2:
        if generator.random() < 0.4:
            options.append(f"--lanes={generator.choice((2, 3, 4))}")
        if generator.random() < 0.3:
            options.append(f"--window={generator.choice((16, 32, 64))}")
    if generator.random() < 0.1:
        options.append("--no-check")
    return options


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("source")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    test = Test(options)
    if options.random:
        test.check_random(options.random, options.seed)
    else:
        test.check_list()
        test.check_traces()
        test.check_checksums()
    sys.exit(1 if test.num_faults else 0)


if __name__ == "__main__":
    main()
