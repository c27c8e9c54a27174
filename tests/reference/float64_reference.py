#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Float64 logits of a small llama GGUF, for the test that bounds the engine's
error. Needs numpy and gguf; shares no code with the engine or the importer.

    float64_reference.py tests/data/tiny.gguf tests/data/tiny_logits.bin

(--text TEXT and --window W make other data.)

The start token, then the tokens of the text (longest match: any spelling will
do) are fed, and the logits after some positions are written. Three cases:

0. weights as the engine has them (int8, a float32 scale per 64 columns), all
   else float64, every position visible;
1. the same with a rolling window of W positions and 4 attention sinks;
2. weights as the GGUF has them, every position visible.

So case 0 differs from the engine by the quantisation of activations, queries,
keys, values and attention weights alone, and case 2 by everything.

Rows are the engine's: tokens of type 1 sorted by the bytes they spell, of
several with the same bytes the lowest id; then the start token and
<|endoftext|> by id, if they are not among them. RoPE pairs of a GGUF stand in
rows 2i and 2i + 1 of a head.

OUTPUT, little-endian, no padding:

    char[8]  "LLMAREF1"
    u32      num_rows_fed n, num_tokens V, num_cases
    u32[n]   rows fed, the start token first
    num_cases times:
      u32      weights: 0 as in the GGUF, 1 int8 with a scale per 64 columns
      u32      window: 0 everything, else positions that a query sees
      u32      num_sinks, 0 if window is 0
      u32      num_positions p
      u32[p]   positions: logits follow the row fed at each of them
      f64[p, V] logits of the spellable tokens
