#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what README.md shows, against an installed tree: the commands on files
and with tar, the program in C with pkg-config, and the lines for CMake. The
Python lines are run in tests/python.

    readme_test.py CMAKE BUILD_FOLDER SOURCE_FOLDER C_COMPILER
"""

import pathlib
import re
import shutil
import sys
import tempfile

from installed_tree import environment, install, only, run

CMAKE_PROJECT = """cmake_minimum_required(VERSION 3.16)
project(reader C)
add_executable(program program.c)
"""


def blocks(readme, language=""):
    """The fenced blocks of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```\n", readme, re.M | re.S)
    return [text for kind, text in found if kind == language]


def the_block(readme, word, language=""):
    found = [b for b in blocks(readme, language) if word in b]
    if len(found) != 1:
        sys.exit(f"README.md has {len(found)} blocks with '{word}'")
    return found[0]


def shell(commands, folder, env):
    return run("bash", "-euc", commands, cwd=folder, env=env)


def check_commands(readme, folder, env):
    commands = the_block(readme, "llma notes.txt").splitlines()
    texts = {name: f"What {name} says, it says word for word. ".encode() * 20
             for name in ("notes.txt", "a", "folder/one", "folder/two")}
    (folder / "folder").mkdir()
    for name, content in texts.items():
        (folder / name).write_bytes(content)
    for command in commands:
        if command.startswith("llma -d"):
            (folder / "notes.txt").unlink()
        if "-xf" in command:
            shutil.rmtree(folder / "folder")
        shell(command, folder, env)
    for name, content in texts.items():
        if (folder / name).read_bytes() != content:
            sys.exit(f"{name} is not restored by: {commands}")
    if (folder / "c").read_bytes() != texts["a"]:
        sys.exit("what went through pipes is not restored")
    # What the comment says of tar -a: it makes a plain archive.
    shell("tar -acf plain.tar.llma folder", folder, env)
    if b"ustar" not in (folder / "plain.tar.llma").read_bytes()[:512]:
        sys.exit("tar -a knows the suffix; README.md says that it does not")


def check_program(readme, folder, prefix, cc, env):
    program = the_block(readme, "int main", "c")
    (folder / "program.c").write_text(program)
    commands = the_block(readme, "pkg-config --cflags").replace(
        "cc program.c", f"'{cc}' program.c")
    libraries = only(prefix, "llma.pc").parent.parent
    commands = commands.replace("DIR/lib", str(libraries))
    shell(commands, folder, env)
    output = run(folder / "program", env=env)  # without LD_LIBRARY_PATH
    if not re.fullmatch(r"\d+ -> \d+ bytes\n", output):
        sys.exit(f"the program says: {output}")


def check_cmake(readme, folder, prefix, cmake, cc, env):
    lines = the_block(readme, "find_package(llma", "cmake")
    (folder / "CMakeLists.txt").write_text(CMAKE_PROJECT + lines)
    run(cmake, "-S", folder, "-B", folder / "build",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={cc}", env=env)
    run(cmake, "--build", folder / "build", env=env)
    run(folder / "build/program", env=env)


def main():
    cmake, build, source, cc = sys.argv[1:]
    source = pathlib.Path(source)
    readme = (source / "README.md").read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prefix = install(cmake, build, folder)
        env = environment(PATH=f"{prefix / 'bin'}:/usr/bin:/bin",
                          LLMA_MODEL_PATH=source / "tests/data")
        check_commands(readme, folder, env)
        check_program(readme, folder, prefix, cc, env)
        check_cmake(readme, folder, prefix, cmake, cc, env)
    print("README.md: commands, C, pkg-config and CMake do what it says")


if __name__ == "__main__":
    main()
