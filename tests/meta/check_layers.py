#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks which layer includes which. The table is the architecture.

    check_layers.py SOURCE_FOLDER
"""

import pathlib
import re
import sys

# layer: the layers it may include, besides itself.
MAY = {
    "base": "",
    "numerics": "base",
    "kernels": "base numerics",
    "coder": "base",
    "container": "base",
    "cm": "base",
    "model": "base numerics kernels",
    "tokenizer": "base model",
    "predict": "base numerics kernels coder model",
    "importer": "base numerics model tokenizer",
    "store": "base container model importer",
    "codec": "base numerics kernels coder container cm model predict tokenizer",
    "api": "base kernels container model importer store codec",
    "cli": "base kernels container model importer store codec",
}


def main():
    src = pathlib.Path(sys.argv[1]) / "src"
    faults = []
    for path in sorted(src.rglob("*.*")):
        if path.suffix not in {".h", ".cc", ".cu"}:
            continue
        layer = path.relative_to(src).parts[0]
        allowed = {layer, *MAY.get(layer, "").split()}
        # Tests may use coders and generators of numbers from anywhere.
        is_test = path.stem.endswith("_test")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#include "([a-z_0-9]+)/', line)
            if not found or is_test:
                continue
            if layer not in MAY or found[1] not in allowed:
                faults.append(f"{path}:{number}: {layer} may not include {found[1]}")
    for layer in MAY:
        if not (src / layer).is_dir():
            faults.append(f"{src / layer}: no such layer")
    print("\n".join(faults) or "every include points downwards")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
