# SPDX-License-Identifier: Apache-2.0
"""What a run has finished, beside its target, so that another one goes on there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
from typing import Any


def key_of(*parts: Any) -> str:
    """A name that stands for all of these: bytes, or what repr() tells."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, (bytes, memoryview)) else repr(part).encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


class PartsError(Exception):
    """Another run is at work on the same target."""


class Parts:
    """A folder of parts whose names say what they are of, and a list of keys.

    What is in it is whole: it gets its name, or its line, when it is on the disk.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise PartsError(f"{folder}: another run is at work there") from None
        self._found = {path.name for path in folder.glob("*.frames")}
        self._list = open(folder / "done", "a+b", buffering=0)
        self._list.seek(0)
        data = self._list.read()
        # A line that was cut off stands for nothing.
        whole = data[: data.rfind(b"\n") + 1]
        self._list.truncate(len(whole))
        self._done = set(whole.decode().split())
        #: A run before left something.
        self.was_used = bool(self._done or self._found)

    def has(self, key: str) -> bool:
        return f"{key}.frames" in self._found

    def read(self, key: str) -> bytes:
        return (self.folder / f"{key}.frames").read_bytes()

    def write(self, key: str, data: bytes) -> None:
        path = self.folder / f"{key}.frames"
        write_whole(path, data)
        self._found.add(path.name)

    def is_done(self, key: str) -> bool:
        return key in self._done

    def mark_done(self, *keys: str) -> None:
        self._list.write("".join(f"{key}\n" for key in keys).encode())
        os.fsync(self._list.fileno())
        self._done.update(keys)

    def forget(self, keys: list[str]) -> None:
        for key in keys:
            (self.folder / f"{key}.frames").unlink(missing_ok=True)
            self._found.discard(f"{key}.frames")

    def close(self, remove: bool) -> None:
        if remove or not (self._done or self._found):
            shutil.rmtree(self.folder, ignore_errors=True)
        self._list.close()
        os.close(self._lock)


def write_whole(path: pathlib.Path, data: bytes) -> None:
    """Under its name when it is complete, or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
