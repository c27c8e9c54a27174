# SPDX-License-Identifier: Apache-2.0
"""What is read: files, folders, what fsspec opens, and columns of records."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import json
import os
import pathlib
import posixpath
import stat
import urllib.parse
from typing import IO, Any, Callable, Iterator, Sequence, Union, cast

from ._report import Problem

_READ_BYTES = 1 << 20

PathLike = Union[str, "os.PathLike[str]"]


class SourceError(Exception):
    """A source that is not what was asked for."""


@dataclasses.dataclass
class Source:
    #: For messages.
    name: str
    #: Of the result, below the folder for results and without its suffix.
    relative: str
    size: int | None
    open: Callable[[], IO[bytes]]
    #: Name, mode and time; of local files.
    status: tuple[bytes, int, int, int] | None = None

    def chunks(self) -> Iterator[bytes]:
        with self.open() as file:
            while data := file.read(_READ_BYTES):
                yield data


def is_url(name: str) -> bool:
    return "://" in name or "::" in name


def list_sources(
    operands: Sequence[PathLike], suffix: str = ""
) -> tuple[list[Source], list[Problem]]:
    """The sources in order, and those that there are not.

    Of folders the files whose names end in `suffix`.
    """
    sources: list[Source] = []
    problems: list[Problem] = []
    for given in operands:
        operand = os.fspath(given)
        try:
            if is_url(operand):
                sources += _remote(operand, suffix)
            elif os.path.isdir(operand):
                sources += _folder(operand, suffix, problems)
            else:
                sources.append(_local(operand, os.path.basename(operand)))
        except Exception as error:
            problems.append(Problem(operand, describe(error)))
    return sources, problems


def describe(error: Exception) -> str:
    """An error in a line, without the name that is told beside it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, ImportError):
        return f"{error}; pip install 'llma[ray]' installs what is needed"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _local(path: str, relative: str) -> Source:
    info = os.stat(path)
    if stat.S_ISDIR(info.st_mode):
        raise SourceError("is a folder")
    status = (
        os.fsencode(os.path.basename(path)),
        info.st_mode & 0o7777,
        *divmod(info.st_mtime_ns, 10**9),
    )
    is_file = stat.S_ISREG(info.st_mode)
    return Source(
        path,
        relative,
        info.st_size if is_file else None,
        lambda: open(path, "rb"),
        status if is_file else None,
    )


def _folder(folder: str, suffix: str, problems: list[Problem]) -> list[Source]:
    """All files below it, with its own name in front, as `llma -r` does."""
    found = []
    top = pathlib.PurePath(folder).name
    # What a folder above stands for is not its name.
    top = "" if top == ".." else top

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), describe(error)))

    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            if not name.endswith(suffix):
                continue
            relative = os.path.join(top, os.path.relpath(path, folder))
            try:
                source = _local(path, relative)
            except (OSError, SourceError) as error:
                problems.append(Problem(path, describe(error)))
                continue
            if source.status is None:
                text = "is neither a file nor a folder, left out"
                problems.append(Problem(path, text, is_warning=True))
                continue
            found.append(source)
    return found


def _remote(url: str, suffix: str) -> list[Source]:
    fsspec: Any = importlib.import_module("fsspec")
    files, path = fsspec.core.url_to_fs(url)
    if files.isdir(path):
        top = posixpath.basename(path.rstrip("/"))
        found = []

        def opener(name: str) -> Callable[[], IO[bytes]]:
            return lambda: cast(IO[bytes], files.open(name, "rb"))

        for name, info in sorted(files.find(path, detail=True).items()):
            if not name.endswith(suffix):
                continue
            relative = posixpath.relpath(name, path)
            found.append(
                Source(
                    files.unstrip_protocol(name),
                    posixpath.join(top, relative),
                    info.get("size"),
                    opener(name),
                )
            )
        return found
    last = posixpath.basename(urllib.parse.urlsplit(path).path.rstrip("/"))
    return [
        Source(
            url,
            last or "content",
            files.info(path).get("size"),
            lambda: cast(IO[bytes], files.open(path, "rb")),
        )
    ]


# Columns.


def with_column(source: Source, column: str, form: str) -> Source:
    """The texts of a column of records, a record a line.

    `form` "jsonl": each line is an object with the column alone, which restores any
    text; "lines": the texts as they are, which must not have line ends.
    """
    stem, ending = os.path.splitext(source.relative)
    if ending not in (".parquet", ".jsonl", ".ndjson", ".json"):
        raise SourceError(
            f"{source.name}: a column is of a .parquet, .jsonl or .ndjson file"
        )
    read = _parquet_texts if ending == ".parquet" else _json_texts
    write = _json_line if form == "jsonl" else _plain_line

    def chunks() -> Iterator[bytes]:
        buffer = io.BytesIO()
        with source.open() as file:
            for number, text in enumerate(read(file, column), 1):
                buffer.write(write(column, text, number))
                if buffer.tell() >= _READ_BYTES:
                    yield buffer.getvalue()
                    buffer = io.BytesIO()
        yield buffer.getvalue()

    made = dataclasses.replace(
        source,
        relative=f"{stem}.{column}.{'jsonl' if form == 'jsonl' else 'txt'}",
        size=None,
        status=None,
    )
    made.chunks = chunks  # type: ignore[method-assign]
    return made


def _parquet_texts(file: IO[bytes], column: str) -> Iterator[str | None]:
    pyarrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    try:
        table = parquet.ParquetFile(file)
        schema = table.schema_arrow
        if column not in schema.names:
            raise SourceError(
                f"there is no column {column}; it has {', '.join(schema.names)}"
            )
        kind = schema.field(column).type
        if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
            raise SourceError(f"column {column} is {kind}, not text")
        for batch in table.iter_batches(batch_size=1024, columns=[column]):
            yield from batch.column(0).to_pylist()
    except pyarrow.ArrowException as error:
        raise SourceError(f"no Parquet file: {error}") from error


def _json_texts(file: IO[bytes], column: str) -> Iterator[str | None]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise SourceError(f"line {number} is no JSON: {error}") from error
        if not isinstance(record, dict):
            raise SourceError(f"line {number} is no object")
        text = record.get(column)
        if text is not None and not isinstance(text, str):
            raise SourceError(f"line {number}: {column} is not text")
        yield text


def _json_line(column: str, text: str | None, number: int) -> bytes:
    record = {column: text}
    with contextlib.suppress(UnicodeEncodeError):
        return (json.dumps(record, ensure_ascii=False) + "\n").encode()
    # Half of a surrogate pair, which UTF-8 does not have.
    return (json.dumps(record) + "\n").encode()


def _plain_line(column: str, text: str | None, number: int) -> bytes:
    if text is None or "\n" in text:
        what = "no text" if text is None else "a text of several lines"
        raise SourceError(
            f"record {number} has {what}, which lines cannot say; "
            "--records jsonl restores it"
        )
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError as error:
        raise SourceError(f"record {number} is no Unicode text") from error