"""

import argparse
import struct

import numpy as np
from gguf import GGUFReader, dequantize

GROUP = 64
NUM_SINKS = 4
NORMAL_TOKEN = 1
TEXT = (
    "The people who had been waiting on the stones went down to the "
    'water; 27 of them said: "Nothing".\n    for (int i = 0; i < n; ++i)'
)


def byte_of_symbol():
    """The byte that each character of a byte-level vocabulary stands for."""
    table, extra = {}, 256
    for byte in range(256):
        if 0x21 <= byte <= 0x7E or 0xA1 <= byte <= 0xAC or byte >= 0xAE:
            table[chr(byte)] = byte
        else:
            table[chr(extra)] = byte
            extra += 1
    return table


def make_rows(tokens, types, start_id):
    """Vocabulary -> (spellings of the spellable rows, id of every row)."""
    symbols = byte_of_symbol()
    id_of_spelling = {}
    for token_id, (token, kind) in enumerate(zip(tokens, types, strict=True)):
        if kind == NORMAL_TOKEN and all(c in symbols for c in token):
            spelling = bytes(symbols[c] for c in token)
            id_of_spelling.setdefault(spelling, token_id)
    spellings = sorted(id_of_spelling)
    ids = [id_of_spelling[spelling] for spelling in spellings]
    fed_only = {start_id}
    if "<|endoftext|>" in tokens:
        fed_only.add(tokens.index("<|endoftext|>"))
    return spellings, ids + sorted(fed_only - set(ids))


def cut_into_rows(text, spellings):
    """Rows that spell the text, always the longest that fits."""
    row_of_spelling = {spelling: row for row, spelling in enumerate(spellings)}
    rows, begin = [], 0
    while begin < len(text):
        end = len(text)
        while text[begin:end] not in row_of_spelling:
            end -= 1
        rows.append(row_of_spelling[text[begin:end]])
        begin = end
    return rows


def quantise_weights(w):
    """The importer's law in float32, scaled back in float64.

    float32[rows, cols] -> float64[rows, cols]
    """
    groups = w.reshape(len(w), -1, GROUP)
    scale = np.abs(groups).max(-1, keepdims=True) / np.float32(127)
    safe = np.where(scale == 0, np.float32(1), scale)
    integers = np.clip(np.rint(groups / safe), -127, 127)
    return (integers.astype(np.float64) * scale).reshape(w.shape)


class Reference:
    """Shapes: n positions, D width, H query heads, G KV heads, d head size."""

    def __init__(self, path):
        reader = GGUFReader(path)

        def meta(key):
            return reader.fields[key].contents()

        self.layers = meta("llama.block_count")
        self.dim = meta("llama.embedding_length")
        self.heads = meta("llama.attention.head_count")
        self.kv_heads = meta("llama.attention.head_count_kv")
        self.head_dim = self.dim // self.heads
        self.theta = meta("llama.rope.freq_base")
        self.eps = meta("llama.attention.layer_norm_rms_epsilon")
        # The importer starts streams with a new line where it is a token.
        tokens = meta("tokenizer.ggml.tokens")
        self.start_id = (
            tokens.index("\u010a")
            if "\u010a" in tokens
            else meta("tokenizer.ggml.bos_token_id")
        )
        self.spellings, self.row_ids = make_rows(
            meta("tokenizer.ggml.tokens"),
            meta("tokenizer.ggml.token_type"),
            self.start_id,
        )
        original = {
            t.name: dequantize(t.data, t.tensor_type)
            .astype(np.float32)
            .reshape([int(n) for n in t.shape[::-1]])
            for t in reader.tensors
        }
        self.weights = {
            0: {name: w.astype(np.float64) for name, w in original.items()},
            1: {
                name: quantise_weights(w) if w.ndim == 2 else w.astype(float)
                for name, w in original.items()
            },
        }

    def norm(self, x, weight):
        """RMS norm of x [n, D]."""
        mean_square = (x * x).mean(-1, keepdims=True)
        return x / np.sqrt(mean_square + self.eps) * weight

    def rope(self, x, positions):
        """Rotates pairs (2i, 2i + 1) of x [n, heads, d] by position."""
        pair = np.arange(self.head_dim // 2)
        frequency = self.theta ** (-2.0 * pair / self.head_dim)
        angle = positions[:, None, None] * frequency
        turn = np.cos(angle) + 1j * np.sin(angle)
        rotated = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
        return np.stack([rotated.real, rotated.imag], -1).reshape(x.shape)

    def attention(self, q, k, v, window):
        """Unrotated q [n, H, d], k and v [n, G, d] -> [n, H * d].

        window 0: every position up to the query's own. Otherwise the last
        `window` positions and the sinks, which are scored by the query as it
        would stand at position NUM_SINKS + window - 1, if it is further.
        """
        n = len(q)
        at = np.arange(n)
        distance = at[:, None] - at[None, :]
        is_sink = np.zeros((1, n), bool)
        visible = distance >= 0
        sink_q = q
        if window:
            is_sink[:, :NUM_SINKS] = True
            visible &= is_sink | (distance < window)
            sink_q = self.rope(q, np.minimum(at, NUM_SINKS + window - 1))
        q, k = self.rope(q, at), self.rope(k, at)
        out = np.empty_like(q)
        for head in range(self.heads):
            g = head * self.kv_heads // self.heads
            scores = np.where(
                is_sink, sink_q[:, head] @ k[:, g].T, q[:, head] @ k[:, g].T
            )
            scores = np.where(visible, scores / np.sqrt(self.head_dim), -np.inf)
            p = np.exp(scores - scores.max(-1, keepdims=True))
            out[:, head] = p @ v[:, g] / p.sum(-1, keepdims=True)
        return out.reshape(n, -1)

    def logits(self, rows, weights, window):
        """Rows fed [n] -> logits of all spellable rows, float64[n, V]."""
        w = self.weights[weights]
        n = len(rows)
        x = w["token_embd.weight"][[self.row_ids[row] for row in rows]]
        for layer in range(self.layers):
            block = f"blk.{layer}."

            def linear(name, y, block=block):
                return y @ w[f"{block}{name}.weight"].T

            h = self.norm(x, w[block + "attn_norm.weight"])
            q = linear("attn_q", h).reshape(n, self.heads, -1)
            k = linear("attn_k", h).reshape(n, self.kv_heads, -1)
            v = linear("attn_v", h).reshape(n, self.kv_heads, -1)
            x = x + linear("attn_output", self.attention(q, k, v, window))
            h = self.norm(x, w[block + "ffn_norm.weight"])
            gate = linear("ffn_gate", h)
            gated = gate / (1 + np.exp(-gate)) * linear("ffn_up", h)
            x = x + linear("ffn_down", gated)
        head = w.get("output.weight", w["token_embd.weight"])
        head = head[self.row_ids[: len(self.spellings)]]
        return self.norm(x, w["output_norm.weight"]) @ head.T


def u32(*values):
    return struct.pack(f"<{len(values)}I", *values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("output")
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--window", type=int, default=16)
    args = parser.parse_args()

    reference = Reference(args.model)
    rows = [reference.row_ids.index(reference.start_id)]
    rows += cut_into_rows(args.text.encode(), reference.spellings)
    # The beginning, around the moment when the window is full, the end.
    full = NUM_SINKS + args.window
    positions = [0, 1, 5, full - 1, full, full + 1, len(rows) - 2]
    positions.append(len(rows) - 1)
    cases = [(1, 0), (1, args.window), (0, 0)]
    out = b"LLMAREF1"
    out += u32(len(rows), len(reference.spellings), len(cases), *rows)
    everything = []
    for weights, window in cases:
        logits = reference.logits(rows, weights, window)
        everything.append(logits)
        sinks = NUM_SINKS if window else 0
        out += u32(weights, window, sinks, len(positions), *positions)
        out += logits[positions].astype("<f8").tobytes()
    with open(args.output, "wb") as file:
        file.write(out)

    def rms(values):
        return np.sqrt((values * values).mean())

    print(f"{len(rows)} rows fed, {len(reference.spellings)} tokens")
    print(f"standard deviation of logits {everything[0].std():.4f}")
    for name, other in (("window", 1), ("int8 weights", 2)):
        difference = everything[other] - everything[0]
        print(
            f"effect of {name}: rms {rms(difference):.5f}, "
            f"largest {np.abs(difference).max():.5f}"
        )


if __name__ == "__main__":
    main()
