#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A LoRA adapter that PEFT saves and loads again is another one, if entries of its
# alpha_pattern or rank_pattern overlap: the order of the entries counts, and saving
# sorts them.
#
# Seen with peft 0.21.2, torch 2.15.0 and transformers 5.24.0 (PyPI, x86-64 Linux).
# With alpha_pattern={"q_proj": 4, "layers.1.q_proj": 32} and r = 4 the first entry
# fits both layers, since a pattern fits where a module's name ends so, and the first
# that fits is taken. So both layers are scaled by 1 while the adapter is trained.
# save_pretrained() writes adapter_config.json with the members of all objects in
# order of their names, "layers.1.q_proj" first, and from_pretrained() takes that for
# layer 1: it is scaled by 8, and the model gives other outputs than the one that was
# saved. Nothing says so. A JSON object has no order, so any program that copies the
# file through a parser may do the same. An importer cannot know which was meant: it
# should refuse entries that both fit and disagree.
#
# Output seen:
#   trained: 1.0 1.0
#   in the file: layers.1.q_proj q_proj
#   loaded: 1.0 8.0
#   same outputs: False
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check peft==0.21.2 torch==2.15.0 \
    transformers==5.24.0

cat >check.py <<'EOF'
import json

import torch
from peft import LoraConfig, PeftModel, get_peft_model


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = torch.nn.Linear(8, 8, bias=False)

    def forward(self, x):
        return self.q_proj(x)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([Layer(), Layer()])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def scales(model):
    layers = model.base_model.model.layers
    return " ".join(str(layer.q_proj.scaling["default"]) for layer in layers)


torch.manual_seed(1)
net = Net()
weights = {name: weight.clone() for name, weight in net.state_dict().items()}
trained = get_peft_model(net, LoraConfig(
    r=4, lora_alpha=4, target_modules=["q_proj"], init_lora_weights=False,
    alpha_pattern={"q_proj": 4, "layers.1.q_proj": 32}))
print("trained:", scales(trained))
trained.save_pretrained("adapter")
with open("adapter/adapter_config.json", encoding="utf-8") as file:
    print("in the file:", *json.load(file)["alpha_pattern"])
other = Net()
other.load_state_dict(weights)
loaded = PeftModel.from_pretrained(other, "adapter")
print("loaded:", scales(loaded))
x = torch.ones(1, 8)
print("same outputs:", torch.allclose(trained(x), loaded(x)))
EOF
venv/bin/python -W ignore check.py | tee seen
diff - seen <<'EOF'
trained: 1.0 1.0
in the file: layers.1.q_proj q_proj
loaded: 1.0 8.0
same outputs: False
EOF
