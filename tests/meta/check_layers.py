#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks which layer includes which, and that the program uses the public
interface and the file layer alone. The table is the architecture.

    check_layers.py SOURCE_FOLDER
"""

import pathlib
import re
import sys

# A layer in the folder of another one, below all.
MACHINE = "platform/machine"
# layer: the layers it may include, besides itself and MACHINE.
MAY = {
    MACHINE: "",
    "base": "",
    "platform": "base",
    "numerics": "base",
    "kernels": "base numerics",
    "coder": "base",
    "container": "base",
    "cm": "base numerics kernels",
    "model": "base platform numerics kernels",
    "tokenizer": "base model",
    "predict": "base numerics kernels coder model",
    "engine": "base platform numerics kernels coder model predict",
    "importer": "base platform numerics kernels model tokenizer",
    "store": "base platform container model importer",
    "codec":
    "base platform numerics kernels coder container cm model predict engine "
    "tokenizer",
    "api": "base platform kernels container model importer store engine codec",
    "cli": "platform",  # besides the public interface
}


# Layers whose tests may not include more than they do.
STRICT = {"cli"}
# Who may include <llma/...>, besides those who use nothing else.
PUBLIC_USERS = {"api", "base", "cli", "platform"}


def layer_of(parts):
    pair = "/".join(parts[:2])
    return pair if pair in MAY else parts[0]


def check_includes(src, path, faults):
    layer = layer_of(path.relative_to(src).parts)
    allowed = {layer, MACHINE, *MAY.get(layer, "").split()}
    # Tests may use coders and generators of numbers from anywhere.
    is_free = path.stem.endswith("_test") and layer not in STRICT
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
        if not found or is_free:
            continue
        place = f"{path}:{number}: {layer} may not include {found[1]}"
        folder, _, name = found[1].rpartition("/")
        top = layer_of(folder.split("/"))
        if ".." in folder or (not folder and (path.parent / name).is_file()):
            faults.append(place + ": say its layer")
        elif top == "llma":
            public = src.parent / "include" / found[1]
            if layer not in PUBLIC_USERS or not public.is_file():
                faults.append(place)
        elif layer not in MAY or (top in MAY and top not in allowed):
            faults.append(place)


def check_links(src, faults):
    """The program is linked to the public interface, files and JSON."""
    text = (src / "cli" / "CMakeLists.txt").read_text()
    for links in re.findall(r"target_link_libraries\(([^)]*)\)", text):
        target, *others = links.split()
        others = set(others) - {"PUBLIC", "PRIVATE", "INTERFACE"}
        wrong = others - {"llma_api", "llma_cli", "llma_platform",
                          "nlohmann_json::nlohmann_json"}
        if wrong:
            faults.append(f"{target} may not link {', '.join(sorted(wrong))}")
    if "target_link_libraries(llma_cli" not in text:
        faults.append("src/cli/CMakeLists.txt: what does llma_cli link?")


def main():
    src = pathlib.Path(sys.argv[1]) / "src"
    faults = []
    for path in sorted(src.rglob("*.*")):
        if path.suffix in {".h", ".cc", ".cu"}:
            check_includes(src, path, faults)
    check_links(src, faults)
    for layer in MAY:
        if not (src / layer).is_dir():
            faults.append(f"{src / layer}: no such layer")
    print("\n".join(faults) or "every include points downwards")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
