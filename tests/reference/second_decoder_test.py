#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares llma with the second decoder (reference/) on small files.

    second_decoder_test.py LLMA SOURCE_FOLDER [--random N] [--seed S]
    second_decoder_test.py LLMA SOURCE_FOLDER --default-model

The first form without --random: the files of tests/files, as their list says, and those
of models of each kind (tests/files/model_kinds.py); the first probabilities and steps
of the forward pass that are committed; the checksums
that documents give. With it: N files that LLMA makes of random contents, and
frames of several lanes that LLMA decodes. The second one: the files of the
default model, which LLMA must find.
"""

import argparse
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

try:
    import numpy  # noqa: F401
except ImportError:
    print("skipped: numpy is not installed")
    sys.exit(77)


class Test:
    def __init__(self, options):
        self.program = str(pathlib.Path(options.program).resolve())
        self.source = pathlib.Path(options.source).resolve()
        self.files = self.source / "tests" / "files"
        self.num_faults = 0
        sys.path[:0] = [str(self.source / "reference"), str(self.files)]
        import errors
        import make
        from decode import Decoder
        from model_file import Model
        self.errors, self.make, self.new_decoder = errors, make, Decoder
        self.model = Model(make.MODEL.read_bytes())

    def fault(self, text):
        self.num_faults += 1
        print(f"FAILED: {text}", flush=True)

    def run_program(self, *arguments, models="/none"):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("LLMA_")}
        environment["LLMA_MODEL_PATH"] = str(models)
        environment["XDG_DATA_HOME"] = "/none"
        return subprocess.run([self.program, *map(str, arguments)],
                              capture_output=True, env=environment)

    def decode(self, data, models, num_traced=0, reference=b""):
        """The content, or the error; and the first probabilities."""
        decoder = self.new_decoder(models, num_traced, reference)
        try:
            content = b"".join(decoder.decode_file(data))
        except (self.errors.Damaged, self.errors.Unsupported) as error:
            content = error
        return content, decoder.traces

    # ------------------------------------------------- The files of the list

    def check_list(self):
        rows = self.make.read_list()
        probabilities = {}
        for line in (self.files / "first_probabilities.tsv"
                     ).read_text().splitlines():
            name, numbers = line.split("\t")
            probabilities[name] = [int(n) for n in numbers.split()]
        for name, kind, expected, options, _ in rows:
            path = self.files / f"{name}.llma"
            content, traces = self.decode(path.read_bytes(), [self.model], 1,
                                          self.make.reference_of(options))
            if kind == "good":
                self.check_good(path, expected, options, content)
            else:
                self.check_rejected(path, kind, expected, options, content)
            numbers = probabilities.pop(name, [])
            if numbers and traces[0][:len(numbers)] != numbers:
                self.fault(f"{name}: the first probabilities are "
                           f"{traces[0][:len(numbers)]}")
        listed = {f"{row[0]}.llma" for row in rows}
        here = {path.name for path in self.files.glob("*.llma")}
        for name in sorted(here ^ listed) + list(probabilities):
            self.fault(f"{name}: only in a list, or not in it")
        for name, digest in self.make.read_released().items():
            if (not (self.files / name).exists() or
                    self.make.digest_of(name) != digest):
                self.fault(f"{name}: a release had it, and it is not the same")

    def check_good(self, path, expected, options, content):
        right = self.make.content_of(expected)
        if content != right:
            self.fault(f"{path.name}: the second decoder: {content!r:.200}")
        restored = self.read("-dc", path, options)
        if restored.stdout != right or restored.returncode != 0:
            self.fault(f"{path.name}: llma: {restored.stderr!r:.200}")
        if self.make.is_written("good", options):
            made = self.make.compress(self.program, right, options)
            if made != path.read_bytes():
                self.fault(f"{path.name}: llma {options} writes something else")

    def read(self, operation, path, options):
        """With the reference that the options name."""
        reference = self.make.reference_of(options)
        with tempfile.NamedTemporaryFile() as file:
            file.write(reference)
            file.flush()
            given = ["-D", file.name] if reference else []
            return self.run_program(operation, "--model", self.make.MODEL,
                                    *given, path)

    def check_rejected(self, path, kind, expected, options, content):
        if type(content).__name__.lower() != {
                "bad": "damaged", "unsupported": "unsupported"}[kind]:
            self.fault(f"{path.name}: the second decoder: {content!r:.200}")
        tested = self.read("-t", path, options)
        message = tested.stderr.decode()
        if tested.returncode != 1 or expected not in message:
            self.fault(f"{path.name}: llma says {message!r}")

    def check_embedded_model(self):
        content = self.make.content_of("german.txt") * 2
        made = self.make.compress(self.program, content, "-6 --embed-model")
        restored, _ = self.decode(made, [])
        if restored != content:
            self.fault(f"an embedded model: {restored!r:.200}")
        # As it was released: tests/data/tiny.llmm in front of a file.
        whole = self.make.skippable(
            2, self.model.fingerprint + self.make.MODEL.read_bytes()
        ) + self.make.file("level-6")
        english = self.make.content_of("english.txt")
        if self.make.compress(self.program, english,
                              "-6 --embed-model") != whole:
            self.fault("llma --embed-model writes something else")
        with tempfile.NamedTemporaryFile() as file:
            file.write(whole)
            file.flush()
            if self.run_program("-dc", file.name).stdout != english:
                self.fault("llma does not use an embedded model")

    def check_export(self):
        """What `model export` writes restores files by itself, in a root folder
        that has nothing else but Python and numpy."""
        with tempfile.TemporaryDirectory() as folder:
            archive = pathlib.Path(folder, "tiny.tar")
            exported = self.run_program("model", "export", "tiny", archive,
                                        models=self.make.MODEL.parent)
            if exported.returncode != 0:
                self.fault(f"model export: {exported.stderr!r}")
                return
            with tarfile.open(archive) as tar:
                tar.extractall(folder)
            read_me = pathlib.Path(folder, "tiny", "README.txt").read_text()
            version = self.run_program("--version").stdout.decode().strip()
            digest = hashlib.sha256(self.make.MODEL.read_bytes()).hexdigest()
            for said in (f"{version} wrote this archive", digest):
                if said not in read_me:
                    self.fault(f"the archive's README.txt has no {said!r}")
            decode = self.exported_decoder(pathlib.Path(folder).resolve())
            for name, content in (("level-2-data", "data-line.txt"),
                                  ("level-4", "2 data-line.txt")):
                restored = decode(name)
                if restored.stdout != self.make.content_of(content):
                    self.fault(f"{name}: the exported decoder: "
                               f"{restored.stderr!r:.200}")

    def exported_decoder(self, root):
        """A function that restores a file with what was unpacked in root/tiny."""
        import empty_root
        unpacked = root / "tiny"
        arguments = ["-B", "reference/decode.py", "--model", "tiny.llmm",
                     "packed.llma"]
        interpreter, environment = empty_root.make(root, unpacked / "reference")

        def decode(name):
            shutil.copy(self.files / f"{name}.llma", unpacked / "packed.llma")
            done = empty_root.run(root, "/tiny", [str(interpreter), *arguments],
                                  environment)
            if done is None:
                print("not in an empty root: that is not permitted here")
                done = subprocess.run([sys.executable, *arguments],
                                      cwd=unpacked, capture_output=True)
            return done
        return decode

    def check_kinds(self):
        from model_file import Model
        for data, files in self.make.files_of_kinds():
            model = Model(data)
            with tempfile.NamedTemporaryFile(suffix=".llmm") as path:
                path.write(data)
                path.flush()
                for name, right, options in files:
                    self.check_kind(name, right, options, model, path.name)

    def check_kind(self, name, right, options, model, path):
        packed = self.files / f"{name}.llma"
        made = self.make.compress(self.program, right, options, path)
        if made != packed.read_bytes():
            self.fault(f"{name}: llma {options} writes something else")
        restored = self.run_program("-dc", "--model", path, packed)
        if restored.stdout != right:
            self.fault(f"{name}: llma: {restored.stderr!r:.200}")
        content, _ = self.decode(packed.read_bytes(), [model])
        if content != right:
            self.fault(f"{name}: the second decoder: {content!r:.200}")

    def check_default_model(self):
        from model_file import Model
        path = self.make.default_model(self.program)
        if path is None:
            print("skipped: the default model is not installed")
            sys.exit(77)
        model = Model(path.read_bytes())
        for name, content, options in self.make.DEFAULT_MODEL_FILES:
            right = self.make.content_of(content)
            data = (self.files / "default-model" / f"{name}.llma").read_bytes()
            if self.make.compress(self.program, right, options, path) != data:
                self.fault(f"default-model/{name}: llma {options} writes "
                           "something else")
            restored = self.run_program(
                "-dc", "--model", path,
                self.files / "default-model" / f"{name}.llma").stdout
            # Which takes minutes where more than a few tokens are read.
            decoded = right
            if name != "learning":
                decoded, _ = self.decode(data, [model])
            if {restored, decoded} != {right}:
                self.fault(f"default-model/{name}: {restored!r:.200}, "
                           f"{decoded!r:.200}")

    # ------------------------------------------------- The forward pass

    def check_forward_pass(self):
        """The hashes of tests/data/tiny_trace.txt; src/engine/golden_trace.h
        says what they are of."""
        from checksums import xxh3
        from language_model import Stream
        state = 31

        def below(bound):  # SplitMix64
            nonlocal state
            state = state + 0x9E3779B97F4A7C15 & (1 << 64) - 1
            z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
            z = (z ^ z >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
            return (z ^ z >> 31) >> 32, bound

        stream = Stream(self.model, 32)
        steps = {}
        stream.trace = lambda layer, name, values: steps.setdefault(
            f"{layer} {name}", []).append(values.astype("<f4").tobytes())
        row = self.model.start_row
        for _ in range(96):
            weights = stream.feed(row)
            steps.setdefault(f"{self.model.num_layers} weights", []).append(
                weights.astype("<u4").tobytes())
            number, bound = below(self.model.num_tokens)
            row = number * bound >> 32
        for line in (self.source / "tests" / "data" / "tiny_trace.txt"
                     ).read_text().splitlines():
            step, number = line.rsplit(" ", 1)
            if step.endswith("path"):
                continue  # of tokens, not of the model
            if f"{xxh3(b''.join(steps[step])):016x}" != number:
                self.fault(f"the forward pass of the second decoder: {step}")

    # ------------------------------------------------- Numbers in documents

    def check_documents(self):
        import cm_basics
        from checksums import xxh3
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
        self.check_law_values(law)
        table = re.findall(r"^\| (\d+) \| `0x([0-9a-f]{16})` \|$",
                           (self.source / "docs" / "FORMAT.md").read_text(),
                           re.M)
        for size, number in table:
            data = bytes(i & 255 for i in range(int(size)))
            if f"{xxh3(data):016x}" != number:
                self.fault(f"docs/FORMAT.md: XXH3 of {size} bytes")
        if len(table) < 14:
            self.fault("docs/FORMAT.md: the table of XXH3 is not found")

    def check_law_values(self, law):
        """Section 17, which law_values.py writes; llma reads its frames."""
        import law_values
        if not law.endswith("\n\n" + law_values.section()):
            self.fault("docs/CONTEXT_LAW.md, section 17: has other values than "
                       "tests/reference/law_values.py prints")
        for what, data, _ in law_values.frames():
            decoded, _ = self.decode(data, [])
            with tempfile.NamedTemporaryFile() as file:
                file.write(data)
                file.flush()
                restored = self.run_program("-dc", file.name)
            if {decoded, restored.stdout} != {law_values.MESSAGE}:
                self.fault(f"docs/CONTEXT_LAW.md, section 17, {what} "
                           f"{decoded!r}, {restored.stderr!r}")

    # ------------------------------------------------------- Random files

    def check_random(self, count, seed):
        corpus = [path.read_bytes() for path in sorted(
            [*self.source.glob("docs/*.md"), *self.source.glob("src/*/*.cc"),
             *self.source.glob("samples/*")]) if path.is_file()]
        with tempfile.TemporaryDirectory() as folder:
            packed = pathlib.Path(folder) / "content.llma"
            for i in range(count):
                generator = random.Random(f"{seed} {i}")
                content = random_content(generator, corpus)
                if generator.randrange(6) == 0:
                    self.check_lanes(generator, content, packed, f"{seed} {i}")
                else:
                    self.check_round(content, random_options(generator),
                                     f"{seed} {i}")
        print(f"{count} random files", flush=True)

    def check_round(self, content, options, what):
        made = self.make.compress(self.program, content, options)
        restored, _ = self.decode(made, [self.model])
        if restored != content:
            self.fault(f"random file {what}, {len(content)} bytes, {options}: "
                       f"{restored!r:.200}")

    def check_lanes(self, generator, content, packed, what):
        """The program uses several lanes for long contents only."""
        from frame_encoder import coded_frame
        content += b"lane"
        count = generator.randint(1, min(len(content), 6))
        cuts = [0, *sorted(generator.sample(range(1, len(content)), count - 1)),
                len(content)]
        parts = [content[a:b] for a, b in zip(cuts, cuts[1:])]
        window = 16 * generator.choice((1, 2, 3, 128))
        models = generator.randrange(3)
        packed.write_bytes(coded_frame(self.model, parts, window, models))
        restored = self.run_program("-dc", "--model", self.make.MODEL, packed)
        if restored.stdout != content:
            # A code that is not smaller than its content is no frame.
            if b"not smaller than its content" not in restored.stderr:
                self.fault(f"lanes {what}: {models}, {window}, {cuts}: "
                           f"{restored.stderr!r:.200}")


def random_content(generator, corpus):
    size = generator.choice((1, 20, 60, 150, 300, 500, 1200))
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
    level = generator.choice((1, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9))
    if generator.randrange(12) == 0:
        return "--short"
    options = f"-{level}"
    if level > 2 and generator.randrange(6) == 0:
        options += f" --learn --lanes={generator.choice((1, 1, 2, 5))}"
    if level > 2 and generator.randrange(3) == 0:
        options += f" --window={generator.choice((16, 32, 64))}"
    if generator.randrange(10) == 0:
        options += " --no-check"
    return options


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("source")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--default-model", action="store_true")
    options = parser.parse_args()
    test = Test(options)
    if options.default_model:
        test.check_default_model()
    elif options.random:
        test.check_random(options.random, options.seed)
    else:
        test.check_documents()
        test.check_forward_pass()
        test.check_embedded_model()
        test.check_export()
        test.check_list()
        test.check_kinds()
    sys.exit(1 if test.num_faults else 0)


if __name__ == "__main__":
    main()
