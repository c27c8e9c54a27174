#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of a .cases file against the program.

    run_cases.py LLMA DATA_FOLDER FILE.cases [NAME_PART]

A case is a block of lines:

    == what it shows
    $ llma -d missing          bash commands, one or more lines
    ? 1                        the exit status, 0 if there is no such line
    > text                     standard output, exactly, line by line
    ! llma: missing: *         standard error, each line a glob

Each case runs in its own folder, with the files that make_folder() makes.
"""

import fnmatch
import os
import pathlib
import pty
import random
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_SECONDS = 300  # of a case; seconds where nothing else runs


class Case:
    def __init__(self, name):
        self.name = name
        self.commands = []
        self.status = 0
        self.stdout = []
        self.stderr = []


def read_cases(path):
    cases = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if mark == "==":
            cases.append(Case(rest))
        elif mark == "$":
            cases[-1].commands.append(rest)
        elif mark == "?":
            cases[-1].status = int(rest)
        elif mark == ">":
            cases[-1].stdout.append(rest)
        elif mark == "!":
            cases[-1].stderr.append(rest)
        elif line and mark != "#":
            sys.exit(f"{path}:{number}: what is this line?")
    return cases


def sample_text(num_words):
    words = "the a of model file byte reads writes and then but 42 = ( ) ;\n"
    generator = random.Random(1)
    return " ".join(generator.choices(words.split(" "), k=num_words))


def make_template(folder, environment):
    """What every case finds in its folder."""
    (folder / "text.txt").write_text(sample_text(200))
    (folder / "name with space.txt").write_text(sample_text(50))
    (folder / "empty").write_bytes(b"")
    (folder / "noise").write_bytes(random.Random(2).randbytes(3000))
    (folder / "folder").mkdir()
    for name in ("text.txt", "noise"):
        subprocess.run(["llma", name], cwd=folder, env=environment, check=True)
    # Text that the model predicts badly may be stored; the cases need both.
    kinds = {n: (folder / n).read_bytes()[4] & 7
             for n in ("text.txt.llma", "noise.llma")}
    if kinds != {"text.txt.llma": 1, "noise.llma": 0}:
        sys.exit(f"the samples are not coded and stored: {kinds}")


def make_environment(llma, data, folder):
    programs = folder / "bin"
    programs.mkdir()
    (programs / "llma").symlink_to(llma)
    for script in (pathlib.Path(__file__).parents[2] / "scripts").iterdir():
        (programs / script.name).symlink_to(script)
    in_terminal = programs / "in_terminal"
    in_terminal.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" --in-terminal "$@"\n')
    in_terminal.chmod(0o755)
    models = folder / "models"
    models.mkdir()
    shutil.copy(data / "tiny.llmm", models)
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith(("LLMA_", "XDG_", "LC_"))}
    environment.update(
        PATH=f"{programs}:{environment.get('PATH', '')}", LC_ALL="C",
        HOME=str(folder / "home"), LLMA_MODEL_PATH=str(models),
        DATA=str(data))
    return environment


def matches(lines, globs):
    return len(lines) == len(globs) and all(
        fnmatch.fnmatchcase(line, glob) for line, glob in zip(lines, globs))


def run_case(case, template, environment):
    """Returns what is wrong, or nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "here"
        shutil.copytree(template, folder)
        try:
            done = subprocess.run(
                ["bash", "-c", "\n".join(case.commands)], cwd=folder,
                env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            return f"still running after {TIMEOUT_SECONDS} s"
    stdout = done.stdout.decode(errors="replace").splitlines()
    stderr = done.stderr.decode(errors="replace").splitlines()
    if done.returncode != case.status:
        return f"status {done.returncode}, not {case.status}\n{stdout}{stderr}"
    if stdout != case.stdout:
        return f"stdout {stdout}"
    if not matches(stderr, case.stderr):
        return f"stderr {stderr}"
    return None


def main():
    if sys.argv[1] == "--in-terminal":
        return os.waitstatus_to_exitcode(pty.spawn(sys.argv[2:]))
    llma, data, path = (pathlib.Path(p).resolve() for p in sys.argv[1:4])
    part = sys.argv[4] if len(sys.argv) > 4 else ""
    cases = [c for c in read_cases(path) if part in c.name]
    num_failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        environment = make_environment(llma, data, folder)
        template = folder / "template"
        template.mkdir()
        make_template(template, environment)
        for case in cases:
            problem = run_case(case, template, environment)
            if problem:
                num_failed += 1
                print(f"FAILED: {case.name}\n  {problem}")
    print(f"{path.name}: {len(cases)} cases, {num_failed} failed")
    return 1 if num_failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
