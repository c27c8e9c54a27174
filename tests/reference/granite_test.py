#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tiny model, called Granite, is a model as others are: files of several
lanes, of one (whose decoder guesses), of short windows, and one that goes on
after an interruption come back, by other kernels and the second decoder, too.
Exits with 77 (skipped) if a package is missing.

    granite_test.py LLMA MODEL.gguf TEXT
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77

try:
    from changed_gguf import GRANITE, write_changed
except ImportError as error:
    print(f"skipped: {error.name} is not installed")
    sys.exit(SKIPPED)

DECODER = Path(__file__).parents[2] / "reference/decode.py"
OPTIONS = [["-9", "--lanes", "1"], ["--lanes", "4"],
           ["--lanes", "1", "--window", "64"]]
TEXT_BYTES = 2000
FEW_BYTES = 150  # for what is slow: the second decoder, scalar kernels
RESUMED_BYTES = 9000
RESUMED_OPTIONS = ["-3", "--frame-size", "4K"]


def must(*command, **variables):
    done = subprocess.run(command, capture_output=True,
                          env=os.environ | variables)
    if done.returncode != 0:
        sys.exit(f"{command}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout or done.stderr


def expect(is_so, what):
    if not is_so:
        sys.exit(what)


def main():
    llma, gguf, text_path = sys.argv[1:]
    text = Path(text_path).read_bytes()[:TEXT_BYTES]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        granite, model = folder / "granite.gguf", folder / "granite.llmm"
        write_changed(gguf, granite, GRANITE, "granite")
        must(llma, "model", "import", "-q", granite, "-o", model)

        def compress(content, *options):
            (folder / "in").write_bytes(content)
            must(llma, "-q", "-f", "--model", model, *options, "-o",
                 folder / "out", folder / "in")
            return (folder / "out").read_bytes()

        for options in OPTIONS:
            packed = compress(text, *options)
            expect(b"granite" in must(llma, "-l", "-v", folder / "out",
                                      LLMA_MODEL_PATH=place),
                   f"{options}: the file does not name the model")
            expect(must(llma, "-dc", folder / "out",
                        LLMA_MODEL_PATH=place) == text, f"{options}: lost")
            print(*options, len(packed))
            few = text[:FEW_BYTES]
            compress(few, *options)
            expect(must(llma, "-dc", folder / "out", LLMA_MODEL_PATH=place,
                        LLMA_KERNELS="scalar") == few,
                   f"{options}: scalar kernels disagree")
            expect(must(sys.executable, DECODER, "--model", model,
                        folder / "out") == few,
                   f"{options}: the second decoder disagrees")

        whole = compress(Path(text_path).read_bytes()[:RESUMED_BYTES],
                         *RESUMED_OPTIONS)
        (folder / "out").unlink()
        (folder / "out.part").write_bytes(whole[:len(whole) * 2 // 3])
        said = must(llma, "-v", "--model", model, *RESUMED_OPTIONS, "--resume",
                    "-o", folder / "out", folder / "in")
        expect(b"goes on at byte" in said, f"nothing is resumed: {said}")
        expect((folder / "out").read_bytes() == whole, "another file is resumed")


if __name__ == "__main__":
    main()
