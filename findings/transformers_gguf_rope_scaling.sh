#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# transformers loads a GGUF file without its RoPE scaling, and says nothing: a
# file of Llama 3.1 becomes another model than the folder that it was made of.
#
# Seen with transformers 5.24.0, torch 2.15.0, llama.cpp as in xllamacpp
# 2026.10.11549, and gguf 0.19.0 (all PyPI, x86-64 Linux). from_pretrained()
# with gguf_file= makes a config of the file's keys; its documentation names
# Llama as supported, by its older loader, and calls the result a regular dense
# model. The specification of GGUF (ggml, docs/gguf.md) lists rope.scaling.type,
# factor and original_context_length. Llama 3.1 and later have their scaling in
# the tensor rope_freqs.weight instead, which llama.cpp's converter writes and
# llama.cpp obeys. One expects that all of it counts, or that loading fails. But
# of a file of architecture "llama" transformers takes rope.freq_base and leaves
# out the scaling, although it can compute each of these kinds. (A key that is
# left out is named at log level info, below the default; the tensor is named
# nowhere.) Dequantised by GgufConfig and saved, the model has a config.json
# that says it has no scaling. With the numbers of Llama 3.1 itself, what
# differs most are distances of thousands of tokens, so that a short trial looks
# right. Who loads such a file has to set rope_parameters in the config, and
# pass that to from_pretrained().
#
# Below, both read the same file, of random weights of two layers, and predict
# 96 tokens; the original context is 32. Last, transformers is told the scaling.
# Whether the logits are those with the scaling of the file, or those without
# any, in which most of the likeliest tokens are others. Seen:
#
#            llama.cpp   transformers   told
#   linear   scaled      plain          scaled
#   yarn     scaled      plain          scaled
#   llama3   scaled      plain          scaled
#
# Needs python3 with venv, and 6 GB of room for torch. Exits with 1 if the
# behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-cache-dir \
    xllamacpp==2026.10.11549 gguf==0.19.0 transformers==5.24.0 torch==2.15.0 \
    accelerate==1.15.0 numpy
cat >"$work/run.py" <<'END'
import ctypes
import glob
import math
import os
import sys

import gguf
import numpy as np
import torch
import transformers
import xllamacpp

DIM, HEADS, WIDE, WORDS, TOKENS, BASE = 128, 2, 256, 96, 96, 10000.0
SCALINGS = {  # as config.json has them
    "linear": {"rope_type": "linear", "factor": 4.0},
    "yarn": {"rope_type": "yarn", "factor": 4.0,
             "original_max_position_embeddings": 32},
    "llama3": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0,
               "original_max_position_embeddings": 32},
}


def divisors(parameters):
    """What Llama 3.1 divides its frequencies by, as in a GGUF file."""
    size = DIM // HEADS
    waves = 2 * math.pi * BASE ** (np.arange(0, size, 2) / size)
    low, high = parameters["low_freq_factor"], parameters["high_freq_factor"]
    old = parameters["original_max_position_embeddings"]
    smooth = np.clip((old / waves - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / parameters["factor"] + smooth)).astype(
        np.float32)


def write_model(path, parameters):
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(256)
    writer.add_embedding_length(DIM)
    writer.add_block_count(2)
    writer.add_feed_forward_length(WIDE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(DIM // HEADS)
    writer.add_rope_freq_base(BASE)
    writer.add_vocab_size(WORDS)
    writer.add_tokenizer_model("none")
    kind = parameters["rope_type"] if parameters else None
    if kind in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(parameters["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(
            parameters["original_max_position_embeddings"])
    if kind == "llama3":
        writer.add_tensor("rope_freqs.weight", divisors(parameters))

    def add_tensor(name, *shape):
        weights = random.normal(0, 0.3, shape).astype(np.float32)
        writer.add_tensor(name + ".weight", weights)

    add_tensor("token_embd", WORDS, DIM)
    add_tensor("output", WORDS, DIM)
    add_tensor("output_norm", DIM)
    for layer in range(2):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            add_tensor(block + name, DIM)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add_tensor(block + name, DIM, DIM)
        add_tensor(block + "ffn_gate", WIDE, DIM)
        add_tensor(block + "ffn_up", WIDE, DIM)
        add_tensor(block + "ffn_down", DIM, WIDE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Params(ctypes.Structure):  # with more room than either kind needs
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
    for name in ("model_load_from_file", "init_from_model"):
        getattr(lib, "llama_" + name).restype = ctypes.c_void_p
    lib.llama_batch_init.restype = Batch
    lib.llama_decode.argtypes = [ctypes.c_void_p, Batch]
    lib.llama_get_logits.argtypes = [ctypes.c_void_p]
    lib.llama_get_logits.restype = ctypes.POINTER(ctypes.c_float)
    return lib


def logits_of_llama_cpp(lib, path):
    model = lib.llama_model_load_from_file(path.encode(),
                                           lib.llama_model_default_params())
    context = lib.llama_init_from_model(model,
                                        lib.llama_context_default_params())
    batch = lib.llama_batch_init(TOKENS, 0, 1)
    batch.num_tokens = TOKENS
    kinds = {"token": ctypes.c_int32, "pos": ctypes.c_int32,
             "num_ids": ctypes.c_int32, "logits": ctypes.c_int8,
             "ids": ctypes.POINTER(ctypes.c_int32)}
    fields = {name: ctypes.cast(getattr(batch, name), ctypes.POINTER(kind))
              for name, kind in kinds.items()}
    for i in range(TOKENS):
        fields["token"][i], fields["pos"][i] = i * 7 % WORDS, i
        fields["num_ids"][i], fields["ids"][i][0] = 1, 0
        fields["logits"][i] = 1
    if lib.llama_decode(context, batch) != 0:
        sys.exit("llama_decode fails")
    return np.ctypeslib.as_array(lib.llama_get_logits(context),
                                 (TOKENS, WORDS)).copy()


def logits_of_transformers(path, parameters=None):
    folder, name = os.path.split(path)
    config = transformers.AutoConfig.from_pretrained(folder, gguf_file=name)
    if parameters is not None:
        config.rope_parameters = parameters | {"rope_theta": BASE}
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, config=config, dtype=torch.float32,
        attn_implementation="eager")
    ids = torch.tensor([[i * 7 % WORDS for i in range(TOKENS)]])
    with torch.no_grad():
        return model(ids).logits[0].numpy()


def describe(logits, plain, scaled):
    for name, others in (("plain", plain), ("scaled", scaled)):
        if abs(logits - others).max() < 0.02 * others.std():
            return name
    return "another"


lib = open_library()
path = os.path.join(sys.argv[1], "model.gguf")
write_model(path, None)
plain = logits_of_llama_cpp(lib, path)
print("         llama.cpp   transformers   told")
for name, parameters in SCALINGS.items():
    write_model(path, parameters)
    scaled = logits_of_llama_cpp(lib, path)
    read = logits_of_transformers(path)
    told = logits_of_transformers(path, parameters)
    words = [describe(x, plain, scaled) for x in (scaled, read, told)]
    print(f"{name:9}{words[0]:12}{words[1]:15}{words[2]}")
END
"$work/venv/bin/python" "$work/run.py" "$work" 2>"$work/log" |
    tee "$work/seen" || {
  code=$?
  tail -n 5 "$work/log" >&2
  exit "$code"
}
diff "$work/seen" - <<'END'
         llama.cpp   transformers   told
linear   scaled      plain          scaled
yarn     scaled      plain          scaled
llama3   scaled      plain          scaled
END
