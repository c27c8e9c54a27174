# SPDX-License-Identifier: Apache-2.0
"""Compressed files for fsspec, and so for whatever opens files with it.

    import llma.fsspec
    fsspec.open("notes.txt.llma", compression="infer")  # or "llma"

    fsspec.open("llma://notes.txt::https://example.org/notes.txt.llma")

The first needs this module imported. The second does not: fsspec finds it.
docs/PYTHON.md has more.
"""

from __future__ import annotations

import posixpath
from typing import IO, Any

import fsspec  # type: ignore[import-untyped]
from fsspec.archive import (  # type: ignore[import-untyped]
    AbstractArchiveFileSystem,
)
from fsspec.compression import (  # type: ignore[import-untyped]
    register_compression,
)

from ._file import LlmaFile

__all__ = ["LlmaFileSystem", "register"]


def register(**options: Any) -> None:
    """Makes "llma" a compression of fsspec, which names that end in ".llma" have.

    `options`: how files are read and written from now on, as in llma.open():
    fsspec has no means to say it for each. Importing this module calls it without.
    """

    def open_compressed(file: IO[bytes], mode: str = "rb", **more: Any) -> LlmaFile:
        return LlmaFile(file, mode, **{**options, **more})

    register_compression("llma", open_compressed, "llma", force=True)


class _WithFileBelow(LlmaFile):
    """Closes the file below as well. Its name is that of the content, by which
    fsspec guesses what else is to be decompressed."""

    def __init__(self, file: IO[bytes], name: str, **options: Any) -> None:
        self._below = file
        self._content_name = name
        super().__init__(file, **options)

    @property
    def name(self) -> str:
        return self._content_name

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._below.close()


class LlmaFileSystem(AbstractArchiveFileSystem):  # type: ignore[misc]
    """A compressed file as a folder with one file, the content; to be read.

    `fo`: its path or URL. The content has its name without ".llma". `options`: as
    in llma.open().
    """

    root_marker = ""
    protocol = "llma"
    cachable = False  # the file may become another one

    def __init__(
        self,
        fo: str = "",
        target_protocol: str | None = None,
        target_options: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.fo = fo
        self._options = options or {}
        self._below = fsspec.open(
            fo, mode="rb", protocol=target_protocol, **(target_options or {})
        )
        name = posixpath.basename(self._below.path.rstrip("/"))
        self._name = name.removesuffix(".llma") or "content"
        self.dir_cache: dict[str, dict[str, Any]] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path)).lstrip("/")

    def _get_dirs(self) -> None:
        if self.dir_cache:
            return
        with self._open_content() as file:
            size = file.seek(0, 2) if file.seekable() else None
        self.dir_cache = {
            self._name: {"name": self._name, "size": size, "type": "file"}
        }

    def _open_content(self) -> LlmaFile:
        below = self._below.open()
        try:
            return _WithFileBelow(below, self._name, **self._options)
        except BaseException:
            below.close()
            raise

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> LlmaFile:
        if mode != "rb":
            raise ValueError("llma:// is for reading; to write, compression='llma'")
        if self._strip_protocol(path) not in ("", self._name):
            raise FileNotFoundError(path)
        return self._open_content()


register()
