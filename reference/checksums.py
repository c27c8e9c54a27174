# SPDX-License-Identifier: Apache-2.0
"""docs/FORMAT.md, section 0.3 and appendix A: XXH3 and the header check."""

MASK64 = (1 << 64) - 1

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

PRIME32_1, PRIME32_2, PRIME32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
PRIME64_1, PRIME64_2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
PRIME64_3, PRIME64_4 = 0x165667B19E3779F9, 0x85EBCA77C2B2AE63
PRIME64_5 = 0x27D4EB2F165667C5


def crc8(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07 if value & 0x80 else value << 1) & 0xFF
    return value


def _u32(data, at):
    return int.from_bytes(data[at:at + 4], "little")


def _u64(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def _fold(a, b):
    product = a * b
    return (product ^ product >> 64) & MASK64


def _end(h):
    h ^= h >> 37
    h = h * 0x165667919E3779F9 & MASK64
    return h ^ h >> 32


def _end_of_few(h):
    h ^= h >> 33
    h = h * PRIME64_2 & MASK64
    h ^= h >> 29
    h = h * PRIME64_3 & MASK64
    return h ^ h >> 32


def _mix16(data, at, secret_at):
    return _fold(_u64(data, at) ^ _u64(SECRET, secret_at),
                 _u64(data, at + 8) ^ _u64(SECRET, secret_at + 8))


def _xxh3_long(data):
    size = len(data)
    lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3,
             PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1]

    def take_stripe(at, secret_at):
        for i in range(8):
            value = _u64(data, at + 8 * i)
            key = value ^ _u64(SECRET, secret_at + 8 * i)
            lanes[i ^ 1] = lanes[i ^ 1] + value & MASK64
            lanes[i] = lanes[i] + (key & 0xFFFFFFFF) * (key >> 32) & MASK64

    num_blocks = (size - 1) // 1024
    for block in range(num_blocks):
        for stripe in range(16):
            take_stripe(block * 1024 + stripe * 64, stripe * 8)
        for i in range(8):
            value = lanes[i] ^ lanes[i] >> 47 ^ _u64(SECRET, 128 + 8 * i)
            lanes[i] = value * PRIME32_1 & MASK64
    for stripe in range((size - 1 - num_blocks * 1024) // 64):
        take_stripe(num_blocks * 1024 + stripe * 64, stripe * 8)
    take_stripe(size - 64, 121)
    h = size * PRIME64_1
    for i in range(4):
        h += _fold(lanes[2 * i] ^ _u64(SECRET, 11 + 16 * i),
                   lanes[2 * i + 1] ^ _u64(SECRET, 19 + 16 * i))
    return _end(h & MASK64)


def xxh3(data):
    """XXH3, 64 bits, seed 0."""
    size = len(data)
    if size == 0:
        return _end_of_few(_u64(SECRET, 56) ^ _u64(SECRET, 64))
    if size <= 3:
        value = data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8
        return _end_of_few(value ^ _u32(SECRET, 0) ^ _u32(SECRET, 4))
    if size <= 8:
        h = _u32(data, size - 4) | _u32(data, 0) << 32
        h ^= _u64(SECRET, 8) ^ _u64(SECRET, 16)
        h ^= ((h << 49 | h >> 15) ^ (h << 24 | h >> 40)) & MASK64
        h = h * 0x9FB21C651E98DF25 & MASK64
        h ^= (h >> 35) + size
        h = h * 0x9FB21C651E98DF25 & MASK64
        return h ^ h >> 28
    if size <= 16:
        low = _u64(data, 0) ^ _u64(SECRET, 24) ^ _u64(SECRET, 32)
        high = _u64(data, size - 8) ^ _u64(SECRET, 40) ^ _u64(SECRET, 48)
        swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
        return _end(size + swapped + high + _fold(low, high) & MASK64)
    if size <= 128:
        h = size * PRIME64_1
        for i in range((size - 1) // 32 + 1):
            h += _mix16(data, 16 * i, 32 * i)
            h += _mix16(data, size - 16 * (i + 1), 32 * i + 16)
        return _end(h & MASK64)
    if size <= 240:
        h = size * PRIME64_1
        for i in range(8):
            h += _mix16(data, 16 * i, 16 * i)
        h = _end(h & MASK64)
        for i in range(8, size // 16):
            h += _mix16(data, 16 * i, 16 * (i - 8) + 3)
        h += _mix16(data, size - 16, 119)
        return _end(h & MASK64)
    return _xxh3_long(data)
