# SPDX-License-Identifier: Apache-2.0
"""docs/PREDICTOR.md: tokens as decisions."""

from bisect import bisect_left
from collections import deque

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

    def add_lane(self, begin):
        pass


class Told:
    """In the place of a code: its decisions are known."""

    def adaptive(self, state):
        bit = int(self.told.popleft())
        state.update(bit)
        return bit


def quotient24(part, whole):
    """Section 3: a probability; 0 and 2^24 are certain."""
    if part == 0:
        return 0
    if part == whole:
        return ONE24
    s = max(0, whole.bit_length() - 40)
    return min(max(((part >> s) << 24) // (whole >> s), 1), ONE24 - 1)


class Lane:
    def __init__(self, model, window, size, number, start=None, learner=None):
        """start: the lane of the reference, if there is one."""
        self.size, self.number = size, number
        self.content = bytearray()
        self.was_escape = False
        self.records = []  # since the last step of learning
        if start is not None:
            self.stream = start.stream.copy()
            self.stream.learner = learner
            self.last_row = start.last_row
            return
        self.stream = Stream(model, window, learner)
        self.last_row = model.start_row

    def feed(self):
        """The last token, whose successor is decoded next."""
        self.weights = self.stream.feed(self.last_row)
        sums = np.concatenate([[0], np.cumsum(self.weights)])
        self.sum_before = [int(s) for s in sums]

    def is_complete(self):
        return len(self.content) == self.size


class FrameDecoder:
    told = None  # what is decided while a reference is read

    def __init__(self, code, model, window, models, sizes, reference=None,
                 learns=False):
        self.code, self.model = code, model
        self.learner = None
        if learns:
            from learning import MAX_ROWS, Learner
            self.learner = Learner(model)
            self.turns_per_step = MAX_ROWS // len(sizes)
        self.joint = Alone()
        known = set(model.tokens)
        self.may_escape = any(bytes([b]) not in known for b in range(256))
        self.escape_flags = [AdaptiveBit(), AdaptiveBit()]
        for _ in range(64):
            self.escape_flags[0].update(0)
        read = b"" if reference is None else reference.read
        if models != 0:
            self.joint = JointPredictor(
                "light" if models == 1 else "full", len(read) + sum(sizes),
                len(sizes), reference and reference.table_size(sum(sizes)))
        start = None
        if reference is not None:
            self.joint.add_lane(0)
            # It is never complete.
            start = Lane(model, window, len(read) + 1, 0)
            self.read_reference(start, read, known, min(window, 4096))
        first = 0 if start is None else 1
        for i in range(len(sizes)):
            self.joint.add_lane(len(read) + sum(sizes[:i]))
        self.lanes = [Lane(model, window, size, i + first, start, self.learner)
                      for i, size in enumerate(sizes)]

    def read_reference(self, lane, text, known, most):
        """Section 6."""
        longest = max(map(len, known))
        pieces = []
        while text:
            size = max(n for n in range(longest + 1)
                       if n == 0 or text[:n] in known)
            pieces.append((text[:max(size, 1)], size == 0))
            text = text[max(size, 1):]
        for spelled, is_escape in pieces[:-most]:
            for i, byte in enumerate(spelled):
                self.joint.begin_byte(0)
                for place in range(7, -1, -1):
                    bit = byte >> place & 1
                    self.joint.predict_bit(bit << 24)
                    self.joint.update_bit(bit)
                if is_escape:
                    self.joint.end_escape()
                else:
                    ends = i == len(spelled) - 1
                    self.joint.predict_end(ends << 24)
                    self.joint.update_end(ends)
        code, self.code = self.code, Told()
        for spelled, is_escape in pieces[-most:]:
            self.told = self.code.told = deque(
                [is_escape] if self.may_escape else [])
            for i, byte in enumerate(spelled):
                self.told += [byte >> place & 1 for place in range(7, -1, -1)]
                self.told.append(i == len(spelled) - 1)
            self.decode_piece(lane)
        self.told, self.code = None, code

    def decode(self):
        """Section 2."""
        turns = 0
        while not all(lane.is_complete() for lane in self.lanes):
            if self.learner and turns and turns % self.turns_per_step == 0:
                self.learn()
            turns += 1
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
        lane.feed()
        row = self.decode_token(lane)
        if self.learner and self.told is None:
            record = lane.stream.record
            record.gradient = self.learner.output_gradient(lane.weights, row)
            lane.records.append(record)
        lane.last_row = row

    def learn(self):
        """NUMERICS.md, section 9."""
        self.learner.step([record for lane in self.lanes
                           for record in lane.records])
        for lane in self.lanes:
            lane.records = []

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
        if self.told is not None:
            return int(self.told.popleft())
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


def decode_lanes(code, model, window, models, sizes, reference=None,
                 learns=False):
    return FrameDecoder(code, model, window, models, sizes, reference,
                        learns).decode()
