# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/PYTHON.md with the real libraries, and their limits that it
tells of."""

import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any, Iterator

import llma
import pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs/PYTHON.md"
LINES = "".join(f"line {i}\n" for i in range(500))
TABLE = "a,b\n" + "".join(f"{i},x{i % 7}\n" for i in range(1000))
MAGIC = b"\x89lm"


def library(name: str) -> Any:
    return importlib.import_module(name)


def examples() -> Iterator[Any]:
    page = PAGE.read_text()
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        name = section.splitlines()[0]
        blocks = re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S)
        assert blocks, name
        for i, block in enumerate(blocks):
            yield pytest.param(name, block, id=f"{name}-{i}")


@pytest.fixture(scope="module")
def packed() -> dict[str, bytes]:
    return {
        "notes.txt.llma": llma.compress(LINES.encode(), 1),
        "table.csv.llma": llma.compress(TABLE.encode(), 1),
    }


@pytest.fixture()
def folder(
    packed: dict[str, bytes], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> pathlib.Path:
    for name, data in packed.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name,example", list(examples()))
def test_example(folder: pathlib.Path, name: str, example: str) -> None:
    """In a process of its own: nothing else has registered anything."""
    if name == "datasets":
        pytest.importorskip("datasets")  # run.sh --all-libraries
    environment = {**os.environ, "HF_HOME": str(folder / "hub")}
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", example],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for path in folder.glob("*.llma"):
        assert path.read_bytes().startswith(MAGIC), path


def test_fsspec_file_system(folder: pathlib.Path) -> None:
    fsspec = library("fsspec")
    files = fsspec.filesystem("llma", fo="notes.txt.llma")
    content = LINES.encode()
    assert files.ls("", detail=False) == files.glob("*") == ["notes.txt"]
    assert files.size("notes.txt") == len(content)
    assert files.cat_file("notes.txt", 100, 200) == content[100:200]
    assert files.cat("notes.txt") == content
    with pytest.raises(FileNotFoundError):
        files.open("other.txt")
    with pytest.raises(FileNotFoundError):
        fsspec.filesystem("llma", fo="none.llma").ls("")
    (folder / "changed.llma").write_bytes(llma.compress(b"12345", 1))
    assert fsspec.filesystem("llma", fo="changed.llma").size("changed") == 5
    (folder / "changed.llma").write_bytes(llma.compress(b"123", 1))
    assert fsspec.filesystem("llma", fo="changed.llma").size("changed") == 3
    with pytest.raises(ValueError):
        files.open("notes.txt", "wb")
    limited = {"options": {"max_size": 100}}
    url = "llma://notes.txt::file://notes.txt.llma"
    with fsspec.open(url, llma=limited) as file, pytest.raises(llma.LimitError):
        file.read()
    with fsspec.open("llma://::file://notes.txt.llma") as file:
        assert file.read(6) == b"line 0"
    (folder / "damaged.llma").write_bytes(b"nothing")
    with fsspec.open("llma://damaged::file://damaged.llma") as file:
        with pytest.raises(llma.DamagedError, match="damaged"):
            file.read()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_by_url(folder: pathlib.Path, kind: str) -> None:
    fsspec = library("fsspec")
    (folder / "in").mkdir()
    (folder / "in/b.txt").write_text("member")
    shutil.make_archive("folder", kind, ".", "in")
    whole = (folder / f"folder.{kind}").read_bytes()
    (folder / f"folder.{kind}.llma").write_bytes(llma.compress(whole, 1))
    url = f"{kind}://in/b.txt::llma://folder.{kind}::file://folder.{kind}.llma"
    with fsspec.open(url, "rt") as file:
        assert file.read() == "member"


def test_registered_options(folder: pathlib.Path) -> None:
    fsspec, for_fsspec = library("fsspec"), library("llma.fsspec")
    for_fsspec.register(max_size=100)
    try:
        opened = fsspec.open("notes.txt.llma", compression="infer")
        with opened as file, pytest.raises(llma.LimitError):
            file.read()
    finally:
        for_fsspec.register()
    with fsspec.open("notes.txt.llma", compression="infer") as file:
        assert file.read() == LINES.encode()


def test_limits_of_pandas(folder: pathlib.Path) -> None:
    """If one of these fails, docs/PYTHON.md can promise more."""
    pandas = library("pandas")
    with pytest.raises(ValueError):
        pandas.read_csv("table.csv.llma", compression="llma")
    with pytest.raises(UnicodeDecodeError):
        pandas.read_csv("table.csv.llma")
    library("llma.fsspec")
    with pytest.raises(UnicodeDecodeError):
        pandas.read_csv(
            f"file://{folder}/table.csv.llma", storage_options={"compression": "llma"}
        )
    table = pandas.read_csv(llma.open("table.csv.llma"))
    table.to_csv("plain.csv.llma", index=False)
    assert (folder / "plain.csv.llma").read_text() == TABLE


@pytest.mark.parametrize("engine", ["c", "python", "pyarrow"])
def test_engines_of_pandas(folder: pathlib.Path, engine: str) -> None:
    pandas = library("pandas")
    table = pandas.read_csv(llma.open("table.csv.llma"), engine=engine)
    assert table.shape == (1000, 2) and table["a"].sum() == 499_500


def test_limits_of_pyarrow(folder: pathlib.Path) -> None:
    pyarrow = library("pyarrow")
    assert pyarrow.input_stream("notes.txt.llma").read(3) == MAGIC
    with pytest.raises(ValueError):
        pyarrow.input_stream("notes.txt.llma", compression="llma")


def test_a_table_of_a_megabyte(folder: pathlib.Path) -> None:
    csv = "a,b\n" + "".join(f"{i},{'text ' * (i % 9)}\n" for i in range(38_000))
    assert len(csv) > 1_000_000
    with llma.open("big.csv.llma", "wt", level=1) as file:
        file.write(csv)
    pandas, pyarrow_csv = library("pandas"), library("pyarrow.csv")
    rows = len(pandas.read_csv(llma.open("big.csv.llma")))
    assert rows == pyarrow_csv.read_csv(llma.open("big.csv.llma")).num_rows == 38_000


def test_smart_open_binary(folder: pathlib.Path) -> None:
    smart_open = library("smart_open")
    smart_open.register_compressor(".llma", llma.open)
    with smart_open.open("notes.txt.llma", "rb") as file:
        assert file.seek(7) == 7 and file.readline() == b"line 1\n"
        assert file.seek(0, 2) == len(LINES)
    with smart_open.open("new.llma", "wb", compression_kwargs={"level": 1}) as file:
        file.write(b"content")
    assert llma.decompress((folder / "new.llma").read_bytes()) == b"content"
