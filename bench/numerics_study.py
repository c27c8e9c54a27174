#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What int8 inference costs: a simulated quantised forward pass in numpy.

    numerics_study.py MODEL.gguf TEXT... [--tokens 4096] [--chunk-tokens 2048]
                      [--start ID] [--only NAME...] [--list]

Quantised values are simulated in float32: a value becomes integer * scale,
which equals what an integer kernel yields up to float32 rounding. A `Law` says
how each kind of value is quantised. Its default, law A, is the project's:

- linear layers: weights int8 in groups of 64 columns of a row, inputs int8 in
  groups of 64, scale max|.| / 127, round half to even; embedding rows and the
  tied output matrix come from the same table;
- queries and keys (after RoPE) and values: int8, a scale a position and head;
- attention: p = 2^(score * log2(e) - maximum); the denominator sums
  round(p * 2^16); the values are mixed with round(p * sV * 16383 / max(p *
  sV)), where sV is the scale of the position's value;
- final softmax exact.

A variant changes one thing in law A, or applies one part of law A alone to
float32. Two losses are printed, both in % of the float32 model's bits: the
real one, with its standard error (from the paired differences of tokens), and
the divergence KL(float32 || variant) over the vocabulary, which is what the
variant is expected to lose if the float32 model is right about the text. The
divergence has far less noise: compare variants by it.
"""

import argparse
import dataclasses
import sys
import time

import numpy as np

from float_reference import ROWS, Model

ROW = 0  # group size that stands for a whole row
QKV = ("attn_q", "attn_k", "attn_v")


@dataclasses.dataclass(frozen=True)
class Law:
    """How each kind of value is quantised; None leaves it in float32.

    Kinds of scales: "float"; "pow2", the smallest power of two that does not
    clip; "row8", 8 bits of the row's largest scale.
    """

    weight_group: int | None = 64
    weight_scale: str = "float"
    act_group: int | None = 64
    act_scale: str = "float"
    act_kind: str = "symmetric"  # "zero point": 8 bits above the minimum
    act_layers: tuple = ()  # layers whose inputs are quantised; (): all
    fine_layers: tuple = ()  # layers whose inputs have groups of 32
    q_bits: int | None = 8
    k_bits: int | None = 8
    v_bits: int | None = 8
    head_scale: str = "float"  # of q, k and v
    mix_bits: int | None = 14  # attention weights, relative to the largest
    sum_bits: int | None = 16  # fractional bits of the denominator's terms
    rounded_p: bool = False  # mix with the p rounded for the denominator
    softmax_bits: int | None = None  # final weights, relative to the largest


A = Law()
FLOAT = Law(
    weight_group=None,
    act_group=None,
    q_bits=None,
    k_bits=None,
    v_bits=None,
    mix_bits=None,
    sum_bits=None,
)


def variants():
    """Name -> law, the most important first."""

    def law(**changes):
        return dataclasses.replace(A, **changes)

    def part(**changes):
        return dataclasses.replace(FLOAT, **changes)

    def inputs_of(*layers):
        return part(act_group=64, act_layers=layers)

    pow2_act, pow2_weights = {"act_scale": "pow2"}, {"weight_scale": "pow2"}
    pow2_linear = pow2_act | pow2_weights
    per_32 = {"act_group": 32, "weight_group": 32}
    attention = {
        "q_bits": 8,
        "k_bits": 8,
        "v_bits": 8,
        "mix_bits": 14,
        "sum_bits": 16,
    }
    return {
        "float32": FLOAT,
        "law A": A,
        "activations per 32": law(act_group=32),
        "weights per 32": law(weight_group=32),
        "both per 32": law(**per_32),
        "2^n scales: activations": law(**pow2_act),
        "2^n scales: weights": law(**pow2_weights),
        "2^n scales: activations and weights": law(**pow2_linear),
        "2^n scales: both, per 32": law(**pow2_linear, **per_32),
        "mixing weights 8 bits": law(mix_bits=8),
        "mixing weights 12 bits": law(mix_bits=12),
        "mixing weights 15 bits": law(mix_bits=15),
        "mixing weights 16 bits": law(mix_bits=16),
        "only weights": part(weight_group=64),
        "only activations": part(act_group=64),
        "only attention": part(**attention),
        "only Q": part(q_bits=8),
        "only K": part(k_bits=8),
        "only V": part(v_bits=8),
        "only inputs of q, k, v": inputs_of(*QKV),
        "only inputs of attn_output": inputs_of("attn_output"),
        "only inputs of gate, up": inputs_of("ffn_gate", "ffn_up"),
        "only inputs of ffn_down": inputs_of("ffn_down"),
        "only inputs of the head": inputs_of("token_embd", "output"),
        "ffn_down inputs per 32": law(fine_layers=("ffn_down",)),
        "ffn_down, attn_output inputs per 32": law(
            fine_layers=("ffn_down", "attn_output")
        ),
        "activations per 16": law(act_group=16),
        "activations per 128": law(act_group=128),
        "activations per row": law(act_group=ROW),
        "activations with zero point": law(act_kind="zero point"),
        "weights per 128": law(weight_group=128),
        "weights per row": law(weight_group=ROW),
        "weight scales: 8 bits of the row's": law(weight_scale="row8"),
        "Q 12 bits": law(q_bits=12),
        "Q 16 bits": law(q_bits=16),
        "K 12 bits": law(k_bits=12),
        "Q and K 12 bits": law(q_bits=12, k_bits=12),
        "V 16 bits": law(v_bits=16),
        "2^n scales: Q, K, V": law(head_scale="pow2"),
        "2^n scales: everything": law(head_scale="pow2", **pow2_linear),
        "denominator 12 bits": law(sum_bits=12),
        "denominator 24 bits": law(sum_bits=24),
        "mixing weights from rounded p": law(rounded_p=True),
        "final softmax 16 bits": law(softmax_bits=16),
        "final softmax 24 bits": law(softmax_bits=24),
        "final softmax 30 bits": law(softmax_bits=30),
    }


def quantise(x, group, levels=127, scale_kind="float", kind="symmetric"):
    """Quantises the last axis in groups, the last one padded with zeros.

    float32[..., c] -> integers float32[..., groups, size] and
    scales float32[..., groups, 1]. Integers contain a zero point.
    """
    size = x.shape[-1] if group == ROW else group
    padding = -x.shape[-1] % size
    if padding:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, padding)])
    x = x.reshape(*x.shape[:-1], -1, size)
    low, high = x.min(-1, keepdims=True), x.max(-1, keepdims=True)
    if kind == "zero point":
        low, high = np.minimum(low, 0), np.maximum(high, 0)
        scale = (high - low) / np.float32(2 * levels)
        scale[scale == 0] = 1
        zero = np.rint(low / scale)
        return np.clip(np.rint(x / scale), zero, zero + 2 * levels), scale
    scale = np.maximum(high, -low) / np.float32(levels)
    scale[scale == 0] = 1
    if scale_kind == "pow2":
        scale = np.exp2(np.ceil(np.log2(scale)))
    elif scale_kind == "row8":
        unit = scale.max(-2, keepdims=True) / np.float32(255)
        scale = np.ceil(scale / unit * np.float32(0.999999)) * unit
    return np.clip(np.rint(x / scale), -levels, levels), scale


def fake_quantise(x, group, **how):
    """Quantises and scales back: float32[..., c] -> float32[..., c]."""
    integers, scale = quantise(x, group, **how)
    integers *= scale
    return integers.reshape(*x.shape[:-1], -1)[..., : x.shape[-1]]


class SimulatedModel(Model):
    """A model whose forward pass follows a law, set by `follow`."""

    def __init__(self, path):
        super().__init__(path)
        self.law = FLOAT
        self.tables = {self.table_key(FLOAT): self.weights}

    @staticmethod
    def table_key(law):
        return law.weight_group, law.weight_scale

    def follow(self, law):
        """Makes the forward pass follow a law."""
        self.law = law
        key, source = self.table_key(law), self.table_key(FLOAT)
        if key not in self.tables:
            kept = (source, self.table_key(A))  # the others take memory
            self.tables = {k: self.tables[k] for k in kept if k in self.tables}
            self.tables[key] = {
                name: self.quantise_weights(w, law) if w.ndim == 2 else w
                for name, w in self.tables[source].items()
            }
        self.weights = self.tables[key]

    @staticmethod
    def quantise_weights(w, law):
        """float32[rows, columns] -> the same, quantised and scaled back."""
        how = {"group": law.weight_group, "scale_kind": law.weight_scale}
        parts = np.array_split(w, -(-len(w) // 4096))
        return np.concatenate([fake_quantise(part, **how) for part in parts])

    def linear(self, name, x):
        law, kind = self.law, name.rsplit(".", 1)[-1]
        covered = not law.act_layers or kind in law.act_layers
        if law.act_group is not None and covered:
            x = fake_quantise(
                x,
                32 if kind in law.fine_layers else law.act_group,
                scale_kind=law.act_scale,
                kind=law.act_kind,
            )
        return super().linear(name, x)

    def mix(self, q, k, v, hidden):
        law = self.law

        def integers(x, bits):
            levels = 2 ** (bits - 1) - 1
            return quantise(x, ROW, levels, scale_kind=law.head_scale)

        def rounded(x, bits):
            if bits is None:
                return x
            values, scales = integers(x, bits)
            return (values * scales).reshape(x.shape)

        scores = rounded(q, law.q_bits) @ rounded(k, law.k_bits).T
        p = np.exp2(self.scale_scores(scores, hidden), out=scores)
        if law.sum_bits is None:
            total = p.sum(-1, keepdims=True)
        else:
            one = np.float32(2**law.sum_bits)
            terms = np.rint(p * one) / one
            total = terms.sum(-1, keepdims=True, dtype=np.float64)
            total = total.astype(np.float32)
            p = terms if law.rounded_p else p
        if law.v_bits is not None:
            v, scale = integers(v, law.v_bits)
            v = v.reshape(len(k), -1)
            p *= scale.reshape(1, -1)
        if law.mix_bits is not None:
            largest = np.float32(2**law.mix_bits - 1)
            unit = p.max(-1, keepdims=True) / largest
            p = np.rint(p / unit) * unit
        return (p @ v) / total

    def log2_probabilities(self, states, law):
        """float32[m, D] -> float64[m, V], by a law's output matrix."""
        self.follow(law)
        logits = self.logits(states)
        logits -= logits.max(-1, keepdims=True)
        if law.softmax_bits is None:
            total = np.exp(logits).sum(-1, keepdims=True, dtype=np.float64)
            return logits * np.log2(np.e) - np.log2(total)
        p = np.exp(logits.astype(np.float64))
        p = np.maximum(np.rint(p * 2.0**law.softmax_bits), 1)
        p[:, ~self.normal] = 0
        with np.errstate(divide="ignore"):
            return np.log2(p / p.sum(-1, keepdims=True))

    def measure(self, law, context, ids, true_states):
        """Bits of ids [n] under a law, and its divergence from float32.

        true_states: float32's final states; None if the law is float32.
        -> float64[n], float64[n / 2] (every other token), float32[n, D] states
        """
        self.follow(law)
        states = self.predicting_states(context, ids)
        bits, divergence = [], []
        for begin in range(0, len(ids), ROWS):
            rows = slice(begin, min(begin + ROWS, len(ids)))
            mine = self.log2_probabilities(states[rows], law)
            bits.append(-mine[np.arange(len(mine)), ids[rows]])
            if true_states is None:
                divergence.append(np.zeros(len(mine[::2])))
                continue
            true = self.log2_probabilities(true_states[rows][::2], FLOAT)
            mine, true = mine[::2, self.normal], true[:, self.normal]
            divergence.append((np.exp2(true) * (true - mine)).sum(-1))
        return np.concatenate(bits), np.concatenate(divergence), states


