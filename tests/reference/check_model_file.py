#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a .llmm file by docs/MODEL_FILE.md alone and compares the fingerprint
that it states with the one that section 6 defines. Checks the document, not
the file: no checksums, few bounds.

    check_model_file.py FILE.llmm
"""
import hashlib
import struct
import sys

FIELDS = ("num_layers dim num_heads num_kv_heads head_dim ffn_dim num_tokens "
          "num_rows start_row context_length flags").split()


class Header:
    def __init__(self, data):
        self.data, self.pos = data, 0
        magic, version, self.size, file_size = self.take("4sIQQ")
        assert magic == b"LLMM" and version == 0 and file_size == len(data)
        self.take("I")
        self.fingerprint, _ = self.take("32s32s")
        begin = self.pos
        for name in FIELDS:
            setattr(self, name, self.take("I")[0])
        self.take("f")
        self.local_positions = 0
        if self.flags & 64:
            self.local_positions = self.take("4f9I")[4]
        self.config = data[begin:self.pos]
        self.name, self.license, self.pre_tokenizer = (
            self.take(f"{self.take('H')[0]}s")[0] for _ in range(3))
        self.sections = [self.take("IIQQQ") for _ in range(self.take("I")[0])]
        self.take("Q")
        assert self.pos == self.size

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.pos)
        self.pos += struct.calcsize("<" + form)
        return values


def rows(shape, values, scales):
    """The canonical rows of a matrix."""
    num_rows, cols = shape
    groups = cols // 64
    for r in range(num_rows):
        panel = r // 16 * 16
        for c in range(0, cols, 4):
            place = panel * cols + c // 4 * 64 + r % 16 * 4
            yield values[place:place + 4]
        for g in range(groups):
            place = (panel * groups + g * 16 + r % 16) * 4
            yield scales[place:place + 4]


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    h = Header(data)
    q_dim, kv_dim = h.num_heads * h.head_dim, h.num_kv_heads * h.head_dim
    shapes = {6: (h.num_rows, h.dim), 8: (h.num_tokens, h.dim),
              17: (q_dim + 2 * kv_dim, h.dim), 19: (h.dim, q_dim),
              22: (2 * h.ffn_dim, h.dim), 24: (h.dim, h.ffn_dim)}
    kinds = [1, 2, 3, 4] + ([10] if h.local_positions else []) + [5, 6, 7]
    kinds += [] if h.flags & 1 else [8, 9]
    biases = [26] if h.flags & 2 else []
    head_norms = [27, 28] if h.flags & 4 else []
    post_norms = [[29], [30]] if h.flags & 8 else [[], []]
    kinds += ([16, 17, 18] + biases + head_norms + [19, 20] + post_norms[0] +
              [21, 22, 23, 24, 25] + post_norms[1]) * h.num_layers
    assert [s[0] for s in h.sections] == kinds

    content = []
    end = h.size
    for _, _, offset, size, _ in h.sections:
        assert not data[end:offset].strip(b"\0")
        end = offset + size
        content.append(data[offset:end])
    assert end == len(data)

    digest = hashlib.sha256(b"llma model fingerprint 0\n" + h.config)
    offsets = struct.unpack(f"<{h.num_tokens + 1}I", content[0])
    for begin, end in zip(offsets, offsets[1:]):
        digest.update(struct.pack("<H", end - begin) + content[1][begin:end])
    digest.update(struct.pack("<I", len(content[2]) // 8) + content[2])
    digest.update(struct.pack("<H", len(h.pre_tokenizer)) + h.pre_tokenizer)
    digest.update(content[3])
    i = 4
    while i < len(kinds):
        if kinds[i] in shapes:
            digest.update(b"".join(rows(shapes[kinds[i]], content[i],
                                        content[i + 1])))
            i += 1  # the scales, too
        else:
            digest.update(content[i])
        i += 1
    if digest.digest() != h.fingerprint:
        sys.exit(f"fingerprint {digest.hexdigest()} instead of "
                 f"{h.fingerprint.hex()}")
    print("fingerprint", digest.hexdigest())


if __name__ == "__main__":
    main()
