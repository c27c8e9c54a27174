# SPDX-License-Identifier: Apache-2.0
"""llma.tune: what it refuses, what it writes, and a training where PyTorch is."""

import importlib.util
import json
import pathlib
import struct
import subprocess
import sys

import llma
import pytest
from llma.tune import adapter_files, texts

TESTS = pathlib.Path(__file__).parent.parent
TINY = TESTS / "data" / "tiny.gguf"
HAS_PACKAGES = all(importlib.util.find_spec(name) for name in
                   ("torch", "transformers", "tokenizers", "gguf", "numpy"))
needs_packages = pytest.mark.skipif(
    not HAS_PACKAGES, reason="PyTorch and what goes with it is not installed")


def tune(*arguments: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "llma.tune", *arguments],
                          capture_output=True, text=True, check=False)


def text_file(folder: pathlib.Path, size: int = 24_000) -> pathlib.Path:
    path = folder / "text.txt"
    lines = (f"the {i % 7}th line of {i * i % 101} lines, and so on\n"
             for i in range(size))
    path.write_text("".join(lines)[:size])
    return path


def test_texts_are_divided(tmp_path: pathlib.Path) -> None:
    path = text_file(tmp_path)
    found = texts.read([path, path])
    whole = path.read_text()
    assert len(found.training) == 2
    assert found.training[0] == found.training[1]
    assert whole.startswith(found.training[0])
    assert found.training[0].endswith("\n")
    assert found.held_out == 2 * whole[len(found.training[0]):]
    assert 0.05 < len(found.held_out) / found.used_bytes < 0.15
    assert found.bytes == found.used_bytes == 2 * len(whole)


def test_of_long_texts_the_start_is_used(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("ö" * 30_000)
    found = texts.read([path], max_bytes=40_001)
    assert found.bytes == 60_000
    assert found.used_bytes == 40_000


@pytest.mark.parametrize("content, said", [
    (b"x" * 30_000 + b"\0", "is not a text: byte 30000 is 0"),
    (b"x" * 30_000 + b"\xff", "is not a text in UTF-8: byte 30000"),
    ("ö".encode() * 15_000 + b"\xc3", "is not a text in UTF-8: byte 30000"),
    (b"too short", "there is too little text: 9 bytes"),
    (b"", "there is too little text: 0 bytes"),
])
def test_what_is_no_text(tmp_path: pathlib.Path, content: bytes,
                         said: str) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(texts.TextError, match=said):
        texts.read([path])
    with pytest.raises(texts.TextError, match="is a folder"):
        texts.read([tmp_path])
    with pytest.raises(texts.TextError, match="No such file"):
        texts.read([tmp_path / "none"])


def test_errors_of_the_program(tmp_path: pathlib.Path) -> None:
    path = text_file(tmp_path)
    out = tmp_path / "out"
    short = tmp_path / "short"
    short.write_text("short")
    done = tune("--base", TINY, "--out", out, short)
    assert done.returncode == 1 and "too little text" in done.stderr
    assert done.stderr.startswith("llma tune: ")
    done = tune("--base", TINY, "--out", path, path)
    assert done.returncode == 1 and "is no folder" in done.stderr
    for arguments in (["--passes", "0"], ["--rank", "x"], ["--minutes", "-1"]):
        done = tune("--base", TINY, "--out", out, *arguments, path)
        assert done.returncode == 2 and arguments[0] in done.stderr
    assert not out.exists()
    out.mkdir()
    (out / adapter_files.WEIGHTS_FILE).touch()
    done = tune("--base", TINY, "--out", out, path)
    assert done.returncode == 1 and "has an adapter already" in done.stderr


@pytest.mark.skipif(HAS_PACKAGES, reason="all packages are installed")
def test_missing_packages_are_named(tmp_path: pathlib.Path) -> None:
    done = tune("--base", TINY, "--out", tmp_path / "out", text_file(tmp_path))
    assert done.returncode == 1 and "this Python lacks " in done.stderr
    assert "llma[tune]" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_program_runs_it(tmp_path: pathlib.Path) -> None:
    done = subprocess.run([sys.executable, "-m", "llma", "tune", "--help"],
                          capture_output=True, text=True, check=True)
    assert "usage: llma tune" in done.stdout and "--passes" in done.stdout


def tensors_of_tiny() -> dict[str, adapter_files.Tensor]:
    def tensor(value: float, *shape: int) -> adapter_files.Tensor:
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        return adapter_files.Tensor("F32", shape,
                                    struct.pack("<f", value) * size)

    name = "model.layers.0.mlp.gate_proj"
    rank = 3
    return {f"{name}.lora_A.weight": tensor(0.5, rank, 128),
            f"{name}.lora_B.weight": tensor(0.25, 192, rank),
            "model.norm.weight": tensor(1.5, 128)}


def imported(folder: pathlib.Path, *arguments: str | pathlib.Path) -> bytes:
    path = folder / "model.llmm"
    subprocess.run([sys.executable, "-m", "llma", "model", "import", "-qf", "-o",
                    path, TINY, *arguments], check=True)
    return llma.Model(str(path)).fingerprint


def test_what_is_written_can_be_imported(tmp_path: pathlib.Path) -> None:
    tensors = tensors_of_tiny()
    fields = adapter_files.config(tensors, scale=2, base="tiny",
                                  architecture="LlamaForCausalLM")
    adapter_files.write(tmp_path, tensors, fields)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        adapter_files.CONFIG_FILE, adapter_files.WEIGHTS_FILE]
    read = json.loads((tmp_path / adapter_files.CONFIG_FILE).read_text())
    assert read["r"] == 3 and read["lora_alpha"] == 6
    assert read["target_modules"] == ["gate_proj"]
    assert read["modules_to_save"] == ["norm"]
    changed = imported(tmp_path, "--adapter", tmp_path)
    assert changed != imported(tmp_path)
    assert changed == imported(tmp_path, "--adapter", tmp_path)


