#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every option of the man page stands in a case: as a word of a
command that starts with llma, unllma or llmacat, in its full spelling, not as
the value of another option. `llma model` and `llma bench` count by themselves.

    check_cases.py SOURCE_FOLDER
"""

import pathlib
import re
import shlex
import sys

from check_options import from_man_page

PROGRAMS = ("llma", "unllma", "llmacat")
SECTIONS = {"Models": "model", "Benchmark": "bench"}


def options_with_values(text):
    """Letters and long names of option_tables.cc that take the next word."""
    found = {f"--{name}" for name in re.findall(
        r'^    \{"([\w-]+)", required_argument', text, re.M)}
    for letters in re.findall(r'Letters\[\] = ":([\w:]+)"', text):
        found.update(f"-{letter}" for letter in re.findall(r"(\w):", letters))
    return found


def documented(page):
    """Pairs of a command ("", "model" or "bench") and an option."""
    pairs = set()
    for section in re.split(r"^\.S[hs] ", page, flags=re.M):
        command = SECTIONS.get(section.partition("\n")[0], "")
        pairs.update((command, option) for option in from_man_page(section))
    return pairs


def simple_commands(line):
    """The words of each command of a line of shell."""
    lexer = shlex.shlex(line.replace("`", ";").replace("$(", ";"), posix=True,
                        punctuation_chars=True)
    lexer.commenters = ""
    lexer.wordchars += "$*?=,:@%+{}^!"
    words = []
    for token in lexer:
        if set(token) <= set(";&|()<>"):
            # Behind < or > there is a file name, then more words may follow.
            if set(token) & set("<>"):
                next(lexer, None)
                continue
            yield words
            words = []
        else:
            words.append(token)
    yield words


def options_of(words, with_values):
    """Pairs of a command and an option; nothing for other programs."""
    starters = ("in_terminal", "do", "then", "!", "exec", "export", "if", "while")
    while words and (words[0] in starters or re.match(r"\w+=", words[0])):
        words = words[1:]
    if not words or words[0] not in PROGRAMS:
        return
    command = ""
    if len(words) > 1 and words[1] in ("model", "bench"):
        command = words[1]
    rest = iter(words[1:])
    for word in rest:
        if word == "--":
            return
        if "$" in word:  # nobody knows what it says
            continue
        if word.startswith("--"):
            name, equals, _ = word.partition("=")
            yield command, name
            if name in with_values and not equals:
                next(rest, None)
        elif word.startswith("-"):
            for place, letter in enumerate(word[1:], 1):
                yield command, f"-{letter}"
                if f"-{letter}" in with_values:
                    if place + 1 == len(word):
                        next(rest, None)
                    break


def used(cases, with_values):
    pairs = set()
    for line in cases.splitlines():
        if line.startswith("$ "):
            for words in simple_commands(line[2:]):
                pairs.update(options_of(words, with_values))
    return pairs


def self_test():
    """What counts, and what does not."""
    line = ("$ llma -$level; wc -l x | llma -dM 1K -o -q <f -S.z; A=1 unllma --rm --range=1 -- "
            "-t && in_terminal llma bench --levels 1")
    found = used(line, {"-o", "-M", "-S"})
    expected = {("", o) for o in ("-d", "-M", "-o", "-S", "--rm", "--range")}
    expected.add(("bench", "--levels"))
    if found != expected:
        sys.exit(f"check_cases.py does not see what it should: {found}")


def main():
    root = pathlib.Path(sys.argv[1])
    self_test()
    with_values = options_with_values((root / "src/cli/args/option_tables.cc").read_text())
    wanted = documented((root / "docs/man/llma.1").read_text())
    found = set()
    for path in sorted((root / "tests/cli").glob("*.cases")):
        found |= used(path.read_text(), with_values)
    missing = sorted(wanted - found)
    for command, option in missing:
        print(f"no case of llma {command} {option}".replace("  ", " "))
    print(f"{len(wanted) - len(missing)} of {len(wanted)} options have a case")
    return 1 if missing or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
