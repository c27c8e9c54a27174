#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what metadata of a GGUF file means here and to llama.cpp, by the bits
that a text costs. Not part of the tests: xllamacpp is large.

    pip install xllamacpp gguf numpy
    compare_with_llama_cpp.py LLMA tests/data/tiny.gguf TEXT

With xllamacpp 2026.10.11549 and the first 3,000 characters of README.md (bits of
the first 1,024 tokens: ours in floats, llama.cpp's; its keys and values are
halves, and what it multiplies with blocks of 4 bits is 8 bits):

    as it is                          13855.5  13852.1
    factor 4, no type                 13890.3  13896.9
    scale_linear 4                    13890.3  13896.9
    factor 4, type none               13855.5  13852.1
    factor 0, type linear             13855.5  13852.1
    attn_factor 1.5                   13762.1  13757.0
    yarn, factor 4, no original       13948.4  13950.7
    yarn, factor 4, original 64       13928.1  13932.1
    yarn, factor 4, attn_factor 1.5   13954.6  13959.1
    yarn, no factor                   13855.5  13852.1
"""
import ctypes
import glob
import os
import re
import subprocess
import sys
import tempfile

import gguf
import numpy as np
import xllamacpp

FLOAT, COUNT, TEXT = (gguf.GGUFValueType.FLOAT32, gguf.GGUFValueType.UINT32,
                      gguf.GGUFValueType.STRING)
FACTOR, TYPE = "rope.scaling.factor", "rope.scaling.type"
YARN = {TYPE: ("yarn", TEXT), FACTOR: (4.0, FLOAT)}
CASES = {
    "as it is": {},
    "factor 4, no type": {FACTOR: (4.0, FLOAT)},
    "scale_linear 4": {"rope.scale_linear": (4.0, FLOAT)},
    "factor 4, type none": {TYPE: ("none", TEXT), FACTOR: (4.0, FLOAT)},
    "factor 0, type linear": {TYPE: ("linear", TEXT), FACTOR: (0.0, FLOAT)},
    "attn_factor 1.5": {"rope.scaling.attn_factor": (1.5, FLOAT)},
    "yarn, factor 4, no original": YARN,
    "yarn, factor 4, original 64":
        YARN | {"rope.scaling.original_context_length": (64, COUNT)},
    "yarn, factor 4, attn_factor 1.5":
        YARN | {"rope.scaling.attn_factor": (1.5, FLOAT)},
    "yarn, no factor": {TYPE: ("yarn", TEXT)},
}
MAX_TOKENS = 1024


class Params(ctypes.Structure):  # larger than those of any version
    _fields_ = [("numbers", ctypes.c_uint32 * 128)]


class Batch(ctypes.Structure):
    _fields_ = [("num_tokens", ctypes.c_int32)] + [
        (name, ctypes.c_void_p) for name in
        ("token", "embd", "pos", "num_ids", "ids", "logits")] + [
        ("more", ctypes.c_void_p * 4)]


def open_library():
    folder = os.path.dirname(xllamacpp.__file__)
    lib = ctypes.CDLL(glob.glob(folder + "/xllamacpp*.so")[0])
    for name in ("model", "context"):
        getattr(lib, f"llama_{name}_default_params").restype = Params
    lib.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Params]
    lib.llama_init_from_model.argtypes = [ctypes.c_void_p, Params]
    lib.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
    for name in ("model_load_from_file", "init_from_model", "model_get_vocab"):
        getattr(lib, "llama_" + name).restype = ctypes.c_void_p
    lib.llama_batch_init.restype = Batch
    lib.llama_decode.argtypes = [ctypes.c_void_p, Batch]
    lib.llama_get_logits.argtypes = [ctypes.c_void_p]
    lib.llama_get_logits.restype = ctypes.POINTER(ctypes.c_float)
    return lib


def tokenize(lib, model, text):
    ids = (ctypes.c_int32 * len(text))()
    vocab = ctypes.c_void_p(lib.llama_model_get_vocab(model))
    count = lib.llama_tokenize(vocab, text, len(text), ids, len(ids), False,
                               False)
    return list(ids[:count])


def use_adapter(lib, model, context, path):
    lib.llama_adapter_lora_init.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    lib.llama_adapter_lora_init.restype = ctypes.c_void_p
    adapter = lib.llama_adapter_lora_init(model, path.encode())
    adapters, scales = (ctypes.c_void_p * 1)(adapter), (ctypes.c_float * 1)(1)
    lib.llama_set_adapters_lora.argtypes = [
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    if adapter is None or lib.llama_set_adapters_lora(
            context, adapters, 1, scales) != 0:
        sys.exit("llama.cpp does not take the adapter")


def read_logits(lib, model, ids, num_tokens, adapter=None):
    params = lib.llama_context_default_params()
    params.numbers[0:3] = [2048] * 3  # context, batch, part of a batch
    context = lib.llama_init_from_model(model, params)
    if adapter is not None:
        use_adapter(lib, model, context, adapter)
    batch = lib.llama_batch_init(len(ids), 0, 1)
    batch.num_tokens = len(ids)
    kinds = {"token": ctypes.c_int32, "pos": ctypes.c_int32,
             "num_ids": ctypes.c_int32, "logits": ctypes.c_int8,
             "ids": ctypes.POINTER(ctypes.c_int32)}
    fields = {name: ctypes.cast(getattr(batch, name), ctypes.POINTER(kind))
              for name, kind in kinds.items()}
    for i, token in enumerate(ids):
        fields["token"][i], fields["pos"][i] = token, i
        fields["num_ids"][i], fields["ids"][i][0] = 1, 0
        fields["logits"][i] = 1
    if lib.llama_decode(context, batch) != 0:
        sys.exit("llama_decode fails")
    return np.ctypeslib.as_array(lib.llama_get_logits(context),
                                 (len(ids), num_tokens)).astype(np.float64)


def bits_of_llama_cpp(lib, path, text, adapter=None):
    model = lib.llama_model_load_from_file(path.encode(),
                                           lib.llama_model_default_params())
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    ids = tokenize(lib, model, text)[:MAX_TOKENS]
    logits = read_logits(lib, model, [tokens.index("\u010a")] + ids,
                         len(tokens), adapter)[:-1]
    logits[:, [i for i, kind in enumerate(types) if kind != 1]] = -np.inf
    peak = logits.max(1, keepdims=True)
    total = np.log(np.exp(logits - peak).sum(1)) + peak[:, 0]
    return (total - logits[range(len(ids)), ids]).sum() / np.log(2)


def write_changed(source, path, changes):
    reader = gguf.GGUFReader(source)
    name = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(path, name)
    changes = {f"{name}.{key}": value for key, value in changes.items()}
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture" or (
                key in changes):
            continue
        element = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(key, field.contents(), field.types[0],
                             sub_type=element)
    for key, (value, kind) in changes.items():
        writer.add_key_value(key, value, kind)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data,
                          raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    llma, source, text_path = sys.argv[1:]
    with open(text_path, "rb") as file:
        text = file.read().decode()[:3000].encode()
    lib = open_library()
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/text", "wb") as file:
            file.write(text)
        for name, changes in CASES.items():
            path = folder + "/changed.gguf"
            write_changed(source, path, changes)
            output = subprocess.run(
                [llma, "model", "check", path, folder + "/text"], check=True,
                stdout=subprocess.PIPE, text=True).stdout
            ours = float(re.search(r"float32 +([\d.]+)", output)[1])
            theirs = bits_of_llama_cpp(lib, path, text)
            print(f"{name:33} {ours:.1f}  {theirs:.1f}", flush=True)


if __name__ == "__main__":
    main()
