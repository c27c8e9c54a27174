#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# llama.cpp cuts words of Hindi, Tamil and others at each vowel sign, where the
# tokenizer of the model, Mistral's Tekken, does not.
#
# Seen with llama.cpp as in xllamacpp 2026.10.11549, gguf 0.19.0, and
# mistral-common 1.13.1 (all PyPI, x86-64 Linux). The expression with which
# Tekken cuts a text into words stands in its file, tekken_240911.json, which is
# part of mistral-common: letters and marks (\p{M}) belong to one word. One
# expects that llama.cpp makes the same tokens where tokenizer.ggml.pre is
# "tekken". But its own expression for it knows no marks. Vowel signs of most
# scripts of India are marks: words are cut at each of them, and tokens for
# whole words are never used, such as those of Hindi for "is" and "in". The
# model reads what it was not trained to read, in up to 1.6 times the tokens,
# while other languages are as they should be. (llama.cpp's "gpt-4o" knows no
# marks either. With "qwen2" and "llama-bpe" it does the same, but so do these
# models.)
#
# Below, the real vocabulary in a GGUF file of a model of zeros. First, the
# number of tokens of a sentence in mistral-common and in llama.cpp; where it is
# the same, so are the tokens. Then, how many tokens of the vocabulary only
# mistral-common makes of their own text. Seen:
#
#   English     12   12
#   Russian     20   20
#   Arabic      13   13
#   Chinese     14   14
#   Thai        21   22
#   Hindi       20   29
#   Bengali     23   33
#   Tamil       26   42
#   never made: 3422 of 130072 tokens
#
# Needs python3 with venv. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    xllamacpp==2026.10.11549 gguf==0.19.0 mistral-common==1.13.1
cat >"$work/run.py" <<'END'
import base64
import ctypes
import glob
import json
import os
import sys

import gguf
import mistral_common
import numpy as np
import xllamacpp
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

DIM = 32
SHOWN = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
HIDDEN = [byte for byte in range(256) if byte not in SHOWN]
SPELLING = ({byte: chr(byte) for byte in SHOWN} |
            {byte: chr(256 + i) for i, byte in enumerate(HIDDEN)})
TEXTS = {
    "English": "The river carries small boats to the old town every morning.",
    "Russian": "Каждое утро река несёт маленькие лодки к старому городу.",
    "Arabic": "يحمل النهر كل صباح قوارب صغيرة إلى المدينة القديمة.",
    "Chinese": "每天早晨，河水把小船带到老城。",
    "Thai": "ทุกเช้าแม่น้ำพาเรือลำเล็กไปยังเมืองเก่า",
    "Hindi": "नदी हर सुबह छोटी नावों को पुराने शहर तक ले जाती है।",
    "Bengali": "নদী প্রতিদিন সকালে ছোট নৌকা পুরনো শহরে নিয়ে যায়।",
    "Tamil": "ஆறு தினமும் காலையில் சிறிய படகுகளை பழைய நகரத்திற்கு "
        "கொண்டு செல்கிறது.",
}


def read_tokens(path):
    """The bytes of all tokens but the special ones, in order of their ranks."""
    with open(path, encoding="utf-8") as file:
        model = json.load(file)
    config = model["config"]
    count = config["default_vocab_size"] - config["default_num_special_tokens"]
    return [base64.b64decode(token["token_bytes"])
            for token in model["vocab"][:count]]


def spell(token):
    """Each byte as the character that GPT-2 writes for it."""
    return "".join(SPELLING[byte] for byte in token)


def write_gguf(path, tokens):
    ranks = {token: rank for rank, token in enumerate(tokens)}
    merges = []
    for token in tokens:
        halves = [(token[:i], token[i:]) for i in range(1, len(token))]
        merges += sorted(
            (half for half in halves if half[0] in ranks and half[1] in ranks),
            key=lambda half: (ranks[half[0]], ranks[half[1]]))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(256)
    writer.add_embedding_length(DIM)
    writer.add_block_count(1)
    writer.add_feed_forward_length(DIM)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(DIM)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("tekken")
    writer.add_token_list([spell(token) for token in tokens])
    writer.add_token_types([gguf.TokenType.NORMAL] * len(tokens))
    writer.add_token_merges([f"{spell(a)} {spell(b)}" for a, b in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)

    def add_tensor(name, *shape):
        writer.add_tensor(name + ".weight", np.zeros(shape, np.float32))

    add_tensor("token_embd", len(tokens), DIM)
    add_tensor("output_norm", DIM)
    for name in ("attn_norm", "ffn_norm"):
        add_tensor("blk.0." + name, DIM)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate",
                 "ffn_up", "ffn_down"):
        add_tensor("blk.0." + name, DIM, DIM)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Params(ctypes.Structure):  # with more room than is needed
    _fields_ = [("numbers", ctypes.c_uint32 * 128)]


class LlamaCpp:
    def __init__(self, path):
        folder = os.path.dirname(xllamacpp.__file__)
        self.lib = ctypes.CDLL(glob.glob(folder + "/xllamacpp*.so")[0])
        self.lib.llama_model_default_params.restype = Params
        load = self.lib.llama_model_load_from_file
        load.argtypes, load.restype = [ctypes.c_char_p, Params], ctypes.c_void_p
        get = self.lib.llama_model_get_vocab
        get.argtypes, get.restype = [ctypes.c_void_p], ctypes.c_void_p
        model = load(path.encode(), self.lib.llama_model_default_params())
        self.vocab = ctypes.c_void_p(get(model))

    def encode(self, text):
        text = text.encode()
        ids = (ctypes.c_int32 * len(text))()
        count = self.lib.llama_tokenize(self.vocab, text, len(text), ids,
                                        len(ids), False, False)
        return ids[:count]


data = os.path.dirname(mistral_common.__file__) + "/data/tekken_240911.json"
tokens = read_tokens(data)
tekken = Tekkenizer.from_file(data)
write_gguf(sys.argv[1] + "/model.gguf", tokens)
llama_cpp = LlamaCpp(sys.argv[1] + "/model.gguf")


def encode_by_both(text):
    """The ranks of the tokens."""
    of_tekken = [token - tekken.num_special_tokens
                 for token in tekken.encode(text, bos=False, eos=False)]
    of_llama_cpp = llama_cpp.encode(text)
    for ranks in (of_tekken, of_llama_cpp):
        if b"".join(tokens[rank] for rank in ranks) != text.encode():
            sys.exit("these are not the tokens of the text")
    return of_tekken, of_llama_cpp


for name, text in TEXTS.items():
    of_tekken, of_llama_cpp = encode_by_both(text)
    if of_tekken != of_llama_cpp and len(of_tekken) == len(of_llama_cpp):
        sys.exit("as many tokens, but not the same")
    print(f"{name:10} {len(of_tekken):3}  {len(of_llama_cpp):3}")
never_made = 0
for rank, token in enumerate(tokens):
    try:
        text = token.decode()
    except UnicodeDecodeError:  # a part of a character
        continue
    of_tekken, of_llama_cpp = encode_by_both(text)
    never_made += of_tekken == [rank] and of_llama_cpp != [rank]
print(f"never made: {never_made} of {len(tokens)} tokens")
END
"$work/venv/bin/python" "$work/run.py" "$work" 2>"$work/log" |
    tee "$work/seen" || {
  code=$?
  tail -n 5 "$work/log" >&2
  exit "$code"
}
diff "$work/seen" - <<'END'
English     12   12
Russian     20   20
Arabic      13   13
Chinese     14   14
Thai        21   22
Hindi       20   29
Bengali     23   33
Tamil       26   42
never made: 3422 of 130072 tokens
END
