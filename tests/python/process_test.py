# SPDX-License-Identifier: Apache-2.0
"""Several processes: fork, spawn, forkserver, and what goes between them."""

import copy
import functools
import multiprocessing
import os
import pathlib
import pickle
import signal
import sys
import sysconfig
from typing import Callable

import llma
import pytest

DATA = pathlib.Path(__file__).parent.parent / "data"
TEXT = b"The quick brown fox jumps over the lazy dog. " * 40
# Of a child that does next to nothing.
TIMEOUT_SECONDS = 120


@pytest.fixture(scope="module")
def tiny() -> llma.Model:
    return llma.Model(str(DATA / "tiny.llmm"))


def in_child(work: Callable[[], None]) -> None:
    """Forks; fails if the work raises, dies, or does not end."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(TIMEOUT_SECONDS)
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def busy_compressor() -> llma.LlmaCompressor:
    """One whose frames are being coded by other threads."""
    compressor = llma.LlmaCompressor(1, threads=4)
    noise = bytes(i * i % 251 for i in range(1 << 16))
    for _ in range(80):
        compressor.compress(noise)
    return compressor


def test_fork_then_free() -> None:
    made = [busy_compressor()]
    in_child(made.clear)
    assert made[0].flush()  # here all is as it was


def test_fork_then_use() -> None:
    compressor = busy_compressor()
    decompressor = llma.LlmaDecompressor()
    decompressor.decompress(llma.compress(TEXT, 1)[:20])

    def work() -> None:
        calls: list[Callable[[], bytes]] = [
            functools.partial(compressor.compress, b"more"),
            compressor.flush,
            compressor.sync,
            decompressor.flush,
        ]
        for call in calls:
            with pytest.raises(llma.LlmaError, match="fork"):
                call()

    in_child(work)


def test_fork_then_new_ones(tiny: llma.Model) -> None:
    keep = busy_compressor()
    packed = llma.compress(TEXT[:400], 4, model=tiny, threads=2)

    def work() -> None:
        assert llma.compress(TEXT[:400], 4, model=tiny, threads=2) == packed
        assert llma.decompress(packed, model=tiny) == TEXT[:400]
        again = llma.Model(tiny.path)
        assert again.fingerprint == tiny.fingerprint
        mine = llma.LlmaCompressor(1, threads=2)
        file = mine.compress(TEXT) + mine.flush()
        assert llma.decompress(file) == TEXT

    in_child(work)
    del keep


def test_models_are_pickled(tiny: llma.Model) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(tiny, protocol))
        assert (again.path, again.fingerprint) == (tiny.path, tiny.fingerprint)
    assert copy.deepcopy([tiny])[0].fingerprint == tiny.fingerprint


def test_a_model_is_found_where_it_is(
    tiny: llma.Model, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine has it elsewhere, or not at all."""
    moved = tmp_path / "moved.llmm"
    moved.write_bytes((DATA / "tiny.llmm").read_bytes())
    pickled = pickle.dumps(llma.Model(str(moved)))
    moved.unlink()
    monkeypatch.setenv("LLMA_MODEL_PATH", str(DATA))
    assert pickle.loads(pickled).fingerprint == tiny.fingerprint
    monkeypatch.setenv("LLMA_MODEL_PATH", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(llma.LlmaError) as caught:
        pickle.loads(pickled)
    assert caught.value.status == "LLMA_ERROR_MODEL_MISSING"


def test_errors_are_pickled() -> None:
    with pytest.raises(llma.LlmaError) as caught:
        llma.decompress(b"not a file")
    error = llma.LlmaError("a text", "LLMA_ERROR_CORRUPT", 7, b"content")
    for one in (caught.value, error):
        again = pickle.loads(pickle.dumps(one))
        assert type(again) is type(one)
        for name in ("text", "status", "offset", "content", "args"):
            assert getattr(again, name) == getattr(one, name)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_pools(method: str, tiny: llma.Model) -> None:
    texts = [TEXT[:200], b"", b"x" * 99]
    work = functools.partial(llma.compress, level=4, model=tiny, threads=1)
    with multiprocessing.get_context(method).Pool(1) as pool:
        packed = pool.map_async(work, texts).get(TIMEOUT_SECONDS)
        with pytest.raises(llma.LlmaError):
            pool.apply_async(llma.decompress, (b"no",)).get(TIMEOUT_SECONDS)
    assert [llma.decompress(p, model=tiny) for p in packed] == texts


def test_the_gil_stays_off() -> None:
    """Of a build of Python without one; others have nothing to show."""
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("this Python has a GIL")
    assert not getattr(sys, "_is_gil_enabled")()
