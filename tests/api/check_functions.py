#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether a program in C calls every function of llma.h, and then runs it.

    check_functions.py LLMA_H PROGRAM.c PROGRAM [ARGUMENT...]

The program gets a new folder as its last argument, and runs twice: what it prints
must not depend on the floating-point environment.
"""

import os
import re
import subprocess
import sys
import tempfile


def without_comments(path):
    with open(path, encoding="utf-8") as file:
        return re.sub(r'/\*.*?\*/|"(\\.|[^"\\])*"', " ", file.read(), flags=re.S)


def main():
    header, source, *command = sys.argv[1:]
    declared = re.findall(r"\bLLMA_API\s[^;(]*?\b(llma_\w+)\s*\(",
                          without_comments(header))
    if len(declared) < 50 or len(set(declared)) != len(declared):
        sys.exit(f"{header}: {len(declared)} functions?")
    called = set(re.findall(r"\b(llma_\w+)\s*\(", without_comments(source)))
    missing = [name for name in declared if name not in called]
    if missing:
        sys.exit(f"{source}: does not call {', '.join(missing)}")
    print(f"{len(declared)} functions", flush=True)
    # In a usual floating-point environment and in a hostile one.
    outputs = []
    for host in "usual", "hostile":
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([*command, folder], stdout=subprocess.PIPE,
                                  env={**os.environ, "LLMA_TEST_HOST": host})
        if done.returncode != 0:
            sys.exit(f"{command[0]} in a {host} environment: {done.returncode}")
        outputs.append(done.stdout)
    if outputs[0] != outputs[1]:
        sys.exit(f"rounding changes results: {outputs}")
    print(outputs[0].decode(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
