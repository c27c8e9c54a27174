# SPDX-License-Identifier: Apache-2.0
"""docs/CONTEXT_LAW.md, section 14: the context models of the light and of the
full set, for one or more lanes."""

from cm_basics import (
    MASK32, ONE24, ORDER_LIMIT, STRETCH12, Estimates, Refinement, clamp,
    combine, quotient, squash)
from cm_contexts import full_contexts, light_contexts
from cm_history import Followers, Lane, RecordFields
from cm_tables import ContextSet, MatchModel, MixerLayer

WEIGHT_ONE = 1 << 28


class ContextMixer:
    """For each byte begin_byte(), then eight times predict(), update()."""

    def __init__(self, which, content_size, num_lanes=1, start_text=b"",
                 table_size=None):
        self.is_full = is_full = which == "full"
        self.num_lanes = num_lanes
        size = content_size + len(start_text)
        self.content = bytearray(size + 8)
        if table_size is not None:  # with a reference
            size = table_size
        self.lanes = []
        num_contexts = 91 if is_full else 8
        self.contexts = ContextSet(
            num_contexts, 4 if is_full else 2,
            clamp(size * num_contexts // 4, 1024,
                  3200000 if is_full else 300000))
        self.followers, self.record_fields = Followers(), RecordFields()
        log2 = max(size - 1, 0).bit_length()
        self.matches = [
            MatchModel(length, clamp(log2, 10, 20 if is_full or i == 0 else 18),
                       num_lanes > 1)
            for i, length in enumerate((5, 10, 20) if is_full
                                       else (6, 16, 32))]
        self.order0, self.order1 = Estimates(256), Estimates(65536)
        num_inputs = num_contexts * (4 if is_full else 2) + 8
        if is_full:
            sizes = (8 * num_lanes, 256, 256, 256, 256, 256, 224, 2048, 2048,
                     2048, 4096, 4096, 2048, 2048, 4096)
            self.mixer = MixerLayer(num_inputs, sizes, WEIGHT_ONE // 64,
                                    1300, 200)
            self.final = MixerLayer(15, (256 * num_lanes, 256, 256, 2048, 4096),
                                    WEIGHT_ONE // 15, 1000, 130)
        else:
            self.mixer = MixerLayer(num_inputs, (8 * num_lanes, 256, 2048),
                                    WEIGHT_ONE // 8, 2000, 500)
            self.final = MixerLayer(3, (256 * num_lanes,), WEIGHT_ONE // 3,
                                    1000, 65)
        self.refinements = [Refinement() for _ in range(3 if is_full else 2)]
        if start_text:
            number = self.add_lane(content_size)
            for byte in start_text:
                self.begin_byte(number)
                for i in range(7, -1, -1):
                    self.predict()
                    self.update(byte >> i & 1)

    def add_lane(self, begin):
        self.lanes.append(Lane(begin))
        return len(self.lanes) - 1

    def begin_byte(self, number):
        self.number = number
        self.lane = lane = self.lanes[number]
        self.own = number % self.num_lanes
        self.partial, self.bit_count = 1, 0
        expected = expected_kind = 0
        for match, state in zip(self.matches, lane.matches):
            match.begin_byte(self.content, self.lanes, number, state)
            if match.agrees:
                expected, expected_kind = match.byte, match.bucket
        if self.is_full:
            self.contexts.begin_byte(full_contexts(
                lane, self.content, self.followers, expected, expected_kind))
            self.seen = self.contexts.count_seen(6)
        else:
            self.contexts.begin_byte(light_contexts(lane))

    def predict(self):
        partial, bit_count = self.partial, self.bit_count
        inputs = self.contexts.predict(partial, bit_count).tolist()
        for match in self.matches:
            inputs += match.predict(partial, bit_count)
        self.order1_at = self.lane.byte(1) << 8 | partial
        inputs.append(STRETCH12[self.order0.p[partial] >> 10])
        inputs.append(STRETCH12[self.order1.p[self.order1_at] >> 10])
        selected, final_selected = self._select()
        # What each set says, Q8, is an input of JointPredictor, too.
        self.mixed = [x >> 4 for x in self.mixer.mix(inputs, selected)]
        outputs = self.final.mix(self.mixed, final_selected)
        return self._refine(quotient(sum(outputs), len(outputs)))

    def leading_match(self):
        """The one that chooses weights."""
        if not self.is_full:
            for match in self.matches[:0:-1]:
                if match.length_kind() > 0:
                    return match
        return self.matches[0]

    def _select(self):
        lane, partial, bit_index = self.lane, self.partial, self.bit_count
        match = self.matches[0].length_kind() * 8 + bit_index
        first = self.own * 8 + bit_index
        first_final = self.own * 256 + partial
        if not self.is_full:
            return (first, match, lane.byte(1) * 8 + bit_index), (first_final,)
        word = min(lane.word_length, 15) * 16 + min(lane.gap_length, 15)
        classes, shape = lane.classes & 0xFFF, lane.shape & 0xFFF
        return (
            first, partial, match, lane.byte(1), lane.byte(2), lane.byte(3),
            (self.seen * 8 + bit_index) * 4 + min(lane.word_length, 3),
            (self.matches[0].expected() & 255) * 8 + bit_index,
            min(lane.column(), 255) * 8 + bit_index, word * 8 + bit_index,
            partial * 16 + (classes & 15), classes,
            int(self.contexts.states[1]) * 8 + bit_index,
            int(self.contexts.states[2]) * 8 + bit_index, shape,
        ), (first_final, match, lane.byte(1), word * 8 + bit_index, shape)

    def _refine(self, mixed):
        """mixed: Q12."""
        x = mixed >> 4
        p = squash(mixed)
        order1 = self.order1_at
        p0 = self.refinements[0].refine(x, self.partial)
        if not self.is_full:
            hashed = (order1 * 0x9E3779B1 & MASK32) >> 18
            return (2 * p + p0 + self.refinements[1].refine(x, hashed)) >> 2
        p1 = self.refinements[1].refine(x, order1)
        p2 = self.refinements[2].refine(
            x, combine(self.lane.last8 & 0xFFFF, self.partial) >> 16)
        return clamp(4 * p + p0 + p1 + 2 * p2 >> 3, 1, ONE24 - 1)

    def update(self, bit):
        self.contexts.update(bit)
        for match in self.matches:
            match.update(bit)
        self.order0.update(self.partial, bit, ORDER_LIMIT)
        self.order1.update(self.order1_at, bit, ORDER_LIMIT)
        self.mixer.update(bit)
        self.final.update(bit)
        for refinement in self.refinements:
            refinement.update(bit)
        self.partial = self.partial << 1 | bit
        self.bit_count += 1
        if self.bit_count == 8:
            self._end_byte(self.partial & 0xFF)

    def _end_byte(self, byte):
        lane = self.lane
        self.contexts.end_byte(byte)
        self.content[lane.next] = byte
        if self.is_full:
            self.followers.append(lane, byte)
        words = lane.word_count
        lane.append(byte, self.is_full)
        if self.is_full:
            if lane.word_count != words:
                self.followers.append_word(lane)
            self.record_fields.append(self.content, lane)
