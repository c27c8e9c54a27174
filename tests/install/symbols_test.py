#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The libraries show the functions of llma.h and nothing else; those that a
release had are still there.

    symbols_test.py SHARED_LIBRARY STATIC_LIBRARY HEADER SONAME
"""

import pathlib
import re
import sys

from installed_tree import needed, run


def declared(header):
    text = pathlib.Path(header).read_text()
    text = re.sub(r"/\*.*?\*/|#.*?(?<!\\)\n", "", text, flags=re.S)
    return set(re.findall(r"LLMA_API\b[^;(]*?\b(llma_\w+)\s*\(", text))


def released():
    lines = pathlib.Path(__file__).with_name("released_functions.txt")
    return {line.split()[1] for line in lines.read_text().splitlines()
            if not line.startswith("#")}


def main():
    library, archive, header, soname = sys.argv[1:]
    lines = run("nm", "-D", "--defined-only", library).splitlines()
    # "address kind name@@VERSION"; kind A is the version itself.
    shown = {line.split()[2].split("@")[0] for line in lines
             if line.split()[1] != "A"}
    functions = declared(header)
    if len(functions) < 50:
        sys.exit(f"only {len(functions)} functions were found in {header}")
    if removed := released() - functions:
        sys.exit(f"a release had {removed}, and {header} does not")
    if shown != functions:
        sys.exit(f"shown, but not in the header: {shown - functions}\n"
                 f"in the header, but not shown: {functions - shown}")
    # Who links the static library into one of their own shows no more either.
    table = [line.split() for line in
             run("readelf", "-sW", archive).splitlines()]
    visible = {words[7] for words in table if len(words) == 8
               and words[4:6] == ["GLOBAL", "DEFAULT"] and words[6] != "UND"}
    if visible != functions:
        sys.exit(f"the static library shows also: {visible - functions}, "
                 f"and does not show: {functions - visible}")
    if f"[{soname}]" not in run("readelf", "-dW", library):
        sys.exit(f"{library} is not called {soname}")
    print(f"{soname} shows {len(functions)} functions, and needs "
          + " ".join(needed(library)))


if __name__ == "__main__":
    main()
