# SPDX-License-Identifier: Apache-2.0
"""llma.ray on clusters of several nodes, which are processes of this machine.

./test.sh --ray runs it; where Ray is not installed it is skipped.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Callable, Iterator

import llma
import pytest

pytest.importorskip("ray", reason="./test.sh --ray installs Ray")

import llma.ray
from llma.ray import _cluster, _report, _targets

ROOT = pathlib.Path(__file__).parents[2]
DATA = ROOT / "tests/data"
STORE_BYTES = 80 << 20


def library(name: str) -> Any:
    return importlib.import_module(name)


ray = library("ray")


def text(size: int, seed: int = 1) -> bytes:
    """Words, which take work; no two places are alike."""
    draw = random.Random(seed)
    words = [
        "".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9))) for _ in range(3000)
    ]
    parts: list[str] = []
    made = 0
    while made < size:
        line = " ".join(draw.choices(words, k=12)) + ".\n"
        parts.append(line)
        made += len(line)
    return "".join(parts).encode()[:size]


def program(*arguments: Any) -> None:
    """The program `llma`, whose files are the measure."""
    command = [sys.executable, "-m", "llma", "-q", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def main(*arguments: Any, status: int = 0) -> str:
    """python -m llma.ray on the cluster that runs; what it says."""
    address = ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, "-m", "llma.ray", *map(str, arguments), "--address", address],
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    return done.stderr


def leftovers(folder: pathlib.Path) -> list[str]:
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.name.endswith((".part", ".parts", ".frames", ".content"))
    )


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[pathlib.Path]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMA_MODEL_PATH", str(DATA))
        patch.setenv("XDG_DATA_HOME", str(home))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")
        yield home


@pytest.fixture(scope="module")
def nodes(environment: pathlib.Path) -> Iterator[Any]:
    """Two nodes of one processor; the second one has no model."""
    cluster = library("ray.cluster_utils").Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
        },
    )
    bare = environment / "bare"
    add_node(cluster, LLMA_MODEL_PATH="", XDG_DATA_HOME=str(bare))
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def add_node(cluster: Any, **variables: str) -> Any:
    return cluster.add_node(
        num_cpus=1, object_store_memory=STORE_BYTES, env_vars=variables
    )


# The same bytes as the program writes.

# Text that costs little, and what is none.
MIXED = b"words " * 15_000 + random.Random(2).randbytes(80_000) + b"others " * 12_000


@pytest.mark.parametrize(
    "content,flags,options",
    [
        (text(200_000), ["-1"], {"level": 1}),
        (text(600_001), ["-1", "--frame-size=200000"], {"level": 1, "frame_size": 200_000}),
        (text(9_000), ["-2", "--frame-size=4K", "--no-check"],
         {"level": 2, "frame_size": 4096, "checksums": False}),
        (text(8_000), ["-6"], {"level": 6}),
        (text(12_000), ["-6", "--frame-size=8K", "--lanes=2", "--window=64"],
         {"level": 6, "frame_size": 8192, "lanes": 2, "window": 64}),
        (text(9_000), ["-9", "--frame-size=4K", "-N"],
         {"level": 9, "frame_size": 4096, "keep_name": True}),
        (text(9_000), ["-6", "--frame-size=4K", "--embed-model"],
         {"level": 6, "frame_size": 4096, "embed_model": True}),
        (text(9_000), ["-6", "--frame-size=4K", "--learn"],
         {"level": 6, "frame_size": 4096, "learn": True}),
        (MIXED, ["-4", "--window=64"], {"level": 4, "window": 64}),
        (b"", ["-6", "-N"], {"level": 6, "keep_name": True}),
        (b"x", ["-1"], {"level": 1}),
        (random.Random(1).randbytes(10_000), ["-6", "--frame-size=4K"],
         {"level": 6, "frame_size": 4096}),
        (b"abcdefg" * 900_000, ["-5"], {"level": 5}),
    ],
    ids=["single", "one-more", "small", "model", "lanes", "name", "embedded", "learning",
         "mixed", "empty", "byte", "noise", "repetitions"],
)
def test_same_bytes(
    nodes: Any,
    tmp_path: pathlib.Path,
    content: bytes,
    flags: list[str],
    options: dict[str, Any],
) -> None:
    source = tmp_path / "source.txt"
    source.write_bytes(content)
    program(*flags, "--model=tiny", source)
    summary = llma.ray.compress(source, tmp_path / "made.llma", model="tiny", **options)
    made = (tmp_path / "made.llma").read_bytes()
    assert made == (tmp_path / "source.txt.llma").read_bytes()
    assert (summary.files, summary.content_bytes) == (1, len(content))
    assert summary.file_bytes == len(made)

    assert llma.ray.test(tmp_path / "made.llma").content_bytes == len(content)
    llma.ray.decompress(tmp_path / "made.llma", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    assert not leftovers(tmp_path)


def test_the_model_comes_once(nodes: Any, environment: pathlib.Path,
                              tmp_path: pathlib.Path) -> None:
    """To the node that has none, from the object store."""
    (tmp_path / "a").write_bytes(text(24_000))
    llma.ray.compress(tmp_path / "a", tmp_path / "b", level=6, model="tiny",
                      window=64, frame_size=4096)
    found = list((environment / "bare/llma").iterdir())
    assert [path.suffix for path in found] == [".llmm"]
    assert found[0].read_bytes() == (DATA / "tiny.llmm").read_bytes()
    assert not (environment / "llma").exists()


# A reference.

# What the program says of one that is not the right one.
NEEDED = r"needs the reference of \d+ bytes with XXH3 [0-9a-f]{16}"


@pytest.mark.parametrize(
    "content,flags,options",
    [
        (text(30_000), ["-1", "--frame-size=8K"], {"level": 1, "frame_size": 8192}),
        (text(9_000), ["-2"], {"level": 2}),
        (text(9_000), ["-6", "--frame-size=4K", "--lanes=2", "--window=64"],
         {"level": 6, "frame_size": 4096, "lanes": 2, "window": 64}),
        (text(9_000), ["-6", "--frame-size=4K", "--embed-model"],
         {"level": 6, "frame_size": 4096, "embed_model": True}),
        # Frames of what both have are larger, and so cut elsewhere.
        (text(2_500_000), ["-4", "--window=64"], {"level": 4, "window": 64}),
        (random.Random(1).randbytes(9_000), ["-1"], {"level": 1}),
        (b"", ["-6"], {"level": 6}),
    ],
    ids=["single", "full", "model", "embedded", "longer", "noise", "empty"],
)
def test_reference(
    nodes: Any,
    tmp_path: pathlib.Path,
    content: bytes,
    flags: list[str],
    options: dict[str, Any],
) -> None:
    """What both have costs next to nothing, and is the program's to the byte."""
    source, old, made = (tmp_path / name for name in ("new.txt", "old.txt", "made"))
    source.write_bytes(content)
    old.write_bytes(content[:-2000] + text(2500, 8))
    program(*flags, "--model=tiny", "-D", old, source)
    llma.ray.compress(source, made, model="tiny", reference=old, **options)
    assert made.read_bytes() == (tmp_path / "new.txt.llma").read_bytes()
    llma.ray.compress(source, made, model="tiny", reference=old.read_bytes(),
                      force=True, **options)
    assert made.read_bytes() == (tmp_path / "new.txt.llma").read_bytes()

    assert llma.ray.test(made, reference=old).content_bytes == len(content)
    llma.ray.decompress(made, tmp_path / "back", reference=old)
    assert (tmp_path / "back").read_bytes() == content
    if options["level"] > 2 and content:
        for given in (None, text(2500), old.read_bytes() + b"."):
            with pytest.raises(llma.ray.RunError, match=NEEDED):
                llma.ray.test(made, reference=given)
    assert not leftovers(tmp_path)


