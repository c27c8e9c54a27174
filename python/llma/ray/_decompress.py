# SPDX-License-Identifier: Apache-2.0
"""Files, whose frames tasks decode; and contents, written where they belong."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import IO, Any, Callable, Union

from .. import __version__, _llma
from .._errors import LlmaError
from ._cluster import Tasks, Unit
from ._parts import Parts, key_of
from ._report import Problem, Progress, Summary
from ._sources import Source, SourceError, describe
from ._targets import Targets
from ._worker import MAX_UNIT_ITEMS, CodedIn, DecompressHow, Failure, ModelParts

_MODEL_UNIT_BYTES = 64 << 10
_CONTEXTS_UNIT_BYTES = 256 << 10
_UNSUPPORTED = "LLMA_ERROR_UNSUPPORTED"
_MAX_SHORT_BYTES = 1 << 17
# Where the model is not here that says how much it takes.
_UNKNOWN_MODEL_BYTES = 512 << 20


class _DoneBefore(Exception):
    """By an unfinished run."""


_ReadAt = Callable[[int, int], bytes]


def _reader_of(opened: IO[bytes]) -> _ReadAt:
    def read_at(offset: int, size: int) -> bytes:
        opened.seek(offset)
        parts = []
        while size > 0 and (part := opened.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    return read_at


# Files are opened for a moment: there may be more of them than a process may have.


def _write_at(path: pathlib.Path, data: bytes, offset: int) -> None:
    with open(path, "r+b", buffering=0) as file:
        file.seek(offset)
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


def _sync(path: pathlib.Path) -> None:
    with open(path, "r+b", buffering=0) as file:
        os.fsync(file.fileno())


class _File:
    """A compressed file on its way to be its content."""

    def __init__(self, source: Source, target: pathlib.Path | None) -> None:
        self.source = source
        self.target = target
        self.missing = 0  # frames
        self.content_bytes = 0
        self.file_bytes = 0
        self.is_read = False
        self.has_failed = False
        self.key = ""
        self.part: pathlib.Path | None = None


@dataclasses.dataclass
class _Item:
    file: _File
    offset: int  # in the content
    coded: bytes
    frame: CodedIn
    model_id: bytes  # empty: none, or in the file
    settings: dict[str, int]
    key: str


class Decompression:
    """To test, there are no targets."""

    def __init__(
        self,
        threads: int,
        max_size: int,
        targets: Targets | None,
        tasks: Tasks,
        progress: Progress,
        summary: Summary,
    ) -> None:
        self._how = DecompressHow(__version__, threads, targets is not None, max_size)
        self._targets = targets
        self._parts: Parts | None = targets.parts if targets else None
        self._tasks = tasks
        self._progress = progress
        self._summary = summary
        self._waiting: list[_Item] = []
        self._waiting_bytes = 0
        self._memory: dict[Any, int] = {}
        self.is_unfinished = False

    def run(self, sources: list[Source]) -> None:
        for source in sources:
            self._add(source)
        self._submit()
        self._tasks.drain()

    def _add(self, source: Source) -> None:
        target = None
        if self._targets is not None:
            target, problem = self._targets.place(source)
            if target is None:
                assert problem is not None
                self._summary.problems.append(problem)
                return
        file = _File(source, target)
        try:
            with source.open() as opened:
                self._read(file, opened)
        except _DoneBefore:
            pass
        except (OSError, SourceError, LlmaError, ImportError) as error:
            self._fail(file, describe(error), False)

    def _read(self, file: _File, opened: IO[bytes]) -> None:
        file.file_bytes = opened.seek(0, os.SEEK_END)
        read_at = _reader_of(opened)
        try:
            frames, models = _llma.frame_places(read_at, file.file_bytes)
        except LlmaError as error:
            # A short message has no frames.
            if error.status != _UNSUPPORTED or file.file_bytes > _MAX_SHORT_BYTES:
                raise
            self._read_whole(file, read_at, 0)
            return
        total = sum(content_bytes for _, _, _, content_bytes, _, _ in frames)
        if 0 < self._how.max_size < total:
            raise SourceError(
                f"the content has {total} bytes, more than {self._how.max_size}, "
                "the limit"
            )
        if models:
            # They are no models to keep, so one task reads them and all frames.
            self._read_whole(file, read_at, total)
            return
        # The index, or the only frame.
        tail = read_at(max(0, file.file_bytes - (1 << 16)), 1 << 16)
        self._begin(file, tail, total)
        for place, size, offset, content_bytes, model_id, settings in frames:
            if file.has_failed:
                return
            coded = read_at(place, size)
            if len(coded) != size:
                raise SourceError("became shorter while it was read")
            key = key_of(file.key, offset, coded)
            if self._parts is not None and self._parts.is_done(key):
                self._count(content_bytes, True)
                continue
            frame = CodedIn(size, content_bytes, False)
            self._put(
                _Item(file, offset, coded, frame, model_id or b"", settings, key)
            )
        file.is_read = True
        self._finish_if_complete(file)

    def _read_whole(self, file: _File, read_at: _ReadAt, total: int) -> None:
        coded = read_at(0, file.file_bytes)
        self._begin(file, coded, total)
        frame = CodedIn(len(coded), total, True)
        self._put(_Item(file, 0, coded, frame, b"", {}, ""))
        file.is_read = True

    def _begin(self, file: _File, tail: bytes, total: int) -> None:
        """Opens the place that the content grows in, unless the result is there."""
        file.content_bytes = total
        self._progress.learn(file.file_bytes, total)
        if self._targets is None or file.target is None or self._parts is None:
            return
        file.key = key_of(str(file.target), file.file_bytes, total, tail)
        if self._targets.exists(file.target):
            if self._parts.is_done(file.key):
                self._count(total, True)
                self._summarize(file)
                raise _DoneBefore
            raise SourceError(f"{file.target} exists already; -f overwrites it")
        file.part = self._parts.folder / f"{file.key}.content"
        file.part.touch()

    def _count(self, content_bytes: int, resumed: bool) -> None:
        self._progress.done_bytes += content_bytes
        if resumed:
            self._progress.resumed_bytes += content_bytes

    # Tasks.

    def _put(self, item: _Item) -> None:
        item.file.missing += 1
        self._waiting.append(item)
        self._waiting_bytes += max(item.frame.content_size, len(item.coded))
        limit = _MODEL_UNIT_BYTES if item.settings.get("lanes") else _CONTEXTS_UNIT_BYTES
        if self._waiting_bytes >= limit or len(self._waiting) >= MAX_UNIT_ITEMS:
            self._submit()

    def _submit(self) -> None:
        items = [item for item in self._waiting if not item.file.has_failed]
        self._waiting = []
        self._waiting_bytes = 0
        if not items:
            return
        frames = [item.frame for item in items]
        wanted = sorted({item.model_id for item in items if item.model_id})
        first, last = items[0].file.source.name, items[-1].file.source.name
        name = f"llma {'decompress' if self._how.keeps else 'test'} {first}"
        name += f" … {last}" if first != last else f" from byte {items[0].offset}"

        def arguments(known: dict[bytes, ModelParts]) -> tuple[Any, ...]:
            return self._how, [(one, known.get(one)) for one in wanted], frames

        def done(made: list[Union[bytes, Failure]]) -> None:
            for item, content in zip(items, made):
                self._took(item, content)
            self._sync(items)

        def failed(text: str, is_unfinished: bool) -> None:
            for item in items:
                self._fail(item.file, text, is_unfinished)

        size = sum(frame.content_size for frame in frames)
        self._tasks.submit(
            Unit(
                name,
                b"".join(item.coded for item in items),
                arguments,
                size if self._how.keeps else 0,
                max(map(self._memory_bytes, items)) + size,
                done,
                failed,
            )
        )
        for item in items:
            item.coded = b""

    def _memory_bytes(self, item: _Item) -> int:
        """What a task needs for a frame, in steps so that they are few."""
        step = 1 << max(16, (item.frame.content_size - 1).bit_length())
        key = (step, item.frame.is_whole, item.model_id, *item.settings.items())
        if key not in self._memory:
            threads = self._how.threads
            try:
                if not item.model_id:
                    raise LookupError
                model = _llma.find_model(item.model_id)
                _, usual, _, needed = _llma.level_info(
                    6, model, threads, item.settings, step
                )
            except (LlmaError, LookupError):
                full = {"context_models": 3}
                _, usual, _, needed = _llma.level_info(1, None, threads, full, step)
                if item.model_id or item.frame.is_whole:
                    needed += _UNKNOWN_MODEL_BYTES
            self._memory[key] = needed + 2 * max(0, step - usual)
        return self._memory[key]

    def _took(self, item: _Item, content: Union[bytes, Failure]) -> None:
        file = item.file
        if isinstance(content, Failure):
            self._fail(file, str(content.error()), False)
            return
        if file.has_failed:
            return
        if file.content_bytes == 0:
            file.content_bytes = len(content)
        try:
            if file.part is not None:
                _write_at(file.part, content, item.offset)
        except OSError as error:
            self._fail(file, describe(error), True, str(file.target))
            return
        self._count(item.frame.content_size, False)
        file.missing -= 1

    def _sync(self, items: list[_Item]) -> None:
        """What was written is on the disk before it counts as done."""
        for file in {id(item.file): item.file for item in items}.values():
            if file.has_failed:
                continue
            if file.is_read and file.missing == 0:
                self._finish_if_complete(file)
                continue
            try:
                if self._parts is not None and file.part is not None:
                    _sync(file.part)
                    self._parts.mark_done(
                        *(item.key for item in items if item.file is file)
                    )
            except OSError as error:
                self._fail(file, describe(error), True, str(file.target))

    # Files.

    def _finish_if_complete(self, file: _File) -> None:
        if not file.is_read or file.missing > 0 or file.has_failed:
            return
        try:
            if file.part is not None:
                assert self._targets and self._parts and file.target
                os.truncate(file.part, file.content_bytes)
                _sync(file.part)
                self._targets.deliver(file.part, file.target, file.source)
                self._parts.mark_done(file.key)
        except OSError as error:
            self._fail(file, describe(error), True, str(file.target))
            return
        self._summarize(file)

    def _summarize(self, file: _File) -> None:
        self._summary.files += 1
        self._summary.content_bytes += file.content_bytes
        self._summary.file_bytes += file.file_bytes

    def _fail(
        self, file: _File, text: str, is_unfinished: bool, where: str = ""
    ) -> None:
        if file.has_failed:
            return
        file.has_failed = True
        if file.part is not None and not is_unfinished:
            file.part.unlink(missing_ok=True)
        self.is_unfinished = self.is_unfinished or is_unfinished
        self._summary.problems.append(Problem(where or file.source.name, text))
