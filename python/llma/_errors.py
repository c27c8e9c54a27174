# SPDX-License-Identifier: Apache-2.0
"""The exception of this package."""

from __future__ import annotations


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
        self.text = text
        self.status = status
        self.offset = offset
        self.content = content

    def __str__(self) -> str:
        return self.text
