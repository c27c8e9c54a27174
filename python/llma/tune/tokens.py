# SPDX-License-Identifier: Apache-2.0
# Where the packages are not installed, their names have no types.
# mypy: disable-error-code="import-not-found, no-any-return, unused-ignore"
# mypy: disable-error-code="import-untyped"
"""The tokens of texts, cut as llma cuts them, with the package `tokenizers`."""

from __future__ import annotations

import pathlib
from typing import Any

# The pre-tokenizers of GGUF files whose vocabulary is a byte-level BPE:
# whether single digits are cut out first, and the pattern (None: GPT-2's).
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PATTERNS: dict[str, tuple[bool, str | None]] = {
    "gpt-2": (False, None),
    "smollm": (True, None),
    "llama-bpe": (False, _LLAMA3),
    "qwen2": (False, _LLAMA3.replace("{1,3}", "")),
}


class Tokenizer:
    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> Any:
        """An array of numpy."""
        import numpy

        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return numpy.array(ids, dtype=numpy.int32)

    def size(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    def special_tokens(self) -> list[int]:
        return [i for i, token
                in self._tokenizer.get_added_tokens_decoder().items()
                if token.special]


def of_folder(folder: pathlib.Path) -> Tokenizer:
    import tokenizers

    return Tokenizer(tokenizers.Tokenizer.from_file(
        str(folder / "tokenizer.json")))


def of_gguf(reader: Any) -> Tokenizer:
    """`reader`: of the package gguf."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    def field(name: str) -> Any:
        found = reader.fields.get("tokenizer.ggml." + name)
        return found.contents() if found is not None else None

    kind, name = field("model"), field("pre") or "gpt-2"
    if kind != "gpt2" or name not in _PATTERNS:
        raise ValueError(
            f"its tokenizer ({kind}, {name}) is not known here; give the Hugging "
            "Face folder of the model"
        )
    single_digits, pattern = _PATTERNS[name]
    vocabulary = {token: i for i, token in enumerate(field("tokens"))}
    merges = [tuple(merge.split(" ")) for merge in field("merges")]
    tokenizer = tokenizers.Tokenizer(models.BPE(vocabulary, merges))
    parts: list[Any] = []
    if single_digits:
        parts.append(pre_tokenizers.Digits(individual_digits=True))
    if pattern is not None:
        parts.append(pre_tokenizers.Split(tokenizers.Regex(pattern),
                                          "isolated"))
    parts.append(pre_tokenizers.ByteLevel(add_prefix_space=False,
                                          use_regex=pattern is None))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    tokenizer.decoder = decoders.ByteLevel()
    return Tokenizer(tokenizer)
