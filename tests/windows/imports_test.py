#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program and the library for Windows need nothing but what Windows has, and
the library shows the functions of llma.h alone.

    imports_test.py OBJDUMP LLMA.EXE LLMA.DLL LLMA.H
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "install"))
from symbols_test import declared  # noqa: E402

OF_WINDOWS = {"kernel32.dll", "msvcrt.dll", "advapi32.dll", "winhttp.dll",
              "user32.dll", "shell32.dll", "bcrypt.dll", "ws2_32.dll"}


def main():
    objdump, exe, library, header = sys.argv[1:]
    for path in (exe, library):
        text = subprocess.run([objdump, "-p", path], check=True,
                              capture_output=True, text=True).stdout
        needed = {n.lower() for n in re.findall(r"DLL Name: (\S+)", text)}
        print(f"{path} needs {' '.join(sorted(needed))}")
        if not needed or needed - OF_WINDOWS:
            sys.exit(f"which Windows has not: {needed - OF_WINDOWS}")
    shown = set(re.findall(r"^\s*\[\s*\d+\]\s+(?:\+base\[\s*\d+\]\s+[0-9a-f]+\s+)?"
                           r"(\w+)$", text, re.M))
    functions = declared(header)
    if shown != functions:
        sys.exit(f"shown, but not in the header: {sorted(shown - functions)}\n"
                 f"in the header, but not shown: {sorted(functions - shown)}")
    print(f"llma.dll shows {len(functions)} functions")


if __name__ == "__main__":
    main()
