# SPDX-License-Identifier: Apache-2.0
"""The texts to learn from: read, checked, and divided."""

from __future__ import annotations

import pathlib
from typing import NamedTuple

#: Less says too little about a kind of text.
MIN_BYTES = 20_000
#: More is not used: it would take days to read.
MAX_BYTES = 64 << 20
_MAX_HELD_OUT = 64_000


class TextError(Exception):
    """A text that cannot be used; says which one and why."""


class Texts(NamedTuple):
    training: list[str]
    held_out: str
    #: Of the files, and how many of them are used.
    bytes: int
    used_bytes: int


def _read(path: pathlib.Path, max_bytes: int) -> str:
    """All of it, or the start."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes)
            is_cut = bool(file.read(1))
    except OSError as error:
        raise TextError(f"{path}: {error.strerror or error}") from error
    at = data.find(b"\0")
    if at >= 0:
        raise TextError(f"{path} is not a text: byte {at} is 0")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if is_cut and error.start >= len(data) - 3:
            return data[: error.start].decode("utf-8")
        raise TextError(
            f"{path} is not a text in UTF-8: byte {error.start} does not "
            "belong there"
        ) from error


def _line_end(text: str, at: int) -> int:
    """Behind the line end next to `at`, if one is near."""
    found = text.find("\n", at, at + 2000)
    return found + 1 if found >= 0 else at


def read(paths: list[pathlib.Path], max_bytes: int = MAX_BYTES) -> Texts:
    """The end of each text, a tenth of it, is held out."""
    sizes = []
    for path in paths:
        if path.is_dir():
            raise TextError(f"{path} is a folder; name the files in it")
        try:
            sizes.append(path.stat().st_size)
        except OSError as error:
            raise TextError(f"{path}: {error.strerror or error}") from error
    share = min(1.0, max_bytes / max(1, sum(sizes)))
    training, held_out = [], []
    used = 0
    for path, size in zip(paths, sizes):
        # a pipe has no size
        text = _read(path, max_bytes if size == 0 else int(size * share) or 1)
        used += len(text.encode())
        limit = int(_MAX_HELD_OUT * (size / max(1, sum(sizes))))
        cut = _line_end(text, len(text) - min(len(text) // 10, limit))
        training.append(text[:cut])
        held_out.append(text[cut:])
    if used < MIN_BYTES:
        raise TextError(
            f"there is too little text: {used:,} bytes; at least {MIN_BYTES:,} "
            "are needed, some 400,000 are good"
        )
    return Texts([text for text in training if text], "".join(held_out),
                 max(used, sum(sizes)), used)
