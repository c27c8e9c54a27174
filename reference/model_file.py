# SPDX-License-Identifier: Apache-2.0
"""docs/MODEL_FILE.md: what a model file holds."""

import hashlib

import numpy as np

from checksums import xxh3
from container import Reader
from errors import Damaged, Unsupported

WHOLE = 0xFFFFFFFF  # the layer of sections of the whole model
ROPE, LOCAL_ROPE = 4, 10
BIASES, QUERY_NORM, KEY_NORM, POST_ATTENTION, POST_FFN = 26, 27, 28, 29, 30


class Matrix:
    """Section 4."""

    def __init__(self, values, scales, num_rows, num_columns):
        panels = -(-num_rows // 16)
        groups = num_columns // 64
        values = np.frombuffer(values, np.int8).reshape(
            panels, num_columns // 4, 16, 4).transpose(0, 2, 1, 3)
        self.values = values.reshape(panels * 16, groups, 64)[:num_rows]
        scales = np.frombuffer(scales, "<f4").reshape(
            panels, groups, 16).transpose(0, 2, 1)
        self.scales = scales.reshape(panels * 16, groups)[:num_rows]
        # Integers, which products in this type keep exact.
        self.exact = self.values.astype(np.float64)

    def first_rows(self, count):
        part = Matrix.__new__(Matrix)
        part.values, part.scales = self.values[:count], self.scales[:count]
        part.exact = self.exact[:count]
        return part

    def hash_into(self, sha):
        for values, scales in zip(self.values, self.scales):
            sha.update(values.tobytes())
            sha.update(scales.tobytes())


class Layer:
    def __init__(self, model, i):
        def floats(kind):
            return model.floats(kind, i)

        def matrix(kind, num_rows, num_columns):
            return Matrix(model.section(kind, i), model.section(kind + 1, i),
                          num_rows, num_columns)

        num_query = model.num_heads * model.head_dim
        num_kv = model.num_kv_heads * model.head_dim
        self.attention_norm = floats(16)
        self.qkv = matrix(17, num_query + 2 * num_kv, model.dim)
        self.biases = floats(BIASES)
        self.query_norm, self.key_norm = floats(QUERY_NORM), floats(KEY_NORM)
        self.out = matrix(19, model.dim, num_query)
        self.post_attention = floats(POST_ATTENTION)
        self.ffn_norm = floats(21)
        self.gate_up = matrix(22, 2 * model.ffn_dim, model.dim)
        self.down = matrix(24, model.dim, model.ffn_dim)
        self.post_ffn = floats(POST_FFN)


class Model:
    def __init__(self, data):
        self.data = data
        reader = Reader(data)
        if reader.take(4) != b"LLMM":
            raise Damaged("no model")
        version = reader.number(4)
        if version != 0:
            raise Unsupported(f"version {version} of model files")
        header_size = reader.number(8)
        if reader.number(8) != len(data):
            raise Damaged("the size of a model")
        reader.number(4)
        self.fingerprint = reader.take(32)
        reader.take(32)
        self._read_fields(reader)
        self._read_directory(reader)
        if reader.at != header_size - 8:
            reader.take(32 + 2)  # the adapter
            reader.take(header_size - 8 - reader.at)
        if reader.number(8) != xxh3(data[:header_size - 8]):
            raise Damaged("the checksum of a model's header")
        self._read_tokens()
        self.rope = self._steps(ROPE)
        self.local_rope = self._steps(LOCAL_ROPE)
        self.output_norm = self.floats(5, WHOLE)
        self.embedding = Matrix(self.section(6, WHOLE), self.section(7, WHOLE),
                                self.num_rows, self.dim)
        if self.flags & 1:
            self.head = self.embedding.first_rows(self.num_tokens)
        else:
            self.head = Matrix(self.section(8, WHOLE), self.section(9, WHOLE),
                               self.num_tokens, self.dim)
        self.layers = [Layer(self, i) for i in range(self.num_layers)]

    def _read_fields(self, reader):
        """Section 2."""
        begin = reader.at
        (self.num_layers, self.dim, self.num_heads, self.num_kv_heads,
         self.head_dim, self.ffn_dim, self.num_tokens, self.num_rows,
         self.start_row, self.context_length,
         self.flags) = (reader.number(4) for _ in range(11))
        self.norm_eps = np.frombuffer(reader.take(4), "<f4")[0]
        self.is_gelu = bool(self.flags & 16)
        self.has_wide_keys = bool(self.flags & 32)
        scales = (1.0, 0.0, 0.0, 0.0)
        self.local_positions, local = 0, 0
        if self.flags & 64:
            scales = np.frombuffer(reader.take(16), "<f4")
            self.local_positions = reader.number(4)
            local = reader.number(32)
        (self.embedding_scale, self.score_divisor, self.score_cap,
         self.logit_cap) = (np.float32(x) for x in scales)
        self.is_local = [bool(local >> i & 1) for i in range(self.num_layers)]
        num_shares = self.num_layers * self.num_kv_heads
        self.shares = (list(reader.take(num_shares)) if self.flags & 128
                       else [16] * num_shares)
        self.fields = self.data[begin:reader.at]
        self.name, self.license, self.pre_tokenizer = (
            reader.take(reader.number(2)) for _ in range(3))

    def _read_directory(self, reader):
        """Section 3."""
        self.sections = {}
        for _ in range(reader.number(4)):
            kind, layer = reader.number(4), reader.number(4)
            begin, size = reader.number(8), reader.number(8)
            content = self.data[begin:begin + size]
            if len(content) != size or xxh3(content) != reader.number(8):
                raise Damaged(f"section {kind} of a model")
            self.sections[kind, layer] = content

    def section(self, kind, layer):
        if (kind, layer) not in self.sections:
            raise Damaged(f"a model without section {kind}")
        return self.sections[kind, layer]

    def floats(self, kind, layer):
        content = self.sections.get((kind, layer))
        return None if content is None else np.frombuffer(content, "<f4")

    def _steps(self, kind):
        content = self.sections.get((kind, WHOLE), b"")
        return [int(step) for step in np.frombuffer(content, "<u8")]

    def _read_tokens(self):
        """Section 5."""
        offsets = np.frombuffer(self.section(1, WHOLE), "<u4").tolist()
        spelled = self.section(2, WHOLE)
        self.tokens = [spelled[a:b] for a, b in zip(offsets, offsets[1:])]
        if (len(self.tokens) != self.num_tokens or
                any(a >= b for a, b in zip(self.tokens, self.tokens[1:]))):
            raise Damaged("the tokens of a model")

    def compute_fingerprint(self):
        """Section 6."""
        sha = hashlib.sha256(b"llma model fingerprint 0\n" + self.fields)
        for token in self.tokens:
            sha.update(len(token).to_bytes(2, "little") + token)
        merges = self.section(3, WHOLE)
        sha.update((len(merges) // 8).to_bytes(4, "little") + merges)
        sha.update(len(self.pre_tokenizer).to_bytes(2, "little") +
                   self.pre_tokenizer)
        for kind in ROPE, LOCAL_ROPE, 5:
            sha.update(self.sections.get((kind, WHOLE), b""))
        self.embedding.hash_into(sha)
        if not self.flags & 1:
            self.head.hash_into(sha)
        for i, layer in enumerate(self.layers):
            for part in (16, layer.qkv, BIASES, QUERY_NORM, KEY_NORM,
                         layer.out, POST_ATTENTION, 21, layer.gate_up,
                         layer.down, POST_FFN):
                if isinstance(part, Matrix):
                    part.hash_into(sha)
                else:
                    sha.update(self.sections.get((part, i), b""))
        return sha.digest()
