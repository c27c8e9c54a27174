# SPDX-License-Identifier: Apache-2.0
"""What the tests of installed files share."""

import os
import pathlib
import re
import subprocess
import sys


def run(*command, **options):
    """Runs; returns the standard output; ends the test if it fails."""
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n"
                 f"{done.stdout}{done.stderr}")
    return done.stdout


def install(cmake, build, folder):
    """Installs into `folder`, moves that, and returns the new prefix."""
    first, prefix = folder / "first", folder / "prefix"
    run(cmake, "--install", build, "--prefix", first)
    first.rename(prefix)
    return prefix


def only(folder, pattern):
    """The one path below `folder` that fits."""
    found = list(pathlib.Path(folder).rglob(pattern))
    if len(found) != 1:
        sys.exit(f"{pattern} in {folder}: {found}")
    return found[0]


def environment(**values):
    """The environment, without what would lead to other installed files."""
    left_out = {"LD_LIBRARY_PATH", "CPATH", "LIBRARY_PATH", "DESTDIR",
                "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "CMAKE_PREFIX_PATH"}
    kept = {k: v for k, v in os.environ.items() if k not in left_out}
    return {**kept, **{k: str(v) for k, v in values.items()}}


def needed(program):
    """The shared libraries that a program or library names."""
    lines = run("readelf", "-dW", program).splitlines()
    return [line.split("[")[1].rstrip("]") for line in lines
            if "(NEEDED)" in line]


def check_round_trip(output):
    """That an example, which compares what it restores, came to its end."""
    if not re.search(r"^[1-9]\d* -> [1-9]\d* bytes\n\Z", output, re.M):
        sys.exit(f"an example says: {output}")
