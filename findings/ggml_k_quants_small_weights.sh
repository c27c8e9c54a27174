#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Of llama.cpp's K formats, the most exact one is the first to lose small
# weights: Q6_K makes zeros of numbers that Q2_K still holds.
#
# Seen with llama.cpp as in xllamacpp 2026.10.11549, gguf 0.19.0 and numpy 2.4.6
# (all PyPI, x86-64 Linux). Each block has its own scale, so one expects that
# the relative error does not depend on how large the numbers of a tensor are,
# and that more bits make it smaller: ggml-common.h gives 2.6 bits a weight for
# Q2_K and 6.6 for Q6_K, and llama-quantize lists the loss of quality in that
# order. But a K format writes the scales of blocks as integers, of up to 8
# bits, with one number of half precision for 256 weights as their unit. The
# finer the weights and the scales, the smaller this unit is: about 1/4096 of
# the largest weight in Q6_K, 1/470 in Q4_K, 1/22 in Q2_K. Half precision is
# coarse below 6e-5 and ends at 6e-8. So Q6_K of weights with a deviation of
# 1e-4 is worse than Q4_0, and at 2e-5 nothing is left of them, although half
# precision holds most of the weights themselves with 7 bits or more. At 1e-5,
# Q5_K is worse than no weights at all: where the unit of scales is gone and
# that of minima is not, each weight becomes the least of its block.
#
# Nothing fails or warns. Q4_K_M and its like take Q6_K for the tensors that are
# to be most exact. Who quantises small weights has to look at the result, or
# take a format with one scale a block.
#
# Below, normally distributed weights, rounded to half precision, go through
# ggml_quantize_chunk(). The gguf package, whose code is another, reads the
# result. By deviation, the root mean square of the error in percent of the
# weights'. Seen:
#
#          Q2_K  Q3_K  Q4_0  Q4_K  Q5_K  Q6_K  Q8_0
#   1e-02    30    15     9     7     4     2     1
#   1e-03    30    15     9     7     4     2     1
#   1e-04    30    15     9     8     5    12     1
#   5e-05    30    15     9     9     9    11     2
#   2e-05    30    15     9    10     5   100     5
#   1e-05    30    16     9     9   217   100    10
#
# Needs python3 with venv. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.4.6
cat >"$work/run.py" <<'END'
import ctypes
import glob
import os

import gguf
import numpy as np
import xllamacpp

FORMATS = "Q2_K Q3_K Q4_0 Q4_K Q5_K Q6_K Q8_0".split()
ROWS, COLUMNS = 64, 4096
Floats = ctypes.POINTER(ctypes.c_float)


def open_library():
    folder = os.path.dirname(xllamacpp.__file__)
    lib = ctypes.CDLL(glob.glob(folder + "/xllamacpp*.so")[0])
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lib.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, Floats, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64,
        ctypes.c_int64, Floats]
    return lib


def there_and_back(lib, weights, kind):
    kind = gguf.GGMLQuantizationType[kind]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    packed = np.zeros((ROWS, COLUMNS // block * size), np.uint8)
    written = lib.ggml_quantize_chunk(
        kind, weights.ctypes.data_as(Floats), packed.ctypes.data, 0, ROWS,
        COLUMNS, None)
    assert written == packed.nbytes
    return gguf.dequantize(packed, kind)


def size_of(numbers):
    return np.sqrt(np.mean(np.square(numbers, dtype=np.float64)))


lib = open_library()
normal = np.random.default_rng(1).normal(0, 1, (ROWS, COLUMNS))
print(" " * 5 + "".join(f"{name:>6}" for name in FORMATS))
for deviation in (1e-2, 1e-3, 1e-4, 5e-5, 2e-5, 1e-5):
    weights = (normal * deviation).astype(np.float16).astype(np.float32)
    errors = [size_of(there_and_back(lib, weights, name) - weights) /
              size_of(weights) for name in FORMATS]
    print(f"{deviation:.0e}" + "".join(f"{100 * e:6.0f}" for e in errors))
END
cd "$work"
venv/bin/python run.py | tee seen
diff seen - <<'END'
       Q2_K  Q3_K  Q4_0  Q4_K  Q5_K  Q6_K  Q8_0
1e-02    30    15     9     7     4     2     1
1e-03    30    15     9     7     4     2     1
1e-04    30    15     9     8     5    12     1
5e-05    30    15     9     9     9    11     2
2e-05    30    15     9    10     5   100     5
1e-05    30    16     9     9   217   100    10
END
