#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gguf writes the BF16 and the quantised tensors of a big-endian file in
# little-endian order, and says nothing.
#
# Seen with gguf 0.19.0 and numpy 2.4.6 (PyPI, Python 3.11, x86-64 Linux).
# GGUFWriter(endianess=GGUFEndian.BIG) is what --bigendian of llama.cpp's
# converter ends in. The specification of GGUF (ggml, docs/gguf.md) says that in
# a big-endian file all values are big-endian, those of tensors included. So one
# expects what gguf-convert-endian, of the same package, makes of the same file
# in little-endian order: it turns floats of either size, and the scales in
# blocks. The writer turns what it gets as an array of floats, F32 and F16. But
# BF16 and blocks it gets as arrays of bytes, as gguf.quantize() returns them,
# and bytes have nothing to turn. So one file has tensors in both orders.
#
# A round trip does not show it: gguf.dequantize() takes whatever GGUFReader
# hands it for the order of this machine. In a file of the writer it gets those
# tensors right which are written wrong, and only them. In a converted file,
# none. Who needs a big-endian file has to write a little-endian one and convert
# it.
#
# Below, the same numbers in five types. By type: whether the written file has
# the bytes of the converted one, and what the reader and dequantize() make of
# each. Seen:
#
#          same bytes   read, written   read, converted
#   F32    yes          wrong           wrong
#   F16    yes          wrong           wrong
#   BF16   no           right           wrong
#   Q8_0   no           right           wrong
#   Q4_0   no           right           wrong
#
# Needs python3 with venv. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check gguf==0.19.0 numpy==2.4.6
cat >write.py <<'END'
import gguf
import numpy as np

numbers = np.random.default_rng(1).normal(0, 1, (4, 64)).astype(np.float32)
np.save("numbers.npy", numbers)
for name, order in (("little", gguf.GGUFEndian.LITTLE),
                    ("written", gguf.GGUFEndian.BIG)):
    writer = gguf.GGUFWriter(name + ".gguf", "llama", endianess=order)
    writer.add_tensor("F32", numbers)
    writer.add_tensor("F16", numbers.astype(np.float16))
    for kind in ("BF16", "Q8_0", "Q4_0"):
        kind = gguf.GGMLQuantizationType[kind]
        writer.add_tensor(kind.name, gguf.quantize(numbers, kind),
                          raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
END
cat >look.py <<'END'
import gguf
import numpy as np


def tensors_of(path):
    reader = gguf.GGUFReader(path)
    assert reader.endianess == gguf.GGUFEndian.BIG
    return reader.tensors


def read(tensor):
    with np.errstate(all="ignore"):
        seen = gguf.dequantize(tensor.data, tensor.tensor_type)
        is_near = np.allclose(seen, numbers, atol=0.4)
    return "right" if is_near else "wrong"


numbers = np.load("numbers.npy")
print(f"{'':6} same bytes   read, written   read, converted")
for written, converted in zip(tensors_of("written.gguf"),
                              tensors_of("converted.gguf")):
    assert written.name == converted.name
    is_same = written.data.tobytes() == converted.data.tobytes()
    print(f"{written.name:6} {'yes' if is_same else 'no':12} "
          f"{read(written):15} {read(converted)}")
END
venv/bin/python write.py
cp little.gguf converted.gguf
echo YES | venv/bin/gguf-convert-endian converted.gguf big >log 2>&1 || {
  cat log
  exit 1
}
venv/bin/python look.py | tee seen
diff seen - <<'END'
       same bytes   read, written   read, converted
F32    yes          wrong           wrong
F16    yes          wrong           wrong
BF16   no           right           wrong
Q8_0   no           right           wrong
Q4_0   no           right           wrong
END
