# SPDX-License-Identifier: Apache-2.0
"""docs/PREDICTOR.md: tokens as decisions."""

from bisect import bisect_left

import numpy as np

from arithmetic_code import HALF, AdaptiveBit
from cm_joint import JointPredictor
from errors import Damaged
from language_model import Stream

ONE24 = 1 << 24


class Alone:
    """Section 4 without context models."""

    def begin_byte(self, lane):
        pass

    def predict_bit(self, p):
        return p

    def predict_end(self, p):
        return p

    def update_bit(self, bit):
        pass

    def update_end(self, ends):
        pass

    def end_escape(self):
        pass


def quotient24(part, whole):
    """Section 3: a probability; 0 and 2^24 are certain."""
    if part == 0:
        return 0
    if part == whole:
        return ONE24
    s = max(0, whole.bit_length() - 40)
    return min(max(((part >> s) << 24) // (whole >> s), 1), ONE24 - 1)


class Lane:
    def __init__(self, model, window, size, number):
        self.size, self.number = size, number
        self.content = bytearray()
        self.stream = Stream(model, window)
        self.was_escape = False
        self.feed(model.start_row)

    def feed(self, row):
        self.weights = self.stream.feed(row)
        sums = np.concatenate([[0], np.cumsum(self.weights)])
        self.sum_before = [int(s) for s in sums]

    def is_complete(self):
        return len(self.content) == self.size


class FrameDecoder:
    def __init__(self, code, model, window, models, sizes):
        self.code, self.model = code, model
        self.joint = Alone()
        if models != 0:
            self.joint = JointPredictor("light" if models == 1 else "full",
                                        sum(sizes), len(sizes))
            for i in range(len(sizes)):
                self.joint.add_lane(sum(sizes[:i]))
        self.lanes = [Lane(model, window, size, i)
                      for i, size in enumerate(sizes)]
        known = set(model.tokens)
        self.may_escape = any(bytes([b]) not in known for b in range(256))
        self.escape_flags = [AdaptiveBit(), AdaptiveBit()]
        for _ in range(64):
            self.escape_flags[0].update(0)

    def decode(self):
        """Section 2."""
        while not all(lane.is_complete() for lane in self.lanes):
            for lane in self.lanes:
                if not lane.is_complete():
                    self.decode_piece(lane)
        return b"".join(bytes(lane.content) for lane in self.lanes)

    def decode_piece(self, lane):
        """Section 3."""
        is_escape = self.may_escape and self.code.adaptive(
            self.escape_flags[lane.was_escape])
        lane.was_escape = bool(is_escape)
        if is_escape:
            self.joint.begin_byte(lane.number)
            byte = self.decode_byte(lambda: HALF, lambda bit: None)
            lane.content.append(byte)
            self.joint.end_escape()
            return
        row = self.decode_token(lane)
        if not lane.is_complete():
            lane.feed(row)

    def decode_byte(self, predict, take):
        byte = 0
        for _ in range(8):
            bit = self.decide(predict(), self.joint.predict_bit)
            self.joint.update_bit(bit)
            take(bit)
            byte = byte << 1 | bit
        return byte

    def decide(self, p, join):
        p_joint = join(p)
        if p in (0, ONE24):
            return p >> 24
        return self.code.bit(p_joint)

    def decode_token(self, lane):
        tokens, sums = self.model.tokens, lane.sum_before
        first, end = 0, len(tokens)  # the rows that are possible
        spelled = b""
        while True:
            middle = node = 0

            def predict():
                nonlocal middle
                # Rows from `middle` on have a 1 here.
                left = 7 - num_bits
                least = spelled + bytes([(node << 1 | 1) << left])
                middle = bisect_left(tokens, least, first, end)
                return quotient24(sums[end] - sums[middle],
                                  sums[end] - sums[first])

            def take(bit):
                nonlocal first, end, node, num_bits
                if bit:
                    first = middle
                else:
                    end = middle
                node = node << 1 | bit
                num_bits += 1

            num_bits = 0
            self.joint.begin_byte(lane.number)
            byte = self.decode_byte(predict, take)
            spelled += bytes([byte])
            lane.content.append(byte)
            is_whole = tokens[first] == spelled
            if lane.is_complete():
                if not is_whole:
                    raise Damaged("the last token is incomplete")
                return first
            weight = sums[first + 1] - sums[first] if is_whole else 0
            ends = self.decide(quotient24(weight, sums[end] - sums[first]),
                               self.joint.predict_end)
            self.joint.update_end(ends)
            if ends:
                return first
            first += is_whole


def decode_lanes(code, model, window, models, sizes):
    return FrameDecoder(code, model, window, models, sizes).decode()
