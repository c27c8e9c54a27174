# SPDX-License-Identifier: Apache-2.0
"""Bytes in memory, streams, threads and errors."""

import ctypes
import functools
import lzma
import pathlib
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import llma
import pytest

DATA = pathlib.Path(__file__).parent.parent / "data"
TEXT = b"The quick brown fox jumps over the lazy dog. " * 40


@pytest.fixture(scope="module")
def tiny() -> llma.Model:
    return llma.Model(str(DATA / "tiny.llmm"))


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("data", [b"", b"a", TEXT, bytes(range(256)) * 40])
def test_round_trip(level: int, data: bytes) -> None:
    packed = llma.compress(data, level)
    assert llma.decompress(packed) == data
    if data == TEXT:
        assert len(packed) < len(data) // 4


def test_any_buffer() -> None:
    packed = llma.compress(memoryview(bytearray(TEXT)), 1)
    assert llma.decompress(bytearray(packed)) == TEXT


def test_model(tiny: llma.Model) -> None:
    data = TEXT[:200]
    packed = llma.compress(data, 4, model=tiny, threads=1)
    assert llma.decompress(packed, model=tiny) == data
    assert llma.decompress(packed, model=DATA / "tiny.llmm") == data
    short = llma.compress_short(b"A short one.", model=tiny)
    assert llma.decompress(short, model=tiny) == b"A short one."
    assert len(tiny.fingerprint) == 32
    assert tiny.path.endswith("tiny.llmm")
    assert tiny.num_tokens > 0 and tiny.name


def test_reference(tiny: llma.Model, tmp_path: pathlib.Path) -> None:
    data = TEXT[:100] + b"Something new. " + TEXT[100:300]
    path = tmp_path / "x.llma"
    for level in 1, 2, 6:
        packed = llma.compress(data, level, model=tiny, reference=TEXT)
        assert len(packed) < len(llma.compress(data, level, model=tiny))
        assert llma.decompress(packed, model=tiny, reference=TEXT) == data
        with pytest.raises(llma.ModelError, match="needs the reference of 1800 bytes"):
            llma.decompress(packed, model=tiny)
        with llma.open(path, "wb", level=level, model=tiny, reference=TEXT) as file:
            file.write(data)
        with llma.open(path, model=tiny, reference=bytearray(TEXT)) as file:
            file.seek(-10, 2)
            assert file.read() == data[-10:]
    short = llma.compress_short(data[90:140], model=tiny, reference=TEXT)
    assert llma.decompress(short, model=tiny, reference=TEXT) == data[90:140]
    with pytest.raises(llma.ModelError, match="XXH3 that ends in .*, not this one"):
        llma.decompress(short, model=tiny, reference=b"another")