def test_reference_of_a_folder(nodes: Any, tmp_path: pathlib.Path) -> None:
    """With files that were made without one, and a short message; in workers that
    had another one before."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for seed in range(20):
        (folder / f"{seed}.txt").write_bytes(text(3000) + text(500, seed))
    old = folder / "0.txt"
    said = main("compress", "-1", folder, "--to", tmp_path / "packed", "-D", old,
                status=1)
    assert "0.txt: is the reference, and not compressed" in said
    packed = tmp_path / "packed/corpus"
    program("-1", "-D", old, folder / "7.txt", "-o", tmp_path / "one")
    assert (packed / "7.txt.llma").read_bytes() == (tmp_path / "one").read_bytes()
    program("-1", old, "-o", packed / "0.txt.llma")
    message = old.read_bytes()[500:600]
    (packed / "short.llma").write_bytes(
        llma.compress_short(message, model="tiny", reference=old.read_bytes())
    )
    said = main("test", packed, status=1)
    assert "20 failed" in said
    assert "; --reference gives it" in said
    other = tmp_path / "other"
    other.write_bytes(old.read_bytes()[:-1])
    said = main("test", packed, "--reference", other, status=1)
    assert f", not one of {len(old.read_bytes()) - 1} bytes with XXH3 " in said
    main("decompress", packed, "--to", tmp_path / "back", "--reference", old)
    back = tmp_path / "back/corpus"
    assert (back / "short").read_bytes() == message
    for seed in range(20):
        name = f"{seed}.txt"
        assert (back / name).read_bytes() == (folder / name).read_bytes()


def test_reference_that_makes_no_sense(nodes: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    (tmp_path / "old").write_bytes(b"older text")
    (tmp_path / "none").touch()
    for name, error in (("missing", "No such file"), (".", "Is a directory")):
        said = main("compress", "-1", tmp_path / "a", "--to", tmp_path / "b",
                    "-D", tmp_path / name, status=1)
        assert f"{tmp_path / name}: {error}" in said
    with pytest.raises(llma.ray.RunError, match="would overwrite the reference"):
        llma.ray.compress(tmp_path / "a", tmp_path / "old", level=1, force=True,
                          reference=tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"older text"
    # An empty one is none.
    llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1,
                      reference=tmp_path / "none")
    assert llma.decompress((tmp_path / "b").read_bytes()) == b"text"


def test_large_reference(nodes: Any, tmp_path: pathlib.Path) -> None:
    """Of several parts, more than the object stores hold at a time."""
    old = random.Random(3).randbytes(STORE_BYTES + 1)
    (tmp_path / "old").write_bytes(old)
    (tmp_path / "a").write_bytes(b"new" + old[-400_000:] + old[:400_000])
    program("-1", "--frame-size=100K", "-D", tmp_path / "old", tmp_path / "a")
    llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1,
                      frame_size=100 << 10, reference=tmp_path / "old")
    made = (tmp_path / "b").read_bytes()
    assert len(made) < 2000
    assert made == (tmp_path / "a.llma").read_bytes()
    llma.ray.test(tmp_path / "b", reference=tmp_path / "old")


# Inputs.

def test_folders(nodes: Any, tmp_path: pathlib.Path) -> None:
    """A thousand files, of which one cannot be read and one is no file."""
    folder = tmp_path / "corpus"
    contents = {f"{i % 7}/file{i}.txt": text(200 + i, i) for i in range(1000)}
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "3/broken.txt").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    said = main("compress", "-1", folder, "--to", tmp_path / "packed", status=1)
    assert "3/broken.txt: No such file or directory" in said
    assert "pipe: is neither a file nor a folder, left out" in said
    assert "1000 files" in said and "1 failed" in said
    packed = tmp_path / "packed/corpus"
    assert len([path for path in packed.rglob("*") if path.is_file()]) == 1000
    for name in ("0/file0.txt", "5/file999.txt"):
        program("-1", folder / name, "-o", tmp_path / "one")
        assert (packed / f"{name}.llma").read_bytes() == (tmp_path / "one").read_bytes()
        (tmp_path / "one").unlink()
    said = main("test", packed)
    assert "1000 files" in said
    (packed / "2/file2.txt.llma").write_bytes(b"\x89lm damaged")
    said = main("decompress", packed, "--to", tmp_path / "back", status=1)
    assert "2/file2.txt.llma" in said
    del contents["2/file2.txt"]
    back = tmp_path / "back/corpus"
    assert {
        str(path.relative_to(back)): path.read_bytes()
        for path in back.rglob("*")
        if path.is_file()
    } == contents
    # What is there already stays.
    said = main("compress", "-1", folder / "0", "--to", tmp_path / "packed/corpus",
                status=1)
    assert "exists already; -f overwrites it" in said
    assert not leftovers(tmp_path)


def test_urls(nodes: Any, tmp_path: pathlib.Path) -> None:
    fsspec = library("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe({"/corpus/a.txt": text(5000), "/corpus/b/c.txt": text(6000, 2)})
    llma.ray.compress("memory://corpus", tmp_path / "packed", level=1)
    for name, content in (("a.txt", text(5000)), ("b/c.txt", text(6000, 2))):
        made = tmp_path / f"packed/corpus/{name}.llma"
        assert llma.decompress(made.read_bytes()) == content
    memory.pipe("/packed/a.txt.llma", llma.compress(text(5000), 1))
    llma.ray.decompress("memory://packed/a.txt.llma", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == text(5000)
    (tmp_path / "d").write_bytes(b"some text")
    llma.ray.compress(f"file://{tmp_path}/d", tmp_path / "d.llma", level=1)
    assert llma.decompress((tmp_path / "d.llma").read_bytes()) == b"some text"
    with pytest.raises(llma.ray.RunError, match="memory://none"):
        llma.ray.compress("memory://none", tmp_path / "none.llma", level=1)
    assert not (tmp_path / "none.llma").exists()
    assert not leftovers(tmp_path)


TEXTS = ["first", "two\nlines", None, 'quote " and ümlaut', ""]


def test_columns(nodes: Any, tmp_path: pathlib.Path) -> None:
    pyarrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    table = pyarrow.table({"text": TEXTS, "number": range(5)})
    parquet.write_table(table, tmp_path / "a.parquet")
    rows = [json.dumps({"number": i, "text": one}) for i, one in enumerate(TEXTS)]
    (tmp_path / "b.jsonl").write_text("\n".join([*rows, "", ""]))
    llma.ray.compress(
        [tmp_path / "a.parquet", tmp_path / "b.jsonl"],
        tmp_path / "packed", level=1, column="text",
    )
    for name in ("a", "b"):
        packed = tmp_path / f"packed/{name}.text.jsonl.llma"
        content = llma.decompress(packed.read_bytes())
        records = [json.loads(line) for line in content.splitlines()]
        assert [record["text"] for record in records] == TEXTS
    plain = pyarrow.table({"text": ["one", "", "two"]})
    parquet.write_table(plain, tmp_path / "c.parquet")
    llma.ray.compress(tmp_path / "c.parquet", tmp_path / "c.llma", level=1,
                      column="text", records="lines")
    assert llma.decompress((tmp_path / "c.llma").read_bytes()) == b"one\n\ntwo\n"
    for source, column, form, error in (
        ("a.parquet", "none", "jsonl", "there is no column none"),
        ("a.parquet", "number", "jsonl", "column number is int64, not text"),
        ("a.parquet", "text", "lines", "record 2 has a text of several lines"),
        ("b.jsonl", "number", "jsonl", "line 1: number is not text"),
    ):
        said = main("compress", "-1", tmp_path / source, "--to", tmp_path / "none",
                    "--column", column, "--records", form, status=1)
        assert error in said
    (tmp_path / "d.jsonl").write_text("{}\nnone\n")
    said = main("compress", "-1", tmp_path / "d.jsonl", "--to", tmp_path / "none",
                "--column=text", status=1)
    assert "line 2 is no JSON" in said
    assert not (tmp_path / "none").exists()
    assert not leftovers(tmp_path)


def test_short_messages_and_limits(nodes: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.llma").write_bytes(llma.compress_short(b"a message", model="tiny"))
    (tmp_path / "b.llma").write_bytes(llma.compress(bytes(10_000_000), 1))
    with pytest.raises(llma.ray.RunError, match="b.llma: .*more than 1000000"):
        llma.ray.test(tmp_path / "b.llma", max_size=1_000_000)
    llma.ray.decompress([tmp_path / "b.llma"], f"{tmp_path}/out/")
    assert (tmp_path / "out/b").read_bytes() == bytes(10_000_000)


def test_damage(nodes: Any, tmp_path: pathlib.Path) -> None:
    compressor = llma.LlmaCompressor(1)
    file = bytearray()
    for seed in range(4):
        file += compressor.compress(text(50_000, seed)) + compressor.sync()
    file += compressor.flush()
    (tmp_path / "good.llma").write_bytes(file)
    file[len(file) // 2] ^= 1
    (tmp_path / "bad.llma").write_bytes(file)
    (tmp_path / "cut.llma").write_bytes(file[:-100])
    with pytest.raises(llma.ray.RunError) as caught:
        llma.ray.decompress(
            [tmp_path / f"{name}.llma" for name in ("bad", "good", "cut")],
            f"{tmp_path}/out/",
        )
    assert len(caught.value.summary.errors) == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good"]


def test_no_node_is_large_enough(
    nodes: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cluster, "_BASE_MEMORY_BYTES", 1 << 50)
    (tmp_path / "a").write_bytes(b"text")
    with pytest.raises(llma.ray.ClusterError, match="MiB of memory, and no node"):
        llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_options_that_make_no_sense(nodes: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    with pytest.raises(ValueError, match="auto"):
        llma.ray.compress(tmp_path / "a", tmp_path / "b", model="auto")
    with pytest.raises(llma.UsageError):
        llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1, window=7)
    with pytest.raises(llma.ray.ClusterError, match="no node of the cluster"):
        llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1, threads=1000)
    said = main("compress", "-1", tmp_path / "a", "--to", tmp_path / "b",
                "--frame-size=x", status=1)
    assert "is not a size" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_progress() -> None:
    progress = _report.Progress(10_000_000, True)
    progress.done_bytes = 2_500_000
    progress._start -= 10
    line = progress.line(3)
    assert line.startswith("2.5 MB of 10 MB (25 %), 250 KB/s, 29 s left, 3 tasks") or (
        line.startswith("2.5 MB of 10 MB (25 %), 250 KB/s, 30 s left, 3 tasks")
    )


def test_progress_of_compressed_files() -> None:
    """Of which only those that were looked at say how much is in them."""
    progress = _report.Progress(1000, True)
    progress.learn(200, 1000)
    assert progress.total_bytes == 5000
    progress.learn(800, 2000)
    assert progress.total_bytes == 3000


# Faults.

def tasks_of(name: str) -> list[int]:
    """The processes of workers that compress a file of this name."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            title = path.read_bytes()
            if title.startswith(b"ray::llma") and name.encode() in title:
                found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def meanwhile(act: Callable[[], bool]) -> Iterator[None]:
    """Calls it every now and then until it is content; it must have been so."""
    is_over = threading.Event()
    is_content = threading.Event()

    def loop() -> None:
        while not is_over.wait(0.05):
            if act():
                is_content.set()
                return

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    assert is_content.is_set()


