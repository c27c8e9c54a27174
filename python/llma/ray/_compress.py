# SPDX-License-Identifier: Apache-2.0
"""Contents, cut into frames, which tasks make; and the files of these frames."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import Any, Callable

from .. import __version__, _llma
from .._errors import LlmaError
from .._llma import Model
from ._cluster import Tasks, Unit
from ._parts import key_of
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
from ._worker import CompressHow, FrameIn, ModelParts, ReferenceParts

_COPIES = 8  # of a content, in the worker


@dataclasses.dataclass
class CompressPlan:
    """The options of a run."""

    level: int
    model: Model | None
    threads: int
    memory_bytes: int
    settings: dict[str, int]
    embeds_model: bool
    keeps_name: bool
    reference: Reference | None

    @property
    def text(self) -> bytes | None:
        """Of the reference."""
        return self.reference.text if self.reference else None

    @property
    def fingerprint(self) -> bytes:
        return self.model.fingerprint if self.model else b""

    def how(self, reference: ReferenceParts | None) -> CompressHow:
        return CompressHow(
            __version__,
            self.level,
            self.fingerprint,
            self.threads,
            self.settings,
            reference,
        )

    def key(self) -> tuple[Any, ...]:
        """What the bytes of frames depend on, beside the content."""
        return (
            __version__,
            self.level,
            self.fingerprint,
            sorted(self.settings.items()),
            self.reference.digest if self.reference else b"",
        )

    def cutter(self) -> _llma.Cutter:
        return _llma.Cutter(
            self.level,
            self.model,
            self.threads,
            self.memory_bytes,
            self.settings,
            self.text,
        )

    def file_settings(self) -> dict[str, int]:
        return {**self.settings, "embed_models": 1 if self.embeds_model else 0}


class _File(File):
    target: pathlib.Path

    def __init__(self, source: Source, target: pathlib.Path) -> None:
        super().__init__(source, target)
        self.keys: list[str] = []  # of the frames
        self.only = b""  # the frame, if there is one


@dataclasses.dataclass
class _Item(Item[_File]):
    frame: FrameIn


class Compression(Work[_File, _Item]):
    def __init__(
        self,
        plan: CompressPlan,
        targets: Targets,
        tasks: Tasks,
        progress: Progress,
        summary: Summary,
    ) -> None:
        super().__init__(tasks, progress, summary)
        self._plan = plan
        self._targets = targets
        self._parts = targets.parts
        self._unit_bytes = (
            MODEL_UNIT_BYTES if plan.model is not None else CONTEXTS_UNIT_BYTES
        )
        self._memory: dict[int, int] = {}

    def _add(self, source: Source) -> None:
        target, problem = self._targets.place(source)
        if target is None:
            assert problem is not None
            self._summary.problems.append(problem)
            return
        file = _File(source, target)
        reference = self._plan.reference
        if reference is not None:
            if source.status is not None and reference.is_from(source.name):
                self._fail(file, "is the reference, and not compressed", False)
                return
            if reference.is_from(target):
                text = "the output would overwrite the reference"
                self._fail(file, text, False, str(target))
                return
        exists = self._targets.exists(target)
        if exists and not self._parts.was_used:
            self._fail(file, "exists already; -f overwrites it", False, str(target))
            return
        try:
            if exists:
                self._check_done(file)
            else:
                self._cut(file)
        except (OSError, SourceError, LlmaError, ValueError, ImportError) as error:
            self._fail(file, describe(error), False)

    def _cut(self, file: _File) -> None:
        """Reads the source, and hands its frames on as they are found."""
        for content, is_only in self._frames(file.source):
            if file.has_failed:
                return
            key = key_of(self._plan.key(), is_only, content)
            file.keys.append(key)
            file.content_bytes += len(content)
            if self._parts.has(key):
                self._count(len(content), True)
                continue
            frame = FrameIn(len(content), is_only)
            item = _Item(file, key, content, frame)
            self._put(item, len(content), self._unit_bytes)
        file.is_read = True
        self._finish_if_complete(file)

    def _frames(self, source: Source) -> Any:
        """Pairs: the content of a frame, and whether it is the only one."""
        cutter = self._plan.cutter()
        held = bytearray()
        num_frames = 0

        def take(sizes: list[int], is_end: bool) -> Any:
            nonlocal held, num_frames
            offset = 0
            for size in sizes:
                num_frames += 1
                yield memoryview(bytes(held[offset : offset + size])), (
                    is_end and num_frames == 1
                )
                offset += size
            del held[:offset]

        for data in source.chunks():
            held += data
            yield from take(cutter.run(data, _llma.RUN), False)
        yield from take(cutter.run(b"", _llma.FINISH), True)
        if source.status is not None and source.size is not None:
            if os.stat(source.name).st_size < source.size:
                raise SourceError("became shorter while it was read")

    def _check_done(self, file: _File) -> None:
        """Whether the result that is there is of an unfinished run."""
        total = 0
        for content, is_only in self._frames(file.source):
            file.keys.append(key_of(self._plan.key(), is_only, content))
            total += len(content)
        if not self._parts.is_done(self._file_key(file)):
            raise SourceError(f"{file.target} exists already; -f overwrites it")
        self._count(total, True)
        self._summarize(total, file.target.stat().st_size)

    def _file_key(self, file: _File) -> str:
        plan = self._plan
        source = file.source.status if plan.keeps_name else None
        return key_of(str(file.target), plan.embeds_model, source, file.keys)

    # Tasks.

    def _unit(
        self,
        items: list[_Item],
        payload: bytes,
        failed: Callable[[str, bool], None],
    ) -> Unit:
        frames = [item.frame for item in items]
        how = self._plan.how(self._tasks.share(self._plan.reference))

        def arguments(known: dict[bytes, ModelParts]) -> tuple[Any, ...]:
            return how, known.get(how.fingerprint), frames

        return Unit(
            title("compress", items, f"frame {len(items[0].file.keys)}"),
            payload,
            arguments,
            len(payload) // 4,
            self._memory_bytes(max(frame.size for frame in frames)),
            lambda made: self._take(items, made),
            failed,
        )

    def _memory_bytes(self, frame_bytes: int) -> int:
        """What a task needs for a frame."""
        step = memory_step(frame_bytes)
        if step not in self._memory:
            plan = self._plan
            _, usual, needed, _ = _llma.level_info(
                plan.level, plan.model, plan.threads, plan.settings, step, plan.text
            )
            # The worker's text of a reference, beside the library's.
            needed += len(plan.text or b"")
            self._memory[step] = needed + _COPIES * max(0, step - usual)
        return self._memory[step]

    def _took(self, item: _Item, made: bytes) -> None:
        file = item.file
        self._count(item.frame.size, False)
        try:
            if item.frame.is_only:
                file.only = made
            else:
                self._parts.write(item.key, made)
        except OSError as error:
            self._fail(file, describe(error), True, str(self._parts.folder))
            return
        file.missing -= 1
        self._finish_if_complete(file)

    # Files.

    def _finish_if_complete(self, file: _File) -> None:
        if not file.is_complete:
            return
        part = self._parts.folder / f"{self._file_key(file)}.part"
        try:
            size = self._join(file, part)
            self._targets.deliver(part, file.target, file.source)
            self._parts.mark_done(self._file_key(file))
            self._parts.forget(file.keys)
        except (OSError, LlmaError) as error:
            part.unlink(missing_ok=True)
            is_full = isinstance(error, OSError)
            self._fail(file, describe(error), is_full, str(file.target))
            return
        finally:
            file.only = b""
        self._summarize(file.content_bytes, size)

    def _join(self, file: _File, part: pathlib.Path) -> int:
        """Header, frames and index, as one encoder writes them."""
        plan = self._plan
        encoder = _llma.Encoder(
            plan.level,
            plan.model,
            1,
            plan.memory_bytes,
            settings=plan.file_settings(),
            source=file.source.status if plan.keeps_name else None,
        )
        with open(part, "wb") as out:
            for key in file.keys:
                frame = file.only or self._parts.read(key)
                out.write(encoder.add_frames(frame))
            out.write(encoder.run(b"", _llma.FINISH))
            out.flush()
            os.fsync(out.fileno())
            return out.tell()

    def _drop(self, file: _File, is_unfinished: bool) -> None:
        file.only = b""
