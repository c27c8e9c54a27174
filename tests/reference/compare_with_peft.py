#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Merges a random adapter with PEFT's merge_and_unload, and checks that importing
the result gives the same fingerprint as importing the base with the adapter.
Exits with 77 (skipped) if a package is missing.

    compare_with_peft.py LLMA MODEL.gguf     tests/data/tiny.gguf, say
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77

try:
    import peft
    import torch
    import transformers
    from compare_folder_import import write_folder
except ImportError as error:
    print(f"skipped: {error.name} is not installed")
    sys.exit(SKIPPED)


def fingerprint(llma, folder, source, *arguments):
    path = folder / "model.llmm"
    done = subprocess.run(
        [llma, "model", "import", "-f", "-o", path, "--name", "m", source,
         *arguments], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).split("fingerprint ")[1].split()[0]


def main():
    llma, gguf = sys.argv[1:]
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = folder / "base"
        base.mkdir()
        write_folder(base, gguf)
        # what transformers wants to know besides
        path = base / "config.json"
        config = json.loads(path.read_text())
        tokenizer = json.loads((base / "tokenizer.json").read_text())
        config["vocab_size"] = len(tokenizer["model"]["vocab"])
        path.write_text(json.dumps(config))
        kinds = {
            "plain": {"r": 4},
            "rslora": {"r": 4, "use_rslora": True},
            "ranks": {"r": 4, "rank_pattern": {"q_proj": 2},
                      "alpha_pattern": {"mlp.down_proj": 5}},
        }
        for kind, options in kinds.items():
            model = transformers.AutoModelForCausalLM.from_pretrained(
                base, dtype=torch.float32)
            config = peft.LoraConfig(
                target_modules=["q_proj", "k_proj", "o_proj", "down_proj"],
                modules_to_save=["input_layernorm"], lora_alpha=6, **options)
            adapted = peft.get_peft_model(model, config)
            with torch.no_grad():
                # Sums and products of these are exact, in whatever order.
                for key, values in adapted.named_parameters():
                    if "lora_" in key:
                        values.copy_(torch.randint_like(values, -8, 9) / 64)
                    elif "modules_to_save" in key:
                        values += torch.randint_like(values, -8, 9) / 64
            adapter, merged = folder / kind, folder / (kind + "-merged")
            adapted.save_pretrained(adapter)
            adapted.merge_and_unload().save_pretrained(merged)
            for file in ("tokenizer.json", "tokenizer_config.json"):
                if (base / file).exists():
                    (merged / file).write_bytes((base / file).read_bytes())
            theirs = fingerprint(llma, folder, merged)
            ours = fingerprint(llma, folder, base, "--adapter", adapter)
            if theirs == fingerprint(llma, folder, base):
                sys.exit("the adapter changes nothing")
            print(f"{kind}: PEFT {theirs[:16]}, llma {ours[:16]}")
            if theirs != ours:
                sys.exit("they differ")


if __name__ == "__main__":
    main()
