#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A text longer than the window: rolling with sinks, or reading again.

    window_study.py MODEL.gguf TEXT [--tokens 8192] [--windows 1024 512]
                    [--sinks 4 0 1 2 8 16] [--start ID] [--skip-full]

Rolling, as the project defines it, in float32: positions 0, 1, 2, ... without
end, position 0 being the start token. Keys are rotated once, at their own
position. A query at position p sees the last W positions, p included, and the
sinks: the first S positions. Sinks are scored by a second copy of the query,
rotated to position min(p, S + W - 1), so they seem to stand just before the
window however far it has moved. Up to S + W positions this is plain causal
attention.

Reading again: when W positions are full, the last W/2 tokens are read afresh,
once as they are ("re-read") and once after the start token.
"""

import argparse

import numpy as np

from float_reference import ROWS, Model


class RollingModel(Model):
    """A model with a rolling window and attention sinks."""

    window, sinks = 1 << 30, 0

    def attention(self, q, k, v):
        """Unrotated q [n, H, d], k and v [n, G, d] -> [n, H, d]."""
        n, repeat = len(q), self.heads // self.kv_heads
        at, sinks = np.arange(n), min(self.sinks, n)
        sink_q = self.rope(q, np.minimum(at, self.sinks + self.window - 1))
        q, k = self.rope(q, at), self.rope(k, at)
        out = np.empty_like(q)
        for begin in range(0, n, ROWS):
            end = min(begin + ROWS, n)
            # The first key after the sinks that any row of the block sees.
            first = max(sinks, begin - self.window + 1)
            key_at = np.concatenate([at[:sinks], at[first:end]])
            row = np.repeat(at[begin:end], repeat)[:, None]
            fallen_out = (key_at >= sinks) & (key_at <= row - self.window)
            hidden = (key_at > row) | fallen_out
            for g in range(self.kv_heads):
                heads = slice(g * repeat, (g + 1) * repeat)

                def rows(x, block=slice(begin, end), heads=heads):
                    return x[block, heads].reshape(-1, self.head_dim)

                scores = [
                    rows(sink_q) @ k[:sinks, g].T,
                    rows(q) @ k[first:end, g].T,
                ]
                values = np.concatenate([v[:sinks, g], v[first:end, g]])
                mixed = self.mix_scores(
                    np.concatenate(scores, axis=1), values, hidden
                )
                out[begin:end, heads] = mixed.reshape(-1, repeat, self.head_dim)
        return out


def read_again(model, ids, window, prefix, again):
    """Bits of ids [n] if the last half is read afresh when W are full.

    prefix: what the first window begins with; again: the others.
    """
    bits, done = [], 0
    while done < len(ids):
        context = list(prefix)
        if done:
            kept = window // 2 - len(again)
            context = [*again, *ids[done - kept : done]]
        piece = ids[done : done + window - len(context) + 1]
        bits.append(model.bits(context, piece))
        done += len(piece)
    return np.concatenate(bits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--windows", type=int, nargs="+", default=[1024, 512])
    parser.add_argument(
        "--sinks", type=int, nargs="+", default=[4, 0, 1, 2, 8, 16]
    )
    parser.add_argument("--start", type=int, help="default: the model's bos")
    parser.add_argument(
        "--skip-full",
        action="store_true",
        help="leave out the window that holds everything",
    )
    args = parser.parse_args()

    model = RollingModel(args.model)
    start = model.bos if args.start is None else args.start
    ids = model.encode(args.text)[: args.tokens]
    size = model.num_bytes(ids)
    print(f"{len(ids)} tokens, {size} bytes")
    print(f"start token {start} {model.tokens[start]!r}\n")
    print("| window | policy | bytes | bits per byte |")
    print("| ---: | --- | ---: | ---: |")

    def report(window, policy, bits):
        cells = [window, policy, f"{bits.sum() / 8:.1f}"]
        cells.append(f"{bits.sum() / size:.5f}")
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)

    for window in args.windows:
        for sinks in args.sinks:
            model.window, model.sinks = window, sinks
            bits = model.bits([start], ids)
            report(window, f"rolling, sinks: {sinks}", bits)
        model.window, model.sinks = 1 << 30, 0
        bits = read_again(model, ids, window, [start], [])
        report(window, "re-read", bits)
        bits = read_again(model, ids, window, [start], [start])
        report(window, "re-read after the start token", bits)
    if not args.skip_full:
        report("all", "everything", model.bits([start], ids))


if __name__ == "__main__":
    main()
