#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/tiny.gguf: a Llama of two layers with weights from an
integer generator, for tests. It predicts nothing; its shapes, magnitudes and
tensor types are those of real models. Same bytes on every machine.

    make_tiny_model.py OUTPUT.gguf
    make_tiny_model.py --check FILE.gguf    is it what would be written?
"""
import re
import struct
import sys
from collections import Counter

LAYERS, DIM, HEADS, KV_HEADS, HEAD_DIM, FFN = 2, 128, 4, 2, 32, 192
NUM_MERGES = 250
# Bytes without a token: two control characters and what UTF-8 never uses.
MISSING_BYTES = [0x01, 0x7F, 0xC0, 0xC1, *range(0xF5, 0x100)]
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
SPECIAL_TOKENS = [("<|endoftext|>", CONTROL), ("<|im_start|>", CONTROL),
                  ("<|im_end|>", CONTROL), ("<tiny>", USER_DEFINED)]

# The merges are trained on this.
SAMPLE = """
The tide had turned before the first of the boats came in, and the people who
had been waiting on the stones since the morning went down to the water to see
what there was. It was not much. There were three boxes of small fish, one
basket with a net over it, and the old man's dog, which stood in the front and
looked at everyone as if it had caught all of this itself.

"Is that everything?" asked the woman from the harbour office. She had her
book open and was writing the number of each box and the time, as the rule
was. "You were out there for nine hours."

"Nothing was running," the old man said. "The wind was in the north, and then
there was no wind. We could hear the others talking across the water, and they
were saying the same thing that we were saying. Another day like this and I
shall be working in your office instead of you."

When an engine is started the pressure in the line must be checked before
anything else. If the reading is below the value that is given in the table,
the operation is stopped and the reason is written down. The same is done
when the temperature of the water in the outer ring rises more than expected.
A report with the date, the time, the name of the person and the action that
was taken should be sent within one working day.

    def count(words):
        total = {}
        for word in words:
            total[word] = total.get(word, 0) + 1
        return total

    for (int i = 0; i < n; ++i) {
      if (values[i] > limit) return false;
      result += values[i] * weights[i];
    }

In the second part of the book the author returns to the question with which
he began: how could a small town, with no river and no road to speak of, have
become the place where everyone in the region came to be heard? His answer is
that they came because there was nothing there. No one could say that the
ground belonged to another; and so, in time, it belonged to them all.
"""

# ASCII form of the GPT-2 split, after a split of single digits.
SPLIT = re.compile(r"[0-9]|'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+"
                   r"| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


def byte_chars():
    """GPT-2's printable character for each byte."""
    chars, extra = [], 256
    for byte in range(256):
        if 0x21 <= byte <= 0x7E or 0xA1 <= byte <= 0xAC or byte >= 0xAE:
            chars.append(chr(byte))
        else:
            chars.append(chr(extra))
            extra += 1
    return chars


def train_merges(text, num_merges):
    """Byte-pair encoding; of equally frequent pairs the smallest."""
    chars = byte_chars()
    words = Counter(tuple(chars[b] for b in w.encode())
                    for w in SPLIT.findall(text))
    merges = []
    while len(merges) < num_merges:
        pairs = Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        merged = Counter()
        for word, count in words.items():
            out = []
            for symbol in word:
                if out and (out[-1], symbol) == best:
                    out[-1] += symbol
                else:
                    out.append(symbol)
            merged[tuple(out)] += count
        words = merged
    return merges


