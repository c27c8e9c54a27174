#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# llama.cpp makes other tokens of the same text, or does not load the file, if
# the name of the model has "phi-3" in it.
#
# Seen with llama.cpp as in xllamacpp 2026.10.11549, and gguf 0.19.0 (both PyPI,
# x86-64 Linux). The specification of GGUF (ggml, docs/gguf.md) calls
# general.name a human-readable name. What tokens a text has, one expects to
# depend on the keys of tokenizer.ggml alone. But these cannot say that a
# special token takes the white space after it along, as Phi-3's do (rstrip in
# its tokenizer_config.json). So llama.cpp looks for "phi-3" or "phi3" in the
# name, in any case and whatever the architecture. Where it is found, all
# special tokens but <unk>, <s> and <|endoftext|> swallow newlines and spaces.
# So whoever names a Llama "Story Teller (no phi-3)" changes its prompts, and
# nothing says so. If the vocabulary lacks one of these three or </s>, as most
# do, the file does not load at all; the error is "_Map_base::at".
#
# Phi-3 itself may go without: from a folder Phi-3-mini-4k-instruct, the gguf
# package, which llama.cpp's converter asks for a name, makes "Phi 3 Mini 4k
# Instruct", where nothing is found. Who renames a model has to compare tokens.
#
# Below, one model of random weights, whose tokenizer is Llama's, under several
# names. The last two are what the gguf package makes of names of folders. By
# the name, the tokens of "<|user|>", a newline, and "hi". Seen:
#
#   none                          <|user|> <0x0A> h i
#   Phi-3                         <|user|> h i
#   Story Teller (no phi-3)       <|user|> h i
#   none, no <|endoftext|>        <|user|> <0x0A> h i
#   Phi-3, no <|endoftext|>       does not load
#   Phi 3 Mini 4k Instruct        <|user|> <0x0A> h i
#   My Phi3 Merge                 <|user|> h i
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
import pathlib

import gguf
import numpy as np
import xllamacpp

DIM, HEADS, WIDE = 64, 2, 128
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
END_OF_TEXT = "<|endoftext|>"
SPECIALS = ["<s>", "</s>", "<|user|>"]
TEXT = b"<|user|>\nhi"


def make_vocabulary(has_end_of_text):
    tokens = {"<unk>": UNKNOWN}
    for name in SPECIALS + [END_OF_TEXT] * has_end_of_text:
        tokens[name] = CONTROL
    tokens |= {f"<0x{byte:02X}>": BYTE for byte in range(256)}
    return tokens | {letter: NORMAL for letter in "\u2581hi"}


def write_model(path, name, tokens):
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    if name is not None:
        writer.add_name(name)
    writer.add_context_length(256)
    writer.add_embedding_length(DIM)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(DIM // HEADS)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(list(tokens))
    writer.add_token_scores([-float(i) for i in range(len(tokens))])
    writer.add_token_types(list(tokens.values()))
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)

    def add_tensor(name, *shape):
        weights = random.normal(0, 0.3, shape).astype(np.float32)
        writer.add_tensor(name + ".weight", weights)

    add_tensor("token_embd", len(tokens), DIM)
    add_tensor("output", len(tokens), DIM)
    add_tensor("output_norm", DIM)
    for norm in ("attn_norm", "ffn_norm"):
        add_tensor("blk.0." + norm, DIM)
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        add_tensor("blk.0." + part, DIM, DIM)
    add_tensor("blk.0.ffn_gate", WIDE, DIM)
    add_tensor("blk.0.ffn_up", WIDE, DIM)
    add_tensor("blk.0.ffn_down", DIM, WIDE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Params(ctypes.Structure):  # with more room than needed
    _fields_ = [("numbers", ctypes.c_uint32 * 128)]


def open_library():
    folder = os.path.dirname(xllamacpp.__file__)
    lib = ctypes.CDLL(glob.glob(folder + "/xllamacpp*.so")[0])
    lib.llama_model_default_params.restype = Params
    lib.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Params]
    lib.llama_model_load_from_file.restype = ctypes.c_void_p
    lib.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
    lib.llama_model_get_vocab.restype = ctypes.c_void_p
    lib.llama_tokenize.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32,
        ctypes.POINTER(ctypes.c_int32), ctypes.c_int32, ctypes.c_bool,
        ctypes.c_bool]
    return lib


def describe(lib, path, tokens):
    model = lib.llama_model_load_from_file(path.encode(),
                                           lib.llama_model_default_params())
    if not model:
        return "does not load"
    ids = (ctypes.c_int32 * 32)()
    count = lib.llama_tokenize(lib.llama_model_get_vocab(model), TEXT,
                               len(TEXT), ids, len(ids), False, True)
    return " ".join(list(tokens)[i] for i in ids[:count])


def name_of_folder(folder):
    return gguf.Metadata.load(model_path=pathlib.Path(folder)).name


lib = open_library()
for name, has_end_of_text in (
        (None, True), ("Phi-3", True), ("Story Teller (no phi-3)", True),
        (None, False), ("Phi-3", False),
        (name_of_folder("Phi-3-mini-4k-instruct"), True),
        (name_of_folder("my-phi3-merge"), True)):
    tokens = make_vocabulary(has_end_of_text)
    write_model("model.gguf", name, tokens)
    label = name or "none"
    if not has_end_of_text:
        label += f", no {END_OF_TEXT}"
    print(f"{label:30}{describe(lib, 'model.gguf', tokens)}", flush=True)
END
cd "$work"
venv/bin/python run.py 2>log | tee seen || {
  code=$?
  tail -n 5 log >&2
  exit "$code"
}
diff seen - <<'END'
none                          <|user|> <0x0A> h i
Phi-3                         <|user|> h i
Story Teller (no phi-3)       <|user|> h i
none, no <|endoftext|>        <|user|> <0x0A> h i
Phi-3, no <|endoftext|>       does not load
Phi 3 Mini 4k Instruct        <|user|> <0x0A> h i
My Phi3 Merge                 <|user|> h i
END
