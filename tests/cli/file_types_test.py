#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other programs know compressed files and models by their first bytes: file(1)
by misc/llma.magic, desktops by misc/llma.xml.

    file_types_test.py LLMA SOURCE_FOLDER
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SPACE = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}


def make_files(llma, source, folder):
    """What file(1) should say of each file."""
    data = source / "tests/data"
    environment = {**os.environ, "LLMA_MODEL_PATH": str(data / "tiny.llmm")}
    text = folder / "text"
    text.write_text("the file reads bytes and writes bytes\n" * 40)
    noise = folder / "noise"
    noise.write_bytes(os.urandom(500))
    shutil.copy(data / "tiny.llmm", folder / "model.llmm")
    for name, source_file, *options in (
            ("lm.llma", text), ("cm.llma", text, "-1"),
            ("stored.llma", noise, "-1"), ("named.llma", text, "-1", "-N")):
        subprocess.run([llma, *options, "-o", folder / name, source_file],
                       check=True, env=environment)
    start = "llma compressed data, version 1"
    return {
        "lm.llma": start + ", coded by a language model",
        "cm.llma": start + ", coded by context models",
        "stored.llma": start + ", stored",
        "named.llma": start,
        "model.llmm": "llma language model, version 0",
    }


def check_magic(magic, folder, expected):
    for name, what in expected.items():
        for option, answer in (("-b", what), ("--extension", pathlib.Path(name).suffix[1:])):
            said = subprocess.run(
                ["file", "-b", "-m", magic, option, folder / name], check=True,
                capture_output=True, text=True).stdout.strip()
            if said != answer:
                sys.exit(f"file {option} {name}: {said!r}, not {answer!r}")
    said = subprocess.run(
        ["file", "-b", "-m", magic, "--mime-type", folder / "lm.llma", folder / "text"],
        check=True, capture_output=True, text=True).stdout.split()
    if said != ["application/x-llma", "text/plain"]:
        sys.exit(f"MIME types: {said}")


def check_mime(path, folder, expected):
    kind = xml.etree.ElementTree.parse(path).getroot().find("m:mime-type", SPACE)
    match = kind.find("m:magic/m:match", SPACE)
    start = match.get("value").encode().decode("unicode_escape").encode("latin-1")
    ending = kind.find("m:glob", SPACE).get("pattern")
    if kind.get("type") != "application/x-llma" or ending != "*.llma":
        sys.exit(f"{path}: {kind.get('type')}, {ending}")
    for name in expected:
        if (folder / name).read_bytes().startswith(start) != name.endswith(".llma"):
            sys.exit(f"{path}: {start} and {name}")


def main():
    llma, source = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    if not shutil.which("file"):
        sys.exit("there is no file(1): tools/install_packages.sh test")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        expected = make_files(llma, source, folder)
        check_magic(source / "misc/llma.magic", folder, expected)
        check_mime(source / "misc/llma.xml", folder, expected)
    print(f"{len(expected)} kinds of files are known")


if __name__ == "__main__":
    main()
