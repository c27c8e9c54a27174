# SPDX-License-Identifier: Apache-2.0
"""What compressing and restoring have in common: frames that go to tasks together,
and sources that fail alone."""

from __future__ import annotations

import abc
import dataclasses
import pathlib
from typing import Any, Callable, Generic, TypeVar, Union

from ._cluster import Tasks, Unit
from ._report import Problem, Progress, Summary
from ._sources import Source
from ._worker import MAX_UNIT_ITEMS, Failure

# Frames that are smaller go to a task together: so much of what a model predicts,
# which takes seconds, or of what context models do.
MODEL_UNIT_BYTES = 64 << 10
CONTEXTS_UNIT_BYTES = 256 << 10

_REFERENCE = "LLMA_ERROR_REFERENCE"


class File:
    """A source on its way to be a result."""

    def __init__(self, source: Source, target: pathlib.Path | None) -> None:
        self.source = source
        self.target = target
        self.missing = 0  # frames
        self.content_bytes = 0
        self.is_read = False
        self.has_failed = False

    @property
    def is_complete(self) -> bool:
        return self.is_read and self.missing == 0 and not self.has_failed


FileT = TypeVar("FileT", bound=File)


@dataclasses.dataclass
class Item(Generic[FileT]):
    """A frame on its way to a task."""

    file: FileT
    key: str
    payload: Union[bytes, memoryview]


ItemT = TypeVar("ItemT", bound=Item[Any])


def memory_step(frame_bytes: int) -> int:
    """Sizes that memory is estimated for, so that they are few."""
    return 1 << max(16, (frame_bytes - 1).bit_length())


def title(verb: str, items: list[ItemT], detail: str) -> str:
    """Of a task: the first and the last source, or what it is of the only one."""
    first, last = items[0].file.source.name, items[-1].file.source.name
    return f"llma {verb} {first} {f'… {last}' if first != last else detail}"


class Work(abc.ABC, Generic[FileT, ItemT]):
    def __init__(self, tasks: Tasks, progress: Progress, summary: Summary) -> None:
        self._tasks = tasks
        self._progress = progress
        self._summary = summary
        self._waiting: list[ItemT] = []
        self._waiting_bytes = 0
        #: Some work is undone for a reason that may pass.
        self.is_unfinished = False

    def run(self, sources: list[Source]) -> None:
        for source in sources:
            self._add(source)
        self._submit()
        self._tasks.drain()

    @abc.abstractmethod
    def _add(self, source: Source) -> None:
        """Reads it, and puts its frames."""

    @abc.abstractmethod
    def _unit(
        self,
        items: list[ItemT],
        payload: bytes,
        failed: Callable[[str, bool], None],
    ) -> Unit:
        """Of these frames."""

    @abc.abstractmethod
    def _took(self, item: ItemT, made: bytes) -> None:
        """What a task made of one."""

    @abc.abstractmethod
    def _drop(self, file: FileT, is_unfinished: bool) -> None:
        """What is kept of one that failed."""

    def _put(self, item: ItemT, size: int, unit_bytes: int) -> None:
        item.file.missing += 1
        self._waiting.append(item)
        self._waiting_bytes += size
        if (
            self._waiting_bytes >= unit_bytes
            or len(self._waiting) >= MAX_UNIT_ITEMS
        ):
            self._submit()

    def _submit(self) -> None:
        items = [item for item in self._waiting if not item.file.has_failed]
        self._waiting = []
        self._waiting_bytes = 0
        if not items:
            return

        def failed(text: str, is_unfinished: bool) -> None:
            for item in items:
                self._fail(item.file, text, is_unfinished)

        payload = b"".join(item.payload for item in items)
        for item in items:
            item.payload = b""
        self._tasks.submit(self._unit(items, payload, failed))

    def _take(self, items: list[ItemT], made: list[Union[bytes, Failure]]) -> None:
        for item, one in zip(items, made):
            if isinstance(one, Failure):
                text = str(one.error())
                if one.status == _REFERENCE:
                    text += "; --reference gives it"
                self._fail(item.file, text, False)
            else:
                self._took(item, one)

    def _count(self, content_bytes: int, resumed: bool) -> None:
        self._progress.done_bytes += content_bytes
        if resumed:
            self._progress.resumed_bytes += content_bytes

    def _summarize(self, content_bytes: int, file_bytes: int) -> None:
        self._summary.files += 1
        self._summary.content_bytes += content_bytes
        self._summary.file_bytes += file_bytes

    def _fail(
        self, file: FileT, text: str, is_unfinished: bool, where: str = ""
    ) -> None:
        if file.has_failed:
            return
        file.has_failed = True
        self._drop(file, is_unfinished)
        self.is_unfinished = self.is_unfinished or is_unfinished
        self._summary.problems.append(Problem(where or file.source.name, text))
