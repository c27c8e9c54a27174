# SPDX-License-Identifier: Apache-2.0
"""A text that both sides read first: what a run is given, once for all sources."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple, Union

from .._errors import make_error
from ._sources import PathLike

if TYPE_CHECKING:
    from typing_extensions import Buffer

ReferenceLike = Union["Buffer", PathLike, None]

# LLMA_MAX_REFERENCE_BYTES.
_MAX_BYTES = 1 << 30


class Reference(NamedTuple):
    text: bytes
    digest: bytes
    #: Device and number of the file that it is from.
    file: tuple[int, int] | None

    def is_from(self, path: PathLike) -> bool:
        """Whether it is what this file had."""
        if self.file is None:
            return False
        try:
            info = os.stat(path)
        except OSError:
            return False
        return self.file == (info.st_dev, info.st_ino)


def load_reference(given: ReferenceLike) -> Reference | None:
    """The text, or that of the file; None if there is none, or it is empty."""
    file = None
    if given is None:
        return None
    if isinstance(given, (str, os.PathLike)):
        with open(given, "rb") as opened:
            info = os.fstat(opened.fileno())
            file = info.st_dev, info.st_ino
            text = opened.read(_MAX_BYTES + 1)
    else:
        text = bytes(memoryview(given))
    if len(text) > _MAX_BYTES:
        raise make_error(
            "a reference has at most 1 GiB", "LLMA_ERROR_LIMIT", None, b""
        )
    if not text:
        return None
    return Reference(text, hashlib.blake2b(text, digest_size=32).digest(), file)
