#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Examples built with pkg-config, against an installed tree.

    pkg_config_test.py CMAKE BUILD_FOLDER SOURCE_FOLDER C_COMPILER CXX
"""

import pathlib
import sys
import tempfile

from installed_tree import (check_round_trip, environment, install, needed,
                            only, run)


def main():
    cmake, build, source, cc, cxx = sys.argv[1:]
    source = pathlib.Path(source)
    model = source / "tests/data/tiny.llmm"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prefix = install(cmake, build, folder)
        libraries = only(prefix, "llma.pc").parent.parent
        env = environment(PKG_CONFIG_PATH=libraries / "pkgconfig",
                          LD_LIBRARY_PATH=libraries)

        def flags(*options):
            return run("pkg-config", "--cflags", "--libs", *options, "llma",
                       env=env).split()

        def build_and_run(name, *options):
            run(cc, "-std=c11", source / "examples/compress_buffer.c",
                "-o", folder / name, *flags(*options), env=env)
            check_round_trip(run(folder / name, model, env=env))
            return needed(folder / name)

        if "libllma.so.1" not in build_and_run("shared"):
            sys.exit("the program does not use the shared library")
        run(cxx, "-std=c++20", source / "examples/stream_file.cc",
            "-o", folder / "stream", *flags(), env=env)
        check_round_trip(run(folder / "stream", source / "LICENSE", model,
                             env=env))
        # Linkers take the static library where there is no other.
        for path in libraries.glob("libllma.so*"):
            path.unlink()
        if "libllma.so.1" in build_and_run("static", "--static"):
            sys.exit("the program uses the shared library")
        # What the file says of the version.
        version = run("pkg-config", "--modversion", "llma", env=env).strip()
        if version not in run(prefix / "bin/llma", "--version"):
            sys.exit(f"llma.pc says version {version}")
    print("programs build with pkg-config and run, with both libraries")


if __name__ == "__main__":
    main()