class Generator:
    """SplitMix64, and normally distributed numbers made of its bits."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    def normal(self):
        total = 0
        for _ in range(3):  # twelve uniform numbers of variance 1/12
            z = self.bits()
            total += (z & 0xFFFF) + (z >> 16 & 0xFFFF)
            total += (z >> 32 & 0xFFFF) + (z >> 48)
        return (total - 6 * 65535) / 65536


def f16(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def round_to(x, low, high):
    return max(low, min(high, int(x + 1000.5) - 1000))


def pack_q8_0(block):
    d = f16(max(map(abs, block)) / 127)
    q = [round_to(x / d, -127, 127) if d else 0 for x in block]
    return struct.pack("<e32b", d, *q)


def pack_nibbles(q):
    return bytes(q[i] | q[i + 16] << 4 for i in range(16))


def pack_q4_0(block):
    d = f16(max(block, key=abs) / -8)
    q = [round_to(x / d, -8, 7) + 8 if d else 8 for x in block]
    return struct.pack("<e", d) + pack_nibbles(q)


def pack_q4_1(block):
    low = f16(min(block))
    d = f16((max(block) - low) / 15)
    q = [round_to((x - low) / d, 0, 15) if d else 0 for x in block]
    return struct.pack("<ee", d, low) + pack_nibbles(q)


def pack_bf16(x):
    return struct.pack("<f", x)[2:]


# name: (GGUF number, values a block, packer of a block)
TYPES = {
    "F32": (0, 1, lambda b: struct.pack("<f", b[0])),
    "F16": (1, 1, lambda b: struct.pack("<e", b[0])),
    "BF16": (30, 1, lambda b: pack_bf16(b[0])),
    "Q4_0": (2, 32, pack_q4_0),
    "Q4_1": (3, 32, pack_q4_1),
    "Q8_0": (8, 32, pack_q8_0),
}


def gguf_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_value(value):
    """Type number and bytes; a list holds strings or i32."""
    if isinstance(value, str):
        return struct.pack("<I", 8) + gguf_string(value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value[0], str):
        return (struct.pack("<IIQ", 9, 8, len(value)) +
                b"".join(map(gguf_string, value)))
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def make_vocabulary():
    chars = byte_chars()
    merges = train_merges(SAMPLE, NUM_MERGES)
    tokens = [text for text, _ in SPECIAL_TOKENS]
    types = [kind for _, kind in SPECIAL_TOKENS]
    tokens += [c for b, c in enumerate(chars) if b not in MISSING_BYTES]
    tokens += [left + right for left, right in merges]
    types += [NORMAL] * (len(tokens) - len(types))
    return tokens, types, merges


def make_tensors(vocab_size):
    """(name, shape as [rows, cols] or [cols], type, standard deviation)."""
    yield "token_embd.weight", (vocab_size, DIM), "Q8_0", 0.22
    types = [("Q4_1", "Q8_0", "F16", "Q4_0", "Q4_1", "Q4_0", "Q8_0"),
             ("Q4_0", "BF16", "Q8_0", "Q4_1", "Q4_0", "Q4_1", "F32")]
    q_dim, kv_dim = HEADS * HEAD_DIM, KV_HEADS * HEAD_DIM
    unit = 128 ** -0.5
    for layer in range(LAYERS):
        q, k, v, out, gate, up, down = types[layer]
        p = f"blk.{layer}."
        yield p + "attn_norm.weight", (DIM,), "F32", None
        yield p + "attn_q.weight", (q_dim, DIM), q, 1.5 * unit
        yield p + "attn_k.weight", (kv_dim, DIM), k, 1.5 * unit
        yield p + "attn_v.weight", (kv_dim, DIM), v, unit
        yield p + "attn_output.weight", (DIM, q_dim), out, unit
        yield p + "ffn_norm.weight", (DIM,), "F32", None
        yield p + "ffn_gate.weight", (FFN, DIM), gate, 1.5 * unit
        yield p + "ffn_up.weight", (FFN, DIM), up, unit
        yield p + "ffn_down.weight", (DIM, FFN), down, unit
    yield "output_norm.weight", (DIM,), "F32", None


def make_file():
    tokens, types, merges = make_vocabulary()
    metadata = {
        "general.architecture": "llama",
        "general.name": "Tiny test model",
        "general.license": "apache-2.0",
        "llama.block_count": LAYERS,
        "llama.context_length": 512,
        "llama.embedding_length": DIM,
        "llama.feed_forward_length": FFN,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.rope.freq_base": 10000.0,
        "llama.rope.dimension_count": HEAD_DIM,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": [f"{left} {right}" for left, right in merges],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    random = Generator(20)
    directory, data, count = b"", b"", 0
    for name, shape, kind, deviation in make_tensors(len(tokens)):
        number, block, pack = TYPES[kind]
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        if deviation is None:  # a norm
            values = [1 + 0.15 * random.normal() for _ in range(size)]
        else:
            values = [deviation * random.normal() for _ in range(size)]
        data += b"\0" * (-len(data) % 32)
        directory += gguf_string(name) + struct.pack("<I", len(shape))
        directory += struct.pack(f"<{len(shape)}Q", *reversed(shape))
        directory += struct.pack("<IQ", number, len(data))
        data += b"".join(pack(values[i:i + block])
                         for i in range(0, size, block))
        count += 1
    head = struct.pack("<4sIQQ", b"GGUF", 3, count, len(metadata))
    for key, value in metadata.items():
        head += gguf_string(key) + gguf_value(value)
    head += directory
    return head + b"\0" * (-len(head) % 32) + data


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        with open(sys.argv[2], "rb") as file:
            if file.read() != make_file():
                sys.exit(f"{sys.argv[2]} is not what this program writes")
    elif len(sys.argv) == 2:
        with open(sys.argv[1], "wb") as out:
            out.write(make_file())
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
