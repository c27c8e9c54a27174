# SPDX-License-Identifier: Apache-2.0
"""Compressed files as file objects, like those of lzma and gzip."""

from __future__ import annotations

import builtins
import io
import os
from typing import IO, TYPE_CHECKING, Any, Literal, Union, cast, overload

from ._codec import DEFAULT_LEVEL, LlmaCompressor, LlmaDecompressor, ModelLike
from ._codec import to_model
from ._errors import LlmaError

if TYPE_CHECKING:
    from typing_extensions import Buffer

FileLike = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]", IO[bytes]]

BinaryMode = Literal["r", "rb", "w", "wb", "x", "xb", "a", "ab"]
TextMode = Literal["rt", "wt", "xt", "at"]

_PART_BYTES = 1 << 16


class _ContentReader(io.RawIOBase):
    """The content of a compressed file. Seeking back starts again."""

    def __init__(self, source: IO[bytes], **options: Any) -> None:
        self._source = source
        self._options = options
        self._size = -1
        self._start()

    def _start(self) -> None:
        self._decoder = LlmaDecompressor(**self._options)
        self._ready = memoryview(b"")
        self._position = 0
        self._ended = False
        self._failed: LlmaError | None = None

    def _read_more(self) -> bytes:
        """Some content, or none. Damage raises when all before it was read."""
        if self._failed:
            raise self._failed
        data = self._source.read(_PART_BYTES)
        if data:
            return self._decoder.decompress(data)
        try:
            content = self._decoder.flush()
        except LlmaError as error:
            if not error.content:
                raise
            self._failed = error
            return error.content
        self._ended = True
        return content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._source.seekable()

    def readinto(self, buffer: Buffer) -> int:
        while not self._ready and not self._ended:
            self._ready = memoryview(self._read_more())
        with memoryview(buffer) as view, view.cast("B") as room:
            size = min(len(room), len(self._ready))
            room[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        self._position += size
        if size == 0 and self._ended:
            self._size = self._position
        return size

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not self.seekable():
            raise io.UnsupportedOperation("the file below cannot seek")
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            while self._size < 0:
                self.read(_PART_BYTES)
            offset += self._size
        elif whence != io.SEEK_SET:
            raise ValueError(f"no such whence: {whence}")
        if offset < 0:
            raise ValueError("a place before the start")
        if offset < self._position:
            self._source.seek(0)
            self._start()
        while self._position < offset:
            if not self.read(min(_PART_BYTES, offset - self._position)):
                break
        return self._position


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
    ) -> None:
        self._file: IO[bytes] | None = None
        self._owned = False
        self._reader: io.BufferedReader | None = None
        self._encoder: LlmaCompressor | None = None
        self._written = 0
        kind = mode[:-1] if mode.endswith("b") else mode
        if kind not in ("r", "w", "x", "a"):
            raise ValueError(f"no such mode: {mode!r}")
        loaded = to_model(model)
        # Before the file is made, so that a bad option leaves none behind.
        if kind != "r":
            self._encoder = LlmaCompressor(
                level, model=loaded, threads=threads, memory_bytes=memory_bytes
            )
        if isinstance(filename, (str, bytes, os.PathLike)):
            self._file = cast(IO[bytes], builtins.open(filename, kind + "b"))
            self._owned = True
            self.name = os.fspath(filename)
        elif hasattr(filename, "read") or hasattr(filename, "write"):
            self._file = filename
        else:
            raise TypeError("filename must be a path or a file object")
        self.mode = kind + "b"
        if kind == "r":
            self._reader = io.BufferedReader(
                _ContentReader(
                    self._file,
                    model=loaded,
                    threads=threads,
                    memory_bytes=memory_bytes,
                    max_size=max_size,
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
    def closed(self) -> bool:
        return self._file is None

    def close(self) -> None:
        """Writes what is left. A file object that was given stays open."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            if self._encoder is not None:
                file.write(self._encoder.flush())
        finally:
            self._encoder = None
            self._reader = None
            if self._owned:
                file.close()

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
        with memoryview(buffer) as view, view.cast("B") as room:
            content = self.read(len(room))
            room[: len(content)] = content
        return len(content)

    def readline(self, size: int | None = -1) -> bytes:
        return self._for_reading().readline(-1 if size is None else size)

    def peek(self, size: int = 0) -> bytes:
        return self._for_reading().peek(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Back means: decompressed again from the start."""
        return self._for_reading().seek(offset, whence)

    def tell(self) -> int:
        self._check_open()
        return self._written if self._reader is None else self._reader.tell()

    def write(self, data: Buffer) -> int:
        encoder, file = self._for_writing()
        size = memoryview(data).nbytes
        file.write(encoder.compress(data))
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
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
) -> LlmaFile | io.TextIOWrapper:
    """Opens a compressed file: "rb", "wb", "xb", "ab", or with "t" for text.

    `max_size`: reading more content than this raises LlmaError; 0: no limit.
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
    )
    if not text:
        return file
    return io.TextIOWrapper(file, encoding or "utf-8", errors, newline)
