#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Granite without a number for attention scores is one model to transformers and
# another to llama.cpp.
#
# Seen with transformers 5.24.0, torch 2.15.0, llama.cpp as in xllamacpp
# 2026.10.11549, and gguf 0.19.0 (all PyPI, x86-64 Linux). Granite multiplies
# the scores of attention with a number of its own: attention_multiplier in
# config.json, granite.attention.scale in a GGUF file. GraniteConfig documents a
# default of 1.0: without the field, scores stay as they are. The converter in
# llama.cpp's sources writes the key only where the field is there and not 0. So
# one expects that a file without the key means 1, too, as one without
# granite.embedding_scale or granite.residual_scale does. But llama.cpp takes no
# number, and also 0, for 1 / sqrt(head_dim), which is Llama's. A folder without
# the field becomes another model, and nothing says so. A converter has to write
# 1.0. A reader of GGUF must not take 0 at its word.
#
# Below, both read the same random weights, of two layers with heads of 64
# dimensions, and predict 64 tokens. By the number in config.json or in the GGUF
# file: what the scores were multiplied with, and how many of the most likely
# next tokens are others than with 1. Seen:
#
#   transformers  1.0     1       0
#   transformers  0.125   1/8    58
#   transformers  None    1       0
#   transformers  0.0     0      62
#   llama.cpp     1.0     1       0
#   llama.cpp     0.125   1/8    58
#   llama.cpp     None    1/8    58
#   llama.cpp     0.0     1/8    58
#
# Needs python3 with venv, and 6 GB of room for torch. Exits with 1 if the
# behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-cache-dir \
    xllamacpp==2026.10.11549 gguf==0.19.0 transformers==5.24.0 torch==2.15.0 \
    numpy
cat >"$work/run.py" <<'END'
import ctypes
import glob
import json
import os
import sys

import gguf
import numpy as np
import safetensors.numpy
import torch
import transformers
import xllamacpp

DIM, HEADS, WIDE, LAYERS, WORDS, TOKENS = 128, 2, 256, 2, 96, 64
ROOT = 8.0  # of the 64 dimensions of a head
NAMES = {  # of a layer's tensors in a GGUF file and in a folder
    "attn_norm": ("input_layernorm", (DIM,)),
    "ffn_norm": ("post_attention_layernorm", (DIM,)),
    "attn_q": ("self_attn.q_proj", (DIM, DIM)),
    "attn_k": ("self_attn.k_proj", (DIM, DIM)),
    "attn_v": ("self_attn.v_proj", (DIM, DIM)),
    "attn_output": ("self_attn.o_proj", (DIM, DIM)),
    "ffn_gate": ("mlp.gate_proj", (WIDE, DIM)),
    "ffn_up": ("mlp.up_proj", (WIDE, DIM)),
    "ffn_down": ("mlp.down_proj", (DIM, WIDE)),
}
TOP_NAMES = {
    "token_embd": ("model.embed_tokens", (WORDS, DIM)),
    "output": ("lm_head", (WORDS, DIM)),
    "output_norm": ("model.norm", (DIM,)),
}


def make_weights():
    """By the names of GGUF; in pairs, the name of transformers and numbers."""
    random = np.random.default_rng(1)
    names = TOP_NAMES | {
        f"blk.{layer}.{name}": (f"model.layers.{layer}.{other}", shape)
        for layer in range(LAYERS) for name, (other, shape) in NAMES.items()}
    return {name: (other, random.normal(0, 0.3, shape).astype(np.float32))
            for name, (other, shape) in names.items()}


def in_pairs(weights):
    """A GGUF file has the two rows that RoPE turns together side by side."""
    return (weights.reshape(HEADS, 2, -1, DIM).swapaxes(1, 2)
            .reshape(weights.shape))


def write_gguf(path, weights, scale):
    writer = gguf.GGUFWriter(path, "granite")
    writer.add_context_length(256)
    writer.add_embedding_length(DIM)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(WIDE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(DIM // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(WORDS)
    writer.add_tokenizer_model("none")
    writer.add_logit_scale(1.0)
    if scale is not None:
        writer.add_attention_scale(scale)
    for name, (_, numbers) in weights.items():
        is_turned = name.endswith(("attn_q", "attn_k"))
        writer.add_tensor(name + ".weight",
                          in_pairs(numbers) if is_turned else numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_folder(path, weights, multiplier):
    config = {
        "architectures": ["GraniteForCausalLM"], "model_type": "granite",
        "hidden_size": DIM, "intermediate_size": WIDE, "vocab_size": WORDS,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": False,
    }
    if multiplier is not None:
        config["attention_multiplier"] = multiplier
    os.makedirs(path, exist_ok=True)
    with open(path + "/config.json", "w") as file:
        json.dump(config, file)
    safetensors.numpy.save_file(
        {other + ".weight": numbers for other, numbers in weights.values()},
        path + "/model.safetensors", {"format": "pt"})


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


def logits_of_transformers(path):
    model = transformers.AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="eager")
    ids = torch.tensor([[i * 7 % WORDS for i in range(TOKENS)]])
    with torch.no_grad():
        return model(ids).logits[0].numpy()


def describe(logits, folders):
    """Which model these are of, and how often another token is the best."""
    for name, multiplier in (("1", 1.0), ("1/8", 1 / ROOT), ("0", 0.0)):
        if abs(logits - folders[multiplier]).max() < 0.01 * logits.std():
            differ = logits.argmax(1) != folders[1.0].argmax(1)
            return f"{name:5} {differ.sum():3}"
    return "another"


lib = open_library()
weights = make_weights()
place = sys.argv[1]
files, folders = {}, {}
for number in (1.0, 1 / ROOT, None, 0.0):
    write_gguf(place + "/model.gguf", weights, number)
    files[number] = logits_of_llama_cpp(lib, place + "/model.gguf")
for number in (1.0, 1 / ROOT, None, 0.0):
    write_folder(place + "/folder", weights, number)
    folders[number] = logits_of_transformers(place + "/folder")
for reader, results in (("transformers", folders), ("llama.cpp", files)):
    for number, logits in results.items():
        print(f"{reader:14}{number!s:8}{describe(logits, folders)}")
END
"$work/venv/bin/python" "$work/run.py" "$work" 2>"$work/log" |
    tee "$work/seen" || {
  code=$?
  tail -n 5 "$work/log" >&2
  exit "$code"
}
diff "$work/seen" - <<'END'
transformers  1.0     1       0
transformers  0.125   1/8    58
transformers  None    1       0
transformers  0.0     0      62
llama.cpp     1.0     1       0
llama.cpp     0.125   1/8    58
llama.cpp     None    1/8    58
llama.cpp     0.0     1/8    58
END
