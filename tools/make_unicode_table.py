#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/tokenizer/unicode_table.cc from the files of Debian's package
unicode-data (UnicodeData.txt and PropList.txt), in one version of Unicode.

    make_unicode_table.py [FOLDER] > src/tokenizer/unicode_table.cc
"""

import pathlib
import re
import sys

NUM_CHARACTERS = 0x110000
# In the order of CharClass (unicode_table.h); a category, or what it begins with.
CLASSES = ["", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "N", "P", "S", "White_Space"]


def class_of(category):
    for number, name in enumerate(CLASSES):
        if name and category.startswith(name):
            return number
    return 0


def read_classes(folder):
    classes = bytearray(NUM_CHARACTERS)
    first = None
    for line in (folder / "UnicodeData.txt").read_text().splitlines():
        code, name, category, *_ = line.split(";")
        last = int(code, 16)
        if name.endswith(", First>"):
            first = last
            continue
        for character in range(last if first is None else first, last + 1):
            classes[character] = class_of(category)
        first = None
    properties = (folder / "PropList.txt").read_text()
    version = re.match(r"# PropList-([\d.]+)\.txt", properties).group(1)
    for match in re.finditer(
            r"^([0-9A-F]+)(?:\.\.([0-9A-F]+))? *; White_Space ", properties, re.M):
        first, last = match.group(1), match.group(2) or match.group(1)
        for character in range(int(first, 16), int(last, 16) + 1):
            classes[character] = CLASSES.index("White_Space")
    return version, classes


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                          "/usr/share/unicode")
    version, classes = read_classes(folder)
    starts = [c for c in range(NUM_CHARACTERS)
              if c == 0 or classes[c] != classes[c - 1]]
    print(f"""\
// SPDX-License-Identifier: Apache-2.0
// Made by tools/make_unicode_table.py of Debian's unicode-data, the Unicode
// Character Database, of Unicode, Inc.: https://www.unicode.org/license.txt
#include "tokenizer/unicode_table.h"

namespace llma {{

const char kUnicodeVersion[] = "{version}";

// clang-format off
const uint32_t kUnicodeRanges[kNumUnicodeRanges] = {{""")
    line = ""
    for start in starts:
        word = f"{start << 4 | classes[start]:#x},"
        if len(line) + len(word) > 80:
            print(line)
            line = ""
        line += word
    print(f"""{line}
}};
// clang-format on

}}  // namespace llma""")
    print(f"{len(starts)} ranges", file=sys.stderr)


if __name__ == "__main__":
    main()
