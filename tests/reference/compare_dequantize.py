#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the importer's reading of every element format of GGUF with that of
the Python package gguf, bit for bit, on random blocks and on blocks of
extremes; formats that the package cannot read, with what ggml's definition
says. Exits with 77 (skipped) if a package is missing.

    compare_dequantize.py DEQUANTIZE_BLOCKS
"""
import subprocess
import sys

SKIPPED = 77
NUM_BLOCKS = 3000

try:
    import numpy as np
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize
except ImportError as error:
    print(f"skipped: {error.name} is not installed")
    sys.exit(SKIPPED)


def scales(blocks):
    return blocks[:, :2].copy().view(np.float16).astype(np.float32)


def dequantize_q1_0(blocks):
    """A scale; 128 bits, the lowest of a byte first: plus if 1, else minus."""
    bits = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little")
    return np.where(bits == 1, scales(blocks), -scales(blocks))


def dequantize_q2_0(blocks):
    """A scale; 64 pairs of bits, the lowest of a byte first, less one."""
    shifts = np.arange(0, 8, 2, dtype=np.uint8)
    pairs = (blocks[:, 2:, None] >> shifts & 3).reshape(len(blocks), -1)
    return (pairs.astype(np.float32) - 1) * scales(blocks)


# What the package lacks: columns and bytes of a block, and the definition.
OWN = {"Q1_0": (128, 18, dequantize_q1_0), "Q2_0": (64, 18, dequantize_q2_0)}


def make_blocks(random, num_bytes):
    """Random bytes: scales of every kind, also infinities and NaN."""
    blocks = random.integers(0, 256, (NUM_BLOCKS, num_bytes), dtype=np.uint8)
    for i, byte in enumerate((0x00, 0x80, 0x7F, 0xFF)):
        blocks[i] = byte
    return blocks


def compare(program, number, name, random):
    if name in OWN:
        block_cols, block_bytes, read = OWN[name]
    else:
        kind = GGMLQuantizationType[name]
        block_cols, block_bytes = GGML_QUANT_SIZES[kind]

        def read(blocks):
            return dequantize(blocks, kind)
        if kind.value != number:
            sys.exit(f"{name}: is number {kind.value} in GGUF, not {number}")
    blocks = make_blocks(random, block_bytes)
    num_values = NUM_BLOCKS * block_cols
    output = subprocess.run([program, str(number), str(num_values)],
                            input=blocks.tobytes(), check=True,
                            stdout=subprocess.PIPE).stdout
    actual = np.frombuffer(output, np.uint32)
    with np.errstate(all="ignore"):
        expected = read(blocks).ravel().astype(np.float32)
    # Which NaN it is depends on the processor.
    both_nan = np.isnan(expected) & np.isnan(actual.view(np.float32))
    differs = (actual != expected.view(np.uint32)) & ~both_nan
    if differs.any():
        i = int(np.flatnonzero(differs)[0])
        sys.exit(f"{name}: value {i % block_cols} of block {i // block_cols} "
                 f"is {actual[i]:08x}, should be "
                 f"{expected.view(np.uint32)[i]:08x}")
    print(f"{name}: {num_values} values agree, "
          f"{np.isfinite(expected).sum()} of them finite")


def main():
    random = np.random.default_rng(1)
    listed = subprocess.run([sys.argv[1]], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    for line in listed.splitlines():
        number, name = line.split()
        compare(sys.argv[1], int(number), name, random)


if __name__ == "__main__":
    main()
