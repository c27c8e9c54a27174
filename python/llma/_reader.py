# SPDX-License-Identifier: Apache-2.0
"""The content of a compressed file, from any place on."""

from __future__ import annotations

import bisect
import io
from collections import OrderedDict
from typing import IO, TYPE_CHECKING, Any

from . import _llma
from ._codec import DEFAULT_LEVEL
from ._errors import LlmaError, make_error
from ._llma import Model

if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Buffer

_PART_BYTES = 1 << 16
# So little goes to the decoder at a time that many small frames with much content
# are not decoded all at once.
_STEP_BYTES = 1 << 10
# What was decoded is kept for whoever comes back to it: the parts that were used
# last, as long as together they are no larger than this; the last one always.
_MAX_KEPT_BYTES = 64 << 20
_MAX_KEPT_PARTS = 64


class _KeptParts:
    """Parts of the content by their offsets."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: OrderedDict[int, bytes] = OrderedDict()
        self._bytes = 0

    def find(self, offset: int) -> memoryview | None:
        """The content from `offset` to the end of a part that has it."""
        for start in reversed(self._parts):
            part = self._parts[start]
            if start <= offset < start + len(part):
                self._parts.move_to_end(start)
                return memoryview(part)[offset - start :]
        return None

    def keep(self, start: int, part: bytes) -> None:
        self._bytes += len(part) - len(self._parts.pop(start, b""))
        self._parts[start] = part
        while len(self._parts) > 1 and (
            self._bytes > self._max_bytes or len(self._parts) > _MAX_KEPT_PARTS
        ):
            self._bytes -= len(self._parts.popitem(last=False)[1])


class ContentReader(io.RawIOBase):
    """What is read from the start on is decoded as a stream, several frames at a
    time. What is read elsewhere is decoded frame by frame, if the file can seek
    and its frames can be found; else from the start to there.

    `name`: of the file, for errors.
    """

    def __init__(
        self,
        source: IO[bytes],
        name: str | bytes | None,
        model: Model | Literal["auto"] | None,
        threads: int,
        memory_bytes: int,
        max_size: int,
        reference: Buffer | None = None,
    ) -> None:
        self._source = source
        self._name = name
        self._options = (model, threads, memory_bytes)
        self._max_size = max_size
        self._reference = reference
        self._can_seek = _can_seek(source)
        # Where the compressed file starts in the file object.
        self._origin = source.tell() if self._can_seek else 0
        self._kept = _KeptParts(_MAX_KEPT_BYTES if self._can_seek else 0)
        self._position = 0
        self._size = -1
        self._starts: list[int] | None = None  # of the frames in the content
        self._no_frames = False
        self._start_stream()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._can_seek

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        try:
            content = self._content_from(self._position)
        except LlmaError as error:
            raise self._with_name(error)
        with memoryview(buffer) as view, view.cast("B") as room:
            size = min(len(room), len(content))
            room[:size] = content[:size]
        self._position += size
        return size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Nothing is decoded before the next read, nor to find the end."""
        if not self._can_seek:
            raise io.UnsupportedOperation("the file below cannot seek")
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            try:
                offset += self._content_size()
            except LlmaError as error:
                raise self._with_name(error)
        elif whence != io.SEEK_SET:
            raise ValueError(f"no such whence: {whence}")
        if offset < 0:
            raise ValueError("a place before the start")
        self._position = offset
        return offset

    def _with_name(self, error: LlmaError) -> LlmaError:
        error.filename = self._name
        return error

    def _content_from(self, offset: int) -> memoryview:
        """Some content from there on; none at the end."""
        while True:
            found = self._kept.find(offset)
            if found is not None:
                return found
            if 0 <= self._size <= offset:
                return memoryview(b"")
            if offset != self._stream_end:
                if offset != 0 and self._find_frames():
                    if offset < self._size:
                        self._decode_frame(offset)
                    continue
                if offset < self._stream_end:
                    self._start_stream()
            self._read_stream()

    # The stream.

    def _start_stream(self) -> None:
        model, threads, memory_bytes = self._options
        # Files that follow each other are one content here.
        self._decoder = _llma.Decoder(
            DEFAULT_LEVEL,
            model,
            threads,
            memory_bytes,
            self._max_size,
            reference=self._reference,
        )
        self._failed: LlmaError | None = None
        self._stream_end = 0  # of the content that it gave
        self._input = memoryview(b"")  # for the decoder
        self._taken = 0  # of the compressed file
        self._moved = self._can_seek  # the file object is elsewhere

    def _read_stream(self) -> None:
        """Keeps more content. Damage raises when all before it was read."""
        if self._failed:
            raise self._failed
        if not self._input:
            if self._moved:
                self._source.seek(self._origin + self._taken)
                self._moved = False
            self._input = memoryview(self._source.read(_PART_BYTES))
            self._taken += len(self._input)
        if self._input:
            data = self._input[:_STEP_BYTES]
            self._input = self._input[_STEP_BYTES:]
            content = self._decoder.run(data, _llma.RUN)
        else:
            try:
                content = self._decoder.run(b"", _llma.FINISH)
            except LlmaError as error:
                if not error.content:
                    raise
                self._failed = error
                content = error.content
            else:
                self._size = self._stream_end + len(content)
        if content:
            self._kept.keep(self._stream_end, content)
            self._stream_end += len(content)

    # Random access.

    def _read_at(self, offset: int, size: int) -> bytes:
        self._moved = True
        self._source.seek(self._origin + offset)
        parts = []
        while size > 0:
            part = self._source.read(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _file_bytes(self) -> int:
        self._moved = True
        return self._source.seek(0, io.SEEK_END) - self._origin

    def _find_frames(self) -> bool:
        """Whether it is known where they are. A short message has none, and those
        of a damaged file may be lost."""
        if self._starts is None and self._can_seek and not self._no_frames:
            try:
                frames = _llma.frames(self._read_at, self._file_bytes())
            except LlmaError:
                self._no_frames = True
            else:
                self._starts = [start for start, _ in frames]
                self._size = sum(frames[-1]) if frames else 0
        return self._starts is not None

    def _content_size(self) -> int:
        if self._size < 0 and not self._find_frames():
            while self._size < 0:
                self._read_stream()
        return self._size

    def _decode_frame(self, offset: int) -> None:
        assert self._starts is not None
        index = bisect.bisect_right(self._starts, offset) - 1
        start = self._starts[index]
        ends = self._starts[index + 1 : index + 2] or [self._size]
        if 0 < self._max_size < ends[0]:
            text = f"the content has more than {self._max_size} bytes, the limit"
            raise make_error(text, "LLMA_ERROR_LIMIT", None, b"")
        content = _llma.decompress_range(
            self._read_at,
            self._file_bytes(),
            start,
            ends[0] - start,
            *self._options,
            reference=self._reference,
        )
        self._kept.keep(start, content)


def _can_seek(source: Any) -> bool:
    return hasattr(source, "seekable") and bool(source.seekable())