def test_auto_model(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Now the one, now the other of two models that differ a little."""
    command = [sys.executable, "-m", "llma", "model", "import", "-q"]
    for name, more in (("tiny", []), ("other", ["--start-token", "the"])):
        target = ["--name", name, "-o", str(tmp_path / f"{name}.llmm")]
        subprocess.run([*command, str(DATA / "tiny.gguf"), *target, *more], check=True)
    monkeypatch.setenv("LLMA_MODEL_PATH", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    encoder = llma.LlmaCompressor(9, model="auto")
    whole, packed, chosen = b"", b"", set()
    for word in ("everyone", "working", "belonged", "saying", "return", "became"):
        text = f" {word} {word} {word} the file reads bytes".encode()
        made = llma.compress(text, 9, model="auto")
        for name in ("tiny", "other"):
            if made == llma.compress(text, 9, model=name):
                chosen.add(name)
        assert llma.decompress(made) == llma.decompress(made, model="auto") == text
        whole += text
        packed += encoder.compress(text) + encoder.sync()
    assert chosen == {"tiny", "other"}
    assert llma.decompress(packed + encoder.flush()) == whole
    with llma.open(tmp_path / "x.llma", "wb", model="auto") as file:
        file.write(whole)
    with llma.open(tmp_path / "x.llma", model="auto") as file:
        assert file.read() == whole
    short = llma.compress_short(b"the file", model="auto")
    assert llma.decompress(short) == b"the file"
    with pytest.raises(llma.LlmaError) as caught:
        llma.bits_per_token(whole, model="auto")
    assert caught.value.status == "LLMA_ERROR_USAGE"


def test_bits_per_token(tiny: llma.Model) -> None:
    text = "Bits of a text – and their sum. " * 8
    pieces = llma.bits_per_token(text, 4, model=tiny)
    assert b"".join(piece.data for piece in pieces) == text.encode()
    assert pieces[1].offset == len(pieces[0].data)
    bits = sum(piece.bits for piece in pieces)
    size = len(llma.compress(text.encode(), 4, model=tiny))
    assert 0 < bits / 8 <= size
    assert all(piece.model_bits is not None for piece in pieces)
    bare = llma.bits_per_token(TEXT, 1)
    assert all(piece.model_bits is None for piece in bare)
    assert abs(sum(piece.bits for piece in bare) / 8
               - len(llma.compress(TEXT, 1))) < 100


@pytest.mark.parametrize("part", [1, 7, 4096])
def test_streams(part: int) -> None:
    encoder = llma.LlmaCompressor(1)
    packed = b"".join(
        encoder.compress(TEXT[i : i + part]) for i in range(0, len(TEXT), part)
    )
    packed += encoder.flush()
    decoder = llma.LlmaDecompressor()
    made = b"".join(
        decoder.decompress(packed[i : i + part])
        for i in range(0, len(packed), part)
    )
    assert made + decoder.flush() == TEXT


@pytest.mark.parametrize("after", [b"", b"x", b"\0\0", b"another file"])
def test_decompressor_is_as_that_of_lzma(after: bytes) -> None:
    """Both are asked the same, and answer the same."""
    content = TEXT * 3
    packed = {
        llma.LlmaDecompressor: llma.compress(content, 1),
        lzma.LZMADecompressor: lzma.compress(content),
    }
    answers = []
    for create, file in packed.items():
        one = create()
        made: list[object] = [one.eof, one.needs_input, one.unused_data]
        made.append(one.decompress(b""))
        made.append(one.needs_input)
        one.decompress(file[:-1], 0)  # what either has by then is its own
        data, parts = file[-1:] + after, []
        while not one.eof:
            parts.append(one.decompress(data, max_length=100))
            assert len(parts[-1]) <= 100
            data = b""
        made += [b"".join(parts) == content]
        made += [one.eof, one.needs_input, one.unused_data]
        for more in b"", b"more":
            with pytest.raises(EOFError) as caught:
                one.decompress(more)
            made.append(str(caught.value))
        answers.append(made)
    assert answers[0] == answers[1]
    assert answers[0][-3] == after


def test_max_length_is_kept() -> None:
    packed = llma.compress(b"a" * 100_000, 1)
    one = llma.LlmaDecompressor()
    assert one.decompress(packed, 10) == b"a" * 10
    assert not one.needs_input and not one.eof
    assert one.decompress(b"", 0) == b""
    assert one.decompress(b"") == b"a" * 99_990
    assert one.eof and one.flush() == b"" and one.sync() == b""
    cut = llma.LlmaDecompressor()
    cut.decompress(packed[:-1])
    assert cut.needs_input and not cut.eof
    with pytest.raises(llma.LlmaError):
        cut.flush()
    assert not cut.eof


def test_short_messages_end_with_flush(tiny: llma.Model) -> None:
    packed = llma.compress_short(b"a short message", model=tiny)
    one = llma.LlmaDecompressor(model=tiny)
    assert one.decompress(packed) == b"" and not one.eof
    assert one.flush() == b"a short message" and one.eof


def test_sync() -> None:
    encoder = llma.LlmaCompressor(1)
    decoder = llma.LlmaDecompressor()
    packed = encoder.compress(TEXT) + encoder.sync()
    assert decoder.decompress(packed) + decoder.sync() == TEXT
    packed = encoder.compress(b"more") + encoder.sync()
    assert decoder.decompress(packed) + decoder.sync() == b"more"
    assert decoder.decompress(encoder.flush()) + decoder.flush() == b""


def test_thread_pool(tiny: llma.Model) -> None:
    def work(i: int) -> bool:
        data = b"%d " % i + TEXT[: 50 + i]
        return llma.decompress(llma.compress(data, 4, model=tiny, threads=1),
                               model=tiny) == data

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(16)))


def test_gil_is_released() -> None:
    """Another thread goes on while one long call runs."""
    data = bytes((i * i >> 3) % 251 for i in range(1 << 16))
    running = threading.Event()
    done = threading.Event()

    def work() -> None:
        running.set()
        llma.compress(data, 2, threads=1)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    running.wait()
    turns = 0
    while not done.wait(0.001):
        turns += 1
    thread.join()
    assert turns >= 10


def test_errors() -> None:
    packed = llma.compress(TEXT, 1)
    with pytest.raises(llma.DamagedError) as caught:
        llma.decompress(packed[: len(packed) // 2])
    assert caught.value.status == "LLMA_ERROR_TRUNCATED"
    assert str(caught.value)
    with pytest.raises(llma.DamagedError) as caught:
        llma.decompress(b"this is no compressed file at all")
    assert caught.value.status == "LLMA_ERROR_FORMAT"
    assert caught.value.offset == 0
    with pytest.raises(llma.UsageError) as usage:
        llma.compress(b"", 99)
    assert isinstance(usage.value, ValueError)
    assert usage.value.status == "LLMA_ERROR_USAGE"
    assert usage.value.offset is None
    with pytest.raises(llma.ModelError) as missing:
        llma.Model("no-such-model")
    assert missing.value.status == "LLMA_ERROR_MODEL_MISSING"
    with pytest.raises(TypeError):
        llma.compress("text is not bytes", 1)  # type: ignore[arg-type]
    damaged = bytearray(packed)
    damaged[len(damaged) // 2] ^= 0x10
    with pytest.raises(llma.DamagedError):
        llma.decompress(damaged)
    with pytest.raises(llma.LimitError):
        llma.decompress(packed, max_size=len(TEXT) - 1)


def damaged_file() -> tuple[bytes, bytes]:
    """A file of three frames, the last one damaged; the content of the others."""
    encoder = llma.LlmaCompressor(1)
    packed = encoder.compress(TEXT) + encoder.sync()
    packed += encoder.compress(b"second " * 50) + encoder.sync()
    good = len(packed)
    packed += encoder.compress(TEXT[:1000]) + encoder.flush()
    middle = good + (len(packed) - good) // 2
    damaged = packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :]
    return damaged, TEXT + b"second " * 50


@pytest.mark.parametrize("part", [1, 100, 1 << 20])
def test_content_before_damage_comes_first(part: int) -> None:
    damaged, good = damaged_file()
    decoder = llma.LlmaDecompressor(threads=4)
    made = b""
    with pytest.raises(llma.LlmaError) as caught:
        for i in range(0, len(damaged), part):
            made += decoder.decompress(damaged[i : i + part])
        made += decoder.flush()
    assert made + caught.value.content == good
    with pytest.raises(llma.LlmaError) as again:
        decoder.flush()
    assert str(again.value) == str(caught.value) and not again.value.content


@pytest.mark.parametrize("kept", [0, 10])
def test_content_that_was_held_back_comes_with_the_error(kept: int) -> None:
    damaged, good = damaged_file()
    for file in damaged, damaged[:-40]:
        for ends in ("sync", "flush"), ("flush",):
            decoder = llma.LlmaDecompressor()
            made = decoder.decompress(file, kept)
            with pytest.raises(llma.DamagedError) as caught:
                for end in ends:
                    made += getattr(decoder, end)()
            assert made + caught.value.content == good


def test_alternatives(tiny: llma.Model) -> None:
    text = "What may come then? " * 10
    pieces = llma.bits_per_token(text, 4, model=tiny, alternatives=3)
    for piece in pieces:
        assert len(piece.alternatives) == 3
        chances = [one.probability for one in piece.alternatives]
        assert chances == sorted(chances, reverse=True)
        assert 0 < sum(chances) < 1.001 and piece.alternatives[0].data
    assert llma.bits_per_token(text, 4, model=tiny)[0].alternatives == ()
    with pytest.raises(llma.LlmaError):
        llma.bits_per_token(text, 4, model=tiny, alternatives=65)


@pytest.mark.parametrize("number", [-1, -(2**80), 2**80])
def test_numbers_out_of_bounds(number: int, tmp_path: pathlib.Path) -> None:
    calls: dict[str, list[Callable[..., object]]] = {
        "level": [functools.partial(llma.compress, b"x"), llma.LlmaCompressor],
        "alternatives": [functools.partial(llma.bits_per_token, b"x", 1)],
        "max_size": [functools.partial(llma.decompress, b"x")],
    }
    for name in "threads", "memory_bytes":
        calls[name] = [
            functools.partial(llma.compress, b"x", 1),
            functools.partial(llma.bits_per_token, b"x", 1),
            functools.partial(llma.compress_short, b"x"),
        ]
    for name in "threads", "memory_bytes", "max_size":
        calls.setdefault(name, []).append(llma.LlmaDecompressor)
        calls[name].append(functools.partial(llma.open, tmp_path / "x.llma", "wb"))
    calls["max_size"].pop()
    for name, which in calls.items():
        for call in which:
            with pytest.raises(llma.UsageError, match=f"^{name} must be from [01] to") as e:
                call(**{name: number})
            assert isinstance(e.value, ValueError)
            for wrong in "1", 1.5, [1]:
                with pytest.raises(TypeError):
                    call(**{name: wrong})
    assert not list(tmp_path.iterdir())
    with pytest.raises(llma.UsageError, match="^level must be from 1 to 9$"):
        llma.compress(b"x", 10)
    with pytest.raises(llma.UsageError, match="^alternatives must be from 0 to 64$"):
        llma.bits_per_token(b"x", 1, alternatives=65)


def empty_arrays() -> list[memoryview]:
    """Empty buffers, some with several dimensions, as NumPy makes them."""
    types = ctypes.c_uint8 * 0, ctypes.c_uint8 * 3 * 0, ctypes.c_double * 0 * 2
    return [memoryview(one()) for one in types]


def test_empty_arrays(tmp_path: pathlib.Path) -> None:
    packed = llma.compress(TEXT, 1)
    for empty in empty_arrays():
        assert llma.decompress(llma.compress(empty, 1)) == b""
        decoder = llma.LlmaDecompressor()
        assert decoder.decompress(empty) == b""
        made = decoder.decompress(packed[:9], 1) + decoder.decompress(empty)
        assert made + decoder.decompress(packed[9:]) == TEXT
        path = tmp_path / "x.llma"
        with llma.open(path, "wb", level=1) as out:
            assert out.write(empty) == 0
            out.write(TEXT)
        with llma.open(path) as file:
            assert file.readinto(empty) == 0
            assert file.read() == TEXT


def test_max_length_out_of_bounds() -> None:
    decoder = llma.LlmaDecompressor()
    packed = llma.compress(TEXT, 1)
    with pytest.raises(llma.UsageError, match="^max_length must be"):
        decoder.decompress(packed, 1 << 64)
    for wrong in "1", 1.5, -1.5:
        with pytest.raises(TypeError):
            decoder.decompress(packed, wrong)  # type: ignore[arg-type]
    assert decoder.decompress(packed, -(1 << 64)) == TEXT


def test_cancel() -> None:
    encoder = llma.LlmaCompressor(1)
    encoder.cancel()
    with pytest.raises(llma.LlmaError) as caught:
        encoder.compress(TEXT)
        encoder.flush()
    assert caught.value.status == "LLMA_ERROR_CANCELLED"


def test_max_size() -> None:
    packed = llma.compress(b"a" * 1000, 1)
    assert llma.decompress(packed, max_size=1000) == b"a" * 1000
    with pytest.raises(llma.LlmaError) as caught:
        llma.decompress(packed, max_size=999)
    assert caught.value.status == "LLMA_ERROR_LIMIT"
    decoder = llma.LlmaDecompressor(max_size=1000)
    assert decoder.decompress(packed) == b"a" * 1000
    decoder = llma.LlmaDecompressor(max_size=999)
    with pytest.raises(llma.LlmaError):
        decoder.decompress(packed)
