#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the completions: bash's and, where they are installed, zsh's (syntax
alone) and fish's.

    completions_test.py LLMA SOURCE_FOLDER
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# The line up to the cursor, and the whole answer of bash.
CASES = [
    ("llma --sa", ["--salvage"]),
    ("llma --un", ["--uncompress"]),
    ("llma n", ["name with space", "new"]),
    ("llma mod", ["model", "models"]),
    ("llma -d ", ["a.llma", "b c.llma", "folder", "models"]),
    ("llma -t a", ["a.llma"]),
    ("llma --list f", ["folder"]),
    ("llma -9 -k n", ["name with space", "new"]),
    ("unllma ", ["a.llma", "b c.llma", "folder", "models"]),
    ("llmacat b", ["b c.llma"]),
    ("llma --model ", ["auto", "tiny"]),
    ("llma --model = t", ["tiny"]),
    ("llma -d -o n", ["name with space", "new"]),
    ("llma --frame-size = 6", ["64K"]),
    ("llma --range ", []),
    ("llma --help = l", ["long"]),
    ("llma --files0 = ne", ["new"]),
    ("llma model ", ["check", "export", "import", "info", "list", "pull", "rm",
                     "verify"]),
    ("llma model info ", ["tiny"]),
    ("llma model check t", ["tiny"]),
    ("llma model check tiny n", ["name with space", "new"]),
    ("llma model import n", ["name with space", "new"]),
    ("llma model import --st", ["--start-token"]),
    ("llma model import --name ", []),
    ("llma bench --lev", ["--levels"]),
    ("llma bench n", ["name with space", "new"]),
]

# Sets what readline would, calls the function, and prints each answer.
ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
function=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
"$function" "$1" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(command, folder, environment):
    return subprocess.run(command, cwd=folder, env=environment,
                          capture_output=True, text=True, check=False)


def main():
    llma = pathlib.Path(sys.argv[1]).resolve()
    root = pathlib.Path(sys.argv[2]).resolve()
    completions = root / "completions"
    faults = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "here"
        programs = pathlib.Path(name) / "bin"
        folder.mkdir()
        programs.mkdir()
        for file in ("a.llma", "b c.llma", "name with space", "new"):
            (folder / file).touch()
        (folder / "folder").mkdir()
        (folder / "models").mkdir()
        shutil.copy(root / "tests/data/tiny.llmm", folder / "models")
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
            "HOME": name, "LLMA_MODEL_PATH": f"{folder}/models"}
        for program in ("llma", "unllma", "llmacat"):
            (programs / program).symlink_to(llma)

        for line, expected in CASES:
            done = run(["bash", "-c", ASK, "bash", completions / "llma.bash",
                        *line.split(" ")], folder, environment)
            got = sorted(done.stdout.splitlines())
            if got != expected or done.stderr:
                faults.append(f"bash: '{line}': {got} {done.stderr}")
        if shutil.which("zsh"):
            done = run(["zsh", "-n", completions / "_llma"], folder, environment)
            if done.returncode != 0 or done.stderr:
                faults.append(f"zsh: {done.stderr}")
        if shutil.which("fish"):
            script = f"source {completions}/llma.fish; complete -C "
            for line, expected in (("llma --sal", ["--salvage"]),
                                   ("llma -d ", ["a.llma", "b c.llma", "folder/",
                                                 "models/"]),
                                   ("llma --model ", ["tiny"]),
                                   ("llma model in", ["info"])):
                done = run(["fish", "-c", f"{script}'{line}'"], folder,
                           environment)
                got = {g.split("\t")[0] for g in done.stdout.splitlines()}
                if not got.issuperset(expected) or done.stderr:
                    faults.append(f"fish: '{line}': {got} {done.stderr}")
    print("\n".join(faults) or f"{len(CASES)} lines are completed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
