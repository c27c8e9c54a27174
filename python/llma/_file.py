# SPDX-License-Identifier: Apache-2.0
"""Compressed files as file objects, like those of lzma and gzip."""

from __future__ import annotations

import builtins
import io
import os
from typing import IO, TYPE_CHECKING, Any, Literal, Union, cast, overload

from . import _llma
from ._codec import DEFAULT_LEVEL, LlmaCompressor, ModelLike, to_model
from ._errors import CancelledError, LlmaError
from ._reader import ContentReader

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Buffer

FileLike = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]", IO[bytes]]

BinaryMode = Literal["r", "rb", "w", "wb", "x", "xb", "a", "ab"]
TextMode = Literal["rt", "wt", "xt", "at"]


class LlmaFile(io.BufferedIOBase):
    """A compressed file, open for reading ("r") or writing ("w", "x", "a")."""

    def __init__(
        self,
        filename: FileLike,
        mode: str = "r",
        *,
        level: int = DEFAULT_LEVEL,
        model: ModelLike = None,
        threads: int = 0,
        memory_bytes: int = 0,
        max_size: int = 0,
        reference: Buffer | None = None,
    ) -> None:
        self._lock = _llma.CallLock()  # of close() and write()
        self._file: IO[bytes] | None = None
        self._owned = False
        self._reader: io.BufferedReader | None = None
        self._encoder: LlmaCompressor | None = None
        self._written = 0
        self._name: str | bytes | None = None
        kind = mode[:-1] if mode.endswith("b") else mode
        if kind not in ("r", "w", "x", "a"):
            raise ValueError(f"no such mode: {mode!r}")
        loaded = to_model(model)
        # Before the file is made, so that a bad option leaves none behind.
        if kind != "r":
            self._encoder = LlmaCompressor(
                level,
                model=loaded,
                threads=threads,
                memory_bytes=memory_bytes,
                reference=reference,
            )
        method = "read" if kind == "r" else "write"
        if isinstance(filename, (str, bytes, os.PathLike)):
            self._file = cast(IO[bytes], builtins.open(filename, kind + "b"))
            self._owned = True
            self._name = os.fspath(filename)
        elif hasattr(filename, method):
            self._file = filename
            name = getattr(filename, "name", None)
            self._name = name if isinstance(name, (str, bytes)) else None
        else:
            raise TypeError(f"filename must be a path or have {method}()")
        self.mode = kind + "b"
        if kind == "r":
            self._reader = io.BufferedReader(
                ContentReader(
                    self._file,
                    self._name,
                    loaded,
                    threads,
                    memory_bytes,
                    max_size,
                    reference,
                )
            )

    def _for_reading(self) -> io.BufferedReader:
        self._check_open()
        if self._reader is None:
            raise io.UnsupportedOperation("the file is not open for reading")
        return self._reader

    def _for_writing(self) -> tuple[LlmaCompressor, IO[bytes]]:
        self._check_open()
        if self._encoder is None or self._file is None:
            raise io.UnsupportedOperation("the file is not open for writing")
        return self._encoder, self._file

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on a closed file")

    @property
    def name(self) -> str | bytes:
        """Of the compressed file."""
        if self._name is None:
            raise AttributeError("the file below has no name")
        return self._name

    @property
    def closed(self) -> bool:
        return self._file is None

    def close(self) -> None:
        """Writes what is left. A file object that was given stays open."""
        with self._lock:
            if self._file is None:
                return
            file, self._file = self._file, None
            try:
                if self._encoder is not None:
                    file.write(self._encoder.flush())
            except LlmaError as error:
                error.filename = self._name
                raise
            finally:
                self._encoder = None
                self._reader = None
                super().close()
                if self._owned:
                    file.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except CancelledError:
            if value is None:  # else that ended the work
                raise

    def readable(self) -> bool:
        self._check_open()
        return self._reader is not None

    def writable(self) -> bool:
        self._check_open()
        return self._encoder is not None

    def seekable(self) -> bool:
        self._check_open()
        return self._reader is not None and self._reader.seekable()

    def fileno(self) -> int:
        self._check_open()
        assert self._file is not None
        return self._file.fileno()

    def read(self, size: int | None = -1) -> bytes:
        """With a size, all before a damage is returned before that raises."""
        reader = self._for_reading()
        if size is None or size < 0:
            return reader.read()
        parts: list[bytes] = []
        while size > 0:
            try:
                part = reader.read1(size)
            except LlmaError:  # the next call meets it again
                if not parts:
                    raise
                break
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def read1(self, size: int = -1) -> bytes:
        return self._for_reading().read1(size)

    def readinto(self, buffer: Buffer) -> int:
        with memoryview(buffer) as view:
            if view.readonly:
                raise TypeError("the buffer is read-only")
            if view.nbytes == 0:  # then it cannot be cast
                return len(self.read(0))
            with view.cast("B") as room:
                content = self.read(len(room))
                room[: len(content)] = content
        return len(content)

    def readline(self, size: int | None = -1) -> bytes:
        return self._for_reading().readline(-1 if size is None else size)

    def peek(self, size: int = 0) -> bytes:
        return self._for_reading().peek(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """The next read decodes the frame that it needs, if it is not one of the
        last ones, which are kept (64 MiB at most, or one). Where the file has no
        frames, or damage hides them, it decodes from the start.
        """
        return self._for_reading().seek(offset, whence)

    def tell(self) -> int:
        self._check_open()
        return self._written if self._reader is None else self._reader.tell()

    def write(self, data: Buffer) -> int:
        size = memoryview(data).nbytes
        with self._lock:
            encoder, file = self._for_writing()
            try:
                file.write(encoder.compress(data))
            except LlmaError as error:
                error.filename = self._name
                raise
            self._written += size
        return size


@overload
def open(
    filename: FileLike,
    mode: BinaryMode = "rb",
    *,
    level: int = DEFAULT_LEVEL,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
    max_size: int = 0,
    reference: Buffer | None = None,
    encoding: None = None,
    errors: None = None,
    newline: None = None,
) -> LlmaFile: ...


@overload
def open(
    filename: FileLike,
    mode: TextMode,
    *,
    level: int = DEFAULT_LEVEL,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
    max_size: int = 0,
    reference: Buffer | None = None,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
) -> io.TextIOWrapper: ...


@overload
def open(
    filename: FileLike,
    mode: str,
    *,
    level: int = DEFAULT_LEVEL,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
    max_size: int = 0,
    reference: Buffer | None = None,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
) -> LlmaFile | io.TextIOWrapper: ...


def open(
    filename: FileLike,
    mode: str = "rb",
    *,
    level: int = DEFAULT_LEVEL,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
    max_size: int = 0,
    reference: Buffer | None = None,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
) -> LlmaFile | io.TextIOWrapper:
    """Opens a compressed file: "rb", "wb", "xb", "ab", or with "t" for text.

    `max_size`: reading more content than this raises LlmaError; 0: no limit.
    `reference`: a text that is read first, the same one for writing and reading.
    """
    text = "t" in mode
    if text and "b" in mode:
        raise ValueError(f"no such mode: {mode!r}")
    if not text and not (encoding is errors is newline is None):
        raise ValueError("encoding, errors and newline are for text alone")
    file = LlmaFile(
        filename,
        mode.replace("t", ""),
        level=level,
        model=model,
        threads=threads,
        memory_bytes=memory_bytes,
        max_size=max_size,
        reference=reference,
    )
    if not text:
        return file
    return io.TextIOWrapper(file, encoding or "utf-8", errors, newline)
