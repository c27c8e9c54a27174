#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the help text, the man page and the completions know the same
options as the program, and that the man page has no faults.

    check_options.py LLMA SOURCE_FOLDER
"""

import pathlib
import re
import shutil
import subprocess
import sys

OPTION = r"(?<![\w-])(--?[a-zA-Z0-9][\w-]*)"


def from_source(text):
    """Letters and names in the tables of option_tables.cc."""
    found = {f"--{name}" for name in re.findall(r'^    \{"([\w-]+)", \w+_argument,', text, re.M)}
    for letters in re.findall(r'Letters\[\] = ":([\w:]+)"', text):
        found.update(f"-{letter}" for letter in letters if letter != ":")
    return found


def from_help(text):
    found = set(re.findall(OPTION, text))
    if "-1 ... -9" in text:
        found.update(f"-{level}" for level in range(1, 10))
    return {o for o in found if o.startswith("--") or len(o) == 2}


def from_man_page(text):
    found = set()
    for line in text.splitlines():
        if line.startswith(".It "):
            found.update(f"-{o}" for o in re.findall(r"\bFl (-?[\w-]+)", line))
    if ".It Fl 1 No \\&... Fl 9 ," in text:
        found.update(f"-{level}" for level in range(1, 10))
    return found


def from_bash(text):
    text = "\n".join(line for line in text.splitlines()
                     if not line.strip().startswith("#"))
    words = " ".join(re.findall(r"_llma_words '(-[^']*)'", text))
    return set(words.split())


def from_zsh(text):
    found = set()
    for line in text.splitlines():
        line = line.strip()
        if not line.startswith("'"):
            continue
        for group in re.findall(r"\{(-[^}]*)\}", line):
            found.update(group.split(","))
        if "'{1,2,3,4,5,6,7,8,9}" in line:
            found.update(f"-{level}" for level in range(1, 10))
        found.update(re.findall(r"'(--?[a-zA-Z][\w-]*)(?=[\[=])", line))
    return {o.rstrip("=-") if o.startswith("--") else o for o in found}


def from_fish(text):
    found = set()
    for line in text.splitlines():
        if line.strip().startswith("complete "):
            found.update(f"-{s}" for s in re.findall(r" -s (\w)(?= )", line))
            found.update(f"--{name}" for name in re.findall(r" -l ([\w-]+)", line))
    if "-s $level" in text:
        found.update(f"-{level}" for level in range(1, 10))
    return found


def man_page_faults(path):
    """What the formatters say, where they are installed."""
    commands = []
    if shutil.which("mandoc"):
        commands.append(["mandoc", "-T", "lint", "-W", "style", path])
    if shutil.which("groff"):
        commands.append(["groff", "-mandoc", "-Tutf8", "-ww", "-b", path])
    faults = []
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        # Other pages need not be installed.
        said = [line for line in done.stdout.splitlines()
                if re.search(r"llma\w*\.1:\d+", line)
                and "referenced manual not found" not in line]
        faults += said
    return faults


def main():
    llma, root = sys.argv[1], pathlib.Path(sys.argv[2])
    source = from_source((root / "src/cli/args/option_tables.cc").read_text())
    help_text = subprocess.run([llma, "--help=long"], check=True,
                               capture_output=True, text=True).stdout
    page = root / "docs/man/llma.1"
    places = {
        "--help=long": from_help(help_text),
        "docs/man/llma.1": from_man_page(page.read_text()),
    }
    for name, parse in (("llma.bash", from_bash), ("_llma", from_zsh),
                        ("llma.fish", from_fish)):
        places[f"completions/{name}"] = parse(
            (root / "completions" / name).read_text())
    faults = [fault for path in sorted(page.parent.glob("*.1"))
              for fault in man_page_faults(path)]
    for place, options in places.items():
        faults += [f"{place}: lacks {o}" for o in sorted(source - options)]
        faults += [f"{place}: there is no {o}" for o in sorted(options - source)]
    print("\n".join(faults) or f"{len(source)} options are in every place")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
