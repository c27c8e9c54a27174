# SPDX-License-Identifier: Apache-2.0
"""Signal handlers while the library works: what they raise, and what they use."""

import contextlib
import io
import pathlib
import random
import signal
import threading
import time
from typing import Callable, Iterator

import llma
import pytest
from llma import _llma

# In so much less a handler is run and the work ended, on a busy machine, too.
SOON_SECONDS = 5
FRAMES = {"frame_bytes": 1 << 16}


class Interrupt(Exception):
    """What the handlers raise."""


def text(size: int) -> bytes:
    some = random.Random(1)
    words = [b"alpha", b"beta", b"gamma", b"delta"]
    return b" ".join(
        b"%s%d" % (some.choice(words), some.getrandbits(40))
        for _ in range(size // 14)
    )


# Of level 2: tens of seconds.
LONG = text(2_000_000)


@pytest.fixture(scope="module")
def file() -> bytes:
    """It takes tens of seconds to decompress, with all frames side by side."""
    encoder = _llma.Encoder(1, None, 0, 0, settings=FRAMES)
    frames = encoder.run(text(1 << 18), _llma.RUN) + encoder.run(b"", _llma.FLUSH)
    encoder = _llma.Encoder(1, None, 0, 0)
    return encoder.add_frames(frames * 150) + encoder.run(b"", _llma.FINISH)


@contextlib.contextmanager
def interrupted(handle: Callable[[], object] = lambda: None) -> Iterator[None]:
    """The body must end soon after a handler did this and raised."""
    times: list[float] = []

    def handler(*_: object) -> None:
        times.append(time.monotonic())
        handle()
        raise Interrupt

    old = signal.signal(signal.SIGALRM, handler)
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Interrupt):
            yield
        end = time.monotonic()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert times[0] - start < 0.3 + SOON_SECONDS
    assert end - times[0] < SOON_SECONDS


@pytest.mark.parametrize("threads", [1, 2, 0])
def test_compressing_is_interrupted(threads: int) -> None:
    with interrupted():
        llma.compress(LONG, 2, threads=threads)
    encoder = llma.LlmaCompressor(2, threads=threads)
    with interrupted():
        encoder.compress(LONG)
        encoder.flush()
    with pytest.raises(llma.CancelledError):
        encoder.flush()
    frames = _llma.Encoder(2, None, threads, 0, settings=FRAMES)
    with interrupted():
        frames.run(LONG, _llma.RUN)
        frames.run(b"", _llma.FLUSH)


@pytest.mark.parametrize("threads", [1, 2, 0])
def test_decompressing_is_interrupted(threads: int, file: bytes) -> None:
    with interrupted():
        llma.decompress(file, threads=threads)
    decoder = llma.LlmaDecompressor(threads=threads)
    with interrupted():
        decoder.decompress(file)
        decoder.flush()
    with pytest.raises(llma.CancelledError):
        decoder.flush()
    with interrupted():
        llma.open(io.BytesIO(file), threads=threads).read()


def test_waiting_for_another_thread_is_interrupted() -> None:
    encoder = llma.LlmaCompressor(2)

    def work() -> None:
        with contextlib.suppress(llma.CancelledError):
            encoder.compress(LONG)
            encoder.flush()

    thread = threading.Thread(target=work)
    with interrupted():
        thread.start()
        time.sleep(0.1)
        encoder.sync()
    encoder.cancel()
    thread.join()


class Caught:
    """Calls, and keeps the error of that."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.text = ""

    def __call__(self) -> None:
        with pytest.raises(llma.UsageError) as caught:
            self.call()
        self.text = str(caught.value)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_handler_cannot_use_what_it_interrupted(
    threads: int, file: bytes, tmp_path: pathlib.Path
) -> None:
    encoder = llma.LlmaCompressor(2, threads=threads)
    encoder.compress(LONG)
    caught = Caught(lambda: encoder.compress(b"more"))
    with interrupted(caught):
        encoder.sync()
    assert "interrupted" in caught.text

    decoder = llma.LlmaDecompressor(threads=threads)
    caught = Caught(decoder.flush)
    with interrupted(caught):
        decoder.decompress(file)
        decoder.flush()
    assert "interrupted" in caught.text

    out = llma.open(tmp_path / "x.llma", "wb", level=2, threads=threads)
    out.write(LONG)
    caught = Caught(out.close)
    with interrupted(caught):
        out.close()
    assert "interrupted" in caught.text and out.closed


def test_a_handler_cannot_close_a_file_that_is_written() -> None:
    below = io.BytesIO()
    out = llma.LlmaFile(below, "wb", level=2)
    encoder = _llma.Encoder(2, None, 0, 0, settings=FRAMES)
    assert out._encoder is not None
    out._encoder._encoder = encoder
    caught = Caught(out.close)
    with interrupted(caught):
        with out:
            out.write(LONG)
    assert "interrupted" in caught.text and out.closed
    out.close()


def test_a_handler_may_use_others() -> None:
    made = []
    encoder = llma.LlmaCompressor(2, threads=2)
    with interrupted(lambda: made.append(llma.compress(b"other", 2, threads=2))):
        encoder.compress(LONG)
        encoder.flush()
    assert llma.decompress(made[0]) == b"other"
