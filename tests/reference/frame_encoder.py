# SPDX-License-Identifier: Apache-2.0
"""Writes frames that no encoder writes: it lets the second decoder
(reference/, which must be in sys.path) decode what is known already.
"""

import arithmetic_code
import token_walk
from checksums import crc8, xxh3


def varint(n):
    result = b""
    while n > 127:
        result += bytes([n & 127 | 128])
        n >>= 7
    return result + bytes([n])


def frame(flags, fields, payload, checked=None, version=1):
    header = b"\x89lm" + bytes([version, flags]) + fields
    if not flags & 0x10:
        checked = payload if checked is None else checked
        size = 4 if len(checked) < 65536 else 8
        header += xxh3(checked).to_bytes(8, "little")[:size]
    return header + bytes([crc8(header)]) + payload


class KnownCode:
    """An arithmetic encoder in the place of a decoder: it is told what will
    be decided. FORMAT.md, section 7."""

    def __init__(self):
        self.low, self.range, self.moved = 0, (1 << 64) - 1, 0
        self.decisions = []

    def bit(self, probability):
        bit = self.decisions.pop(0)
        bound = (self.range >> 24) * probability
        if bit:
            self.range = bound
        else:
            self.low += bound
            self.range -= bound
        while self.range < 1 << 56:
            self.low <<= 8
            self.range <<= 8
            self.moved += 1
        return bit

    adaptive = arithmetic_code.Decoder.adaptive

    def finish(self):
        for dropped in range(8, -1, -1):
            unit = 256 ** dropped
            value = -(-self.low // unit) * unit
            if value < self.low + self.range:
                size = self.moved + 8 - dropped
                return (value // unit).to_bytes(size, "big")
        raise AssertionError


class FrameEncoder(token_walk.FrameDecoder):
    """Follows known pieces: the longest tokens of at most eight bytes, or
    bytes that are escaped."""

    def decode_piece(self, lane):
        rest = self.contents[lane.number][len(lane.content):]
        known = set(self.model.tokens)
        size = max(n for n in range(9) if n == 0 or rest[:n] in known)
        self.token = rest[:size]
        self.taken = [byte >> i & 1 for byte in rest[:max(size, 1)]
                      for i in range(7, -1, -1)]
        if self.may_escape:
            self.code.decisions = [int(size == 0)]
        self.num_bits = 0
        super().decode_piece(lane)

    def decide(self, p, join):
        if join == self.joint.predict_end:
            bit = int(self.num_bits == 8 * len(self.token))
        else:
            bit = self.taken[self.num_bits]
            self.num_bits += 1
        self.code.decisions = [bit]
        return super().decide(p, join)


def coded_frame(model, parts, window, models):
    """A frame of kind 1 with a lane for each part; models: 0 none, 1 light, 2
    full context models."""
    code = KnownCode()
    sizes = [len(part) for part in parts]
    encoder = FrameEncoder(code, model, window, models, sizes)
    encoder.contents = parts
    content = encoder.decode()
    payload = code.finish()
    fields = (varint(len(content)) + varint(len(payload)) + varint(1) +
              model.fingerprint[:8] + varint(window // 16 - 1) +
              bytes([len(parts) - 1 << 2 | models]) +
              b"".join(varint(size) for size in sizes[:-1]))
    return frame(9, fields, payload, content)