@pytest.fixture(scope="module")
def long_text(environment: pathlib.Path) -> tuple[pathlib.Path, bytes]:
    """Takes some seconds, and what the program makes of it."""
    source = environment / "long.txt"
    source.write_bytes(text(4 << 20, 9))
    program("-1", "--frame-size=512K", "-T2", source)
    return source, (environment / "long.txt.llma").read_bytes()


def compress_long(source: pathlib.Path, to: pathlib.Path) -> Any:
    return llma.ray.compress(source, to, level=1, frame_size=512 << 10)


def test_killed_workers(nodes: Any, long_text: tuple[pathlib.Path, bytes],
                        tmp_path: pathlib.Path) -> None:
    source, expected = long_text
    named = tmp_path / "killed.txt"
    shutil.copy(source, named)
    killed: set[int] = set()

    def kill() -> bool:
        for process in tasks_of("killed.txt"):
            if process not in killed:
                os.kill(process, signal.SIGKILL)
                killed.add(process)
                break
        return len(killed) >= 2

    with meanwhile(kill):
        compress_long(named, tmp_path / "made.llma")
    assert (tmp_path / "made.llma").read_bytes() == expected
    assert not leftovers(tmp_path)


def test_removed_node(nodes: Any, long_text: tuple[pathlib.Path, bytes],
                      tmp_path: pathlib.Path) -> None:
    source, expected = long_text
    third = add_node(nodes)
    nodes.wait_for_nodes()
    started = time.monotonic()

    def remove() -> bool:
        if time.monotonic() - started < 3:
            return False
        nodes.remove_node(third, allow_graceful=False)
        return True

    with meanwhile(remove):
        compress_long(source, tmp_path / "made.llma")
    assert (tmp_path / "made.llma").read_bytes() == expected


