#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the model of a GGUF file as a Hugging Face folder, by the documents of
both formats alone, in two files of F32 weights with an index, and checks that
importing either gives the same fingerprint; then the same of the model called
Granite. Exits with 77 (skipped) if a package is missing.

    compare_folder_import.py IMPORT_MODEL MODEL.gguf
"""
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
NORMAL = 1

try:
    import numpy as np
    from changed_gguf import GRANITE, write_changed
    from gguf import GGUFReader, dequantize
except ImportError as error:
    print(f"skipped: {error.name} is not installed")
    sys.exit(SKIPPED)

NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm",
         "output": "lm_head", "attn_norm": "input_layernorm",
         "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
         "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}


def hf_name(name):
    parts = name.removesuffix(".weight").split(".")
    prefix = f"model.layers.{parts[1]}." if parts[0] == "blk" else ""
    return prefix + NAMES[parts[-1]] + ".weight"


def hf_weights(tensor, num_heads, num_kv_heads):
    """GGUF keeps RoPE pairs side by side, Hugging Face half a head apart."""
    w = dequantize(tensor.data, tensor.tensor_type).astype("<f4")
    w = w.reshape([int(n) for n in reversed(tensor.shape)])
    heads = {"attn_q": num_heads, "attn_k": num_kv_heads}.get(
        tensor.name.split(".")[-2])
    if heads is None:
        return w
    rows, cols = w.shape
    return (w.reshape(heads, rows // heads // 2, 2, cols)
            .swapaxes(1, 2).reshape(rows, cols))


def write_safetensors(path, tensors):
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, w in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(w.shape),
                        "data_offsets": [end, end + w.nbytes]}
        end += w.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for w in tensors.values():
            file.write(w.tobytes())


def make_tokenizer(value):
    tokens, types = value("tokens"), value("token_type")
    if value("pre") != "smollm":
        print("skipped: this test knows the pre-tokenizer smollm only")
        sys.exit(SKIPPED)
    return {
        "added_tokens": [{"id": i, "content": token, "special": True,
                          "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False}
                         for i, token in enumerate(tokens)
                         if types[i] != NORMAL],
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False,
             "trim_offsets": True, "use_regex": True}]},
        "model": {"type": "BPE",
                  "vocab": {token: i for i, token in enumerate(tokens)},
                  "merges": value("merges")},
    }


def write_folder(folder, gguf_path):
    reader = GGUFReader(gguf_path)
    architecture = reader.fields["general.architecture"].contents()

    def value(key):
        return reader.fields[f"{architecture}.{key}"].contents()

    def token_value(key):
        return reader.fields["tokenizer.ggml." + key].contents()

    def float_value(key):
        # The shortest number that is this binary32.
        return float(str(np.float32(value(key))))

    num_heads = value("attention.head_count")
    num_kv_heads = value("attention.head_count_kv")
    tensors = {hf_name(t.name): hf_weights(t, num_heads, num_kv_heads)
               for t in reader.tensors}
    config = {
        "architectures": [f"{architecture.capitalize()}ForCausalLM"],
        "model_type": architecture,
        "hidden_act": "silu", "hidden_size": value("embedding_length"),
        "intermediate_size": value("feed_forward_length"),
        "num_hidden_layers": value("block_count"),
        "num_attention_heads": num_heads, "num_key_value_heads": num_kv_heads,
        "max_position_embeddings": value("context_length"),
        "rms_norm_eps": float_value("attention.layer_norm_rms_epsilon"),
        "rope_theta": value("rope.freq_base"), "rope_scaling": None,
        "tie_word_embeddings": "lm_head.weight" not in tensors,
        "bos_token_id": token_value("bos_token_id"),
        "eos_token_id": token_value("eos_token_id"), "use_cache": True}
    if architecture == "granite":
        config |= {
            "embedding_multiplier": float_value("embedding_scale"),
            "attention_multiplier": float_value("attention.scale"),
            "residual_multiplier": float_value("residual_scale"),
            "logits_scaling": float_value("logit_scale")}
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    (folder / "tokenizer.json").write_text(
        json.dumps(make_tokenizer(token_value), ensure_ascii=False),
        encoding="utf-8")
    files = {}
    for i, name in enumerate(tensors):
        files.setdefault(f"model-0000{i % 2 + 1}-of-00002.safetensors",
                         {})[name] = tensors[name]
    for file_name, part in files.items():
        write_safetensors(folder / file_name, part)
    (folder / "model.safetensors.index.json").write_text(json.dumps({
        "metadata": {}, "weight_map": {name: file_name
                                       for file_name, part in files.items()
                                       for name in part}}))


def compare(import_model, gguf):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        folder.mkdir()
        write_folder(folder, gguf)
        of_gguf, of_folder = (
            subprocess.run([import_model, source, f"{name}/{i}.llmm"],
                           check=True, stdout=subprocess.PIPE, text=True).stdout
            for i, source in enumerate((gguf, folder)))
    if of_gguf != of_folder:
        sys.exit(f"{of_gguf.strip()} from GGUF, {of_folder.strip()} from the "
                 "folder")
    print("fingerprint", of_gguf.strip())
    return of_gguf


def main():
    import_model, gguf = sys.argv[1:]
    plain = compare(import_model, gguf)
    with tempfile.TemporaryDirectory() as name:
        granite = f"{name}/granite.gguf"
        write_changed(gguf, granite, GRANITE, "granite")
        if compare(import_model, granite) == plain:
            sys.exit("Granite's numbers change nothing")


if __name__ == "__main__":
    main()
