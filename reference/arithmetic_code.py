# SPDX-License-Identifier: Apache-2.0
"""docs/FORMAT.md, sections 7 and 8: the binary arithmetic code and adaptive
bits."""

from errors import Damaged

HALF = 1 << 23  # a probability of one half, in units of 2^-24


class Decoder:
    def __init__(self, payload):
        self.payload = payload
        self.moved = 0  # bytes that the window has moved
        self.range = (1 << 64) - 1
        self.offset = int.from_bytes(payload[:8].ljust(8, b"\0"), "big")
        self.trace = None  # if it is a list: the probabilities asked for
        if self.offset == self.range:
            raise Damaged("the code starts outside its interval")

    def bit(self, probability):
        """Section 7.3. probability: of a 1, from 1 to 2^24 - 1."""
        assert 1 <= probability < 1 << 24
        if self.trace is not None:
            self.trace.append(probability)
        bound = (self.range >> 24) * probability
        if self.offset < bound:
            bit = 1
            self.range = bound
        else:
            bit = 0
            self.offset -= bound
            self.range -= bound
        while self.range < 1 << 56:
            at = self.moved + 8
            byte = self.payload[at] if at < len(self.payload) else 0
            self.offset = self.offset << 8 | byte
            self.range <<= 8
            self.moved += 1
        if self.moved > len(self.payload):
            raise Damaged("the code is too short")
        return bit

    def bits(self, count):
        """A number of so many bits, each as likely 0 as 1."""
        value = 0
        for _ in range(count):
            value = value << 1 | self.bit(HALF)
        return value

    def adaptive(self, state):
        bit = self.bit(state.probability())
        state.update(bit)
        return bit

    def end(self):
        """Section 7.4: only one payload is right."""
        dropped = self.moved + 8 - len(self.payload)
        right = 0 <= dropped <= 8
        if right and dropped < 8:
            last = self.payload[-1]
            unit = 256 ** dropped
            right = (last != 0 and self.offset < unit and
                     self.range - self.offset <= (256 - last) * unit)
        if not right:
            raise Damaged("the code does not end where it should")


class AdaptiveBit:
    """Section 8."""

    def __init__(self):
        self.p = 1 << 21
        self.n = 0

    def probability(self):
        return max(1, 4 * self.p)

    def update(self, bit):
        target = (1 << 22) - 1 if bit else 0
        rate = (1 << 17) // (2 * self.n + 3)
        step = abs(target - self.p) * rate >> 16
        self.p += step if bit else -step
        self.n = min(self.n + 1, 255)
