#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every test is registered and every file says its licence.

    check_registration.py SOURCE_FOLDER
"""

import pathlib
import subprocess
import sys

CODE = {".h", ".cc", ".cu", ".py", ".sh", ".cmake"}


def main():
    root = pathlib.Path(sys.argv[1])
    listed = subprocess.run(["git", "-C", root, "ls-files"], check=True,
                            capture_output=True, text=True).stdout.split("\n")
    files = [root / name for name in listed if name and (root / name).is_file()]
    faults = []
    names = {}
    for path in files:
        if path.suffix in {".h", ".cc"}:
            # The same for each system.
            name = path.name, path.parent.name == "windows"
            if name in names:
                faults.append(f"{path}: the same name as {names[name]}")
            names[name] = path
        if path.name.endswith("_test.cc"):
            # Of its folder or, for a room of a layer, of the layer.
            lists = next(folder / "CMakeLists.txt" for folder in path.parents
                         if (folder / "CMakeLists.txt").is_file())
            if path.name not in lists.read_text():
                faults.append(f"{path}: not in {lists}")
        if path.suffix in CODE or path.name == "CMakeLists.txt":
            if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(
                    path.read_text().splitlines()[:3]):
                faults.append(f"{path}: no licence line")
    print("\n".join(faults) or f"{len(files)} files are in order")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
