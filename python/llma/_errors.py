# SPDX-License-Identifier: Apache-2.0
"""The exception of this package."""

from __future__ import annotations

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
    restored before, if it was not returned.
    """

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
        return self.text