@needs_packages
def test_training(tmp_path: pathlib.Path) -> None:
    path = text_file(tmp_path)
    out = tmp_path / "out"
    common = ("--base", TINY, "--passes", "2", "--learning-rate", "1e-2", path)
    done = tune("--out", out, *common)
    assert done.returncode == 0, done.stderr
    assert "bits a byte before" in done.stderr
    assert sorted(p.name for p in out.iterdir()) == [
        adapter_files.CONFIG_FILE, adapter_files.WEIGHTS_FILE]
    first = (out / adapter_files.WEIGHTS_FILE).read_bytes()
    assert imported(tmp_path, "--adapter", out) != imported(tmp_path)

    # The same seed gives the same adapter, another one another.
    for seed, is_same in (("0", True), ("1", False)):
        done = tune("--out", out, "-f", "-q", "--seed", seed, *common)
        assert done.returncode == 0 and not done.stderr, done.stderr
        again = (out / adapter_files.WEIGHTS_FILE).read_bytes()
        assert (again == first) == is_same


@needs_packages
def test_training_goes_on(tmp_path: pathlib.Path) -> None:
    path = text_file(tmp_path)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    script = """
import sys
from llma.tune import __main__, trainer
step = trainer.Trainer.step
def limited(self):
    if self.progress.step == 8:
        raise KeyboardInterrupt
    return step(self)
trainer.Trainer.step = limited
__main__.main(sys.argv[1:])
"""
    common = ("--base", TINY, "--passes", "2", "--learning-rate", "1e-2", path)
    done = subprocess.run([sys.executable, "-c", script, "--out", parts,
                           *common], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "interrupted" in done.stderr
    done = tune("--out", parts, *common)
    assert done.returncode == 0 and "Going on at" in done.stderr, done.stderr
    assert tune("--out", whole, *common).returncode == 0
    assert ((whole / adapter_files.WEIGHTS_FILE).read_bytes()
            == (parts / adapter_files.WEIGHTS_FILE).read_bytes())


@needs_packages
def test_a_base_that_cannot_be_used(tmp_path: pathlib.Path) -> None:
    path = text_file(tmp_path)
    out = tmp_path / "out"
    (tmp_path / "folder").mkdir()
    for name, said in ((tmp_path / "none", "no such file or folder"),
                       (TESTS / "data" / "tiny.llmm", "cannot be trained"),
                       (tmp_path / "folder", "it has no config.json"),
                       (path, "is no GGUF file")):
        done = tune("--base", name, "--out", out, path)
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert not out.exists()
