#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs into a temporary folder, and uses the program from there.

    install_test.py CMAKE BUILD_FOLDER
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

# LIB stands for lib, lib64, or lib and the name of a machine.
EXPECTED = """
LIB/cmake/llma/llmaConfig.cmake LIB/cmake/llma/llmaConfigVersion.cmake
LIB/cmake/llma/llmaSharedTargets.cmake LIB/cmake/llma/llmaStaticTargets.cmake
LIB/libllma.a LIB/libllma.so LIB/libllma.so.1 LIB/pkgconfig/llma.pc
bin/llma bin/llmacat bin/llmadiff bin/llmagrep bin/llmaless bin/unllma
share/bash-completion/completions/llma
share/bash-completion/completions/llmacat
share/bash-completion/completions/unllma
share/doc/llma/COMPATIBILITY.md
share/doc/llma/CONTEXT_LAW.md share/doc/llma/CONTEXT_MODELS.md
share/doc/llma/FORMAT.md
share/doc/llma/LICENSE share/doc/llma/MODEL_FILE.md share/doc/llma/NUMERICS.md
share/doc/llma/PREDICTOR.md share/doc/llma/README.md
share/fish/vendor_completions.d/llma.fish
share/fish/vendor_completions.d/llmacat.fish
share/fish/vendor_completions.d/unllma.fish
share/man/man1/llma.1 share/man/man1/llmacat.1 share/man/man1/llmadiff.1
share/man/man1/llmagrep.1 share/man/man1/llmaless.1 share/man/man1/unllma.1
share/mime/packages/llma.xml share/misc/llma.magic
share/zsh/site-functions/_llma
""".split()
HEADERS = pathlib.Path(__file__).parents[2] / "include"


def files(prefix):
    """What lies there, less what is called after versions and build types."""
    library = next(prefix.rglob("llma.pc")).parent.parent.relative_to(prefix)
    names = (str(p.relative_to(prefix)) for p in prefix.rglob("*")
             if p.is_file())
    return sorted(
        re.sub(f"^{library}/", "LIB/", name) for name in names
        if not re.search(r"libllma\.so\.\d+\.|Targets-\w+\.cmake$", name))


def main():
    cmake, build = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        first, prefix = folder / "first", folder / "moved"
        subprocess.run([cmake, "--install", build, "--prefix", first],
                       check=True, stdout=subprocess.DEVNULL)
        # Links must not say where they were installed.
        first.rename(prefix)
        headers = [f"include/{p.relative_to(HEADERS)}"
                   for p in HEADERS.rglob("*.h*")]
        if files(prefix) != sorted(EXPECTED + headers):
            sys.exit(f"installed: {files(prefix)}")
        for path in prefix.rglob("*"):
            if (path.suffix in {".cmake", ".pc"}
                    and str(folder) in path.read_text()):
                sys.exit(f"{path} says where it was installed")
        # The same below DESTDIR, where the prefix of the build is.
        staged = folder / "staged"
        subprocess.run([cmake, "--install", build, "--component", "program"],
                       check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DESTDIR": str(staged)})
        subprocess.run([next(staged.rglob("bin/llma")), "--version"],
                       check=True, stdout=subprocess.DEVNULL)
        content = b"a text, and the text again\n" * 50
        text, packed = folder / "text", folder / "text.llma"
        text.write_bytes(content)
        subprocess.run([prefix / "bin/llma", "-1", text], check=True)
        shown = subprocess.run([prefix / "bin/llmacat", packed], check=True,
                               capture_output=True).stdout
        found = subprocess.run(
            [prefix / "bin/llmagrep", "-c", "again", packed], check=True,
            capture_output=True, env={
                **os.environ,
                "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}"}).stdout
        if found != b"50\n":
            sys.exit(f"llmagrep finds {found}")
        text.unlink()
        subprocess.run([prefix / "bin/unllma", packed], check=True)
        if shown != content or text.read_bytes() != content:
            sys.exit("unllma and llmacat do not restore the content")
    print(f"{len(EXPECTED)} files are installed, and the programs run")


if __name__ == "__main__":
    main()
