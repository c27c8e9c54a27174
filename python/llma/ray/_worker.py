# SPDX-License-Identifier: Apache-2.0
"""What runs on the nodes: frames to bytes and back, and what comes along for them.

Errors that belong to the content are results, so that what Ray raises is always a
fault of the cluster.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import pathlib
import re
from typing import Any, NamedTuple, Union

from .. import __version__, _llma
from .._codec import decompress
from .._errors import LlmaError, make_error
from .._llma import Model

_MISSING = "LLMA_ERROR_MODEL_MISSING"
# Ray says what a task may take; the library shall not decide by what is free here.
NO_LIMIT = (1 << 64) - 1
# However small they are, so that a task says within seconds that it goes on.
MAX_UNIT_ITEMS = 256


class Failure(NamedTuple):
    """An error of one item."""

    text: str
    status: str

    def error(self) -> LlmaError:
        return make_error(self.text, self.status, None, b"")


class ModelParts(NamedTuple):
    """The file of a model in the object store."""

    name: str
    fingerprint: bytes
    digest: bytes
    #: Of the parts, in their order.
    refs: tuple[Any, ...]


class ReferenceParts(NamedTuple):
    """A reference in the object store."""

    digest: bytes
    #: Of the parts, in their order.
    refs: tuple[Any, ...]


class Outcome(NamedTuple):
    """What a task gives back: an item for each of its items, or why it has none."""

    items: list[Union[bytes, Failure]]
    #: The start of the fingerprint of a model that this node does not have.
    absent: bytes = b""
    failure: Failure | None = None


class CompressHow(NamedTuple):
    """How frames are made; the same for all tasks of a run."""

    version: str
    level: int
    fingerprint: bytes  # of the model; empty: none
    threads: int
    settings: dict[str, int]
    reference: ReferenceParts | None


class FrameIn(NamedTuple):
    """A frame that is to be made of the next bytes of the content."""

    size: int
    is_only: bool  # the only one of its file


class CodedIn(NamedTuple):
    """What is to be decoded of the next bytes."""

    size: int
    content_size: int
    is_whole: bool  # a file, not a frame


class DecompressHow(NamedTuple):
    version: str
    threads: int
    keeps: bool  # the content is wanted
    max_size: int
    reference: ReferenceParts | None


_models: dict[bytes, Model] = {}
# Digest and text of the last one, for the next tasks.
_last_reference: tuple[bytes, bytearray] = (b"", bytearray())


def _model(fingerprint: bytes, parts: ModelParts | None) -> Model | None:
    """The model that starts so; None if it is not on this node."""
    known = _models.get(fingerprint)
    if known is not None:
        return known
    try:
        found = _llma.find_model(fingerprint)
    except LlmaError as error:
        if error.status != _MISSING:
            raise
        if parts is None:
            return None
        found = Model(str(install(parts)))
    _models[fingerprint] = found
    return found


def _reference(parts: ReferenceParts | None) -> bytearray | None:
    """The text, which comes to each node once: its workers have the same store."""
    global _last_reference
    if parts is None:
        return None
    if _last_reference[0] != parts.digest:
        ray: Any = importlib.import_module("ray")
        _last_reference = (b"", bytearray())  # not two of them
        text = bytearray()
        for ref in parts.refs:
            text += ray.get(ref)
        if hashlib.blake2b(text, digest_size=32).digest() != parts.digest:
            what = "the reference arrived damaged"
            raise make_error(what, "LLMA_ERROR_IO", None, b"")
        _last_reference = (parts.digest, text)
    return _last_reference[1]


def model_folder() -> pathlib.Path:
    """Where this node keeps models, as `llma model pull` does."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return pathlib.Path(data) / "llma"


def install(parts: ModelParts) -> pathlib.Path:
    """Once a node, whatever number of tasks wants it: others map the file."""
    ray: Any = importlib.import_module("ray")
    folder = model_folder()
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", parts.name)
    path = folder / f"{plain}-{parts.fingerprint.hex()[:16]}.llmm"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path
            part = path.with_suffix(".part")
            digest = hashlib.blake2b(digest_size=32)
            try:
                with open(part, "wb") as file:
                    for ref in parts.refs:
                        data = ray.get(ref)
                        digest.update(data)
                        file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                if digest.digest() != parts.digest:
                    raise OSError("it arrived damaged")
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
        finally:
            os.close(lock)
    except OSError as error:
        text = (
            f"{path}: the model cannot be stored: {error}; "
            "XDG_DATA_HOME of the workers says where"
        )
        raise make_error(text, "LLMA_ERROR_IO", None, b"") from error
    return path


def _check(version: str) -> None:
    if version != __version__:
        text = (
            f"this node has llma {__version__}, but the run is of {version}; "
            "install the same on all nodes"
        )
        raise make_error(text, "LLMA_ERROR_UNSUPPORTED", None, b"")


def compress_frames(
    how: CompressHow, parts: ModelParts | None, frames: list[FrameIn], content: bytes
) -> Outcome:
    """Each part of `content` as a frame, or as the whole file that it makes."""
    try:
        _check(how.version)
        model = None
        if how.fingerprint:
            model = _model(how.fingerprint, parts)
            if model is None:
                return Outcome([], absent=how.fingerprint)
        reference = _reference(how.reference)
        made: list[Union[bytes, Failure]] = []
        view, offset = memoryview(content), 0
        for frame in frames:
            encoder = _llma.Encoder(
                how.level,
                model,
                how.threads,
                NO_LIMIT,
                settings=how.settings,
                reference=reference,
            )
            part = view[offset : offset + frame.size]
            offset += frame.size
            end = _llma.FINISH if frame.is_only else _llma.FLUSH
            made.append(encoder.run(part, _llma.RUN) + encoder.run(b"", end))
        return Outcome(made)
    except LlmaError as error:
        return Outcome([], failure=Failure(error.text, error.status))


def decompress_frames(
    how: DecompressHow,
    wanted: list[tuple[bytes, ModelParts | None]],
    frames: list[CodedIn],
    coded: bytes,
) -> Outcome:
    """The content of each; empty, but checked, unless it is wanted."""
    try:
        _check(how.version)
        for fingerprint, parts in wanted:
            if _model(fingerprint, parts) is None:
                return Outcome([], absent=fingerprint)
        reference = _reference(how.reference)
    except LlmaError as error:
        return Outcome([], failure=Failure(error.text, error.status))
    made: list[Union[bytes, Failure]] = []
    view, offset = memoryview(coded), 0
    for frame in frames:
        part = view[offset : offset + frame.size]
        offset += frame.size
        try:
            content = _decode(how, frame, part, reference)
            # Of a short message the size is news.
            is_known = frame.content_size > 0
            made.append(b"" if is_known and not how.keeps else content)
        except LlmaError as error:
            made.append(Failure(error.text, error.status))
    return Outcome(made)


def _decode(
    how: DecompressHow,
    frame: CodedIn,
    data: memoryview,
    reference: bytearray | None,
) -> bytes:
    if frame.is_whole:
        return decompress(
            data, threads=how.threads, max_size=how.max_size, reference=reference
        )
    decoder = _llma.Decoder(1, None, how.threads, NO_LIMIT, reference=reference)
    content = decoder.run(data, _llma.RUN) + decoder.run(b"", _llma.FLUSH)
    if len(content) != frame.content_size:
        text = f"a frame has {len(content)} bytes, not {frame.content_size}"
        raise make_error(text, "LLMA_ERROR_CORRUPT", None, b"")
    return content
