#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Imports a model with a GGUF adapter, and compares it with what llama.cpp makes
of both. Not part of the tests: xllamacpp is large, and may be missing.

    pip install xllamacpp gguf numpy
    compare_gguf_adapter.py LLMA tests/data/tiny.gguf TEXT

- With what its program llama-export-lora writes. No package has that program, so
  the merge is computed here as it does: in float32, scaled by alpha / rank (by 1
  without alpha); tensors of float32 stay so, all others become halves. Values are
  such that sums are exact in any order. The same fingerprint where nothing
  becomes halves.
- With the bits of a text by the model and the adapter in llama.cpp itself.

With xllamacpp 2026.10.11549, README.md (bits of the first 1,024 tokens; ours in
floats with the merged weights, llama.cpp's with keys, values and blocks of 4 bits
rounded as in compare_with_llama_cpp.py):

    alpha 6, F32   equal; 13739.0, in halves 13739.2, llama.cpp 13737.0
    alpha 6, F16   equal; 13739.0, in halves 13739.2, llama.cpp 13739.1
    no alpha, F32  equal; 13786.1, in halves 13786.1, llama.cpp 13787.9
"""
import re
import subprocess
import sys
import tempfile

import gguf
import numpy as np

RANK = 4
CASES = {  # alpha, None for none, and the adapter's type
    "alpha 6, F32": (6.0, np.float32),
    "alpha 6, F16": (6.0, np.float16),
    "no alpha, F32": (None, np.float32),
}
TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up",
           "ffn_down")


def copy_fields(reader, writer):
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            element = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(key, field.contents(), field.types[0],
                                 sub_type=element)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_model(path, reader, change):
    """`change`: from name and floats [row, column] to an array, or None."""
    writer = gguf.GGUFWriter(path, "llama")
    copy_fields(reader, writer)
    for tensor in reader.tensors:
        floats = gguf.dequantize(tensor.data, tensor.tensor_type)
        changed = change(tensor, floats.astype(np.float32))
        if changed is None:
            writer.add_tensor(tensor.name, tensor.data,
                              raw_dtype=tensor.tensor_type)
        else:
            writer.add_tensor(tensor.name, changed)
    finish(writer)


def make_adapter(reader, dtype):
    """lora_a [rank, column] and lora_b [row, rank] of each matrix."""
    random = np.random.default_rng(1)
    made = {}
    for tensor in reader.tensors:
        if any(f".{target}." in tensor.name for target in TARGETS):
            columns, rows = (int(n) for n in tensor.shape)
            made[tensor.name] = tuple(
                (random.integers(-8, 9, shape) / 64).astype(dtype)
                for shape in ((RANK, columns), (rows, RANK)))
    return made


def write_adapter(path, matrices, alpha):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    if alpha is not None:
        writer.add_float32("adapter.lora.alpha", alpha)
    for name, (a, b) in matrices.items():
        writer.add_tensor(name + ".lora_a", a)
        writer.add_tensor(name + ".lora_b", b)
    finish(writer)


def merged(matrices, alpha, keeps_floats):
    scale = np.float32(1 if alpha is None else alpha / RANK)

    def change(tensor, floats):
        if tensor.name not in matrices:
            return None
        a, b = (half.astype(np.float32) for half in matrices[tensor.name])
        floats = floats + scale * (b @ a)
        is_float = tensor.tensor_type == gguf.GGMLQuantizationType.F32
        return floats if is_float or keeps_floats else floats.astype(np.float16)

    return change


def fingerprint(llma, folder, source, *arguments):
    done = subprocess.run(
        [llma, "model", "import", "-f", "-o", folder + "/model.llmm", "--name",
         "m", source, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.split("fingerprint ")[1].split()[0]


def float_bits(llma, folder, source, *arguments):
    done = subprocess.run(
        [llma, "model", "check", source, folder + "/text", *arguments],
        capture_output=True, text=True, check=True)
    return float(re.search(r"float32 +([\d.]+)", done.stdout)[1])


def main():
    llma, source, text_path = sys.argv[1:]
    try:
        import compare_with_llama_cpp as llama_cpp
        lib = llama_cpp.open_library()
    except ImportError:
        lib = None
    with open(text_path, "rb") as file:
        text = file.read().decode()[:3000].encode()
    reader = gguf.GGUFReader(source)
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/text", "wb") as file:
            file.write(text)
        plain = fingerprint(llma, folder, source)
        for name, (alpha, dtype) in CASES.items():
            matrices = make_adapter(reader, dtype)
            adapter = folder + "/adapter.gguf"
            write_adapter(adapter, matrices, alpha)
            exported = {}
            for keeps_floats in (True, False):
                exported[keeps_floats] = f"{folder}/merged-{keeps_floats}.gguf"
                write_model(exported[keeps_floats], reader,
                            merged(matrices, alpha, keeps_floats))
            ours = fingerprint(llma, folder, source, "--adapter", adapter)
            theirs = fingerprint(llma, folder, exported[True])
            if ours == plain:
                sys.exit("the adapter changes nothing")
            if ours != theirs:
                sys.exit(f"{name}: {ours[:16]}, export-lora {theirs[:16]}")
            bits = float_bits(llma, folder, source, "--adapter", adapter)
            halves = float_bits(llma, folder, exported[False])
            line = f"{name:14} equal; {bits:.1f}, in halves {halves:.1f}"
            if lib is not None:
                theirs = llama_cpp.bits_of_llama_cpp(lib, source, text, adapter)
                line += f", llama.cpp {theirs:.1f}"
                if abs(theirs / bits - 1) > 0.003:
                    sys.exit(line + ": they differ")
            if abs(halves / bits - 1) > 0.001:
                sys.exit(line + ": they differ")
            print(line, flush=True)


if __name__ == "__main__":
    main()
