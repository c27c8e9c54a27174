#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what metadata of a GGUF file means here and to llama.cpp, by the bits
that a text costs. Not part of the tests: xllamacpp is large.

    pip install xllamacpp gguf numpy
    compare_with_llama_cpp.py LLMA tests/data/tiny.gguf TEXT

With xllamacpp 2026.10.11549 and the first 3,000 characters of README.md (bits of
the first 1,024 tokens: ours in floats, llama.cpp's; its keys and values are
halves, and what it multiplies with blocks of 4 bits is 8 bits):

    as it is                          13868.7  13867.7
    factor 4, no type                 13916.9  13921.8
    scale_linear 4                    13916.9  13921.8
    factor 4, type none               13868.7  13867.7
    factor 0, type linear             13868.7  13867.7
    attn_factor 1.5                   13696.1  13694.4
    yarn, factor 4, no original       13882.0  13881.4
    yarn, factor 4, original 64       13973.9  13978.3
    yarn, factor 4, attn_factor 1.5   13774.3  13778.6
    yarn, no factor                   13868.7  13867.7
    granite, no numbers but 1         13868.7  13867.7
    granite                           9971.6  9971.6
    granite, numbers are 0            13868.7  13867.7
    granite, rope finetuned           9971.6  9971.6
    granite, yarn                     9972.3  9972.4
    granite, embedding_scale alone    15667.2  15667.7
    granite, attention.scale alone    13699.0  13699.7
    granite, residual_scale alone     19934.5  19935.7
    granite, logit_scale alone        9506.7  9505.8
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
from changed_gguf import COUNT, FLAG, FLOAT, GRANITE, TEXT, write_changed

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
# By the name of the architecture.
NEUTRAL = {"logit_scale": (1.0, FLOAT)}
GRANITE_CASES = {
    "granite, no numbers but 1": NEUTRAL,
    "granite": GRANITE,
    "granite, numbers are 0":
        NEUTRAL | {key: (0.0, FLOAT) for key in GRANITE if key not in NEUTRAL},
    "granite, rope finetuned":
        GRANITE | {"rope.scaling.finetuned": (True, FLAG)},
    "granite, yarn": GRANITE | YARN,
} | {f"granite, {key} alone": NEUTRAL | {key: value}
     for key, value in GRANITE.items()}
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


def main():
    llma, source, text_path = sys.argv[1:]
    with open(text_path, "rb") as file:
        text = file.read().decode()[:3000].encode()
    lib = open_library()
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/text", "wb") as file:
            file.write(text)
        for name, changes in (CASES | GRANITE_CASES).items():
            path = folder + "/changed.gguf"
            write_changed(source, path, changes,
                          "granite" if name in GRANITE_CASES else None)
            output = subprocess.run(
                [llma, "model", "check", path, folder + "/text"], check=True,
                stdout=subprocess.PIPE, text=True).stdout
            ours = float(re.search(r"float32 +([\d.]+)", output)[1])
            theirs = bits_of_llama_cpp(lib, path, text)
            print(f"{name:33} {ours:.1f}  {theirs:.1f}", flush=True)


if __name__ == "__main__":
    main()
