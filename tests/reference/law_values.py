#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check values of docs/CONTEXT_LAW.md, section 17, by the second decoder.

    law_values.py            prints the section
    law_values.py --update   writes it into the document

second_decoder_test.py compares the document with it.
"""

import hashlib
import pathlib
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
LAW = SOURCE / "docs" / "CONTEXT_LAW.md"
sys.path[:0] = [str(SOURCE / "reference"), str(SOURCE / "tests" / "reference")]

import cm_basics  # noqa: E402
import decode  # noqa: E402
from cm_contexts import full_contexts, light_contexts  # noqa: E402
from cm_light import LightPredictor  # noqa: E402
from cm_mixer import ContextMixer  # noqa: E402
from frame_encoder import KnownCode, frame, varint  # noqa: E402

HEAD = "## 17. Check values\n"
TEXT = (b'<p class="a">One, two; {"k": [1, "b"]}\n'
        b'<p class="b">One, tw')
NO_TEXT = bytes((0, 1, 2, 0, 255, 16, 3, 0)) * 3
MESSAGE = b"To be, or not to be: that is the question.\n"
NUM_PROBABILITIES = 32


def digest(values, size):
    data = b"".join(value.to_bytes(size, "little", signed=value < 0)
                    for value in values)
    return hashlib.sha256(data).hexdigest()


def tables():
    """Name, numbers, bytes of each, SHA-256."""
    b = cm_basics
    first = [b.first_estimate(state) for state in range(len(b.HISTORIES))]
    confidences = [b.confidence(x << 12) for x in range(17 << 4)]
    wide_stretches = [b.wide_stretch((i << 12) + 1) for i in range(4096)]
    wide_squashes = [b.wide_squash(i * 1024) for i in range(-1088, 1089)]
    squashes = [b.squash(i * 24) for i in range(-2048, 2049)]
    stretches = [b.stretch24((i << 12) + 1) for i in range(4096)]
    for name, values, size in (
            ("`squash[0..6144]` (2.1)", b.SQUASH, 4),
            ("squash12(24 i), i = -2048 .. 2048", squashes, 4),
            ("`stretch[0..4095]`", b.STRETCH12, 2),
            ("stretch24(4096 i + 1), i = 0 .. 4095", stretches, 4),
            ("`log[0..1024]` (2.2)", b.WIDE_LOG, 4),
            ("wideStretch(4096 i + 1), i = 0 .. 4095", wide_stretches, 4),
            ("`half[0..4353]`", b.WIDE_SQUASH, 4),
            ("wideSquash(1024 i), i = -1088 .. 1088", wide_squashes, 4),
            ("confidence(4096 i), i = 0 .. 271", confidences, 1),
            ("first(state), 0 to 240 (3)", first, 4)):
        yield f"| {name} | {len(values)} * {size} | `{digest(values, size)}` |"


def hashes_after(content, which):
    """Of the contexts of a byte that follows."""
    if which == "alone":
        predictor = LightPredictor(len(content) + 1)
        bits = [byte >> i & 1 for byte in content for i in range(7, -1, -1)]
        for bit in bits[:-1]:  # the last one is not known yet (7.2)
            predictor.predict()
            predictor.update(bit)
        return predictor.hashes
    mixer = ContextMixer(which, len(content) + 1)
    mixer.add_lane(0)
    for byte in content:
        mixer.begin_byte(0)
        for shift in range(7, -1, -1):
            mixer.predict()
            mixer.update(byte >> shift & 1)
    lane = mixer.lanes[0]
    if which == "light":
        return light_contexts(lane)
    expected = kind = 0
    for match, state in zip(mixer.matches, lane.matches):
        match.begin_byte(mixer.content, mixer.lanes, 0, state)
        if match.agrees:
            expected, kind = match.byte, match.bucket
    return full_contexts(lane, mixer.content, mixer.followers, expected, kind)


def hexadecimal(values, per_line):
    words = [f"{value:08x}" for value in values]
    return ["    " + " ".join(words[i:i + per_line])
            for i in range(0, len(words), per_line)]


def coded(content, start_text_number):
    """A frame of kind 2 and its first probabilities; the number of the start
    text of the full set, or None: the light models alone."""
    code = KnownCode()
    if start_text_number is None:
        predictor = LightPredictor(len(content))
    else:
        predictor = ContextMixer(
            "full", len(content),
            start_text=decode.start_text(start_text_number, len(content)))
        lane = predictor.add_lane(0)
        for shift in (2, 1, 0):
            code.decisions = [start_text_number >> shift & 1]
            code.bit(1 << 23)
    probabilities = []
    for byte in content:
        if start_text_number is not None:
            predictor.begin_byte(lane)
        for shift in range(7, -1, -1):
            code.decisions = [byte >> shift & 1]
            probabilities.append(predictor.predict())
            predictor.update(code.bit(probabilities[-1]))
    payload = code.finish()
    models = b"\x01" if start_text_number is None else b"\x02"
    fields = varint(len(content)) + varint(len(payload)) + varint(1) + models
    return (frame(2 | 8, fields, payload, content),
            probabilities[:NUM_PROBABILITIES])


def frames():
    """What is said of each, the frame, the first probabilities."""
    yield "M = 1:", *coded(MESSAGE, None)
    yield "M = 2, start text 0 (none):", *coded(MESSAGE, 0)
    yield ("M = 2, start text 1, of which the last "
           f"{8 * len(MESSAGE)} bytes are read:"), *coded(MESSAGE, 1)


def section():
    lines = [HEAD, """\
What programs can be compared by, step by step. `tests/reference/law_values.py` makes
this section, and a test compares it.

**Tables** and functions, as bytes: numbers, little-endian, negative ones in two's
complement.

| what | numbers * bytes | SHA-256 |
| --- | --- | --- |""", *tables(), """
**Hashes** of contexts, in their order, of the byte that follows a content that one
lane has read, without a start text. N and S are one more than its size.
"""]
    for content, what, shown in (
            (TEXT, f"Of a text, {len(TEXT)} bytes of ASCII with one line feed:",
             TEXT.decode().split("\n")),
            (NO_TEXT, f"Of no text, {len(NO_TEXT)} bytes, these three times:",
             [NO_TEXT[:8].hex(" ")])):
        lines += [what, "", *("    " + line for line in shown)]
        for which, name in (("alone", "The light models alone (7.2)"),
                            ("light", "The light set (11)"),
                            ("full", "The full set (11)")):
            lines += ["", f"{name}:", ""]
            lines += hexadecimal(hashes_after(content, which), 8)
        lines += [""]
    lines += [f"""\
**Frames** of kind 2 (`FORMAT.md`), in hexadecimal, that hold this line of
{len(MESSAGE)} bytes with its line feed; under each the first {NUM_PROBABILITIES}
probabilities, p24, of bits of the content:

    To be, or not to be: that is the question."""]
    for what, data, probabilities in frames():
        digits = data.hex()
        lines += ["", what, ""]
        lines += ["    " + digits[i:i + 72] for i in range(0, len(digits), 72)]
        lines += [""]
        lines += ["    " + " ".join(map(str, probabilities[i:i + 8]))
                  for i in range(0, len(probabilities), 8)]
    return "\n".join(lines) + "\n"


def without_section():
    return LAW.read_text().split(HEAD)[0].rstrip("\n") + "\n\n"


def main():
    if sys.argv[1:] == ["--update"]:
        LAW.write_text(without_section() + section())
    else:
        print(section(), end="")


if __name__ == "__main__":
    main()
