# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="import-not-found, unused-ignore"
"""Adapters as PEFT writes them: adapter_config.json, adapter_model.safetensors."""

from __future__ import annotations

import json
import os
import pathlib
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
_PREFIX = "base_model.model."


class Tensor(NamedTuple):
    #: As safetensors calls it: "F32", "F16", ...
    dtype: str
    shape: tuple[int, ...]
    data: bytes


def safetensors_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """The content of a file of the format safetensors."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, tensor in sorted(tensors.items()):
        end = at + len(tensor.data)
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape),
                        "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(
        tensors[name].data for name in sorted(tensors))


def read(folder: pathlib.Path) -> dict[str, Any]:
    """The tensors of an adapter as arrays of numpy, as config() and write() have
    them: B with the factor of the update in it. Those of 8 bits have factors."""
    import numpy

    settings = json.loads((folder / CONFIG_FILE).read_text())
    data = (folder / WEIGHTS_FILE).read_bytes()
    (header_bytes,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + header_bytes])
    header.pop("__metadata__", None)
    kinds = {"F32": "<f4", "F16": "<f2", "I8": "i1"}
    raw = {}
    for name, entry in header.items():
        begin, end = (8 + header_bytes + at for at in entry["data_offsets"])
        raw[name] = numpy.frombuffer(
            data[begin:end], kinds[entry["dtype"]]
        ).astype(numpy.float32).reshape(entry["shape"])
    tensors = {}
    for name, values in raw.items():
        if name.endswith("_scale"):
            continue
        factors = raw.get(name + "_scale")
        if factors is not None:
            values = values * factors[:, None]
        if name.endswith(".lora_B.weight"):
            module = name.removesuffix(".lora_B.weight").rpartition(".")[2]
            alpha = settings.get("alpha_pattern", {}).get(
                module, settings["lora_alpha"])
            values = values * numpy.float32(alpha / values.shape[1])
        tensors[name.removeprefix(_PREFIX)] = values
    return tensors


def config(tensors: Mapping[str, Tensor], *, scale: float, base: str,
           architecture: str) -> dict[str, object]:
    """What adapter_config.json says of an adapter with these tensors."""
    matrices = {name.removesuffix(".lora_A.weight"): tensor.shape[0]
                for name, tensor in tensors.items()
                if name.endswith(".lora_A.weight")}
    (rank,) = set(matrices.values())
    norms = {name.removesuffix(".weight").rpartition(".")[2]
             for name in tensors if ".lora_" not in name}
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "auto_mapping": {"base_model_class": architecture},
        "r": rank,
        "lora_alpha": scale * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
        "target_modules": sorted({name.rpartition(".")[2] for name in matrices}),
        "modules_to_save": sorted(norms),
    }


def write(folder: pathlib.Path, tensors: Mapping[str, Tensor],
          config_fields: Mapping[str, object]) -> None:
    """Replaces what is there of that name; each file as a whole."""
    named = {_PREFIX + name: tensor for name, tensor in tensors.items()}
    contents = {
        WEIGHTS_FILE: safetensors_bytes(named),
        CONFIG_FILE: json.dumps(config_fields, indent=2).encode() + b"\n",
    }
    for name, content in contents.items():
        partial = folder / (name + ".partial")
        partial.write_bytes(content)
        os.replace(partial, folder / name)
