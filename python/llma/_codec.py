# SPDX-License-Identifier: Apache-2.0
"""Compressing and decompressing of bytes, whole and part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Union

from . import _llma
from ._errors import LlmaError
from ._llma import Model

if TYPE_CHECKING:
    import os

    from typing_extensions import Buffer

ModelLike = Union[
    Model, str, bytes, "os.PathLike[str]", "os.PathLike[bytes]", None
]

DEFAULT_LEVEL = 6

# llma_status.
_OK = 0
_NEED_INPUT = -1


def to_model(model: ModelLike) -> Model | Literal["auto"] | None:
    """A model, "auto", or None for the one that the library chooses."""
    if model is None or isinstance(model, Model):
        return model
    if model == "auto":
        return "auto"
    return Model(model)


def restore_model(path: str, fingerprint: bytes) -> Model:
    """What pickle makes of a model: the same one, wherever it is here."""
    try:
        model = Model(path)
        if model.fingerprint == fingerprint:
            return model
    except LlmaError:
        pass
    return _llma.find_model(fingerprint)


def compress(
    data: Buffer,
    level: int = DEFAULT_LEVEL,
    *,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
    reference: Buffer | None = None,
) -> bytes:
    """Compresses `data` into a file in memory.

    `model`: a Model, the name of an installed one, or a path; "auto": what suits
    each frame best of those installed; None: the default model. `threads` 0: all
    processors that this process may use. `memory_bytes`: work that would need
    more raises LlmaError; 0: what this process may use. `reference`: a text that is
    read first, such as the version before; decompress() needs it, too.
    """
    return _llma.compress(
        data,
        level,
        to_model(model),
        threads,
        memory_bytes,
        reference=reference,
    )


def compress_short(
    data: Buffer,
    *,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
    reference: Buffer | None = None,
) -> bytes:
    """Compresses a message of tens of bytes, with few bytes around the code.

    `reference`: other messages of its kind, as in compress().
    """
    return _llma.compress_short(
        data,
        DEFAULT_LEVEL,
        to_model(model),
        threads,
        memory_bytes,
        reference=reference,
    )


def decompress(
    data: Buffer,
    *,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
    max_size: int = 0,
    reference: Buffer | None = None,
) -> bytes:
    """The content of a file, or of a short message.

    `model` None or "auto": the installed models that the file names. `max_size`:
    a file with more bytes of content raises LlmaError before any work on what is
    too much; 0: no limit. A small file may hold gigabytes, so set it for data
    from strangers. `reference`: what compress() was given; ModelError if it is missing
    or another one.
    """
    return _llma.decompress(
        data,
        DEFAULT_LEVEL,
        to_model(model),
        threads,
        memory_bytes,
        max_size,
        reference=reference,
    )


class Alternative(NamedTuple):
    """A token that the language model thought possible."""

    data: bytes
    #: By the language model alone.
    probability: float


class Piece(NamedTuple):
    """A token of a text, or a byte where no language model was used."""

    offset: int
    data: bytes
    #: That the code spends.
    bits: float
    #: That the language model alone would spend, if it was asked.
    model_bits: float | None
    #: The likeliest first, as many as were asked for.
    alternatives: tuple[Alternative, ...] = ()


def bits_per_token(
    data: Buffer | str,
    level: int = DEFAULT_LEVEL,
    *,
    alternatives: int = 0,
    model: ModelLike = None,
    threads: int = 0,
    memory_bytes: int = 0,
) -> list[Piece]:
    """What each piece of a text costs by one model. Text is taken as UTF-8.

    `alternatives`: how many likely tokens are kept for each piece, at most 64.
    """
    content = data.encode() if isinstance(data, str) else data
    pieces = _llma.inspect(
        content, level, to_model(model), threads, memory_bytes, alternatives
    )
    return [
        Piece(offset, part, bits, model_bits, tuple(Alternative(*o) for o in others))
        for offset, part, bits, model_bits, others in pieces
    ]


class LlmaCompressor:
    """Compresses part by part."""

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        *,
        model: ModelLike = None,
        threads: int = 0,
        memory_bytes: int = 0,
        reference: Buffer | None = None,
    ) -> None:
        self._encoder = _llma.Encoder(
            level, to_model(model), threads, memory_bytes, reference=reference
        )

    def compress(self, data: Buffer) -> bytes:
        """Takes `data`; returns output, often none."""
        return self._encoder.run(data, _llma.RUN)

    def sync(self) -> bytes:
        """All output for the input so far. More input may follow."""
        return self._encoder.run(b"", _llma.FLUSH)

    def flush(self) -> bytes:
        """Ends the file and returns the rest of it."""
        return self._encoder.run(b"", _llma.FINISH)

    def cancel(self) -> None:
        """From any thread: a call that runs raises LlmaError soon."""
        self._encoder.cancel()


class LlmaDecompressor:
    """Decompresses one file part by part, as lzma.LZMADecompressor does.

    `max_size`: of all content, and `reference`, as in decompress().
    """

    def __init__(
        self,
        *,
        model: ModelLike = None,
        threads: int = 0,
        memory_bytes: int = 0,
        max_size: int = 0,
        reference: Buffer | None = None,
    ) -> None:
        self._decoder = _llma.Decoder(
            DEFAULT_LEVEL,
            to_model(model),
            threads,
            memory_bytes,
            max_size,
            True,
            reference,
        )
        self._lock = _llma.CallLock()
        self._left = b""  # of the input
        self._needs_input = True
        self._eof = False
        self._unused = b""

    @property
    def eof(self) -> bool:
        """Whether the end of the file was reached.

        A short message does not say where it ends: flush() does.
        """
        return self._eof

    @property
    def needs_input(self) -> bool:
        """False if decompress(b"") can return more."""
        return self._needs_input

    @property
    def unused_data(self) -> bytes:
        """What was given after the end of the file."""
        return self._unused

    def decompress(self, data: Buffer, max_length: int = -1) -> bytes:
        """Takes `data`; returns content of the frames that are complete.

        At most `max_length` bytes, if that is not negative: the rest is kept for
        the next calls, and needs_input is False. After the end it raises EOFError.

        Where there is damage, what stands before it is returned, and the next
        call raises LlmaError.
        """
        with self._lock:
            if self._eof:
                raise EOFError("Already at end of stream")
            if self._left:
                data = b"".join((self._left, data))
            content, used, status = self._decoder.step(data, max_length)
            view = memoryview(data)  # an empty one cannot be cast
            self._left = bytes(view.cast("B")[used:]) if view.nbytes else b""
            self._needs_input = status == _NEED_INPUT
            if status == _OK:
                self._end()
            return content

    def sync(self) -> bytes:
        """All content for the input so far. More input may follow.

        Raises LlmaError as flush() does.
        """
        return self._run(_llma.FLUSH)

    def flush(self) -> bytes:
        """Says that no more comes, and returns the rest of the content.

        Raises LlmaError if the file is cut off or damaged; its `content` is the
        rest that is intact.
        """
        content = self._run(_llma.FINISH)
        with self._lock:
            self._end()
        return content

    def cancel(self) -> None:
        """From any thread: a call that runs raises LlmaError soon."""
        self._decoder.cancel()

    def _end(self) -> None:
        self._eof = True
        self._needs_input = False
        self._unused += self._left
        self._left = b""

    def _run(self, action: int) -> bytes:
        made = b"" if self._eof else self.decompress(b"")
        with self._lock:
            if self._eof:
                return made
            try:
                return made + self._decoder.run(b"", action)
            except LlmaError as error:
                error.content = made + error.content
                raise
