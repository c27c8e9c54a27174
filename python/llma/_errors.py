# SPDX-License-Identifier: Apache-2.0
"""The exceptions of this package."""

from __future__ import annotations

import os
import re


def tell(text: str) -> str:
    """The text, and how to do here what it says is to be done."""
    pull = re.search(r"`llma model pull ([^`\s]+)`", text)
    if pull is None:
        return text
    name = "" if pull[1] == "default" else f'"{pull[1]}"'
    return f"{text}; in Python: llma.fetch_model({name})"


class LlmaError(Exception):
    """What the library reports.

    `status` is the name in llma.h, "LLMA_ERROR_CHECKSUM" for one. `offset` is
    the place in the input, in bytes, or None. `content` is what a stream had
    restored before, if it was not returned. `filename` is that of the file object
    that was used, or None.
    """

    filename: str | bytes | None = None

    def __init__(
        self,
        text: str,
        status: str,
        offset: int | None = None,
        content: bytes = b"",
    ) -> None:
        super().__init__(text, status, offset)
        self.text = tell(text) if status == "LLMA_ERROR_MODEL_MISSING" else text
        self.status = status
        self.offset = offset
        self.content = content

    def __str__(self) -> str:
        if self.filename is None:
            return self.text
        return f"{os.fsdecode(self.filename)}: {self.text}"


class DamagedError(LlmaError):
    """The input is cut off, damaged, or no file of this kind."""


class ModelError(LlmaError):
    """The model or the reference that is needed is missing, or is another one."""


class LimitError(LlmaError):
    """More than `max_size` or `memory_bytes` allow."""


class UsageError(LlmaError, ValueError):
    """An argument makes no sense."""


class CancelledError(LlmaError):
    """The caller wanted no more."""


_CLASSES: dict[str, type[LlmaError]] = {
    "LLMA_ERROR_TRUNCATED": DamagedError,
    "LLMA_ERROR_FORMAT": DamagedError,
    "LLMA_ERROR_CORRUPT": DamagedError,
    "LLMA_ERROR_CHECKSUM": DamagedError,
    "LLMA_ERROR_MODEL_MISSING": ModelError,
    "LLMA_ERROR_MODEL_MISMATCH": ModelError,
    "LLMA_ERROR_REFERENCE": ModelError,
    "LLMA_ERROR_LIMIT": LimitError,
    "LLMA_ERROR_USAGE": UsageError,
    "LLMA_ERROR_CANCELLED": CancelledError,
}


def make_error(
    text: str, status: str, offset: int | None, content: bytes
) -> LlmaError:
    """The exception for a status; LlmaError itself if it has no class."""
    return _CLASSES.get(status, LlmaError)(text, status, offset, content)
