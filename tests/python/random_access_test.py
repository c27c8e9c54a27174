# SPDX-License-Identifier: Apache-2.0
"""Reading anywhere in a compressed file: what it costs, and what io promises."""

from __future__ import annotations

import concurrent.futures
import io
import os
import pathlib
import random
import threading
import tracemalloc
import zipfile
from typing import Any, Callable

import llma
import pytest

FRAME_BYTES = 1 << 20


def framed(parts: list[bytes], end: bool = True) -> bytes:
    """A file with a frame for each part."""
    compressor = llma.LlmaCompressor(1)
    file = b"".join(compressor.compress(part) + compressor.sync() for part in parts)
    return file + compressor.flush() if end else file


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


class Counted(io.BytesIO):
    """Counts what is read of it."""

    got = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.got += len(data)
        return data


class Forward(io.RawIOBase):
    """Cannot seek, and gives little at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with memoryview(buffer) as view:
            part = self._data.read(min(len(view), 1000))
            view[: len(part)] = part
        return len(part)


@pytest.fixture(scope="module")
def parts() -> list[bytes]:
    """16 MB, with repetitions, so that it is done soon."""
    return [(noise(1 << 15, seed) * 32)[:FRAME_BYTES] for seed in range(16)]


@pytest.fixture(scope="module")
def big(parts: list[bytes]) -> bytes:
    return framed(parts)


def test_a_range_costs_one_frame(parts: list[bytes], big: bytes) -> None:
    below = Counted(big)
    with llma.open(below) as file:
        file.seek(9 * FRAME_BYTES + 500)
        assert below.got == 0
        assert file.read(1024) == parts[9][500:1524]
        assert below.got < 1.5 * len(big) / 16
        # Kept: the same frame again, and one more between.
        file.seek(3 * FRAME_BYTES)
        assert file.read(10) == parts[3][:10]
        before = below.got
        for frame in (9, 3, 9, 3):
            file.seek(frame * FRAME_BYTES + 77)
            assert file.read(10) == parts[frame][77:87]
        assert below.got == before
        # The end is known without decoding.
        assert file.seek(-4, io.SEEK_END) == 16 * FRAME_BYTES - 4
        assert below.got == before
        assert file.read() == parts[15][-4:]


def test_memory_is_bounded() -> None:
    content = bytes(8 << 20)
    packed = framed([content] * 16)
    with llma.open(io.BytesIO(packed)) as file:
        tracemalloc.start()
        for frame in range(15, 0, -1):
            file.seek(frame * len(content))
            assert file.read(1) == b"\0"
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 90 << 20


def test_memory_of_a_stream_is_bounded() -> None:
    """120 frames of 2 MiB, in a file of a few kilobytes."""
    content = bytes(2 << 20)
    packed = framed([content] * 120)
    assert len(packed) < 1 << 13
    with llma.open(io.BytesIO(packed)) as file:
        tracemalloc.start()
        while file.read(1 << 20):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 180 << 20


def test_any_order(parts: list[bytes]) -> None:
    parts = [part[:2000] for part in parts]
    content = b"".join(parts)
    choice = random.Random(1)
    with llma.open(io.BytesIO(framed(parts))) as file:
        for _ in range(500):
            offset = choice.randrange(len(content) + 100)
            size = choice.choice([0, 1, 100, 2000, 5000])
            assert file.seek(offset) == offset == file.tell()
            assert file.read(size) == content[offset : offset + size]
        file.seek(0)
        assert file.read() == content
        assert file.seek(1, io.SEEK_CUR) == len(content) + 1
        assert file.read() == b"" and file.read(5) == b""
        with pytest.raises(ValueError):
            file.seek(-1)
        with pytest.raises(ValueError):
            file.seek(0, 17)


@pytest.mark.parametrize("kind", ["short", "no index", "two members"])
def test_kinds_of_files(kind: str) -> None:
    content = noise(3000, 1)
    if kind == "short":
        model = str(pathlib.Path(__file__).parents[1] / "data/tiny.llmm")
        content = b"a short message, which has no frames"
        packed = llma.compress_short(content, model=model)
        file = llma.open(io.BytesIO(packed), model=model)
    elif kind == "no index":
        packed = framed([content[:1000], content[1000:]], end=False)
        file = llma.open(io.BytesIO(packed))
    else:
        packed = llma.compress(content[:1000], 1) + llma.compress(content[1000:], 1)
        file = llma.open(io.BytesIO(packed))
    assert file.seek(20) == 20 and file.read(5) == content[20:25]
    assert file.seek(10) == 10 and file.read(5) == content[10:15]
    if kind == "no index":
        with pytest.raises(llma.DamagedError):
            file.seek(0, io.SEEK_END)
        assert file.seek(1500) == 1500 and file.read(5) == content[1500:1505]
    else:
        assert file.seek(-5, io.SEEK_END) == len(content) - 5
        assert file.read() == content[-5:]


def test_a_file_object_that_starts_elsewhere() -> None:
    content = noise(3000, 1)
    below = io.BytesIO(b"before" + framed([content[:1000], content[1000:]]))
    below.seek(6)
    file = llma.open(below)
    assert file.read() == content
    assert file.seek(1200) == 1200 and file.read(9) == content[1200:1209]
    assert file.seek(0) == 0 and file.read(9) == content[:9]


def test_what_cannot_seek() -> None:
    content = noise(300_000, 1)
    packed = framed([content[:100_000], content[100_000:]])
    file = llma.open(io.BufferedReader(Forward(packed)))
    assert not file.seekable() and file.tell() == 0
    with pytest.raises(io.UnsupportedOperation):
        file.seek(5)
    assert file.read(10) == content[:10] and file.read() == content[10:]


def test_damage_costs_its_frame(parts: list[bytes], tmp_path: pathlib.Path) -> None:
    parts = [part[:2000] for part in parts]
    packed = bytearray(framed(parts))
    packed[packed.index(parts[4][:50]) + 1000] ^= 1
    path = tmp_path / "damaged.llma"
    path.write_bytes(packed)
    with llma.open(path) as file:
        file.seek(9 * 2000)
        assert file.read(2000) == parts[9]
        for _ in range(2):
            file.seek(4 * 2000)
            with pytest.raises(llma.DamagedError, match="damaged.llma: "):
                file.read(1)
        file.seek(0)
        assert file.read(100_000) == b"".join(parts[:4])
        with pytest.raises(llma.DamagedError) as caught:
            file.read(1)
        assert caught.value.filename == str(path)
        file.seek(5 * 2000)
        assert file.read() == b"".join(parts[5:])


def test_max_size(parts: list[bytes]) -> None:
    packed = framed([part[:2000] for part in parts])
    with llma.open(io.BytesIO(packed), max_size=10_000) as file:
        file.seek(8000)
        assert file.read(2000) == parts[4][:2000]
        file.seek(12_000)
        with pytest.raises(llma.LimitError):
            file.read(1)


def test_errors_of_the_file_below(parts: list[bytes]) -> None:
    class Failing(io.BytesIO):
        fails = False

        def read(self, size: int | None = -1) -> bytes:
            if self.fails:
                raise OSError(5, "the disk is gone")
            return super().read(size)

    below = Failing(framed([part[:2000] for part in parts]))
    with llma.open(below) as file:
        below.fails = True
        file.seek(3000)
        with pytest.raises(OSError, match="the disk is gone"):
            file.read(1)
        below.fails = False
        assert file.read(1) == parts[1][1000:1001]


def test_layers(tmp_path: pathlib.Path) -> None:
    lines = [f"Line {i}: ünïcode\n" for i in range(5000)]
    path = tmp_path / "layers.llma"
    with llma.open(path, "wt", level=1, newline="\n") as text:
        text.writelines(lines)
        text.flush()
    with llma.open(path, "rt") as text:
        assert text.name == str(path) and text.buffer.name == str(path)
        assert [text.readline() for _ in range(3)] == lines[:3]
        place = text.tell()
        assert text.read() == "".join(lines[3:])
        text.seek(place)
        assert text.readline() == lines[3]
    data = "".join(lines).encode()
    with io.BufferedReader(llma.open(path)) as buffered:
        buffered.seek(70_000)
        assert buffered.peek(5)[:5] == data[70_000:70_005]
        room = bytearray(9)
        assert buffered.readinto(room) == 9 and room == data[70_000:70_009]
    file = llma.open(path)
    assert file.readable() and not file.writable() and file.mode == "rb"
    assert next(file) == lines[0].encode()
    assert file.readlines(30) == [line.encode() for line in lines[1:3]]
    assert file.readinto1(room) == 9 and file.read1(3) != b""
    assert os.fstat(file.fileno()).st_size == path.stat().st_size
    for call in (file.truncate, file.detach, lambda: file.write(b"")):
        with pytest.raises(io.UnsupportedOperation):
            call()
    file.close()
    file.close()
    assert file.closed
    for name in ("read", "readline", "peek", "tell", "readable", "fileno", "flush"):
        with pytest.raises(ValueError):
            getattr(file, name)()
    with pytest.raises(ValueError):
        file.seek(0)
    with pytest.raises(AttributeError):
        llma.open(io.BytesIO(path.read_bytes())).name
    with pytest.raises(TypeError):
        llma.open(5)  # type: ignore[call-overload]


def test_a_child_reads_on(parts: list[bytes]) -> None:
    """What a stream of the parent began does not go on there; the rest does."""
    parts = [part[:2000] for part in parts]
    with llma.open(io.BytesIO(framed(parts))) as file:
        file.seek(8000)
        assert file.read(5) == parts[4][:5]
        child = os.fork()
        if child == 0:
            try:
                file.seek(8010)
                same = file.read(5) == parts[4][10:15]
                file.seek(18_000)
                os._exit(0 if same and file.read(5) == parts[9][:5] else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_several_threads(parts: list[bytes]) -> None:
    parts = [part[:2000] for part in parts]
    content = b"".join(parts)
    file = llma.open(io.BytesIO(framed(parts)))
    lock = threading.Lock()

    def read_some(seed: int) -> int:
        choice = random.Random(seed)
        num_wrong = 0
        for _ in range(100):
            offset = choice.randrange(len(content))
            with lock:  # a seek and its read belong together
                file.seek(offset)
                part = file.read(50)
            num_wrong += part != content[offset : offset + 50]
        return num_wrong

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(read_some, range(4))) == 0
    # Without a lock places mix, and nothing breaks.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(read_some_anyhow(file, len(content)), range(4)))


def read_some_anyhow(file: llma.LlmaFile, size: int) -> Callable[[int], None]:
    def read(seed: int) -> None:
        choice = random.Random(seed)
        for _ in range(100):
            file.seek(choice.randrange(size))
            file.read(50)

    return read


def test_members_of_a_zip_file(parts: list[bytes]) -> None:
    """Stored in a .zip.llma, a member costs the end and its own frames."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for i, part in enumerate(parts):
            archive.writestr(f"{i}.bin", part)
    whole = made.getvalue()
    cuts = range(0, len(whole), FRAME_BYTES)
    packed = framed([whole[cut : cut + FRAME_BYTES] for cut in cuts])
    below = Counted(packed)
    with zipfile.ZipFile(llma.open(below)) as archive:
        assert archive.read("7.bin") == parts[7]
    assert below.got < len(packed) / 4
