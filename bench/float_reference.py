#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Float32 reference: what a GGUF model pays for a text, with numpy.

    pip install numpy gguf tokenizers sentencepiece
    float_reference.py MODEL.gguf TEXT [--chunks N] [--chunk-tokens 2048]
                       [--start ID] [--bits OUT] [--ids OUT] [--all-rows]

The text's tokens are cut into chunks. Every chunk is read afresh: the start
token, then up to --chunk-tokens tokens of the text, each charged -log2 of the
probability that the model gave it. Weights are dequantised to float32 and
nothing is quantised again: the result is what int8 inference is measured
against.

Architectures: llama, qwen2, qwen3, granite, gemma3. Probabilities are normalised over the
tokens that spell bytes, as the compressor does; --all-rows includes control
tokens. --bits writes one float32
a token, --ids one int32 a token, both in text order.

Other studies in this folder import `Model` and override single steps of its
forward pass.
"""

import argparse
import functools
import pathlib
import sys

import numpy as np
from gguf import GGUFReader, dequantize
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

sys.path.append(str(pathlib.Path(__file__).parents[1] / "tests/tokenizer"))
import sentencepiece_model  # noqa: E402

ROWS = 256  # query rows handled at once: bounds the memory for scores, logits
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
NORMAL_TOKEN = 1  # GGUF token type of ordinary, spellable tokens
# The same of SentencePiece's: user-defined ones and bytes are spelled, too.
CHARACTER_TOKENS = (1, 4, 6)
LOCAL_THETA = 10000.0  # of Gemma 3's local layers
GLOBAL_LAYER_PERIOD = 6  # every sixth layer of Gemma 3 is not local


@functools.cache
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


class Model:
    """A GGUF model with float32 weights and its tokenizer.

    Shapes: n positions, D hidden size, H query heads, G key/value heads,
    d head size, V vocabulary.
    """

    def __init__(self, path):
        reader = GGUFReader(path)

        def meta(key, otherwise=None):
            field = reader.fields.get(key)
            return otherwise if field is None else field.contents()

        arch = meta("general.architecture")
        if arch not in ("llama", "qwen2", "qwen3", "granite", "gemma3"):
            raise SystemExit(f"{path}: {arch} cannot be read")
        self.adjacent_pairs = arch in ("llama", "granite")
        self.is_gemma = arch == "gemma3"
        self.layers = meta(f"{arch}.block_count")
        self.dim = meta(f"{arch}.embedding_length")
        self.heads = meta(f"{arch}.attention.head_count")
        self.kv_heads = meta(f"{arch}.attention.head_count_kv")
        self.head_dim = meta(
            f"{arch}.attention.key_length", self.dim // self.heads
        )
        self.theta = float(meta(f"{arch}.rope.freq_base"))
        self.eps = np.float32(meta(f"{arch}.attention.layer_norm_rms_epsilon"))
        # Of Granite; 0 is none.
        self.embedding_scale = np.float32(meta(f"{arch}.embedding_scale", 0) or 1)
        self.residual_scale = np.float32(meta(f"{arch}.residual_scale", 0) or 1)
        self.logit_divisor = np.float32(meta(f"{arch}.logit_scale", 0) or 1)
        self.score_scale = np.float32(
            meta(f"{arch}.attention.scale", 0) or 1 / np.sqrt(self.head_dim)
        )
        self.local_positions = meta(f"{arch}.attention.sliding_window", 0)
        self.bos = meta("tokenizer.ggml.bos_token_id")
        self.tokens = meta("tokenizer.ggml.tokens")
        self.types = np.array(meta("tokenizer.ggml.token_type"))
        self.weights = {
            t.name: dequantize(t.data, t.tensor_type)
            .astype(np.float32)
            .reshape([int(n) for n in t.shape[::-1]])
            for t in reader.tensors
        }
        self.has_characters = meta("tokenizer.ggml.model") == "llama"
        if self.has_characters:
            self.normal = np.isin(self.types, CHARACTER_TOKENS)
            self.sentence_piece = sentencepiece_model.make_tokenizer(
                self.tokens, meta("tokenizer.ggml.scores"), self.types.tolist()
            )
            return
        self.normal = self.types == NORMAL_TOKEN
        merges = meta("tokenizer.ggml.merges")
        self.tokenizer = Tokenizer(
            models.BPE(
                vocab={token: i for i, token in enumerate(self.tokens)},
                merges=[tuple(merge.split(" ", 1)) for merge in merges],
            )
        )
        if arch in ("qwen2", "qwen3"):
            split = pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated")
        else:
            split = pre_tokenizers.Digits(individual_digits=True)
        self.tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                split,
                pre_tokenizers.ByteLevel(
                    add_prefix_space=False, use_regex=self.adjacent_pairs
                ),
            ]
        )

    # -- text ----------------------------------------------------------------

    def encode(self, path):
        """Token ids of a UTF-8 file, int64[n], which spell it exactly."""
        with open(path, "rb") as file:
            data = file.read()
        ids = np.array(self.encode_text(data.decode("utf-8")))
        if b"".join(self.spelling(i) for i in ids) != data:
            raise SystemExit(f"{path}: tokens do not spell the text")
        return ids

    def encode_text(self, text):
        """Token ids of a text."""
        if self.has_characters:
            return self.sentence_piece.encode(text)
        return self.tokenizer.encode(text).ids

    def spelling(self, token):
        """The bytes of one normal token."""
        if self.has_characters:
            return sentencepiece_model.spelling(
                self.tokens[token], self.types[token]
            )
        symbols = byte_of_symbol()
        return bytes(symbols[c] for c in self.tokens[token])

    def num_bytes(self, ids):
        """Number of bytes that token ids spell."""
        return sum(len(self.spelling(i)) for i in ids)

    # -- forward pass: steps that studies override ---------------------------

    def embed(self, ids):
        """Embedding rows: int[n] -> float32[n, D]."""
        rows = self.weights["token_embd.weight"][ids]
        if self.is_gemma:
            return rows * np.sqrt(np.float32(self.dim))
        return rows * self.embedding_scale

    def linear(self, name, x):
        """Linear layer: float32[n, columns] -> float32[n, rows]."""
        y = x @ self.weights[name + ".weight"].T
        return y + self.weights.get(name + ".bias", np.float32(0))

    def head_name(self):
        """The output matrix, which may be the embedding table."""
        return "output" if "output.weight" in self.weights else "token_embd"

    def norm(self, name, x):
        """RMS norm over the last axis with a learnt weight, if there is one."""
        if name not in self.weights:
            return x
        mean_square = (x * x).mean(-1, keepdims=True)
        return x / np.sqrt(mean_square + self.eps) * self.weights[name]

    def rope(self, x, positions, is_local=False):
        """Rotates pairs of x [n, heads, d] by positions [n].

        Pairs are (2i, 2i + 1) in llama, (i, i + d / 2) elsewhere.
        """
        pair = np.arange(self.head_dim // 2)
        theta = LOCAL_THETA if is_local else self.theta
        frequency = theta ** (-2.0 * pair / self.head_dim)
        angle = np.asarray(positions)[:, None, None] * frequency
        c = np.cos(angle).astype(np.float32)
        s = np.sin(angle).astype(np.float32)
        half = self.head_dim // 2
        first, second = slice(0, half), slice(half, None)
        if self.adjacent_pairs:
            first, second = slice(0, None, 2), slice(1, None, 2)
        a, b = x[..., first], x[..., second]
        out = np.empty_like(x)
        out[..., first] = a * c - b * s
        out[..., second] = a * s + b * c
        return out

    def is_local(self, layer):
        """Whether a layer sees the last positions only."""
        return self.is_gemma and (layer + 1) % GLOBAL_LAYER_PERIOD != 0

    def attention(self, q, k, v, is_local=False):
        """Causal attention.

        Unrotated q [n, H, d], k and v [n, G, d] -> [n, H, d].
        """
        n, repeat = len(q), self.heads // self.kv_heads
        at = np.arange(n)
        q, k = self.rope(q, at, is_local), self.rope(k, at, is_local)
        out = np.empty_like(q)
        for begin in range(0, n, ROWS):
            end = min(begin + ROWS, n)
            distance = np.repeat(at[begin:end], repeat)[:, None] - at[:end]
            hidden = distance < 0
            if is_local:
                hidden |= distance >= self.local_positions
            for g in range(self.kv_heads):
                heads = slice(g * repeat, (g + 1) * repeat)
                rows = q[begin:end, heads].reshape(-1, self.head_dim)
                mixed = self.mix(rows, k[:end, g], v[:end, g], hidden)
                out[begin:end, heads] = mixed.reshape(-1, repeat, self.head_dim)
        return out

    def mix(self, q, k, v, hidden):
        """Softmax attention of queries [m, d] over keys and values [n, d].

        hidden [m, n] masks keys. -> [m, d]
        """
        return self.mix_scores(q @ k.T, v, hidden)

    def mix_scores(self, scores, v, hidden):
        """The same from raw scores [m, n], which are overwritten."""
        p = np.exp2(self.scale_scores(scores, hidden), out=scores)
        return (p @ v) / p.sum(-1, keepdims=True)

    def scale_scores(self, scores, hidden):
        """Raw scores to powers of two below the row's largest, in place."""
        scores *= np.float32(np.log2(np.e)) * self.score_scale
        scores[hidden] = -np.inf
        scores -= scores.max(-1, keepdims=True)
        return scores

    def gate(self, x):
        """SiLU, or the tanh form of GELU, which is x * sigmoid(2 z)."""
        if not self.is_gemma:
            return x / (1 + np.exp(-x))
        z = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3)
        return x / (1 + np.exp(np.minimum(-2 * z, 80)))

    def hidden_states(self, ids):
        """Normalised output of the last layer: int[n] -> float32[n, D]."""
        n = len(ids)
        x = self.embed(ids).copy()
        for layer in range(self.layers):
            block = f"blk.{layer}."
            h = self.norm(block + "attn_norm.weight", x)
            q = self.linear(block + "attn_q", h).reshape(n, self.heads, -1)
            k = self.linear(block + "attn_k", h).reshape(n, self.kv_heads, -1)
            v = self.linear(block + "attn_v", h).reshape(n, self.kv_heads, -1)
            q = self.norm(block + "attn_q_norm.weight", q)
            k = self.norm(block + "attn_k_norm.weight", k)
            # Studies override attention() of models without local layers.
            local = [True] if self.is_local(layer) else []
            mixed = self.attention(q, k, v, *local).reshape(n, -1)
            x += self.residual_scale * self.norm(
                block + "post_attention_norm.weight",
                self.linear(block + "attn_output", mixed),
            )
            h = self.norm(block + "ffn_norm.weight", x)
            gate = self.gate(self.linear(block + "ffn_gate", h))
            gate *= self.linear(block + "ffn_up", h)
            x += self.residual_scale * self.norm(
                block + "post_ffw_norm.weight",
                self.linear(block + "ffn_down", gate),
            )
        return self.norm("output_norm.weight", x)

    # -- bits ----------------------------------------------------------------

    def predicting_states(self, context, ids):
        """States that predict ids [n] after context ids: float32[n, D].

        The context has at least one token.
        """
        sequence = np.concatenate([context, ids]).astype(np.int64)
        return self.hidden_states(sequence[:-1])[len(context) - 1 :]

    def logits(self, states, all_rows=False):
        """Logits of states [m, D]: float32[m, V].

        Minus infinity for control tokens unless all_rows.
        """
        logits = self.linear(self.head_name(), states) / self.logit_divisor
        if not all_rows:
            logits[:, ~self.normal] = -np.inf
        return logits

    def bits(self, context, ids, all_rows=False):
        """Bits of every token of ids [n] after context ids: float64[n]."""
        states = self.predicting_states(context, ids)
        out = np.empty(len(ids))
        for begin in range(0, len(ids), ROWS):
            rows = slice(begin, min(begin + ROWS, len(ids)))
            logits = self.logits(states[rows], all_rows)
            logits -= logits.max(-1, keepdims=True)
            chosen = logits[np.arange(len(logits)), ids[rows]]
            total = np.exp(logits, out=logits).sum(-1, dtype=np.float64)
            out[rows] = np.log2(total) - chosen * np.log2(np.e)
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="GGUF file")
    parser.add_argument("text", help="UTF-8 text")
    parser.add_argument("--chunks", type=int, help="default: the whole text")
    parser.add_argument("--chunk-tokens", type=int, default=2048)
    parser.add_argument("--start", type=int, help="default: the model's bos")
    parser.add_argument(
        "--all-rows", action="store_true", help="count control tokens too"
    )
    parser.add_argument("--bits", help="write float32 bits of every token")
    parser.add_argument("--ids", help="write int32 token ids")
    args = parser.parse_args()

    model = Model(args.model)
    start = model.bos if args.start is None else args.start
    ids = model.encode(args.text)
    if args.chunks:
        ids = ids[: args.chunks * args.chunk_tokens]
    print(f"start token {start} {model.tokens[start]!r}")
    print("chunk  tokens   bytes         bits  bits/token  bits/byte")

    def report(label, chunk, bits):
        size = model.num_bytes(chunk)
        print(
            f"{label:>5} {len(chunk):7} {size:7} {bits.sum():12.3f} "
            f"{bits.mean():11.5f} {bits.sum() / size:10.5f}",
            flush=True,
        )

    collected = []
    for begin in range(0, len(ids), args.chunk_tokens):
        chunk = ids[begin : begin + args.chunk_tokens]
        collected.append(model.bits([start], chunk, args.all_rows))
        report(len(collected) - 1, chunk, collected[-1])
    bits = np.concatenate(collected)
    report("total", ids, bits)
    if args.bits:
        bits.astype(np.float32).tofile(args.bits)
    if args.ids:
        ids.astype(np.int32).tofile(args.ids)


if __name__ == "__main__":
    main()
