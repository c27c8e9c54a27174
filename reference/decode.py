#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Restores .llma files. It shares no code with llma: it was written to be
read beside docs/FORMAT.md and what that refers to.

    decode.py [--model FILE.llmm]... [--reference FILE] [--trace N] IN [OUT]

--trace prints the first N probabilities of each code to standard error.
"""

import argparse
import pathlib
import sys

import arithmetic_code
import container
import repetitions
from checksums import xxh3
from cm_light import LightPredictor
from errors import Damaged, Unsupported

START_TEXTS = (None, "english", "german", "code", "data")
FOLDER = pathlib.Path(__file__).resolve().parent


class Reference:
    """FORMAT.md, section 3.5."""

    def __init__(self, text):
        self.text = text
        self.xxh3 = xxh3(text)
        self.read = text[-(1 << 20):]

    def table_size(self, predicted_size):
        size = len(self.read) + predicted_size
        return min(1 << (size - 1).bit_length(), 1 << 20)


class Decoder:
    """models: what --model named, and what the file brings along."""

    def __init__(self, models=(), num_traced=0, reference=b""):
        self.given = Reference(reference) if reference else None
        self.models = list(models)
        self.num_traced = num_traced
        self.traces = []

    def decode_file(self, data):
        """Yields the content in parts."""
        if data[:1] in (b"\x90", b"\x91", b"\x92"):
            yield self.decode_short(data)
            return
        for frame in container.read_frames(data):
            if frame.kind == container.SKIPPABLE:
                self.take_skippable(frame)
            elif frame.has_content():
                content = self.decode_frame(frame)
                if frame.checksum_size:
                    frame.check(content)
                yield content

    def decode_frame(self, frame):
        """FORMAT.md, section 3."""
        if frame.kind == container.STORED:
            return frame.payload
        learns = frame.kind == container.CODED and frame.predictor == 2
        if frame.predictor != 1 and not learns:
            raise Unsupported(f"predictor {frame.predictor}")
        if frame.kind == container.CODED:
            model = self.find_model(
                lambda m: m.fingerprint.startswith(frame.model_id),
                frame.model_id)
        reference = None
        if frame.reference is not None:
            reference = self.find_reference(
                lambda given: (given.xxh3, len(given.text)) == frame.reference)
        code = self.open_code(frame.payload)
        repeated = repetitions.read_list(code, frame.repeated)
        if frame.kind == container.CONTEXTS:
            predicted = decode_contexts(code, frame, reference)
        else:
            from token_walk import decode_lanes
            predicted = decode_lanes(code, model, frame.window, frame.models,
                                     frame.lanes, reference, learns)
        code.end()
        return repetitions.put_back(
            repeated, predicted, reference.text if reference else b"")

    def find_reference(self, fits):
        if self.given is None or not fits(self.given):
            raise Unsupported("a reference that is not there")
        return self.given

    def open_code(self, payload):
        code = arithmetic_code.Decoder(payload)
        if self.num_traced:
            code.trace = []
            self.traces.append(code.trace)
        return code

    def find_model(self, fits, name):
        for model in self.models:
            if fits(model):
                return model
        raise Unsupported(f"model {name.hex()}, which is not there")

    def take_skippable(self, frame):
        """FORMAT.md, section 5."""
        if frame.checksum_size:
            frame.check(frame.payload)
        if frame.type == 1:
            container.check_source(frame.payload)
        elif frame.type == 2:
            from model_file import Model
            if len(frame.payload) < 32:
                raise Damaged("a model without a fingerprint")
            model = Model(frame.payload[32:])
            if model.compute_fingerprint() != frame.payload[:32]:
                raise Damaged("the fingerprint of an embedded model")
            self.models.append(model)

    def decode_short(self, data):
        """FORMAT.md, section 6."""
        is_coded = data[0] in (0x91, 0x92)
        reader = container.Reader(data, 1)
        first_byte = reader.take(1) if is_coded else b""
        reference = None
        if data[0] == 0x92:
            last_byte = reader.number(1)
            reference = self.find_reference(
                lambda given: given.xxh3 & 0xFF == last_byte)
        check = reader.number(2)
        payload = data[reader.at:]
        if not is_coded:
            candidates = [payload]
        else:
            fitting = [m for m in self.models
                       if m.fingerprint.startswith(first_byte)]
            if not fitting:
                self.find_model(lambda m: False, first_byte)
            candidates = (self.decode_short_code(payload, m, reference)
                          for m in fitting)
        for content in candidates:
            if len(content) <= 65535 and xxh3(content) & 0xFFFF == check:
                return content
        raise Damaged("the check of a short message differs")

    def decode_short_code(self, payload, model, reference):
        from token_walk import decode_lanes
        code = self.open_code(payload)
        size = read_short_size(code)
        content = decode_lanes(code, model, 2048, 1, [size], reference)
        code.end()
        return content


SHORT_COUNTS = (1, 1, 2, 6, 24, 60, 72, 50, 18, 8, 6, 3, 2, 1, 1)


def read_short_size(code):
    left = 256
    num_bits = 1
    for count in SHORT_COUNTS:
        if code.bit((count << 24) // left):
            break
        left -= count
        num_bits += 1
    return 1 << num_bits - 1 | code.bits(num_bits - 1)


def decode_contexts(code, frame, reference):
    """PREDICTOR.md, section 5."""
    size = frame.lanes[0]
    lane = None
    if reference is not None:
        predictor, lane = read_reference(frame, reference)
    elif frame.models == 1:
        predictor = LightPredictor(size)
    else:
        from cm_mixer import ContextMixer
        number = code.bits(3)
        if number >= len(START_TEXTS):
            raise Damaged("the start text is unknown")
        predictor = ContextMixer("full", size,
                                 start_text=start_text(number, size))
        lane = predictor.add_lane(0)
    content = bytearray()
    while len(content) < size:
        if frame.models == 2:
            predictor.begin_byte(lane)
        byte = 0
        for _ in range(8):
            bit = code.bit(predictor.predict())
            predictor.update(bit)
            byte = byte << 1 | bit
        content.append(byte)
    return bytes(content)


def read_reference(frame, reference):
    """CONTEXT_LAW.md, section 14.1."""
    read = reference.read
    table_size = reference.table_size(frame.lanes[0])
    if frame.models == 1:
        predictor = LightPredictor(table_size)
    else:
        from cm_mixer import ContextMixer
        predictor = ContextMixer("full", len(read) + frame.lanes[0],
                                 table_size=table_size)
        predictor.add_lane(0)
    for byte in read:
        if frame.models == 2:
            predictor.begin_byte(0)
        for i in range(7, -1, -1):
            predictor.predict()
            predictor.update(byte >> i & 1)
    if frame.models == 1:
        return predictor, None
    return predictor, predictor.add_lane(len(read))


def start_text(number, size):
    """CONTEXT_LAW.md, section 14."""
    if number == 0:
        return b""
    path = FOLDER / "start_texts" / f"{START_TEXTS[number]}.txt"
    text = path.read_bytes()
    return text[-8 * size:] if 8 * size < len(text) else text


def main():
    parser = argparse.ArgumentParser(description="Restores a .llma file.")
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--reference")
    parser.add_argument("--trace", type=int, default=0)
    parser.add_argument("input")
    parser.add_argument("output", nargs="?")
    options = parser.parse_args()
    models = []
    for path in options.model:
        from model_file import Model
        models.append(Model(pathlib.Path(path).read_bytes()))
    reference = (pathlib.Path(options.reference).read_bytes()
                 if options.reference else b"")
    decoder = Decoder(models, options.trace, reference)
    try:
        content = b"".join(decoder.decode_file(
            pathlib.Path(options.input).read_bytes()))
    except (Damaged, Unsupported) as error:
        sys.exit(f"{options.input}: {type(error).__name__}: {error}")
    for trace in decoder.traces:
        print(*trace[:options.trace], file=sys.stderr)
    if options.output:
        pathlib.Path(options.output).write_bytes(content)
    else:
        sys.stdout.buffer.write(content)


if __name__ == "__main__":
    main()
