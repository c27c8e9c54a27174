# SPDX-License-Identifier: Apache-2.0
"""How far a run is, and what came of it."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import TextIO


@dataclasses.dataclass
class Problem:
    """Why one source has no result."""

    source: str
    text: str
    #: Left out for what it is; no error.
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


@dataclasses.dataclass
class Summary:
    """What a run did."""

    files: int = 0
    content_bytes: int = 0
    file_bytes: int = 0
    #: Of the content: finished by a run before.
    resumed_bytes: int = 0
    seconds: float = 0.0
    problems: list[Problem] = dataclasses.field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        return [one for one in self.problems if not one.is_warning]

    def __str__(self) -> str:
        share = 100 * self.file_bytes / self.content_bytes if self.content_bytes else 0
        made = self.content_bytes - self.resumed_bytes
        text = (
            f"{self.files} file{'s' if self.files != 1 else ''}, {self.content_bytes:,} bytes of content, "
            f"{self.file_bytes:,} compressed ({share:.1f} %), "
            f"{self.seconds:.1f} s, {size(made / max(self.seconds, 1e-3))}/s"
        )
        if self.resumed_bytes:
            text += f"; {self.resumed_bytes:,} bytes were finished before"
        if self.errors:
            text += f"; {len(self.errors)} failed"
        return text


def size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Progress:
    """A line on a terminal: bytes, speed, and the time that is left."""

    def __init__(self, total_bytes: int, shows: bool, to: TextIO = sys.stderr) -> None:
        self.total_bytes = total_bytes
        self._all_files = total_bytes  # where sources are compressed
        self._known_files = 0
        self._known_content = 0
        self.done_bytes = 0
        self.resumed_bytes = 0
        self._to = to
        self._shows = shows
        self._start = time.monotonic()
        self._drawn = 0.0
        self._is_drawn = False

    def learn(self, file_bytes: int, content_bytes: int) -> None:
        """Of one more file so much content is to come. Others are taken to be so."""
        self._known_files += file_bytes
        self._known_content += content_bytes
        share = self._known_content / max(1, self._known_files)
        left = max(0, self._all_files - self._known_files)
        self.total_bytes = self._known_content + int(left * share)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def tick(self, num_tasks: int) -> None:
        now = time.monotonic()
        if not self._shows or now - self._drawn < 0.5:
            return
        self._drawn = now
        self._is_drawn = True
        self._to.write("\r\x1b[K" + self.line(num_tasks))
        self._to.flush()

    def line(self, num_tasks: int) -> str:
        speed = (self.done_bytes - self.resumed_bytes) / max(self.seconds, 1e-3)
        text = size(self.done_bytes)
        if self.total_bytes:
            share = min(1.0, self.done_bytes / self.total_bytes)
            text += f" of {size(self.total_bytes)} ({100 * share:.0f} %)"
        text += f", {size(speed)}/s"
        left = self.total_bytes - self.done_bytes
        if speed > 0 and left > 0:
            text += f", {duration(left / speed)} left"
        return text + f", {num_tasks} tasks"

    def say(self, text: str) -> None:
        self.clear()
        self._to.write(text + "\n")

    def clear(self) -> None:
        if self._is_drawn:
            self._to.write("\r\x1b[K")
            self._is_drawn = False
