#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what is in a wheel, and what `auditwheel show` says of it.

    check_wheel.py WHEEL <SHOWN
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

ALLOWED = re.compile(r"lib(c|m)\.so\.6|ld-linux-[a-z0-9-]+\.so\.[12]")


def main():
    wheel = pathlib.Path(sys.argv[1])
    shown = " ".join(sys.stdin.read().split())
    faults = []
    tag = re.search(r'"manylinux_2_(\d+)_\w+"', shown)
    if tag is None or int(tag[1]) > 36:
        faults.append(f"not for the C library of Debian 12: {shown}")
    with zipfile.ZipFile(wheel) as archive, \
            tempfile.TemporaryDirectory() as folder:
        names = archive.namelist()
        archive.extractall(folder)
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
                listed = subprocess.run(
                    ["readelf", "-d", path], check=True, capture_output=True,
                    text=True).stdout
                needed = re.findall(r"NEEDED.*\[(.*)\]", listed)
                print(f"{path.name}: {path.stat().st_size} bytes, needs "
                      f"{', '.join(needed)}")
                faults += [f"{path.name} needs {name}" for name in needed
                           if not ALLOWED.fullmatch(name)]
    for wanted in (r"llma/_llma\..*so", r"llma/bin/llma", r"llma/_llma\.pyi",
                   r"llma/py\.typed", r".*dist-info/licenses/LICENSE",
                   r"llma/tune/smollm2-135m-text/adapter_config\.json"):
        if not any(re.fullmatch(wanted, name) for name in names):
            faults.append(f"has no {wanted}")
    for fault in faults:
        print(f"FAILED: {wheel.name} {fault}")
    print(f"{wheel.stat().st_size} bytes, glibc 2.{tag[1] if tag else '?'}")
    sys.exit(1 if faults else 0)


main()
