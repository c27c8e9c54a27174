# SPDX-License-Identifier: Apache-2.0
"""docs/CONTEXT_LAW.md, section 7: the light context models alone."""

from cm_basics import (
    MAP_LIMIT, MAP_PRIOR, MASK32, MAX_Q12, MAX_Q8, NEXT_STATE, ONE24,
    ORDER_LIMIT, RUN_LIMIT, RUN_PRIOR, STRETCH12, Estimates, clamp, combine,
    first_estimate, fold_case, hash64, hash_nibble, is_control, is_letter,
    length_bucket, squash, stretch24, trust)

NUM_CONTEXTS = 7
HAS_RUN = (0, 4, 6)  # contexts that know the byte that followed last
NUM_INPUTS = 16      # the last two are always 0
NUM_ROWS = 5
FIRST_WEIGHT = (1 << 28) // 40
MAX_WEIGHT = ((1 << 31) - 1 - (1 << 27)) // NUM_ROWS
FIRST_RATE, LAST_RATE = 500, 130
START16 = [squash(i * 4096 - MAX_Q12) >> 8 for i in range(26)]


class PairTable:
    """Section 7.3: slots of bit histories in pairs of buckets."""

    def __init__(self, size):
        self.num_buckets = clamp(size * 7 // 4, 1024, 900000) & ~1
        self.buckets = {}

    def find(self, h, last_bit):
        number = (h * self.num_buckets >> 32 & ~1) + last_bit
        bucket = self.buckets.get(number)
        if bucket is None:
            # Three slots: checksum, 15 histories, last byte, run.
            bucket = [[0, [0] * 15, 0, 0] for _ in range(3)]
            self.buckets[number] = bucket
        check = h & 0xFFFF
        for slot in bucket:
            if slot[0] == check:
                return slot
        slot = min(bucket, key=lambda s: s[1][0])  # the first of several
        # In place, for a context may be using it.
        slot[0] = check
        slot[1][:] = [0] * 15
        slot[2] = slot[3] = 0
        return slot


class Match:
    """Section 7.5."""

    def __init__(self, size):
        self.shift = 32 - clamp(size.bit_length(), 10, 20)
        self.table = {}
        self.next_entry = 0
        self.source = self.length = self.misses = self.expected = 0
        self.bucket = self.context = 0
        self.agrees = False
        self.estimates = Estimates(32 * 8 * 8)
        for i in range(32 * 64):
            self.estimates.p[i] = trust(i // 64)

    def begin_byte(self, content, last8):
        at = len(content)
        self.expected = 0
        if at < 5:
            return
        if self.source > 0:
            hit = content[self.source] == content[-1]
            self.misses = (self.misses << 1 | (not hit)) & 0xFF
            self.length = min(self.length + 1, 65535) if hit else 0
            self.source = 0 if self.misses == 0xFF else self.source + 1
        if at > 5:
            entry = self.table.get(self.next_entry, 0)
            if self.length < 6 and entry > 0:
                length = 0
                while (length < min(entry, 400) and
                       content[entry - 1 - length] == content[-1 - length]):
                    length += 1
                if length >= 6 and length > self.length:
                    self.source, self.length, self.misses = entry, length, 0
            self.table[self.next_entry] = at
        self.next_entry = hash64(last8 << 24 & (1 << 64) - 1, 0) >> self.shift
        if self.source > 0:
            self.expected = content[self.source] | 256
            self.bucket = length_bucket(self.length)
            self.context = (self.bucket * 8 +
                            min(self.misses.bit_count(), 7)) * 8

    def predict(self, partial, bit_count):
        self.agrees = self.expected >> 8 - bit_count == partial
        if not self.agrees:
            return 0, 0
        self.bit = self.expected >> 7 - bit_count & 1
        self.used = self.context + bit_count
        p = self.estimates.p[self.used]
        x = (STRETCH12[p >> 10] if p < 4088 << 10 else stretch24(p << 2) >> 4)
        linear = (p >> 10) - 2048 >> 2
        return (x, linear) if self.bit else (-x, -linear)

    def update(self, bit):
        if self.agrees:
            self.estimates.update(self.used, self.bit == bit, 255)

    def length_kind(self):
        return self.bucket if self.agrees else 0


class Run:
    def __init__(self):
        self.slot = None
        self.expected = 0
        self.map = -1  # in use; -1: none
        self.estimates = Estimates(16 * 8, n=RUN_PRIOR)
        self.estimates.p = [trust(i // 8) for i in range(16 * 8)]


class LightPredictor:
    """For each bit: predict(), then update(bit)."""

    def __init__(self, size):
        """size: of the content; with a reference, what tables are made for."""
        self.content = bytearray()
        self.table = PairTable(size)
        self.match = Match(size)
        self.last8 = 0
        self.word = self.word_before = self.binary_score = 0
        self.partial, self.bit_count = 1, 0
        self.hashes = [0] * NUM_CONTEXTS
        self.nodes = [None] * NUM_CONTEXTS
        self.maps = []
        for _ in range(NUM_CONTEXTS):
            estimates = Estimates(256, n=MAP_PRIOR)
            estimates.p = [first_estimate(state) for state in range(256)]
            self.maps.append(estimates)
        self.runs = [Run() for _ in HAS_RUN]
        self.order0 = Estimates(256)
        self.order1 = Estimates(256 * 256)
        self.rows = {}
        self.uses = [0] * 2048
        self.refinements = {}
        self._hash_contexts()
        self._find_first_nibble()

    # ------------------------------------------------------ 7.2. Contexts

    def _hash_contexts(self):
        """Before the last bit of a byte is known: it counts as 0."""
        even = self.partial << 1 & 0xFF
        last8 = (self.last8 << 8 | even) & (1 << 64) - 1
        values = [last8 & (1 << 8 * n) - 1 for n in (2, 3, 4, 6)]
        if self.binary_score > 400:
            values.append(last8 & 0xFF00 | 0xB1 << 56)
            values.append(last8 & 0xFF0000FF | 0xB2 << 56)
            values.append(last8 & 0xFFFF0000 | 0xB3 << 56)
        else:
            letter = is_letter(even) or is_letter(even | 1)
            folded = even | 0x20 if even < 128 else even
            word = combine(self.word, folded) | 1 if letter else 0
            before = (self.word if not letter and self.word != 0
                      else self.word_before)
            values.append(word << 32 ^ even)
            values.append(word << 32 ^ before)
            values.append(last8 & (1 << 40) - 1)
        self.hashes = [hash64(v, i + 1) for i, v in enumerate(values)]

    def _find_first_nibble(self):
        last_bit = self.last8 & 1
        slots = []
        for i, h in enumerate(self.hashes):
            slots.append(self.table.find(h, last_bit))
            self.hashes[i] = h + last_bit * 0x9E3779B1 & MASK32
            self.nodes[i] = slots[i][1]
            # A run is read at once, before the next slot is looked for.
            if i in HAS_RUN:
                run = self.runs[HAS_RUN.index(i)]
                run.slot = slots[i]
                run.expected = slots[i][2] | 256 if slots[i][3] > 0 else 0
                run.length = min(slots[i][3], 15)
        self.match.begin_byte(self.content, self.last8)

    def _hash_second_nibble(self):
        self.hashes = [hash_nibble(h, self.partial) for h in self.hashes]

    def _find_second_nibble(self):
        for i, h in enumerate(self.hashes):
            self.nodes[i] = self.table.find(h, self.partial & 1)[1]

    # ---------------------------------------------------- 7.4. Prediction

    def _row(self, kind, number):
        return self.rows.setdefault((kind, number),
                                    [FIRST_WEIGHT] * NUM_INPUTS)

    def _refine(self, which, x, context):
        """x: Q8. In units of 2^-24."""
        low, fraction = divmod(x + MAX_Q8, 256)
        estimates = self.refinements.setdefault((which, context), START16[:])
        self.refined.append((estimates, low + (fraction >> 7)))
        return estimates[low] * (256 - fraction) + estimates[low + 1] * fraction

    def predict(self):
        partial, bit_count = self.partial, self.bit_count
        c1 = self.last8 & 0xFF
        first = (1 << (bit_count & 3)) - 1
        self.node = first + (partial & first)
        self.states = [nodes[self.node] for nodes in self.nodes]
        inputs = []
        runs = iter(self.runs)
        for i, state in enumerate(self.states):
            p = self.maps[i].p[state]
            inputs.append(STRETCH12[p >> 10] if state != 0 else 0)
            if i in HAS_RUN:
                inputs.append(self._predict_run(next(runs)))
        inputs += self.match.predict(partial, bit_count)
        self.order1_at = c1 << 8 | partial
        inputs.append(STRETCH12[self.order1.p[self.order1_at] >> 10])
        inputs.append(STRETCH12[self.order0.p[partial] >> 10])
        self.inputs = inputs + [0] * (NUM_INPUTS - len(inputs))

        used = [self._row(i, (self.last8 >> 8 * i & 0xFF) * 8 + bit_count)
                for i in range(3)]
        used.append(self._row(3, self.match.length_kind() * 8 + bit_count))
        used.append(self._row(4, partial))
        self.used_rows = used
        weights = [sum(column) >> 16 for column in zip(*used)]
        dot = 0
        for i in range(0, NUM_INPUTS, 2):
            dot += (self.inputs[i] * weights[i] +
                    self.inputs[i + 1] * weights[i + 1]) >> 6
        mixed = clamp(dot >> 2, -MAX_Q12, MAX_Q12)
        self.mixed_p = squash(mixed)
        self.refined = []
        p = (2 * self.mixed_p + self._refine(0, mixed >> 4, partial) +
             self._refine(1, mixed >> 4, c1 << 8 | partial)) >> 2
        return clamp(p, 1, ONE24 - 1)

    def _predict_run(self, run):
        run.map = -1
        if run.expected >> 8 - self.bit_count != self.partial:
            return 0
        run.bit = run.expected >> 7 - self.bit_count & 1
        run.map = run.length * 8 + self.bit_count
        x = STRETCH12[run.estimates.p[run.map] >> 10]
        return x if run.bit else -x

    # ------------------------------------------------------ 7.6. Learning

    def update(self, bit):
        for i, nodes in enumerate(self.nodes):
            self.maps[i].update(self.states[i], bit, MAP_LIMIT)
            nodes[self.node] = NEXT_STATE[bit][nodes[self.node]]
        for run in self.runs:
            if run.map >= 0:
                run.estimates.update(run.map, run.bit == bit, RUN_LIMIT)
        self.match.update(bit)
        self.order1.update(self.order1_at, bit, ORDER_LIMIT)
        self.order0.update(self.partial, bit, ORDER_LIMIT)
        self._train(bit)
        for estimates, i in self.refined:
            target = 0xFFFF + 31 if bit else 0
            estimates[i] += target - estimates[i] >> 5
        self.partial = self.partial << 1 | bit
        self.bit_count += 1
        if self.bit_count == 3:
            self._hash_second_nibble()
        elif self.bit_count == 4:
            self._find_second_nibble()
        elif self.bit_count == 7:
            self._hash_contexts()
        elif self.bit_count == 8:
            self._end_byte()

    def _train(self, bit):
        row = (self.last8 & 0xFF) * 8 + self.bit_count
        rate = max(FIRST_RATE * 16 // (16 + self.uses[row]), LAST_RATE)
        self.uses[row] += 1
        error = (ONE24 if bit else 0) - self.mixed_p
        factor = error * rate + (1 << 19) >> 20
        for weights in self.used_rows:
            for i, x in enumerate(self.inputs):
                weights[i] = clamp(weights[i] + x * factor, -MAX_WEIGHT,
                                   MAX_WEIGHT)

    def _end_byte(self):
        byte = self.partial & 0xFF
        for run in self.runs:
            slot = run.slot
            goes_on = slot[3] > 0 and slot[2] == byte
            slot[3] = min(slot[3] + 1, 255) if goes_on else 1
            slot[2] = byte
        self.content.append(byte)
        self.last8 = (self.last8 << 8 | byte) & (1 << 64) - 1
        self.binary_score += ((255 if is_control(byte) else 0) -
                              (self.binary_score >> 4))
        if is_letter(byte):
            self.word = combine(self.word, fold_case(byte)) | 1
        else:
            if self.word != 0:
                self.word_before = self.word
            self.word = 0
        self.partial, self.bit_count = 1, 0
        self._find_first_nibble()
