#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares how byte-level tokenizers cut a text before they merge with the
package tokenizers, which gets each model's own steps, as they stand in its
tokenizer.json. Exits with 77 (skipped) if the package is missing.

    compare_splits.py DUMP_TOKENS
"""

import subprocess
import sys
import tempfile
import unicodedata

import compare_with_tokenizers as texts

try:
    from tokenizers import Regex, pre_tokenizers
except ImportError as error:
    texts.missing(f"{error.name} is not installed")

SMALL = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
END = r"|\s+(?!\S)|\s+"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
DIGITS = pre_tokenizers.Digits(individual_digits=True)


def split(*expressions):
    return [pre_tokenizers.Split(Regex(e), "isolated") for e in expressions]


def words(digits):
    return split(
        SMALL + r"|[^\r\n\p{L}\p{N}]?\p{L}+|" + digits
        + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+" + END
    )


def capitals(behind, digits):
    sign = r"[^\r\n\p{L}\p{N}]?"
    return split(
        f"{sign}{UPPER}*{LOWER}+{behind}|{sign}{UPPER}+{LOWER}*{behind}|{digits}"
        + r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+" + END
    )


STEPS = {
    "gpt-2": [GPT2],
    "smollm": [DIGITS, GPT2],
    "llama-bpe": words(r"\p{N}{1,3}"),
    "dbrx": words(r"\p{N}{1,3}"),
    "qwen2": words(r"\p{N}"),
    "tekken": capitals("", r"\p{N}"),
    "gpt-4o": capitals(SMALL + "?", r"\p{N}{1,3}"),
    "deepseek-coder": split(
        "[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+",
        "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
    ) + [DIGITS],
    "deepseek-v3": split(
        r"\p{N}{1,3}",
        "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
        + "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
        + "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+" + END,
    ),
    "qwen35": split(
        SMALL + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
        + r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+" + END
    ),
    "minicpm5": split(r"\p{N}{1,3}") + words(r"\p{N}+"),
    "seed-coder": split(
        SMALL + "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}"
        + "| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+" + END
    ),
}


def compare(name, steps, dump_tokens, text):
    reference = pre_tokenizers.Sequence(steps)
    ends = [end for _, (_, end) in reference.pre_tokenize_str(text)]
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        output = subprocess.run(
            [dump_tokens, "--split", name, file.name],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    sizes = list(map(int, output.split()))
    start = 0
    for i, end in enumerate(ends):
        expected = len(text[start:end].encode())
        if i >= len(sizes) or sizes[i] != expected:
            sys.exit(f"{name}: piece {i} is {sizes[i:i + 1]} bytes long, should be "
                     f"{expected}: {text[start:end]!r} in "
                     f"{text[max(0, start - 9):end + 9]!r}")
        start = end
    if len(sizes) != len(ends):
        sys.exit(f"{name}: {len(sizes)} pieces instead of {len(ends)}")
    print(f"{name}: {len(ends)} pieces agree")


def all_characters():
    """Every character that is assigned, in several surroundings; of the great
    scripts, where neighbours are alike, on its own."""
    parts = []
    for code in range(1, sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cn", "Cs", "Co"):
            continue
        is_great = category == "Lo" and code > 0x3400
        parts.append(character + " " if is_great else
                     f"a{character}1{character} {character}.{character}\n")
    parts.append("'s 'S 'ſ 'll 'LL 'lL 're 'RE 'Ve 'm 'D 't 'x x's'll")
    return "".join(parts)


def main():
    # The package may know characters of a newer Unicode than this Python.
    text = "".join(c for c in texts.generate_text(3)
                   if unicodedata.category(c) != "Cn")
    characters = all_characters()
    for name, steps in STEPS.items():
        compare(name, steps, sys.argv[1], text)
        compare(name, steps, sys.argv[1], characters)


if __name__ == "__main__":
    main()
