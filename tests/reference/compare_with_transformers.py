#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the bits that a text costs the tiny model, called Llama and Granite,
here and in transformers, from the same Hugging Face folder. Not part of the
tests: torch is large.

    pip install gguf numpy tokenizers torch transformers
    compare_with_transformers.py LLMA tests/data/tiny.gguf TEXT

With transformers 5.24.0 and the first 3,000 characters of README.md (bits of the
first 1,024 tokens: ours in integers, ours in floats, transformers' in floats):

    llama                             13860.4  13868.7  13868.7
    granite                           9971.1  9971.6  9971.6
    granite, all numbers 1            13667.3  13713.7  13713.7
    granite, embedding_scale alone    14483.3  14513.0  14513.0
    granite, attention.scale alone    13696.6  13699.0  13699.0
    granite, residual_scale alone     17540.2  17597.1  17597.2
    granite, logit_scale alone        9438.3  9452.7  9452.7
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from changed_gguf import FLOAT, GRANITE, write_changed
from compare_folder_import import write_folder
from tokenizers import Tokenizer

MAX_TOKENS = 1024
# By the name of the architecture, since a number that a folder does not say is 1.
ONES = {key: (1.0, FLOAT) for key in GRANITE}
CASES = {
    "llama": (None, {}),
    "granite": ("granite", GRANITE),
    "granite, all numbers 1": ("granite", ONES),
} | {f"granite, {key} alone": ("granite", ONES | {key: value})
     for key, value in GRANITE.items()}


def bits_of_transformers(folder, text):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = tokenizer.encode(text).ids[:MAX_TOKENS]
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager")
    start = tokenizer.token_to_id("\u010a")
    with torch.no_grad():
        logits = model(torch.tensor([[start] + ids])).logits[0, :-1].double()
    added = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    logits[:, [token["id"] for token in added]] = -torch.inf
    chosen = logits.log_softmax(1)[range(len(ids)), ids]
    return -chosen.sum().item() / torch.log(torch.tensor(2.0)).item()


def main():
    llma, source, text_path = sys.argv[1:]
    text = Path(text_path).read_bytes().decode()[:3000]
    for name, (architecture, changes) in CASES.items():
        with tempfile.TemporaryDirectory() as place:
            gguf = place + "/changed.gguf"
            write_changed(source, gguf, changes, architecture)
            folder = Path(place) / "model"
            folder.mkdir()
            write_folder(folder, gguf)
            config = json.loads((folder / "config.json").read_text())
            vocabulary = json.loads((folder / "tokenizer.json").read_text())
            config["vocab_size"] = len(vocabulary["model"]["vocab"])
            (folder / "config.json").write_text(json.dumps(config))
            (Path(place) / "text").write_text(text)
            output = subprocess.run(
                [llma, "model", "check", folder, place + "/text"], check=True,
                stdout=subprocess.PIPE, text=True).stdout
            ours = [float(bits) for bits in
                    re.findall(r"(?:imported|float32) +([\d.]+)", output)]
            theirs = bits_of_transformers(folder, text)
            print(f"{name:33} {ours[1]:.1f}  {ours[0]:.1f}  {theirs:.1f}",
                  flush=True)


if __name__ == "__main__":
    main()