def loss(bits, base):
    """Relative loss in % and its standard error, from bits of every token."""
    difference, whole = bits - base, base.sum() / 100
    error = difference.std() * np.sqrt(len(bits))
    return f"{difference.sum() / whole:+.2f} ± {error / whole:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("texts", nargs="*")
    parser.add_argument("--tokens", type=int, default=4096, help="per text")
    parser.add_argument("--chunk-tokens", type=int, default=2048)
    parser.add_argument("--start", type=int, help="default: the model's bos")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        help="variants besides float32 and law A",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the variants' names"
    )
    args = parser.parse_args()

    laws = variants()
    if args.list:
        sys.exit("\n".join(laws))
    if args.only:
        chosen = ("float32", "law A", *args.only)
        laws = {name: laws[name] for name in dict.fromkeys(chosen)}

    model = SimulatedModel(args.model)
    start = model.bos if args.start is None else args.start
    names = [text.rsplit("/", 1)[-1] for text in args.texts]
    texts = [model.encode(text)[: args.tokens] for text in args.texts]
    sizes = [model.num_bytes(ids) for ids in texts]
    print(f"start token {start} {model.tokens[start]!r}")
    for name, ids, size in zip(names, texts, sizes, strict=True):
        print(f"{name}: {len(ids)} tokens, {size} bytes")
    print("A text: bits per byte (loss; divergence). Then all texts together.")
    columns = ["variant", *names, "loss", "divergence", "loss against law A"]
    print("\n| " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * (len(columns) - 1))

    reference, law_a, states = None, None, {}
    for name, law in laws.items():
        began = time.time()
        bits, divergence = [], []
        for text, ids in enumerate(texts):
            parts = []
            for begin in range(0, len(ids), args.chunk_tokens):
                chunk = ids[begin : begin + args.chunk_tokens]
                true = states.get((text, begin))
                *part, final = model.measure(law, [start], chunk, true)
                states.setdefault((text, begin), final)
                parts.append(part)
            bits.append(np.concatenate([part[0] for part in parts]))
            divergence.append(np.concatenate([part[1] for part in parts]))
        reference = reference or bits
        law_a = bits if law == A else law_a
        row = [name]
        for i, size in enumerate(sizes):
            whole = reference[i].sum() / 100
            row.append(
                f"{bits[i].sum() / size:.5f}"
                f" ({(bits[i].sum() / whole - 100):+.2f};"
                f" {divergence[i].mean() * len(bits[i]) / whole:.3f})"
            )
        everything, base = np.concatenate(bits), np.concatenate(reference)
        mean_divergence = np.concatenate(divergence).mean()
        row.append(loss(everything, base))
        row.append(f"{100 * mean_divergence / base.mean():.3f}")
        row.append(loss(everything, np.concatenate(law_a)) if law_a else "")
        print("| " + " | ".join(row) + " |", flush=True)
        print(f"{name}: {time.time() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
