# SPDX-License-Identifier: Apache-2.0
"""docs/CONTEXT_LAW.md, sections 15 and 16: context models beside a language
model."""

from cm_basics import (
    NUM_CONFIDENCES, ONE24, Estimates, WideRefinement, clamp, combine,
    confidence, hash64, quotient, wide_squash, wide_stretch)
from cm_mixer import ContextMixer
from cm_tables import ContextSet, WideMixer

WIDE_ONE = 1 << 24  # a weight of one
OWN_CONTEXTS = (0, 1, 5)
ENDS_LIMIT = 255


class Token:
    """Section 15.1: what a lane knows of its tokens."""

    def __init__(self):
        self.prefix = self.depth = 0
        self.before = (0, 0)
        self.lm_error = self.cm_error = 0

    def append(self, byte):
        self.prefix = combine(self.prefix, byte + 1)
        self.depth += 1

    def end(self):
        self.before = self.prefix, self.before[0]
        self.prefix = self.depth = 0


def error_step(error):
    step = 0
    while step < 11 and error > (step + 1) ** 2 << 15:
        step += 1
    return step


def follow(mean, p, bit):
    return mean + quotient((ONE24 - p if bit else p) - mean, 64)


def is_certain(p):
    return p in (0, ONE24)


class JointPredictor:
    def __init__(self, which, content_size, num_lanes, table_size=None):
        self.num_lanes = num_lanes
        self.contexts = ContextMixer(which, content_size, num_lanes,
                                     table_size=table_size)
        if table_size is None:
            table_size = content_size
        num_contexts = 8 + (len(OWN_CONTEXTS) if num_lanes > 1 else 0)
        self.token_contexts = ContextSet(
            num_contexts, 4, clamp(table_size * 2, 1024, 900000))
        self.tokens = []
        self.ends = TokenEnds(content_size, table_size,
                              20 if which == "full" else 19)
        num_sets = len(self.contexts.mixer.first_rows)
        num_inputs = 3 + 3 + num_sets + 4 * num_contexts
        self.mixer = WideMixer(
            (1, 12 * 6, 12 * 16, 12 * 48, 32 * num_lanes, 256, 256, 720),
            [WIDE_ONE] + [0] * (num_inputs - 1), 200, 200)
        self.final = WideMixer((1, 36, 256, 48),
                               [WIDE_ONE // 8] * 8 + [0], 100, 50)
        self.refinements = [WideRefinement() for _ in range(3)]

    def add_lane(self, begin):
        self.tokens.append(Token())
        return self.contexts.add_lane(begin)

    def begin_byte(self, number):
        self.number = number
        self.token = token = self.tokens[number]
        self.bit_count = 0
        self.contexts.begin_byte(number)
        last8 = self.contexts.lanes[number].last8
        first, second = token.before
        hashes = [combine(token.prefix, 0), combine(token.prefix, first)]
        hashes.append(combine(hashes[1], second))
        hashes.append(combine(token.prefix, second + 1 & 0xFFFFFFFF))
        for n in 1, 2, 3, 4:
            last = last8 & (1 << 8 * n) - 1
            hashes.append(hash64(last << 1 | (token.depth == 0), 3 + n))
        if self.num_lanes > 1:
            hashes += [combine(hashes[i], number + 1) for i in OWN_CONTEXTS]
        self.token_contexts.begin_byte(hashes)

    def predict_bit(self, p):
        """p: the language model's; 0 and 2^24 are certain."""
        self.cm_p = self.contexts.predict()
        self.token_inputs = self.token_contexts.predict(
            self.contexts.partial, self.bit_count).tolist()
        self.is_certain = is_certain(p)
        if self.is_certain:
            return p
        self.lm_p = p
        lm, cm = wide_stretch(p), wide_stretch(self.cm_p)
        inputs = [lm, cm, 1 << 14]
        for match in self.contexts.matches:
            length = match.length_kind() << 14
            inputs.append(length if match.bit else -length)
        inputs += [128 * x for x in self.contexts.mixed]
        inputs += [192 * x for x in self.token_inputs]
        selected, final_selected, refined = self._select(lm, cm)
        self.mixer.mix(inputs, selected)
        mixed = self.final.mix(self.mixer.outputs + [lm], final_selected)
        total = 5 * wide_squash(mixed)
        for refinement, context in zip(self.refinements, refined):
            total += refinement.refine(mixed, context)
        return clamp(total >> 3, 1, ONE24 - 1)

    def _select(self, lm, cm):
        token, match = self.token, self.contexts.leading_match()
        partial = self.contexts.partial
        last = self.contexts.lane.byte(1)
        sure = confidence(lm)
        cm_sure = min(confidence(cm) * 2 // 3, 7)
        agree = (lm > 0) == (cm > 0)
        length = match.length_kind()
        match_agrees = 0 if length == 0 else 1 + (match.bit == (lm > 0))
        match_kind = (min(length, 15) * 12 + sure) * 3 + match_agrees
        token_kind = sure * 3 + min(token.depth, 2)
        errors = (error_step(token.lm_error) * 12 +
                  error_step(token.cm_error))
        return (
            (0, token_kind * 2 + (self.bit_count == 0),
             (sure * 8 + cm_sure) * 2 + agree, match_kind,
             self.number % self.num_lanes * 32 + (7 - self.bit_count) * 4 +
             min(token.depth, 3),
             partial, last, errors * 5 + min(sure // 2, 4)),
            (0, token_kind, partial, min(length, 15) * 3 + match_agrees),
            (sure << 8 | partial, last << 8 | partial, match_kind))

    def update_bit(self, bit):
        token = self.token
        if not self.is_certain:
            token.lm_error = follow(token.lm_error, self.lm_p, bit)
            token.cm_error = follow(token.cm_error, self.cm_p, bit)
            self.mixer.update(bit)
            self.final.update(bit)
            for refinement in self.refinements:
                refinement.update(bit)
        self.contexts.update(bit)
        self.token_contexts.update(bit)
        self.bit_count += 1
        if self.bit_count == 8:
            byte = self.contexts.lane.byte(1)
            self.token_contexts.end_byte(byte)
            token.append(byte)

    def predict_end(self, p):
        self.is_certain = is_certain(p)
        if self.is_certain:
            return p
        return self.ends.predict(p, self.contexts, self.token, self.number)

    def update_end(self, ends):
        if not self.is_certain:
            self.ends.update(ends)
        if ends:
            self._end_token()
        else:
            self.ends.ended[self.contexts.lane.next - 1] = 0

    def _end_token(self):
        self.ends.ended[self.contexts.lane.next - 1] = 1
        self.token.end()

    end_escape = _end_token


class TokenEnds:
    """Section 16."""

    def __init__(self, content_size, table_size, most_log2):
        log2 = clamp(table_size.bit_length() + 1, 10, most_log2)
        self.shift = 32 - log2
        self.counters = [{} for _ in range(6)]  # p and n
        self.right = Estimates(3 * 32 * 4, p=3 << 20, n=2)
        self.ended = bytearray(content_size)
        self.mixer = WideMixer((24, 96, 256, 1152), [WIDE_ONE] + [0] * 10,
                               1000, 1000)
        self.refinement = WideRefinement()

    def predict(self, p, contexts, token, number):
        lane = contexts.lane
        x = wide_stretch(p)
        sure = confidence(x)
        match_inputs, match = self._ask_matches(contexts, lane, token.depth)
        counter_inputs = self._ask_counters(lane, token, number)
        last = lane.byte(1)
        mixed = self.mixer.mix(
            [x, 1 << 14] + match_inputs + counter_inputs,
            (sure * 2 + (token.depth == 1),
             min(self.asked[1][1], 7) * NUM_CONFIDENCES + sure, last,
             (match // 3 * NUM_CONFIDENCES + sure) * 3 + match % 3))
        refined = self.refinement.refine(mixed, sure << 8 | last)
        return clamp(wide_squash(mixed) * 3 + refined >> 2, 1, ONE24 - 1)

    def _ask_matches(self, contexts, lane, depth):
        """16.1."""
        inputs, context = [], 0
        self.answers = []
        for i, state in enumerate(lane.matches):
            inputs.append(0)
            if (state.length == 0 or
                    contexts.content[state.source] != lane.byte(1)):
                continue
            length = state.length
            kind = min(length if length < 16 else 12 + length // 4, 31)
            ends = self.ended[state.source]
            at = (i * 32 + kind) * 4 + min(depth, 4) - 1
            self.answers.append((at, ends))
            x = stretch_of(self.right.p[at])
            inputs[i] = x if ends else -x
            if i == 0:
                context = kind * 3 + (2 if ends else 1)
        return inputs, context

    def _ask_counters(self, lane, token, number):
        """16.2."""
        one = combine(token.prefix, token.before[0])
        depth = min(token.depth, 8)
        own = number * 0x9E3779B1 & 0xFFFFFFFF

        def last(n, salt):
            return hash64((lane.last8 & (1 << 8 * n) - 1) << 4 | depth, salt)

        hashes = (token.prefix ^ own, one, last(2, 2), last(3, 3) ^ own,
                  last(5, 4), combine(one, token.before[1]))
        self.asked = []
        for table, h in zip(self.counters, hashes):
            self.asked.append(table.setdefault(h >> self.shift, [1 << 21, 0]))
        return [stretch_of(p) if n > 0 else 0 for p, n in self.asked]

    def update(self, ends):
        for counter in self.asked:
            one = Estimates(1, *counter)
            one.update(0, ends, ENDS_LIMIT)
            counter[:] = one.p[0], one.n[0]
        for at, answer in self.answers:
            self.right.update(at, answer == ends, ENDS_LIMIT)
        self.mixer.update(ends)
        self.refinement.update(ends)


def stretch_of(p22):
    return wide_stretch(clamp(p22 << 2, 64, ONE24 - 64))
