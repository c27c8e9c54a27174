#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quickstart.sh as a newcomer meets it. Compiling and fetching are played: a
`cmake` that brings the program of this build along, and the tiny model.

    quickstart_test.py LLMA SOURCE_FOLDER
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CMAKE = """#!/bin/sh
[ "$1" = --build ] || exit 0
for i in 1 2 3 4; do echo "[$i/4] Building x.o"; done
[ -z "$BREAK_BUILD" ] || { echo "x.cc: error: no such thing"; exit 1; }
mkdir -p build/release && cp '%s' build/release/llma
"""
# All packages are there, but for the one that is named.
DPKG_QUERY = """#!/bin/sh
for package; do :; done
[ "$package" = "$MISSING" ] || echo 'install ok installed'
"""


def fail(why):
    sys.exit(f"quickstart: {why}")


class Checkout:
    """A copy of what quickstart needs, below a path with a space."""

    def __init__(self, folder, llma, source):
        folder.chmod(0o755)
        self.root = folder / "a clone"
        for name in ("quickstart.sh", "tools/install_packages.sh",
                     "tools/get_default_model.sh",
                     "tools/fetch_default_gguf.sh"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, self.root / name)
        tools = folder / "bin"
        tools.mkdir()
        for name, text in (("cmake", CMAKE % llma), ("dpkg-query", DPKG_QUERY),
                           ("sudo", "#!/bin/sh\nexit 1\n"),
                           ("apt-get", "#!/bin/sh\nexit 1\n")):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        self.env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}",
                    "XDG_DATA_HOME": str(folder / "data"), "LC_ALL": "C",
                    "LLMA_MODEL_GGUF": str(source / "tests/data/tiny.gguf")}
        self.env.pop("LLMA_MODEL_PATH", None)

    def run(self, *args, user=(), **env):
        done = subprocess.run(
            [*user, self.root / "quickstart.sh", *args],
            cwd=self.root.parent, env={**self.env, **env}, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def expect_error(self, part, *args, **options):
        status, output, errors = self.run(*args, **options)
        if status == 0 or part not in errors:
            fail(f"expected '{part}', not {status}: {output}{errors}")
        return output


def main():
    llma, source = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        checkout = Checkout(folder, llma, source)
        text = folder / "-a text.txt"
        text.write_text("What it says, it says again. " * 20)
        checkout.expect_error("is not a file", "none.txt")
        checkout.expect_error("usage", "a", "b")
        if list((checkout.root).glob("build*")):
            fail("it began before it looked at its arguments")

        checkout.expect_error("error: no such thing", text.name,
                              BREAK_BUILD="1")
        # Without the rights to install: what to run instead.
        user = ("setpriv", "--reuid=65534", "--regid=65534",
                "--clear-groups") if os.getuid() == 0 else ()
        if os.getuid() == 0:
            (checkout.root / "build").chmod(0o777)
        output = checkout.expect_error(
            "apt-get install --no-install-recommends ninja-build", text.name,
            user=user, MISSING="ninja-build")
        if "- installs Debian packages, 1 that" not in output:
            fail(f"it does not say first what is missing: {output}")

        status, output, errors = checkout.run(text.name)
        if status != 0:
            fail(f"ended with {status}: {output}{errors}")
        steps = ["First it", "- builds the program", "- installs the model",
                 "MB of disk", "[4/4]", f"The model is in {folder}/data",
                 "fingerprint", "gzip -9", "llma ", "is identical"]
        places = [output.find(step) for step in steps]
        if -1 in places or places != sorted(places):
            fail(f"of {steps}, some are missing or late: {output}")

        status, again, errors = checkout.run(text.name)
        if status != 0 or "earlier run" not in again:
            fail(f"the second run compresses again: {again}{errors}")
        if "First it" in again or "is identical" not in again:
            fail(f"the second run says: {again}")
        if output[output.index(f"\n{text.name}\n"):] not in again:
            fail(f"the second run shows another result: {again}")
        text.write_text("Another text is compressed. " * 20)
        if "earlier run" in checkout.run(text.name)[1]:
            fail("the result of another text is shown")
        text.write_text("A third text. " * 20)
        checkout.expect_error("temporary files", text.name, TMPDIR="/nowhere")
    print("quickstart.sh does and says what it should")


if __name__ == "__main__":
    main()
