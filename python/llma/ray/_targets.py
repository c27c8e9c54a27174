# SPDX-License-Identifier: Apache-2.0
"""Where results go: one file, or a folder; and what is left of an unfinished run."""

from __future__ import annotations

import contextlib
import os
import pathlib
from typing import Callable

from ._parts import Parts
from ._report import Problem
from ._sources import PathLike, Source


def is_folder(to: PathLike, sources: list[Source], operands: list[PathLike]) -> bool:
    """Whether results get names of their own below `to`."""
    text = os.fspath(to)
    return (
        text.endswith("/")
        or os.path.isdir(text)
        or len(operands) > 1
        or any(os.path.isdir(operand) for operand in operands)
        or any("/" in source.relative for source in sources)
    )


class Targets:
    """The names of results. `rename` makes that of a source's relative name."""

    def __init__(
        self, to: PathLike, in_folder: bool, force: bool, rename: Callable[[str], str]
    ) -> None:
        self._to = pathlib.Path(to)
        self._in_folder = in_folder
        self._force = force
        self._rename = rename
        self._taken: dict[pathlib.Path, str] = {}
        folder = (
            self._to / ".llma.parts"
            if in_folder
            else self._to.with_name(self._to.name + ".parts")
        )
        self.parts = Parts(folder)
        #: Nothing is left to go on with.
        self.is_finished = False

    def place(self, source: Source) -> tuple[pathlib.Path | None, Problem | None]:
        """Where the result goes; or None, and why."""
        target = self._to
        if self._in_folder:
            relative = pathlib.PurePath(self._rename(source.relative))
            if relative.is_absolute() or ".." in relative.parts:
                return None, Problem(source.name, "its name leads elsewhere")
            target = self._to / relative
        other = self._taken.setdefault(target, source.name)
        if other != source.name:
            return None, Problem(source.name, f"{other} becomes {target}, too")
        return target, None

    def exists(self, target: pathlib.Path) -> bool:
        return not self._force and os.path.lexists(target)

    def deliver(self, part: pathlib.Path, target: pathlib.Path, source: Source) -> None:
        """Gives a complete file its name, and mode and time of a local source."""
        if source.status is not None:
            _, mode, seconds, nanoseconds = source.status
            with contextlib.suppress(OSError):
                os.chmod(part, mode & 0o777)
                time_ns = seconds * 10**9 + nanoseconds
                os.utime(part, ns=(time_ns, time_ns))
        target.parent.mkdir(parents=True, exist_ok=True)
        if not self._force and os.path.lexists(target):
            raise FileExistsError(17, "exists already; -f overwrites it")
        os.replace(part, target)
