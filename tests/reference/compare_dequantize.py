#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the importer's reading of every element format of GGUF with that of
the Python package gguf, bit for bit, on random blocks and on blocks of
extremes. Exits with 77 (skipped) if a package is missing.

    compare_dequantize.py DEQUANTIZE_BLOCKS
"""
import subprocess
import sys

SKIPPED = 77
NUM_BLOCKS = 3000
TYPES = ("F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K "
         "IQ4_NL IQ4_XS MXFP4").split()

try:
    import numpy as np
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize
except ImportError as error:
    print(f"skipped: {error.name} is not installed")
    sys.exit(SKIPPED)


def make_blocks(random, num_bytes):
    """Random bytes: scales of every kind, also infinities and NaN."""
    blocks = random.integers(0, 256, (NUM_BLOCKS, num_bytes), dtype=np.uint8)
    for i, byte in enumerate((0x00, 0x80, 0x7F, 0xFF)):
        blocks[i] = byte
    return blocks


def compare(program, name, random):
    kind = GGMLQuantizationType[name]
    block_cols, block_bytes = GGML_QUANT_SIZES[kind]
    blocks = make_blocks(random, block_bytes)
    num_values = NUM_BLOCKS * block_cols
    output = subprocess.run([program, str(kind.value), str(num_values)],
                            input=blocks.tobytes(), check=True,
                            stdout=subprocess.PIPE).stdout
    actual = np.frombuffer(output, np.uint32)
    with np.errstate(all="ignore"):
        expected = dequantize(blocks, kind).ravel().astype(np.float32)
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
    for name in TYPES:
        compare(sys.argv[1], name, random)


if __name__ == "__main__":
    main()
