# SPDX-License-Identifier: Apache-2.0
"""File objects, and the program in the package."""

import io
import pathlib
import shutil
import subprocess
import sys
import tarfile

import llma
import pytest

from codec_test import damaged_file

LINES = "".join(f"Line {i} – ünïcode.\n" for i in range(500))


def test_text(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "t.llma"
    with llma.open(path, "wt", level=1) as file:
        file.write(LINES)
    with llma.open(path, "rt") as file:
        assert file.read() == LINES
    with llma.open(path, "rt") as file:
        assert list(file) == LINES.splitlines(keepends=True)
    with llma.open(path, "at", level=1) as file:
        file.write("behind\n")
    with llma.open(path, "rt", encoding="utf-8") as file:
        assert file.read() == LINES + "behind\n"
    with pytest.raises(FileExistsError):
        llma.open(path, "xt", level=1)


def test_bytes_and_seek(tmp_path: pathlib.Path) -> None:
    data = LINES.encode()
    path = tmp_path / "b.llma"
    with llma.open(path, "wb", level=1) as file:
        assert file.writable() and not file.readable() and not file.seekable()
        assert file.write(data) == len(data)
        assert file.tell() == len(data)
        with pytest.raises(io.UnsupportedOperation):
            file.read()
    assert file.closed
    with llma.open(path) as file:
        assert file.seekable() and file.name == str(path)
        assert file.read(10) == data[:10] and file.tell() == 10
        assert file.peek(1)[:1] == data[10:11]
        assert file.seek(5000) == 5000 and file.read(7) == data[5000:5007]
        assert file.seek(3) == 3 and file.read(7) == data[3:10]
        assert file.seek(-5, io.SEEK_END) == len(data) - 5
        assert file.read() == data[-5:] and file.read() == b""
        file.seek(0)
        assert file.readline() == data[: data.index(b"\n") + 1]
    with pytest.raises(ValueError):
        file.read()


def test_file_object_stays_open() -> None:
    below = io.BytesIO()
    with llma.LlmaFile(below, "w", level=1) as file:
        file.write(b"content")
    assert llma.decompress(below.getvalue()) == b"content"
    below.seek(0)
    assert llma.open(below).read() == b"content"


def test_copyfileobj(tmp_path: pathlib.Path) -> None:
    data = LINES.encode() * 10
    with llma.open(tmp_path / "c", "wb", level=1) as packed:
        shutil.copyfileobj(io.BytesIO(data), packed)
    made = io.BytesIO()
    with llma.open(tmp_path / "c") as packed:
        shutil.copyfileobj(packed, made)
    assert made.getvalue() == data


@pytest.mark.parametrize("kind", [":", "|"])
def test_tarfile(tmp_path: pathlib.Path, kind: str) -> None:
    source = tmp_path / "source.txt"
    source.write_text(LINES, "utf-8")
    path = tmp_path / "t.tar.llma"
    with llma.open(path, "wb", level=1) as packed:
        with tarfile.open(fileobj=packed, mode="w" + kind) as tar:  # type: ignore[call-overload]
            tar.add(source, "one.txt")
            tar.add(source, "two.txt")
    with llma.open(path) as packed:
        with tarfile.open(fileobj=packed, mode="r" + kind) as tar:  # type: ignore[call-overload]
            names = []
            for member in tar:
                content = tar.extractfile(member)
                assert content and content.read() == source.read_bytes()
                names.append(member.name)
    assert names == ["one.txt", "two.txt"]


def test_errors(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "e"
    path.write_bytes(llma.compress(LINES.encode(), 1)[:-30])
    with llma.open(path) as file, pytest.raises(llma.LlmaError):
        file.read()
    with pytest.raises(ValueError):
        llma.open(path, "rw")
    with pytest.raises(ValueError):
        llma.open(path, "rb", encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        llma.open(tmp_path / "none")
    with pytest.raises(llma.LlmaError):
        llma.open(tmp_path / "new", "wb", level=77)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
def test_content_before_damage_comes_first(size: int) -> None:
    damaged, good = damaged_file()
    file = llma.open(io.BytesIO(damaged))
    made = io.BytesIO()
    with pytest.raises(llma.LlmaError):
        shutil.copyfileobj(file, made, size)
    assert made.getvalue() == good
    room = bytearray(len(good) + 1)
    file.seek(0)
    assert file.readinto(room) == len(good) and room[:-1] == good
    with pytest.raises(llma.LlmaError):
        file.readinto(room)
    with pytest.raises(llma.LlmaError):
        llma.open(io.BytesIO(damaged)).read()


def test_program() -> None:
    def run(*args: str, data: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "llma", *args], input=data, capture_output=True
        )

    assert llma.__version__.encode() in run("--version").stdout
    packed = run("-1", "-c", data=LINES.encode())
    assert packed.returncode == 0
    assert llma.decompress(packed.stdout) == LINES.encode()
    assert run("-d", data=packed.stdout).stdout == LINES.encode()
    assert run("-d", data=packed.stdout[:-30]).returncode == 1
    wrong = run("--no-such-option")
    assert wrong.returncode == 1 and wrong.stderr.startswith(b"llma: ")
    program = pathlib.Path(llma.__file__).parent / "bin/llma"
    for args in (["--help"], ["-t", "no such file"], ["model", "list"]):
        direct = subprocess.run([program, *args], capture_output=True)
        packaged = run(*args)
        assert packaged.stdout == direct.stdout
        assert packaged.returncode == direct.returncode
        assert packaged.stderr == direct.stderr
