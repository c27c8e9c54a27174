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
from ._reference import Reference
from ._report import Progress, Summary
from ._sources import Source, SourceError, describe
from ._targets import Targets
from ._work import (
    CONTEXTS_UNIT_BYTES,
    MODEL_UNIT_BYTES,
    File,
    Item,
    Work,
    memory_step,
    title,
)
from ._worker import CodedIn, DecompressHow, Failure, ModelParts

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


class _File(File):
    def __init__(self, source: Source, target: pathlib.Path | None) -> None:
        super().__init__(source, target)
        self.file_bytes = 0
        self.key = ""
        self.part: pathlib.Path | None = None


@dataclasses.dataclass
class _Item(Item[_File]):
    offset: int  # in the content
    frame: CodedIn
    model_id: bytes  # empty: none, or in the file
    settings: dict[str, int]
    may_refer: bool  # to a reference


class Decompression(Work[_File, _Item]):
    """To test, there are no targets."""

    def __init__(
        self,
        threads: int,
        max_size: int,
        reference: Reference | None,
        targets: Targets | None,
        tasks: Tasks,
        progress: Progress,
        summary: Summary,
    ) -> None:
        super().__init__(tasks, progress, summary)
        keeps = targets is not None
        self._how = DecompressHow(__version__, threads, keeps, max_size, None)
        self._reference = reference
        self._targets = targets
        self._parts: Parts | None = targets.parts if targets else None
        self._memory: dict[Any, int] = {}

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
        total = sum(content_bytes for _, _, _, content_bytes, _, _, _ in frames)
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
        refers = any(reference_bytes > 0 for *_, reference_bytes in frames)
        self._begin(file, tail, total, refers)
        for place, size, offset, content_bytes, model_id, settings, refers_to in frames:
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
            self._put_item(
                _Item(
                    file,
                    key,
                    coded,
                    offset,
                    frame,
                    model_id or b"",
                    settings,
                    refers_to > 0,
                )
            )
        file.is_read = True
        self._finish_if_complete(file)

    def _read_whole(self, file: _File, read_at: _ReadAt, total: int) -> None:
        coded = read_at(0, file.file_bytes)
        self._begin(file, coded, total, True)
        frame = CodedIn(len(coded), total, True)
        self._put_item(_Item(file, "", coded, 0, frame, b"", {}, True))
        file.is_read = True

    def _begin(self, file: _File, tail: bytes, total: int, refers: bool) -> None:
        """Opens the place that the content grows in, unless the result is there."""
        file.content_bytes = total
        self._progress.learn(file.file_bytes, total)
        if self._targets is None or file.target is None or self._parts is None:
            return
        reference = self._reference.digest if refers and self._reference else b""
        file.key = key_of(str(file.target), file.file_bytes, total, tail, reference)
        if self._targets.exists(file.target):
            if self._parts.is_done(file.key):
                self._count(total, True)
                self._summarize(total, file.file_bytes)
                raise _DoneBefore
            raise SourceError(f"{file.target} exists already; -f overwrites it")
        file.part = self._parts.folder / f"{file.key}.content"
        file.part.touch()

    # Tasks.

    def _put_item(self, item: _Item) -> None:
        size = max(item.frame.content_size, len(item.payload))
        has_model = bool(item.settings.get("lanes"))
        self._put(item, size, MODEL_UNIT_BYTES if has_model else CONTEXTS_UNIT_BYTES)

    def _unit(
        self,
        items: list[_Item],
        payload: bytes,
        failed: Callable[[str, bool], None],
    ) -> Unit:
        frames = [item.frame for item in items]
        wanted = sorted({item.model_id for item in items if item.model_id})
        verb = "decompress" if self._how.keeps else "test"
        how = self._how
        if any(item.may_refer for item in items):
            how = how._replace(reference=self._tasks.share(self._reference))

        def arguments(known: dict[bytes, ModelParts]) -> tuple[Any, ...]:
            return how, [(one, known.get(one)) for one in wanted], frames

        def done(made: list[Union[bytes, Failure]]) -> None:
            self._take(items, made)
            self._sync(items)

        size = sum(frame.content_size for frame in frames)
        return Unit(
            title(verb, items, f"from byte {items[0].offset}"),
            payload,
            arguments,
            size if self._how.keeps else 0,
            max(map(self._memory_bytes, items)) + size,
            done,
            failed,
        )

    def _memory_bytes(self, item: _Item) -> int:
        """What a task needs for a frame."""
        step = memory_step(item.frame.content_size)
        text = None
        if item.may_refer and self._reference is not None:
            text = self._reference.text
        key = (
            step,
            item.frame.is_whole,
            item.model_id,
            item.may_refer,
            *item.settings.items(),
        )
        if key not in self._memory:
            threads = self._how.threads
            try:
                if not item.model_id:
                    raise LookupError
                model = _llma.find_model(item.model_id)
                _, usual, _, needed = _llma.level_info(
                    6, model, threads, item.settings, step, text
                )
            except (LlmaError, LookupError):
                full = {"context_models": 3}
                _, usual, _, needed = _llma.level_info(
                    1, None, threads, full, step, text
                )
                if item.model_id or item.frame.is_whole:
                    needed += _UNKNOWN_MODEL_BYTES
            # The worker's text of a reference, beside the library's.
            needed += len(text or b"")
            self._memory[key] = needed + 2 * max(0, step - usual)
        return self._memory[key]

    def _took(self, item: _Item, made: bytes) -> None:
        file = item.file
        if file.has_failed:
            return
        if file.content_bytes == 0:
            file.content_bytes = len(made)
        try:
            if file.part is not None:
                _write_at(file.part, made, item.offset)
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
            if file.is_complete:
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
        if not file.is_complete:
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
        self._summarize(file.content_bytes, file.file_bytes)

    def _drop(self, file: _File, is_unfinished: bool) -> None:
        if file.part is not None and not is_unfinished:
            file.part.unlink(missing_ok=True)
