#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# llama.cpp reads a GGUF file's YaRN keys for some architectures only, and says
# nothing where it leaves them out.
#
# Seen with llama.cpp as in xllamacpp 2026.10.11549, and gguf 0.19.0 (both PyPI,
# x86-64 Linux). The gguf package names rope.scaling.yarn_beta_fast,
# yarn_beta_slow, yarn_ext_factor and yarn_attn_factor as keys of every
# architecture, and its writer has functions for them. In a file of architecture
# "llama" that asks for YaRN, llama.cpp computes with its own defaults (32, 1)
# whatever these keys say: the logits are the same to the bit. A reader that
# takes them at their word computes another model than llama.cpp runs, and so
# does a converter that hopes to pass on beta_fast of a config.json. The type,
# factor, original_context_length and attn_factor of the same file do count.
#
# Below, a model of two layers with random weights predicts 96 tokens; how many
# of its logits differ from those of YaRN with a factor of 4 alone. Seen:
#
#   factor 8               differ
#   original length 16     differ
#   attn_factor 1.5        differ
#   yarn_beta_fast 8       the same
#   yarn_beta_slow 4       the same
#   yarn_ext_factor 0      the same
#   yarn_attn_factor 1.5   the same
#
# Needs python3 with venv. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    xllamacpp==2026.10.11549 gguf==0.19.0 numpy
cat >"$work/run.py" <<'END'
import ctypes
import glob
import os
import sys

import gguf
import numpy as np
import xllamacpp

DIM, HEADS, WIDE, WORDS, TOKENS = 64, 2, 128, 96, 96
YARN = "llama.rope.scaling."
BASE = {"type": "yarn", "factor": 4.0, "original_context_length": 32}
CASES = {
    "factor 8": ({"factor": 8.0}, True),
    "original length 16": ({"original_context_length": 16}, True),
    "attn_factor 1.5": ({"attn_factor": 1.5}, True),
    "yarn_beta_fast 8": ({"yarn_beta_fast": 8.0}, False),
    "yarn_beta_slow 4": ({"yarn_beta_slow": 4.0}, False),
    "yarn_ext_factor 0": ({"yarn_ext_factor": 0.0}, False),
    "yarn_attn_factor 1.5": ({"yarn_attn_factor": 1.5}, False),
}


def write_model(path, scaling):
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
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(WORDS)
    writer.add_tokenizer_model("none")
    for key, value in scaling.items():
        add = {str: writer.add_string, int: writer.add_uint32,
               float: writer.add_float32}[type(value)]
        add(YARN + key, value)

    def add_tensor(name, *shape):
        weights = random.normal(0, 0.5, shape).astype(np.float32)
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


def logits_of(lib, path):
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
    logits = np.ctypeslib.as_array(lib.llama_get_logits(context),
                                   (TOKENS, WORDS)).copy()
    if not np.isfinite(logits).all() or logits.std() < 0.1:
        sys.exit("these are no logits")
    return logits


lib = open_library()
path = os.path.join(sys.argv[1], "model.gguf")
write_model(path, BASE)
alone = logits_of(lib, path)
if not np.array_equal(alone, logits_of(lib, path)):
    sys.exit("two runs of the same file differ")
is_as_seen = True
for name, (changes, differs) in CASES.items():
    write_model(path, BASE | changes)
    has_changed = not np.array_equal(alone, logits_of(lib, path))
    is_as_seen = is_as_seen and has_changed == differs
    print(f"{name:22} {'differ' if has_changed else 'the same'}")
sys.exit(0 if is_as_seen else 1)
END
"$work/venv/bin/python" "$work/run.py" "$work" 2>"$work/log" || {
  code=$?
  tail -n 5 "$work/log" >&2
  exit "$code"
}
