# SPDX-License-Identifier: Apache-2.0
import os
from typing import Callable, Literal

from typing_extensions import Buffer

__version__: str
HAS_HTTP: bool
RUN: int
FLUSH: int
FINISH: int

class Model:
    def __init__(
        self,
        name_or_path: str
        | bytes
        | os.PathLike[str]
        | os.PathLike[bytes]
        | None = None,
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def license(self) -> str: ...
    @property
    def fingerprint(self) -> bytes: ...
    @property
    def num_tokens(self) -> int: ...

def find_model(fingerprint: Buffer) -> Model: ...
def list_models() -> list[tuple[str, str, int, bytes, bool]]: ...
def pull_model(
    source: str, progress: Callable[[int, int], object] | None
) -> str: ...

# To compress with: one, what suits each frame, the default one.
ModelChoice = Model | Literal["auto"] | None

# Further options by name, as in llma.h.
Settings = dict[str, int]
# Name, mode, and time of modification: seconds and nanoseconds.
Source = tuple[bytes, int, int, int]

class CallLock:
    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...

class Encoder:
    def __init__(
        self,
        level: int,
        model: ModelChoice,
        threads: int,
        memory_bytes: int,
        max_size: int = 0,
        one_file: bool = False,
        settings: Settings | None = None,
        source: Source | None = None,
        reference: Buffer | None = None,
    ) -> None: ...
    def run(self, data: Buffer, action: int) -> bytes: ...
    def add_frames(self, frames: Buffer) -> bytes: ...
    def cancel(self) -> None: ...

class Cutter:
    def __init__(
        self,
        level: int,
        model: ModelChoice,
        threads: int,
        memory_bytes: int,
        settings: Settings | None,
        reference: Buffer | None = None,
    ) -> None: ...
    def run(self, data: Buffer, action: int) -> list[int]: ...

def level_uses_model(level: int) -> bool: ...
def level_info(
    level: int,
    model: ModelChoice,
    threads: int,
    settings: Settings | None,
    content_bytes: int,
    reference: Buffer | None = None,
) -> tuple[bool, int, int, int]: ...

class Decoder:
    def __init__(
        self,
        level: int,
        model: ModelChoice,
        threads: int,
        memory_bytes: int,
        max_size: int = 0,
        one_file: bool = False,
        reference: Buffer | None = None,
    ) -> None: ...
    def run(self, data: Buffer, action: int) -> bytes: ...
    def step(self, data: Buffer, max_length: int) -> tuple[bytes, int, int]: ...
    def cancel(self) -> None: ...

def compress(
    data: Buffer,
    level: int,
    model: ModelChoice,
    threads: int,
    memory_bytes: int,
    max_size: int = 0,
    reference: Buffer | None = None,
) -> bytes: ...
def compress_short(
    data: Buffer,
    level: int,
    model: ModelChoice,
    threads: int,
    memory_bytes: int,
    max_size: int = 0,
    reference: Buffer | None = None,
) -> bytes: ...
def decompress(
    data: Buffer,
    level: int,
    model: ModelChoice,
    threads: int,
    memory_bytes: int,
    max_size: int = 0,
    reference: Buffer | None = None,
) -> bytes: ...
def frames(
    read_at: Callable[[int, int], Buffer], file_bytes: int
) -> list[tuple[int, int]]: ...
def frame_places(
    read_at: Callable[[int, int], Buffer], file_bytes: int
) -> tuple[
    list[tuple[int, int, int, int, bytes | None, Settings, int]],
    list[tuple[int, int]],
]: ...
def decompress_range(
    read_at: Callable[[int, int], Buffer],
    file_bytes: int,
    offset: int,
    size: int,
    model: ModelChoice,
    threads: int,
    memory_bytes: int,
    reference: Buffer | None = None,
) -> bytes: ...
def inspect(
    data: Buffer,
    level: int,
    model: ModelChoice,
    threads: int,
    memory_bytes: int,
    num_alternatives: int,
) -> list[
    tuple[int, bytes, float, float | None, tuple[tuple[bytes, float], ...]]
]: ...
