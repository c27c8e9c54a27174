# SPDX-License-Identifier: Apache-2.0
"""docs/CONTEXT_LAW.md, sections 1 to 5: hashes, log odds, bit histories,
adaptive estimates and refinements."""

import hashlib
from functools import lru_cache

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1
ONE24 = 1 << 24


def clamp(x, low, high):
    return low if x < low else high if x > high else x


def quotient(a, b):
    """a / b, rounded towards 0; b > 0."""
    return a // b if a >= 0 else -(-a // b)


# ------------------------------------------------------------ 1. Hashes

def hash64(value, salt):
    h = (value + salt * 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93 & MASK64
    h ^= h >> 32
    return (h * 0xC2B2AE3D27D4EB4F & MASK64) >> 32


def combine(a, b):
    """Joins two numbers of 32 bits."""
    h = (a << 32 | b) + 0x9E3779B97F4A7C15
    h = h * 0xD6E8FEB86659FD93 & MASK64
    h ^= h >> 32
    return (h * 0xC2B2AE3D27D4EB4F & MASK64) >> 32


def hash_nibble(h, partial):
    return ((h << 8 | partial) * 0x9E3779B97F4A7C15 & MASK64) >> 32


# ---------------------------------------------------------- 2. Log odds

MAX_Q8 = 12 * 256
MAX_Q12 = 12 * 4096
EXP_STEP = 4278222805  # 2^32 exp(-1/256)


def _make_squash():
    table = [0] * (2 * MAX_Q8 + 1)
    e = 1 << 31
    for i in range(MAX_Q8 + 1):
        whole = (1 << 31) + e
        p = ((1 << 55) + whole // 2) // whole
        table[MAX_Q8 + i] = p
        table[MAX_Q8 - i] = ONE24 - p
        e = (e * EXP_STEP + (1 << 31)) >> 32
    return table


SQUASH = _make_squash()


def _make_stretch():
    table = []
    i = 0
    for p in range(4096):
        target = p * 4096 + 2048
        while SQUASH[i] < target:
            i += 1
        below = i > 0 and target - SQUASH[i - 1] < SQUASH[i] - target
        table.append(i - below - MAX_Q8)
    return table


STRETCH12 = _make_stretch()


def squash(x):
    """Of log odds in Q12: the probability in units of 2^-24."""
    if x >= MAX_Q12:
        return SQUASH[-1]
    if x <= -MAX_Q12:
        return SQUASH[0]
    i, fraction = divmod(x + MAX_Q12, 16)
    low = SQUASH[i]
    return low + ((SQUASH[i + 1] - low) * fraction >> 4)


def stretch24(p):
    """Of a probability in units of 2^-24: log odds in Q12."""
    if p <= SQUASH[0]:
        return -MAX_Q12
    if p >= SQUASH[-1]:
        return MAX_Q12
    low, high = 0, 2 * MAX_Q8
    while high - low > 1:
        middle = (low + high) // 2
        if SQUASH[middle] <= p:
            low = middle
        else:
            high = middle
    step = SQUASH[low + 1] - SQUASH[low]
    return low * 16 + ((p - SQUASH[low]) * 16 + step // 2) // step - MAX_Q12


MAX_WIDE = 17 << 16
LN2_Q32 = 2977044472


def _make_log():
    table = [0]
    for i in range(1024):
        t = (1 << 32) // (2 * (1024 + i) + 1)
        cube = (t * t >> 32) * t >> 32
        table.append(table[-1] + 2 * (t + cube // 3))
    return table


WIDE_LOG = _make_log()


def _make_wide_squash():
    table = []
    e = 1 << 31
    for _ in range(17 * 256 + 2):
        table.append((e << 32) // ((1 << 31) + e))
        e = (e * EXP_STEP + (1 << 31)) >> 32
    return table


WIDE_SQUASH = _make_wide_squash()


def _wide_log(p):
    exponent = p.bit_length() - 1
    mantissa = p << 24 - exponent
    i, rest = mantissa >> 14 & 1023, mantissa & 0x3FFF
    log = (WIDE_LOG[i] + ((WIDE_LOG[i + 1] - WIDE_LOG[i]) * rest >> 14) +
           exponent * LN2_Q32)
    return log + (1 << 15) >> 16


def wide_stretch(p):
    """Of a probability from 1 to 2^24 - 1: log odds in Q16."""
    return _wide_log(p) - _wide_log(ONE24 - p)


def wide_squash(x):
    size = min(abs(x), MAX_WIDE)
    i, fraction = size >> 8, size & 255
    p = WIDE_SQUASH[i] - ((WIDE_SQUASH[i] - WIDE_SQUASH[i + 1]) * fraction >> 8)
    small = max(p + 128 >> 8, 1)
    return small if x < 0 else ONE24 - small


CONFIDENCE_BOUNDS = (1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40)
NUM_CONFIDENCES = 12


def confidence(x):
    """How sure log odds in Q16 are: 0 to 11."""
    quarters = abs(x) >> 14
    return sum(quarters >= bound for bound in CONFIDENCE_BOUNDS)


# ------------------------------------------------------ 3. Bit histories

EXACT_BITS = 3
MOST_BESIDE = (41, 40, 12, 8, 6, 5)  # the larger count beside a smaller one
KEPT = (0, 1, 2, 3, 4, 5, 5, 6)      # of a count, when the other bit comes


def _next_key(key, bit):
    n0, n1, recent = key
    same, other = (n1, n0) if bit else (n0, n1)
    same += 1
    if same + other > EXACT_BITS:
        other = KEPT[other] if other < 8 else 7
    while (min(same, other) > 5 or
           max(same, other) > MOST_BESIDE[min(same, other)]):
        larger, smaller = max(same, other), min(same, other)
        if smaller >= 2:
            larger = (larger * (smaller - 1) + smaller // 2) // smaller
            smaller -= 1
        else:
            larger -= 1
        same, other = (larger, smaller) if same >= other else (smaller, larger)
    n0, n1 = (other, same) if bit else (same, other)
    return n0, n1, recent * 2 + bit if n0 + n1 <= EXACT_BITS else bit


def _make_histories():
    keys = [(0, 0, 0)]
    for key in keys:
        for bit in 0, 1:
            if _next_key(key, bit) not in keys:
                keys.append(_next_key(key, bit))
    keys.sort(key=lambda k: (k[0] + k[1], k))
    number = {key: i for i, key in enumerate(keys)}
    return [(number[_next_key(k, 0)], number[_next_key(k, 1)], k[0], k[1])
            for k in keys]


# For each state the state after a 0 and after a 1, and its zeros and ones.
HISTORIES = _make_histories()
NEXT_STATE = tuple([row[bit] for row in HISTORIES] + [0] * 15
                   for bit in (0, 1))
HISTORIES_SHA256 = hashlib.sha256(
    b"".join(bytes(row) for row in HISTORIES)).hexdigest()


def first_estimate(state):
    """P(1) in units of 2^-22 that a state means at first."""
    _, _, n0, n1 = HISTORIES[state] if state < len(HISTORIES) else (0, 0, 0, 0)
    scale = 8 if n0 == 0 or n1 == 0 else 2
    return (n1 * scale + 1 << 22) // ((n0 + n1) * scale + 2)


# ------------------------------------------------------- 4. Estimates

MAP_LIMIT, MAP_PRIOR = 1023, 16
RUN_LIMIT, RUN_PRIOR = 255, 6
ORDER_LIMIT = 255
RATES = [(1 << 17) // (2 * n + 3) for n in range(1024)]


class Estimates:
    """Many estimates of P(1): p in units of 2^-22, n observations."""

    def __init__(self, size, p=1 << 21, n=0):
        self.p = [p] * size
        self.n = [n] * size

    def update(self, i, bit, limit):
        n = self.n[i]
        p = self.p[i]
        self.p[i] = p + (((0x3FFFFF if bit else 0) - p) * RATES[n] >> 16)
        if n < limit:
            self.n[i] = n + 1


def trust(n):
    """What a repetition or run of n bytes means at first."""
    return (1 << 22) - (1 << 22) // (2 * n + 3)


# ------------------------------------------------------ 5. Refinements

@lru_cache(None)
def _start32(step):
    return squash(step * 4096 - MAX_Q12) << 8


@lru_cache(None)
def _wide_start(step):
    return wide_squash((step << 16) - MAX_WIDE) << 8


class Refinement:
    """25 estimates of 32 bits for each context, 1 apart in log odds."""
    STEPS = 26

    def __init__(self):
        self.estimates = {}  # what is not there is as it was at first
        self.nearest = 0

    def refine(self, x, context):
        """x: Q8."""
        low, fraction = divmod(x + MAX_Q8, 256)
        get = self.estimates.get
        self.nearest = (context, low + (fraction >= 128))
        a = get((context, low), _start32(low)) >> 8
        b = get((context, low + 1), _start32(low + 1)) >> 8
        return max(a * (256 - fraction) + b * fraction >> 8, 1)

    def update(self, bit, shift=5):
        p = self.estimates.get(self.nearest, _start32(self.nearest[1]))
        self.estimates[self.nearest] = (p + ((MASK32 - p) >> shift) if bit
                                        else p - (p >> shift))


class WideRefinement:
    """The same of wide log odds: 35 estimates."""

    def __init__(self):
        self.estimates = {}
        self.nearest = 0

    def refine(self, x, context):
        """x: Q16."""
        low, fraction = divmod(x + MAX_WIDE, 1 << 16)
        get = self.estimates.get
        self.nearest = (context, low + (fraction >= 1 << 15))
        a = get((context, low), _wide_start(low))
        b = get((context, low + 1), _wide_start(low + 1))
        return a * ((1 << 16) - fraction) + b * fraction >> 24

    def update(self, bit):
        p = self.estimates.get(self.nearest, _wide_start(self.nearest[1]))
        self.estimates[self.nearest] = (p + ((MASK32 - p) >> 6) if bit
                                        else p - (p >> 6))


# ------------------------------------------------- 6. Kinds of bytes

def is_letter(c):
    return 97 <= c <= 122 or 65 <= c <= 90 or c >= 128


def is_digit(c):
    return 48 <= c <= 57


def is_blank(c):
    return c == 32 or c == 9


def is_separator(c):
    return c in b",;\t|"


def fold_case(c):
    return c + 32 if 65 <= c <= 90 else c


def is_control(c):
    return c < 9 or 13 < c < 32


def length_bucket(n):
    """Of the length of a repetition: 0 to 31."""
    if n < 16:
        return n
    log2 = n.bit_length() - 1
    return min(16 + (log2 - 4) * 2 + (n >> log2 - 1 & 1), 31)
