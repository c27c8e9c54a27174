#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shares of the window for each key/value head, from what each needs.

    window_shares.py FILE [--window 768]

FILE is what window_shares_study printed for the windows 256 and 1,024. Gives
the shares, in sixteenths, with which the sum of all divergences is the least
while heads see as many positions on average as the window has. A divergence is
taken to fall by the same amount for each doubling of the window: as measured up
to 1,024, and from there to nothing at 8,192. What rounding alone makes, about
as much as the least that any head of a layer and its neighbours shows, is taken
off before.
"""

import argparse
from math import log2

SHARES = (2, 4, 8, 16, 32, 64, 128)
END = log2(8192)
# What the last half of 8,192 positions adds, which was not measured.
BEYOND = 1.3
# Of the least divergence of neighbours, in bits a token.
MARGIN = 5e-5


def read(path):
    with open(path, encoding="ascii") as file:
        rows = [line.split() for line in file]
    return [(int(r[0]), float(r[2]), float(r[3])) for r in rows]


def divergence(head, floors, window):
    """Of a head (layer, at 256, at 1,024) that sees `window` positions."""
    layer, short, long = head
    short = max(short - floors[layer], 0)
    long = max(long - floors[layer], 0)
    octaves = log2(window) - 10
    if octaves <= 0:
        return BEYOND * long - octaves * max(short - long, 0) / 2
    return BEYOND * long * max(END - 10 - octaves, 0) / (END - 10)


def allocate(heads, window):
    layers = range(max(head[0] for head in heads) + 1)
    least = [min(h[2] for h in heads if h[0] == i) for i in layers]
    floors = [min(least[max(i - 1, 0) : i + 2]) - MARGIN for i in layers]
    low, high, shares = 0.0, 1e-3, []
    for _ in range(60):  # bits that a position must be worth
        price = (low + high) / 2
        chosen = [
            min(
                SHARES,
                key=lambda s: divergence(head, floors, window * s / 16)
                + price * window * s / 16,
            )
            for head in heads
        ]
        if sum(chosen) > 16 * len(heads):
            low = price
        else:
            high, shares = price, chosen
    return shares


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file")
    parser.add_argument("--window", type=int, default=768)
    args = parser.parse_args()
    shares = allocate(read(args.file), args.window)
    print(", ".join(map(str, shares)))


if __name__ == "__main__":
    main()
