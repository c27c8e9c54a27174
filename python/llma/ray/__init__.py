# SPDX-License-Identifier: Apache-2.0
"""Compressing and restoring on many machines, with Ray.

    import llma.ray
    llma.ray.compress(["corpus"], "packed/", level=6)
    llma.ray.test(["packed"])
    llma.ray.decompress(["packed"], "back/")

Frames are made by tasks, and joined to the files that `llma` writes on one machine
with the same options. `python -m llma.ray --help` is the same as a program;
docs/RAY.md says more. Needs `pip install 'llma[ray]'`.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Iterator, Literal, NamedTuple, Sequence, Union

from .. import _llma
from .._codec import DEFAULT_LEVEL, ModelLike, to_model
from .._errors import LlmaError
from .._llma import Model
from . import _worker
from ._cluster import ClusterError, Tasks, connect
from ._compress import Compression, CompressPlan
from ._decompress import Decompression
from ._parts import PartsError
from ._reference import Reference, ReferenceLike, load_reference
from ._report import Problem, Progress, Summary
from ._sources import PathLike, Source, SourceError, list_sources, with_column
from ._targets import Targets, is_folder

__all__ = [
    "ClusterError",
    "PartsError",
    "Problem",
    "RunError",
    "Summary",
    "compress",
    "decompress",
    "test",
]

SUFFIX = ".llma"
Sources = Union[PathLike, Sequence[PathLike]]


class _RunOptions(NamedTuple):
    threads: int
    retries: int
    address: str | None
    progress: bool


class RunError(Exception):
    """Some sources have no result; all others do. `summary` says which and why."""

    def __init__(self, summary: Summary) -> None:
        super().__init__("\n".join(map(str, summary.errors)))
        self.summary = summary


def compress(
    sources: Sources,
    to: PathLike,
    *,
    level: int = DEFAULT_LEVEL,
    model: ModelLike = None,
    lanes: int = 0,
    window: int = 0,
    learn: bool | None = None,
    frame_size: int = 0,
    checksums: bool = True,
    embed_model: bool = False,
    keep_name: bool = False,
    reference: ReferenceLike = None,
    column: str | None = None,
    records: Literal["jsonl", "lines"] = "jsonl",
    threads: int = 1,
    memory_bytes: int = 0,
    retries: int = 5,
    force: bool = False,
    address: str | None = None,
    progress: bool = False,
) -> Summary:
    """Compresses files, folders and what fsspec opens to files of one kind: `.llma`.

    `to`: a file; or a folder, if it is one, ends with "/", or there are several
    sources. `reference`: a text (bytes), or the path of a file, that is read first
    for each source; decompress() needs it, too. `column`: of records in .parquet or
    .jsonl files, the texts alone, a record a line. `learn`: whether the language model
    learns from what it reads; else as the level does. `threads`: of each task, which
    declares as many processors. `retries`: of a task whose worker or node dies. Other
    options are those of `llma`.

    Raises RunError at the end if a source has no result.
    """
    if records not in ("jsonl", "lines"):
        raise ValueError(f"records are 'jsonl' or 'lines', not {records!r}")
    settings = {
        name: value
        for name, value in (
            ("lanes", lanes),
            ("window", window),
            ("frame_bytes", frame_size),
        )
        if value
    }
    if learn is not None:
        settings["learn"] = 2 if learn else 1  # llma_learn
    if not checksums:
        settings["checksums"] = 0
    plan = CompressPlan(
        level,
        _model_for(level, model),
        threads,
        memory_bytes or _worker.NO_LIMIT,
        settings,
        embed_model,
        keep_name,
        load_reference(reference),
    )
    plan.cutter()  # Bad options are told before any work.
    operands = _operands(sources)
    summary = Summary()
    found, summary.problems = list_sources(operands)
    in_folder = is_folder(to, found, operands)
    if in_folder:
        found = _without_suffix(found, summary)
    if column is not None:
        found = _columns(found, column, records, summary)
    targets = Targets(to, in_folder, force, lambda name: name + SUFFIX)

    def work(tasks: Tasks, meter: Progress) -> bool:
        compression = Compression(plan, targets, tasks, meter, summary)
        compression.run(found)
        return compression.is_unfinished

    def find(fingerprint: bytes) -> Model | None:
        return plan.model

    with _closing(targets):
        return _run(
            _worker.compress_frames,
            work,
            find,
            summary,
            found,
            targets,
            _RunOptions(threads, retries, address, progress),
        )


def decompress(
    sources: Sources,
    to: PathLike,
    *,
    max_size: int = 0,
    model: ModelLike = None,
    reference: ReferenceLike = None,
    threads: int = 1,
    retries: int = 5,
    force: bool = False,
    address: str | None = None,
    progress: bool = False,
) -> Summary:
    """Restores contents; of folders those of all files whose names end in `.llma`.

    `model`: one that nodes may lack, beside those that are installed here.
    `reference`: what compress() was given.
    """
    options = _RunOptions(threads, retries, address, progress)
    text = load_reference(reference)
    return _restore(sources, to, max_size, model, text, force, options)


def test(
    sources: Sources,
    *,
    max_size: int = 0,
    model: ModelLike = None,
    reference: ReferenceLike = None,
    threads: int = 1,
    retries: int = 5,
    address: str | None = None,
    progress: bool = False,
) -> Summary:
    """Decodes everything and compares all checksums; writes nothing."""
    options = _RunOptions(threads, retries, address, progress)
    text = load_reference(reference)
    return _restore(sources, None, max_size, model, text, False, options)


def _restore(
    sources: Sources,
    to: PathLike | None,
    max_size: int,
    model: ModelLike,
    reference: Reference | None,
    force: bool,
    options: _RunOptions,
) -> Summary:
    given = to_model(model)
    if given == "auto":
        given = None
    operands = _operands(sources)
    summary = Summary()
    found, summary.problems = list_sources(operands, SUFFIX)
    targets = None
    if to is not None:
        in_folder = is_folder(to, found, operands)
        targets = Targets(to, in_folder, force, _restored_name)

    def work(tasks: Tasks, meter: Progress) -> bool:
        decompression = Decompression(
            options.threads, max_size, reference, targets, tasks, meter, summary
        )
        decompression.run(found)
        return decompression.is_unfinished

    def find(fingerprint: bytes) -> Model | None:
        if isinstance(given, Model) and given.fingerprint.startswith(fingerprint):
            return given
        try:
            return _llma.find_model(fingerprint)
        except LlmaError:
            return None

    with _closing(targets):
        return _run(
            _worker.decompress_frames,
            work,
            find,
            summary,
            found,
            targets,
            options,
        )


def _run(
    function: Callable[..., Any],
    work: Callable[[Tasks, Progress], bool],
    find_model: Callable[[bytes], Model | None],
    summary: Summary,
    sources: list[Source],
    targets: Targets | None,
    options: _RunOptions,
) -> Summary:
    """Connects, works, and puts away what is not needed any more."""
    total = sum(source.size or 0 for source in sources)
    with connect(options.address) as ray:
        meter = Progress(total, options.progress)
        tasks = Tasks(
            ray,
            function,
            num_cpus=max(1, options.threads),
            retries=options.retries,
            find_model=find_model,
            tick=meter.tick,
        )
        try:
            is_unfinished = work(tasks, meter)
        except BaseException:
            tasks.cancel()
            raise
        finally:
            meter.clear()
        summary.seconds = meter.seconds
        summary.resumed_bytes = meter.resumed_bytes
    if targets is not None:
        if is_unfinished:
            summary.problems.append(
                Problem(
                    str(targets.parts.folder),
                    "what is finished is there; the same command goes on with it",
                    is_warning=True,
                )
            )
        else:
            targets.is_finished = True
    if summary.errors:
        raise RunError(summary)
    return summary


@contextlib.contextmanager
def _closing(targets: Targets | None) -> Iterator[None]:
    try:
        yield
    finally:
        if targets is not None:
            targets.parts.close(remove=targets.is_finished)


def _model_for(level: int, model: ModelLike) -> Model | None:
    chosen = to_model(model)
    if chosen == "auto":
        text = (
            "model='auto' would let each node choose from the models that it has; "
            "name one"
        )
        raise ValueError(text)
    if not _llma.level_uses_model(level):
        return None
    return chosen if isinstance(chosen, Model) else Model()


def _operands(sources: Sources) -> list[PathLike]:
    if isinstance(sources, (str, os.PathLike)):
        return [sources]
    return list(sources)


def _without_suffix(sources: list[Source], summary: Summary) -> list[Source]:
    """Those that are not compressed already."""
    text = f"has the suffix {SUFFIX} already, left out"
    for source in sources:
        if source.relative.endswith(SUFFIX):
            summary.problems.append(Problem(source.name, text, is_warning=True))
    return [one for one in sources if not one.relative.endswith(SUFFIX)]


def _columns(
    sources: list[Source], column: str, form: str, summary: Summary
) -> list[Source]:
    made = []
    for source in sources:
        try:
            made.append(with_column(source, column, form))
        except SourceError as error:
            summary.problems.append(Problem(source.name, str(error)))
    return made


def _restored_name(name: str) -> str:
    return name[: -len(SUFFIX)] if name.endswith(SUFFIX) else name + ".out"
