#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples as a project of their own, against the installed package.

    outside_cmake_test.py CMAKE BUILD_FOLDER SOURCE_FOLDER C_COMPILER CXX
"""

import pathlib
import sys
import tempfile

from installed_tree import check_round_trip, environment, install, needed, run

C_PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(other C)
find_package(llma 99 QUIET)
if(llma_FOUND)
  message(FATAL_ERROR "a version was found that does not exist")
endif()
find_package(llma REQUIRED)
add_executable(other {})
target_link_libraries(other llma::llma_static)
if(NOT TARGET llma::llma)
  message(FATAL_ERROR "the shared library is missing")
endif()
"""


def main():
    cmake, build, source, cc, cxx = sys.argv[1:]
    source = pathlib.Path(source)
    model = source / "tests/data/tiny.llmm"
    env = environment()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prefix = install(cmake, build, folder)
        for static in ("OFF", "ON"):
            made = folder / static
            run(cmake, "-G", "Ninja", "-S", source / "examples", "-B", made,
                f"-DCMAKE_PREFIX_PATH={prefix}", f"-DLLMA_LINK_STATIC={static}",
                f"-DCMAKE_C_COMPILER={cc}", f"-DCMAKE_CXX_COMPILER={cxx}",
                "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON",
                "-DCMAKE_C_FLAGS=-Wall -Wextra -pedantic",
                "-DCMAKE_CXX_FLAGS=-Wall -Wextra -pedantic", env=env)
            run(cmake, "--build", made, env=env)
            for program, arguments in (
                    ("compress_buffer", [model]),
                    ("stream_file", [source / "LICENSE", model])):
                check_round_trip(run(made / program, *arguments, env=env))
                if ("libllma.so.1" in needed(made / program)) != (
                        static == "OFF"):
                    sys.exit(f"{program} links the wrong library")
        # A project in C alone, which takes what there is.
        (folder / "CMakeLists.txt").write_text(
            C_PROJECT.format(source / "examples/compress_buffer.c"))
        run(cmake, "-G", "Ninja", "-S", folder, "-B", folder / "c",
            f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={cc}",
            env=env)
        run(cmake, "--build", folder / "c", env=env)
        check_round_trip(run(folder / "c/other", model, env=env))
    print("an outside project builds and runs, with both libraries")


if __name__ == "__main__":
    main()
