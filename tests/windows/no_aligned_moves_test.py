#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Windows aligns stacks to 16 bytes, and GCC may forget that where it keeps
vectors of 32 or 64 bytes on them: no instruction of the program may fault on a
place on the stack that is aligned no better.

    no_aligned_moves_test.py OBJDUMP FILE...
"""

import re
import subprocess
import sys

# Moves that fault on other places; the wide registers; places by the stack's or
# the frame's pointer.
ALIGNED = re.compile(r"\bv(movaps|movapd|movdqa\w*|movntps|movntdq)\b"
                     r".*%[yz]mm.*")
ON_STACK = re.compile(r"\(%r[sb]p")


def main():
    objdump, *files = sys.argv[1:]
    faults, num_wide = [], 0
    for path in files:
        text = subprocess.run([objdump, "-d", "--no-show-raw-insn", path],
                              check=True, capture_output=True, text=True).stdout
        function = ""
        for line in text.splitlines():
            if line.endswith(">:"):
                function = line.split("<", 1)[1][:-2]
            if "%ymm" not in line and "%zmm" not in line:
                continue
            num_wide += 1
            if ALIGNED.search(line) and ON_STACK.search(line):
                faults.append(f"{path}: {function}: {line.strip()}")
    print("\n".join(faults[:20]) or
          f"{num_wide} wide instructions, none needs an aligned stack")
    # Some thousand of them: else the pattern is wrong, or the file.
    return 1 if faults or num_wide < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
