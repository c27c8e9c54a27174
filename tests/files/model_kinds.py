# SPDX-License-Identifier: Apache-2.0
"""Small models of each kind, written as docs/MODEL_FILE.md says: files of tests/files
name them by their fingerprints, so what is made here must stay as it is. Only integers
and powers of two, so that it is the same everywhere."""

import struct

from checksums import xxh3
from learning import Random
from model_file import Model

DIM, HEAD_DIM, NUM_HEADS, NUM_KV_HEADS, FFN_DIM = 64, 16, 4, 2, 128
WHOLE = 0xFFFFFFFF
PAIRS = ("th he in er an re on at en nd ti es or te of ed is it al ar st to nt "
         "e. e, e\n s. \n  t  a  s  w  c").replace("  ", " _").split(" ")

BIASES, HEAD_NORMS, POST_NORMS, GELU = 2, 4, 8, 16
WIDE_KEYS, NUMBERS, SHARES = 32, 64, 128

# Name: flags but for the head's, layers, the numbers of variations (scale of
# embeddings, divisor of scores, caps of scores and logits, local positions, bits of
# local layers), and whether the head is the embedding.
KINDS = {
    "plain": (0, 2, None, True),
    "head": (0, 2, None, False),
    "biases": (BIASES | WIDE_KEYS, 2, None, True),
    "head-norms": (HEAD_NORMS, 2, None, True),
    "shares": (SHARES, 3, None, True),
    "caps": (POST_NORMS | GELU | NUMBERS, 3,
             (8.0, 4.0, 50.0, 30.0, 16, 0b101), True),
    "local": (HEAD_NORMS | POST_NORMS | GELU | NUMBERS, 4,
              (8.0, 0.0, 0.0, 0.0, 32, 0b0111), True),
    "numbers": (NUMBERS, 2, (3.0, 16.0, 0.0, 0.0, 0, 0), False),
}


class Numbers(Random):
    def below(self, bound):
        return self.next() % bound

    def floats(self, count, mean, spread):
        """Multiples of 1/256 from mean - spread to mean + spread."""
        steps = int(spread * 256)
        return struct.pack(f"<{count}f", *(
            mean + (self.below(2 * steps + 1) - steps) / 256
            for _ in range(count)))

    def matrix(self, num_rows, num_cols, exponent):
        """Values and scales; scales are from 2^exponent to twice that."""
        panels, groups = -(-num_rows // 16), num_cols // 64
        values = bytearray(panels * 16 * num_cols)
        scales = [0.0] * (panels * 16 * groups)
        for row in range(num_rows):
            for col in range(num_cols):
                values[row // 16 * 16 * num_cols + col // 4 * 64
                       + row % 16 * 4 + col % 4] = self.below(255) - 127 & 255
            for group in range(groups):
                scales[(row // 16 * groups + group) * 16 + row % 16] = (
                    (64 + self.below(65)) / 64 * 2.0 ** exponent)
        return bytes(values), struct.pack(f"<{len(scales)}f", *scales)


def tokens_and_merges():
    # Some bytes are no token: they are escaped.
    single = [bytes([b]) for b in range(256) if not 0x80 <= b < 0xa0]
    pairs = [pair.replace("_", " ").encode() for pair in PAIRS]
    tokens = sorted({*single, *(pair for pair in pairs if len(pair) == 2)})
    row = {token: i for i, token in enumerate(tokens)}
    merges = [(row[pair[:1]], row[pair[1:]]) for pair in pairs
              if len(pair) == 2]
    return tokens, merges


def make(name):
    flags, num_layers, numbers, is_tied = KINDS[name]
    random = Numbers(sum(name.encode()))
    tokens, merges = tokens_and_merges()
    flags |= 1 if is_tied else 0
    num_rows = len(tokens) + 2
    fields = struct.pack(
        "<11If", num_layers, DIM, NUM_HEADS, NUM_KV_HEADS, HEAD_DIM, FFN_DIM,
        len(tokens), num_rows, num_rows - 1, 4096, flags, 2.0 ** -17)
    if numbers:
        *scales, local_positions, local = numbers
        fields += struct.pack("<4fI", *scales, local_positions)
        fields += local.to_bytes(32, "little")
    if flags & SHARES:
        fields += bytes(1 + random.below(40)
                        for _ in range(num_layers * NUM_KV_HEADS))
    names = b"".join(struct.pack("<H", len(text)) + text for text in (
        b"kind-" + name.encode(), b"Apache-2.0", b"unsplit"))

    sections = []  # kind, layer, content, alignment

    def add(kind, layer, content):
        sections.append((kind, layer, content, 64))

    def add_matrix(kind, layer, rows, cols, exponent):
        values, scales = random.matrix(rows, cols, exponent)
        sections.append((kind, layer, values, 4096))
        add(kind + 1, layer, scales)

    ends = [0]
    for token in tokens:
        ends.append(ends[-1] + len(token))
    add(1, WHOLE, struct.pack(f"<{len(ends)}I", *ends))
    add(2, WHOLE, b"".join(tokens))
    add(3, WHOLE, b"".join(struct.pack("<2I", *pair) for pair in merges))
    turn = 0x28be60db9391054a  # a radian
    add(4, WHOLE, struct.pack("<8Q", *(turn >> i for i in range(8))))
    if numbers and numbers[5]:
        add(10, WHOLE, struct.pack("<8Q", *(turn >> i // 2 for i in range(8))))
    add(5, WHOLE, random.floats(DIM, 1, 0.5))
    add_matrix(6, WHOLE, num_rows, DIM, -8)
    if not is_tied:
        add_matrix(8, WHOLE, len(tokens), DIM, -8)
    q_dim = NUM_HEADS * HEAD_DIM
    qkv_dim = q_dim + 2 * NUM_KV_HEADS * HEAD_DIM
    for layer in range(num_layers):
        add(16, layer, random.floats(DIM, 1, 0.5))
        add_matrix(17, layer, qkv_dim, DIM, -10)
        if flags & BIASES:
            add(26, layer, random.floats(qkv_dim, 0, 2))
        if flags & HEAD_NORMS:
            add(27, layer, random.floats(HEAD_DIM, 1.5, 0.5))
            add(28, layer, random.floats(HEAD_DIM, 1.5, 0.5))
        add_matrix(19, layer, DIM, q_dim, -10)
        if flags & POST_NORMS:
            add(29, layer, random.floats(DIM, 1, 0.5))
        add(21, layer, random.floats(DIM, 1, 0.5))
        add_matrix(22, layer, 2 * FFN_DIM, DIM, -9)
        add_matrix(24, layer, DIM, FFN_DIM, -10)
        if flags & POST_NORMS:
            add(30, layer, random.floats(DIM, 1, 0.5))

    start = 4 + 4 + 8 + 8 + 4
    header_size = (start + 64 + len(fields) + len(names) + 4
                   + 32 * len(sections) + 8)
    directory, body, at = b"", b"", header_size
    for kind, layer, content, alignment in sections:
        padding = -at % alignment
        body += bytes(padding) + content
        directory += struct.pack("<IIQQQ", kind, layer, at + padding,
                                 len(content), xxh3(content))
        at += padding + len(content)

    def file(fingerprint):
        header = (struct.pack("<4sIQQI", b"LLMM", 0, header_size, at, 1)
                  + fingerprint + bytes(32) + fields + names
                  + struct.pack("<I", len(sections)) + directory)
        return header + struct.pack("<Q", xxh3(header)) + body

    return file(Model(file(bytes(32))).compute_fingerprint())
