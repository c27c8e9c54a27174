# SPDX-License-Identifier: Apache-2.0
"""docs/CONTEXT_LAW.md, sections 10, 12 and 13: bit histories of contexts,
matches, mixers. Arrays of integers are numpy's, which changes the speed and
nothing else: no number leaves the range of its type."""

from array import array

import numpy as np

from cm_basics import (
    HISTORIES, MAP_LIMIT, MAP_PRIOR, MASK32, MASK64, MAX_Q12, MAX_WIDE,
    NEXT_STATE, ONE24, RATES, RUN_LIMIT, RUN_PRIOR, STRETCH12, Estimates,
    clamp, first_estimate, hash64, hash_nibble, length_bucket, quotient,
    squash, stretch24, trust, wide_squash)

NP_STRETCH12 = np.array(STRETCH12, np.int64)
NP_RATES = np.array(RATES, np.int64)
NP_NEXT_STATE = np.array(NEXT_STATE, np.uint8)
ONE_KIND = np.array([n0 == 0 or n1 == 0 for _, _, n0, n1 in HISTORIES])
SLOT = 16  # 15 bit histories and one byte that is not used


class HashTable:
    """Section 12.1."""

    def __init__(self, num_buckets):
        self.num_buckets = num_buckets
        slots = num_buckets * 3
        self.checks = array("H", bytes(2 * slots))
        self.histories = bytearray(slots * SLOT)
        self.last_byte = bytearray(slots)
        self.run = bytearray(slots)

    def find(self, h):
        """The number of the slot."""
        first = (h * self.num_buckets >> 32) * 3
        check = h & 0xFFFF
        for slot in first, first + 1, first + 2:
            if self.checks[slot] == check:
                return slot
        slot = min((first, first + 1, first + 2),
                   key=lambda i: self.histories[i * SLOT])
        self.checks[slot] = check
        self.histories[slot * SLOT:(slot + 1) * SLOT] = bytes(SLOT)
        self.last_byte[slot] = self.run[slot] = 0
        return slot


