#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Any bytes are restored, and never become more than 64 bytes + 0.1 % larger, at
-1, -2, -6 and -9.

    any_input_test.py LLMA MODEL [--big]

MODEL is a name or a file. One that has another file name than tiny.llmm takes its
time, so it gets the beginning of most inputs, at -6 and -9 alone. --big makes 100 MB
of the zeros. At -6 they must be done within 5 minutes, in 1 KB.
"""

import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib

LEVELS = (1, 2, 6, 9)
BEGINNING_BYTES = 700  # that a real model gets
ZEROS = "zeros"


def png(width, height):
    """Noise over a ramp, in colours."""
    noise = random.Random(1)
    rows = b"".join(
        b"\0" + bytes((x * 255 // width + noise.randrange(9)) & 255
                      for x in range(width) for _ in range(3))
        for _ in range(height))

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))

    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def long_lines():
    """Lines of 64 KB; all but the first are known in other places."""
    words = ["the", "lines", "of", "this", "file", "are", "long", "and", "have",
             "no", "end", "in", "sight", "so", "nobody", "reads", "them"]
    line = " ".join(random.Random(2).choices(words, k=20000)).encode()[:65535]
    return b"".join(line[turn:] + line[:turn] + b"\n" for turn in (0, 999, 30000))


def invalid_utf8():
    """Text with lone, cut, overlong and too large sequences, and surrogates."""
    bad = [b"\x80", b"\xc3", b"\xe2\x82", b"\xc0\xaf", b"\xf4\x90\x80\x80",
           b"\xed\xa0\x80", b"\xff", b"\xfe", b"\xf0\x9f\x98"]
    generator = random.Random(3)
    return b"".join("Größe und Maß, ".encode() + generator.choice(bad)
                    for _ in range(300))


def inputs(llma, big):
    noise = random.Random(4)
    every = bytes(range(256))
    return {
        "random bytes": noise.randbytes(30000),
        "a PNG": png(60, 60),
        "an ELF file": pathlib.Path(llma).read_bytes()[:16000],
        "nothing": b"",
        "one byte": b"a",
        "one zero": b"\0",
        ZEROS: bytes(100000000 if big else 3000000),
        "every byte": every,
        "every byte, often": b"".join(bytes(noise.sample(every, 256))
                                      for _ in range(20)),
        "invalid UTF-8": invalid_utf8(),
        "lines of 64 KB": long_lines(),
        "only ends of lines": b"\r\n" * 1000,
    }


def main():
    llma, model = sys.argv[1], sys.argv[2]
    big = "--big" in sys.argv
    is_tiny = pathlib.Path(model).name == "tiny.llmm"
    failed = passed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, packed, back = (str(folder / n) for n in ("in", "packed", "out"))

        def run(*arguments):
            subprocess.run([llma, "-q", "-f", *arguments], check=True,
                           timeout=1800)

        for kind, content in inputs(llma, big).items():
            part = content
            if not is_tiny and kind != ZEROS:
                part = content[:BEGINNING_BYTES]
            for level in LEVELS if is_tiny else LEVELS[2:]:
                pathlib.Path(path).write_bytes(part)
                start = time.monotonic()
                run(f"-{level}", "--model", model, "-o", packed, path)
                seconds = time.monotonic() - start
                run("--model", model, "-d", "-o", back, packed)
                packed_bytes = os.path.getsize(packed)
                if level in (1, 6) and len(part) < 50000:  # frames of a pipe
                    piped = subprocess.run(
                        [llma, "-q", f"-{level}", "--model", model], input=part,
                        stdout=subprocess.PIPE, check=True).stdout
                    packed_bytes = max(packed_bytes, len(piped))
                most = len(part) * 1.001 + 64
                problems = []
                if pathlib.Path(back).read_bytes() != part:
                    problems.append("NOT restored")
                if packed_bytes > most:
                    problems.append("TOO LARGE")
                if kind == ZEROS and level == 6 and (packed_bytes > 1000 or
                                                     seconds > 300):
                    problems.append("zeros took too much")
                print(f"-{level} {kind}: {len(part)} bytes, {packed_bytes}",
                      *problems)
                passed += not problems
                failed += bool(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
