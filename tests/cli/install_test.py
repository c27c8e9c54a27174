#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs into a temporary folder, and uses the program from there.

    install_test.py CMAKE BUILD_FOLDER
"""

import pathlib
import subprocess
import sys
import tempfile

EXPECTED = """
bin/llma bin/llmacat bin/unllma
share/bash-completion/completions/llma
share/bash-completion/completions/llmacat
share/bash-completion/completions/unllma
share/fish/vendor_completions.d/llma.fish
share/fish/vendor_completions.d/llmacat.fish
share/fish/vendor_completions.d/unllma.fish
share/man/man1/llma.1 share/man/man1/llmacat.1 share/man/man1/unllma.1
share/zsh/site-functions/_llma
""".split()


def main():
    cmake, build = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        first, prefix = folder / "first", folder / "moved"
        subprocess.run([cmake, "--install", build, "--prefix", first],
                       check=True, stdout=subprocess.DEVNULL)
        # Links must not say where they were installed.
        first.rename(prefix)
        found = sorted(str(p.relative_to(prefix)) for p in prefix.rglob("*")
                       if p.is_file())
        if found != sorted(EXPECTED):
            sys.exit(f"installed: {found}")
        content = b"a text, and the text again\n" * 50
        text, packed = folder / "text", folder / "text.llma"
        text.write_bytes(content)
        subprocess.run([prefix / "bin/llma", "-1", text], check=True)
        shown = subprocess.run([prefix / "bin/llmacat", packed], check=True,
                               capture_output=True).stdout
        text.unlink()
        subprocess.run([prefix / "bin/unllma", packed], check=True)
        if shown != content or text.read_bytes() != content:
            sys.exit("unllma and llmacat do not restore the content")
    print(f"{len(EXPECTED)} files are installed, and the programs run")


if __name__ == "__main__":
    main()