class ContextSet:
    """Section 12."""

    def __init__(self, num_contexts, inputs_per_context, num_buckets):
        self.num_contexts = num_contexts
        self.inputs_per_context = inputs_per_context
        self.table = table = HashTable(num_buckets)
        # The same memory, to be read for all contexts at once.
        self.histories = np.frombuffer(table.histories, np.uint8)
        self.last_byte = np.frombuffer(table.last_byte, np.uint8)
        self.run = np.frombuffer(table.run, np.uint8)
        self.map_p = np.tile(np.array([first_estimate(state)
                                       for state in range(256)], np.int64),
                             num_contexts)
        self.map_n = np.full(num_contexts * 256, MAP_PRIOR, np.int64)
        # [context, run, place of the bit]
        self.run_p = np.tile(np.array([trust(i // 8) for i in range(128)],
                                      np.int64), num_contexts)
        self.run_n = np.full(num_contexts * 128, RUN_PRIOR, np.int64)

    def begin_byte(self, hashes):
        self.hashes = hashes
        self.run_slots = [self.table.find(h) for h in hashes]
        self.numbers = np.arange(len(hashes), dtype=np.int64)
        self.np_run_slots = np.array(self.run_slots, np.int64)
        self._use(self.run_slots)

    def _use(self, slots):
        self.slots = np.array(slots, np.int64)
        self.has_twice = len(set(slots)) < len(slots)

    def predict(self, partial, bit_count):
        """The inputs of the mixer."""
        if bit_count == 4:
            self.hashes = [hash_nibble(h, partial) for h in self.hashes]
            self._use([self.table.find(h) for h in self.hashes])
        first = (1 << (bit_count & 3)) - 1
        self.at = self.slots * SLOT + (first + (partial & first))
        states = self.histories[self.at]
        self.states = states
        self.maps = self.numbers * 256 + states
        p12 = self.map_p[self.maps] >> 10
        stretch = np.where(states != 0, NP_STRETCH12[p12], 0)
        inputs = np.zeros((self.num_contexts, self.inputs_per_context),
                          np.int64)
        used = len(states)
        inputs[:used, 0] = stretch

        run = self.run[self.np_run_slots].astype(np.int64)
        expected = self.last_byte[self.np_run_slots].astype(np.int64) | 256
        agrees = (run > 0) & (expected >> 8 - bit_count == partial)
        self.runs = agrees.nonzero()[0]
        self.run_bits = (expected >> 7 - bit_count & 1)[self.runs]
        self.run_maps = (self.runs * 128 +
                         np.minimum(run[self.runs], 15) * 8 + bit_count)
        run_stretch = NP_STRETCH12[self.run_p[self.run_maps] >> 10]
        inputs[self.runs, 1] = np.where(self.run_bits, run_stretch,
                                        -run_stretch)
        if self.inputs_per_context == 4:
            inputs[:used, 2] = np.where(states != 0, p12 - 2048 >> 2, 0)
            inputs[:used, 3] = np.where(ONE_KIND[states], stretch, 0)
        return inputs.reshape(-1)

    def update(self, bit):
        _learn(self.map_p, self.map_n, self.maps, bit, MAP_LIMIT)
        _learn(self.run_p, self.run_n, self.run_maps, self.run_bits == bit,
               RUN_LIMIT)
        if not self.has_twice:
            self.histories[self.at] = NP_NEXT_STATE[bit][self.states]
        else:  # a slot that two contexts use moves on twice
            for at in self.at:
                state = self.table.histories[at]
                self.table.histories[at] = NEXT_STATE[bit][state]

    def end_byte(self, byte):
        table = self.table
        for slot in self.run_slots:
            if table.run[slot] > 0 and table.last_byte[slot] == byte:
                table.run[slot] = min(table.run[slot] + 1, 255)
            else:
                table.last_byte[slot] = byte
                table.run[slot] = 1

    def count_seen(self, n):
        return sum(self.table.histories[slot * SLOT] != 0
                   for slot in self.run_slots[:n])


def _learn(p, n, at, bits, limit):
    """Estimates.update() of cm_basics, of several at once."""
    old = p[at]
    count = n[at]
    target = np.where(bits, 0x3FFFFF, 0)
    p[at] = old + ((target - old) * NP_RATES[count] >> 16)
    n[at] = np.minimum(count + 1, limit)


class MatchModel:
    """Section 10."""

    def __init__(self, min_length, log2_entries, has_several_lanes):
        self.min_length = min_length
        self.shift = 32 - log2_entries
        self.table = {}
        self.own_table = {} if has_several_lanes else None
        self.estimates = Estimates(32 * 64)
        self.estimates.p = [trust(i // 64) for i in range(32 * 64)]
        self.agrees = False
        self.byte = self.bucket = self.context = self.bit = 0

    def _hash(self, content, lane):
        if self.min_length <= 8:
            shifted = lane.last8 << 64 - 8 * self.min_length & MASK64
            return hash64(shifted, 0)
        h = 0
        for i in range(1, self.min_length + 1):
            h = (h + content[lane.next - i] + 1) * 0x2F0B4C47 & MASK32
            h ^= h >> 15
        return h

    def _try(self, content, lanes, lane, source, state):
        if state.length >= self.min_length or source == 0:
            return
        for number, other in enumerate(lanes):
            if other.begin <= source < other.next:
                break
        else:
            return
        most = min(lane.num_bytes(), source - other.begin, 400)
        length = 0
        while (length < most and content[source - 1 - length] ==
               content[lane.next - 1 - length]):
            length += 1
        if length >= self.min_length and length > state.length:
            state.source, state.length = source, length
            state.misses, state.lane = 0, number

    def begin_byte(self, content, lanes, number, state):
        lane = lanes[number]
        self.agrees = False
        if lane.num_bytes() < self.min_length:
            return
        if state.source > 0:
            hit = content[state.source] == lane.byte(1)
            state.misses = (state.misses << 1 | (not hit)) & 0xFF
            state.length = min(state.length + 1, 65535) if hit else 0
            state.source += 1
            if state.misses == 0xFF:
                state.source = 0
            if state.source >= lanes[state.lane].next:
                state.source = state.length = state.misses = state.lane = 0
        h = self._hash(content, lane)
        if self.own_table is not None:
            own = (h + number * 0x3C6EF372) * 0x9E3779B1 & MASK32
            own >>= self.shift + 2
            self._try(content, lanes, lane, self.own_table.get(own, 0), state)
            self.own_table[own] = lane.next
        at = (h * 0x9E3779B1 & MASK32) >> self.shift
        self._try(content, lanes, lane, self.table.get(at, 0), state)
        self.table[at] = lane.next
        if state.source > 0:
            self.agrees = True
            self.byte = content[state.source] | 256
            self.bucket = length_bucket(state.length)
            self.context = (self.bucket * 8 +
                            min(state.misses.bit_count(), 7)) * 8

    def predict(self, partial, bit_count):
        if self.byte >> 8 - bit_count != partial:
            self.agrees = False
        if not self.agrees:
            return 0, 0
        self.bit = self.byte >> 7 - bit_count & 1
        self.used = self.context + bit_count
        p = self.estimates.p[self.used]
        x = STRETCH12[p >> 10] if p < 4088 << 10 else stretch24(p << 2) >> 4
        linear = (p >> 10) - 2048 >> 2
        return (x, linear) if self.bit else (-x, -linear)

    def update(self, bit):
        if self.agrees:
            self.estimates.update(self.used, self.bit == bit, 255)

    def length_kind(self):
        return self.bucket if self.agrees else 0

    def expected(self):
        return self.byte if self.agrees else 0


class MixerLayer:
    """Section 13.1."""
    MAX_WEIGHT = (1 << 31) - 1 - (1 << 27)

    def __init__(self, num_inputs, set_sizes, first_weight, first_rate,
                 last_rate):
        self.first_rows = [sum(set_sizes[:i]) for i in range(len(set_sizes))]
        # An even number of inputs; one that is missing is 0.
        self.num_inputs = num_inputs + num_inputs % 2
        self.weights = np.zeros((sum(set_sizes), self.num_inputs), np.int32)
        self.first_weight = first_weight
        self.uses = [0] * sum(set_sizes)
        self.first_rate, self.last_rate = first_rate, last_rate

    def mix(self, inputs, selected):
        """Log odds in Q12 of each set. selected: a number for each."""
        self.inputs = np.zeros(self.num_inputs, np.int32)
        self.inputs[:len(inputs)] = inputs
        self.rows = [first + number
                     for first, number in zip(self.first_rows, selected)]
        for i, row in enumerate(self.rows):
            if self.uses[row] == 0:
                self.weights[row] = (self.first_weight if i == 0 else
                                     self.weights[self.rows[0]])
        products = (self.weights[self.rows] >> 16) * self.inputs
        pairs = products[:, 0::2] + products[:, 1::2] >> 6
        sums = pairs.sum(axis=1, dtype=np.int64).tolist()
        self.outputs = [clamp(s >> 2, -MAX_Q12, MAX_Q12) for s in sums]
        return self.outputs

    def update(self, bit):
        errors = []
        for row, output in zip(self.rows, self.outputs):
            rate = max(self.first_rate * 16 // (16 + self.uses[row]),
                       self.last_rate)
            self.uses[row] += 1
            error = (ONE24 if bit else 0) - squash(output)
            errors.append(clamp(error * rate + (1 << 19) >> 20, -32767, 32767))
        moved = (self.weights[self.rows] +
                 self.inputs * np.array(errors, np.int32)[:, None])
        self.weights[self.rows] = moved.clip(np.int32(-self.MAX_WEIGHT),
                                             np.int32(self.MAX_WEIGHT))


class WideMixer:
    """Section 13.2."""
    MAX_WEIGHT = 1 << 30

    def __init__(self, set_sizes, first_weights, first_rate, last_rate):
        self.first_rows = [sum(set_sizes[:i]) for i in range(len(set_sizes))]
        self.weights = np.tile(np.array(first_weights, np.int64),
                               (sum(set_sizes), 1))
        self.uses = [0] * sum(set_sizes)
        self.first_rate, self.last_rate = first_rate, last_rate

    def mix(self, inputs, selected):
        """The mean of the log odds, Q16, of all sets."""
        self.inputs = np.array(inputs, np.int64)
        self.rows = [first + number
                     for first, number in zip(self.first_rows, selected)]
        for row in self.rows[1:]:
            if self.uses[row] == 0:
                self.weights[row] = self.weights[self.rows[0]]
        dots = (self.weights[self.rows] * self.inputs).sum(axis=1)
        self.outputs = [clamp(dot >> 24, -MAX_WIDE, MAX_WIDE)
                        for dot in dots.tolist()]
        return quotient(sum(self.outputs), len(self.outputs))

    def update(self, bit):
        for row, output in zip(self.rows, self.outputs):
            rate = max(self.first_rate * 16 // (16 + self.uses[row]),
                       self.last_rate)
            self.uses[row] = min(self.uses[row] + 1, 65535)
            error = (ONE24 if bit else 0) - wide_squash(output)
            moved = self.weights[row] + (self.inputs * (error * rate) >> 32)
            self.weights[row] = np.clip(moved, -self.MAX_WEIGHT,
                                        self.MAX_WEIGHT)