def test_a_task_that_always_dies(nodes: Any, tmp_path: pathlib.Path) -> None:
    """Is given up; what else there is to do is done."""
    (tmp_path / "dies.txt").write_bytes(text(3_000_000))
    (tmp_path / "fine.txt").write_bytes(text(400_000, 4))

    killed: set[int] = set()

    def kill() -> bool:
        for process in tasks_of("dies.txt"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                killed.add(process)
        return len(killed) > 1

    with meanwhile(kill), pytest.raises(llma.ray.RunError) as caught:
        llma.ray.compress([tmp_path / "dies.txt", tmp_path / "fine.txt"],
                          tmp_path / "out", level=1, retries=1)
    assert "dies.txt: the worker died again and again" in str(caught.value)
    assert not (tmp_path / "out/dies.txt.llma").exists()
    assert (tmp_path / "out/fine.txt.llma").exists()
    # Goes on where it stopped.
    summary = llma.ray.compress([tmp_path / "fine.txt", tmp_path / "dies.txt"],
                                tmp_path / "out", level=1)
    assert summary.files == 2 and summary.resumed_bytes == 400_000
    assert not leftovers(tmp_path)


def start_killed(arguments: list[Any], ready: Callable[[], bool]) -> None:
    """Runs it, and kills it when it is ready to be."""
    address = ray.get_runtime_context().gcs_address
    running = subprocess.Popen(
        [sys.executable, "-m", "llma.ray", *map(str, arguments), "--address", address]
    )
    try:
        deadline = time.monotonic() + 300
        while not ready() and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running.poll() is None, "it was over before"
    finally:
        running.kill()
        running.wait()


def test_resumes(nodes: Any, long_text: tuple[pathlib.Path, bytes],
                 tmp_path: pathlib.Path) -> None:
    source, expected = long_text
    target = tmp_path / "made.llma"
    parts = tmp_path / "made.llma.parts"
    options = ["-1", "--frame-size=512K"]
    start_killed(["compress", source, "--to", target, *options],
                 lambda: len(list(parts.glob("*.frames"))) >= 3)
    assert not target.exists()
    # With other options nothing is reused, nor with another content.
    said = main("compress", source, "--to", target, *options)
    assert "finished before" in said
    assert target.read_bytes() == expected
    assert not parts.exists()

    back = tmp_path / "back"
    start_killed(["decompress", target, "--to", back],
                 lambda: (tmp_path / "back.parts/done").exists()
                 and (tmp_path / "back.parts/done").stat().st_size > 100)
    assert not back.exists()
    said = main("decompress", target, "--to", back)
    assert "finished before" in said
    assert back.read_bytes() == source.read_bytes()
    assert not leftovers(tmp_path)


def test_other_options_reuse_nothing(nodes: Any, tmp_path: pathlib.Path,
                                     long_text: tuple[pathlib.Path, bytes]) -> None:
    source, _ = long_text
    target, parts = tmp_path / "made.llma", tmp_path / "made.llma.parts"
    start_killed(["compress", source, "--to", target, "-1", "--frame-size=512K"],
                 lambda: len(list(parts.glob("*.frames"))) >= 2)
    summary = llma.ray.compress(source, target, level=1, frame_size=1 << 20)
    assert summary.resumed_bytes == 0
    program("-1", "--frame-size=1M", source, "-o", tmp_path / "expected")
    assert target.read_bytes() == (tmp_path / "expected").read_bytes()
    assert not parts.exists()


def test_other_reference_reuses_nothing(
    nodes: Any, tmp_path: pathlib.Path, long_text: tuple[pathlib.Path, bytes]
) -> None:
    """Neither what was made with another one, nor what was restored with it."""
    source, _ = long_text
    target, parts = tmp_path / "made.llma", tmp_path / "made.llma.parts"
    old, other = tmp_path / "old", tmp_path / "other"
    old.write_bytes(text(50_000, 9))
    other.write_bytes(text(50_000, 8))
    start_killed(["compress", source, "--to", target, "-1", "--frame-size=512K",
                  "-D", old], lambda: len(list(parts.glob("*.frames"))) >= 2)
    summary = llma.ray.compress(source, target, level=1, frame_size=512 << 10,
                                reference=other)
    assert summary.resumed_bytes == 0
    program("-1", "--frame-size=512K", "-D", other, source, "-o", tmp_path / "expected")
    assert target.read_bytes() == (tmp_path / "expected").read_bytes()

    # To restore, too: the wrong one is told, and nothing is taken for done.
    back = tmp_path / "back"
    done = tmp_path / "back.parts/done"
    start_killed(["decompress", target, "--to", back, "-D", other],
                 lambda: done.exists() and done.stat().st_size > 100)
    with pytest.raises(llma.ray.RunError, match=NEEDED) as caught:
        llma.ray.decompress(target, back, reference=old)
    assert caught.value.summary.resumed_bytes == 0
    assert not back.exists()
    llma.ray.decompress(target, back, reference=other)
    assert back.read_bytes() == source.read_bytes()
    assert not leftovers(tmp_path)


def test_one_run_at_a_time(nodes: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    targets = _targets.Targets(tmp_path / "b", False, False, str)
    with pytest.raises(llma.ray.PartsError, match="another run"):
        llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1)
    targets.parts.close(remove=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone mounts")
def test_full_disk(nodes: Any, tmp_path: pathlib.Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "none", small], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        noise = random.Random(5).randbytes(1 << 20)
        (tmp_path / "large").write_bytes(noise)
        (tmp_path / "tiny").write_bytes(b"text")
        with pytest.raises(llma.ray.RunError, match="No space left on device"):
            llma.ray.compress([tmp_path / "large", tmp_path / "tiny"], small, level=1,
                              frame_size=256 << 10)
        assert (small / "tiny.llma").exists()
        assert not (small / "large.llma").exists()
        shutil.rmtree(small / ".llma.parts")
        (tmp_path / "large.llma").write_bytes(llma.compress(bytes(1 << 20) + noise, 1))
        with pytest.raises(llma.ray.RunError, match="No space left on device"):
            llma.ray.decompress(tmp_path / "large.llma", small / "back")
        assert not (small / "back").exists()
    finally:
        subprocess.run(["umount", small], check=True)


def test_nearly_full_object_store(nodes: Any, tmp_path: pathlib.Path) -> None:
    held = [ray.put(os.urandom(10 << 20)) for _ in range(7)]
    (tmp_path / "a").write_bytes(random.Random(7).randbytes(6 << 20))
    program("-1", "--frame-size=1M", tmp_path / "a")
    llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1, frame_size=1 << 20)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a.llma").read_bytes()
    del held


def test_full_object_store(
    nodes: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no room for more, less is done at a time; for none, nothing."""
    put, calls = ray.put, 0

    def full_at_times(value: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in (2, 3, 5):
            raise ray.exceptions.ObjectStoreFullError("full")
        return put(value)

    (tmp_path / "a").write_bytes(text(1 << 20))
    program("-1", "--frame-size=256K", tmp_path / "a")
    monkeypatch.setattr(ray, "put", full_at_times)
    llma.ray.compress(tmp_path / "a", tmp_path / "b", level=1, frame_size=256 << 10)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a.llma").read_bytes()
    assert calls == 4 + 3

    def full(value: Any) -> Any:
        raise ray.exceptions.ObjectStoreFullError("full")

    monkeypatch.setattr(ray, "put", full)
    with pytest.raises(llma.ray.RunError, match="object store is full"):
        llma.ray.compress(tmp_path / "a", tmp_path / "c", level=1)
    with pytest.raises(llma.ray.ClusterError, match="object store is full"):
        llma.ray.compress(tmp_path / "a", tmp_path / "c", level=1, reference=b"text")
    assert not (tmp_path / "c").exists()
    assert not leftovers(tmp_path)


NO_MODEL = """
import sys, llma.ray
try:
    llma.ray.compress(sys.argv[1], sys.argv[2], level=6)
except llma.LlmaError as error:
    print(error)
    sys.exit(1)
"""


def test_no_model_anywhere(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Is told before a cluster is started."""
    (tmp_path / "a").write_bytes(b"text")
    variables = {"LLMA_MODEL_PATH": "", "XDG_DATA_HOME": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "-c", NO_MODEL, tmp_path / "a", tmp_path / "b"],
        env={**os.environ, **variables}, capture_output=True, text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "llma model pull" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
