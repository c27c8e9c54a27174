#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which token should begin a fresh chunk? Float32 bits of its first tokens.

    start_token_study.py MODEL.gguf TEXT... [--points 4] [--tokens 2048]
                         [--contexts "<|endoftext|>" "\\n" ...]

Every text is entered at its beginning and at evenly spaced tokens in
mid-file. A context is a string of control tokens and text (\\n is a line
feed); the empty context leaves the first token to a uniform guess. All
contexts are charged for the same tokens of the text. Figures are bytes for
the first n tokens of all points together, and the change of the longest
against the first context.
"""

import argparse
import re

import numpy as np

from float_reference import Model

CONTEXTS = [
    "<|im_start|>",
    "<|endoftext|>",
    "",
    r"\n",
    r"\n\n",
    " ",
    ".",
    " the",
    r"<|endoftext|>\n",
    "<|im_end|>",
    "<file_sep>",
    r"<|im_start|>assistant\n",
    4 * "<|endoftext|>",
]
PREFIXES = (64, 256, 1024)


def parse_context(model, text):
    """Token ids of a context string."""
    controls = {model.tokens[i]: i for i in np.flatnonzero(~model.normal)}
    pattern = "(" + "|".join(map(re.escape, controls)) + ")"
    ids = []
    for part in re.split(pattern, text.replace(r"\n", "\n")):
        if part in controls:
            ids.append(controls[part])
        else:
            ids += model.encode_text(part)
    return ids


def bits_after(model, context, ids):
    """Bits of ids [n] after a context, which may be empty: float64[n]."""
    if context:
        return model.bits(context, ids)
    uniform = np.log2(model.normal.sum())
    return np.concatenate([[uniform], model.bits(ids[:1], ids[1:])])


def print_table(title, prefixes, rows):
    """rows: context -> bytes for each prefix."""
    columns = ["context", *(f"n={n}" for n in prefixes), "change"]
    print(f"\n{title}\n\n| " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * (len(columns) - 1))
    first = next(iter(rows.values()))
    for context, row in rows.items():
        cells = [f"`{context}`" if context else "none"]
        cells += [f"{value:.1f}" for value in row]
        cells.append(f"{100 * (row[-1] / first[-1] - 1):+.2f} %")
        print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--points", type=int, default=4, help="per text")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--contexts", nargs="+", default=CONTEXTS)
    args = parser.parse_args()

    model = Model(args.model)
    prefixes = [n for n in PREFIXES if n < args.tokens] + [args.tokens]
    totals = dict.fromkeys(args.contexts, 0)
    for text in args.texts:
        ids = model.encode(text)
        last = len(ids) - args.tokens
        starts = [
            i * last // max(1, args.points - 1) for i in range(args.points)
        ]
        rows = {}
        for context in args.contexts:
            prefix = parse_context(model, context)
            bits = np.stack(
                [
                    bits_after(model, prefix, ids[s : s + args.tokens])
                    for s in starts
                ]
            )
            rows[context] = np.array([bits[:, :n].sum() / 8 for n in prefixes])
            totals[context] = totals[context] + rows[context]
        name = text.rsplit("/", 1)[-1]
        print_table(f"{name}, {args.points} points", prefixes, rows)
    print_table("All texts", prefixes, totals)


if __name__ == "__main__":
    main()
