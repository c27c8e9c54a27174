#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small adapter of what train.py saved: 8-bit integers and scales.

    pack_adapter.py CHECKPOINT FOLDER

The low-rank matrices are rotated so that each rank has what the ones before it lack
(the product stays the same), and the last rank of keys and values is left out. Rows
of A have a scale each, B one for all; norms are F16.
"""

import argparse
import pathlib
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
package = types.ModuleType("llma")
package.__path__ = [str(ROOT / "python" / "llma")]
sys.modules.setdefault("llma", package)

import numpy  # noqa: E402
import torch  # noqa: E402
from llma.tune import adapter_files  # noqa: E402

SMALLER = ("k_proj", "v_proj")
SCALE = 2.0  # trainer.Adapted.scale


def rotated(a, b, rank):
    """Of the same product: the columns of B have 1 as their greatest value."""
    left, of_left = numpy.linalg.qr(b)
    right, of_right = numpy.linalg.qr(a.T)
    u, sizes, v = numpy.linalg.svd(of_left @ of_right.T)
    b = (left @ u)[:, :rank]
    a = (sizes[:, None] * (v @ right.T))[:rank]
    greatest = abs(b).max(0)
    return a * greatest[:, None], b / greatest


def integers(values, scales):
    data = numpy.rint(values / scales).astype(numpy.int8)
    return adapter_files.Tensor("I8", data.shape, data.tobytes())


def floats(values, dtype):
    values = numpy.asarray(values, dtype)
    name = {"<f2": "F16", "<f4": "F32"}[dtype]
    return adapter_files.Tensor(name, values.shape, values.tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    state = torch.load(arguments.checkpoint, weights_only=True)["adapter"]
    state = {name: values.double().numpy() for name, values in state.items()}
    rank = max(len(values) for name, values in state.items()
               if ".lora_A" in name)
    tensors, plain = {}, {}
    for name, values in sorted(state.items()):
        if ".lora_B" in name:
            continue
        if ".lora_A" not in name:
            tensors[name] = plain[name] = floats(values, "<f2")
            continue
        module = name.removesuffix(".lora_A.weight")
        own_rank = rank - module.endswith(SMALLER)
        a, b = rotated(SCALE * values, state[module + ".lora_B.weight"],
                       own_rank)
        scales = (abs(a).max(1) / 127).astype("<f4")
        tensors[name] = integers(a, scales[:, None])
        tensors[name + "_scale"] = floats(scales, "<f4")
        name = module + ".lora_B.weight"
        tensors[name] = integers(b, 1 / 127)
        tensors[name + "_scale"] = floats([1 / 127], "<f4")
        plain[module + ".lora_A.weight"] = adapter_files.Tensor(
            "F32", (rank, a.shape[1]), b"")
    fields = adapter_files.config(
        plain, scale=1, base="HuggingFaceTB/SmolLM2-135M-Instruct",
        architecture="LlamaForCausalLM")
    fields["rank_pattern"] = {module: rank - 1 for module in SMALLER}
    fields["alpha_pattern"] = {module: rank - 1 for module in SMALLER}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    adapter_files.write(arguments.folder, tensors, fields)
    for path in sorted(arguments.folder.iterdir()):
        print(f"{path.stat().st_size:9} {path.name}")


if __name__ == "__main__":
    main()
