# SPDX-License-Identifier: Apache-2.0
"""llma.tune: what it refuses, what it writes, and a training where PyTorch is."""

import importlib.util
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import types

import llma
import pytest
from llma.tune import adapter_files, base, texts

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


@pytest.fixture
def no_models(tmp_path: pathlib.Path,
              monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Nothing is installed or cached; where it would be."""
    for name in list(os.environ):
        if name.startswith(("HF_", "LLMA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data/llma").mkdir(parents=True)
    return tmp_path


def make_folder(path: pathlib.Path) -> pathlib.Path:
    path.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (path / name).write_text("{}")
    return path


def test_bases_that_pull_kept(no_models: pathlib.Path) -> None:
    models = no_models / "data/llma"
    folder = make_folder(models / "smollm2-135m")
    for name in ("smollm2-135m", "hf:HuggingFaceTB/SmolLM2-135M"):
        assert base.find(name) == base.Source(folder)
    (models / "other.gguf").write_bytes(b"GGUF")
    assert base.find("other").path == models / "other.gguf"
    # Under a name of the user's own, too.
    own = make_folder(models / "own")
    assert base.find("own").path == own
    assert base.find(str(own)).path == own


def test_bases_in_the_cache_of_the_hub(
        no_models: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "c0" * 20
    in_cache = f"models--Qwen--Qwen2.5-0.5B/snapshots/{commit}"
    for where, variables in (
            ("cache/huggingface/hub", {}),
            ("home/hub", {"HF_HOME": str(no_models / "home")}),
            ("other", {"HF_HUB_CACHE": str(no_models / "other")})):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        folder = make_folder(no_models / where / in_cache)
        refs = folder.parent.parent / "refs"
        refs.mkdir()
        (refs / "main").write_text(commit)
        for base_name in ("qwen2.5-0.5b", "hf:Qwen/Qwen2.5-0.5B",
                          f"hf:Qwen/Qwen2.5-0.5B@{commit}"):
            assert base.find(base_name).path == folder
        with pytest.raises(base.BaseError, match="are not here"):
            base.find("hf:Qwen/Qwen2.5-0.5B@v2")
        # Not whole.
        (folder / "model.safetensors").unlink()
        with pytest.raises(base.BaseError,
                           match="pull qwen2.5-0.5b -f --keep-source"):
            base.find("qwen2.5-0.5b")


def test_bases_that_are_not_here(no_models: pathlib.Path) -> None:
    (no_models / "data/llma/mine.llmm").touch()
    for name, said in (
            ("hf:Owner/Name", "pull hf:Owner/Name -f --keep-source"),
            ("hf:Owner", "expected hf:OWNER/NAME"),
            ("hf:../Name", "expected hf:OWNER/NAME"),
            ("gemma-3-270m", "pull gemma-3-270m -f --keep-source"),
            ("mine", "is installed, but not what it was imported from"),
            ("nemo", "no such file or folder")):
        with pytest.raises(base.BaseError) as caught:
            base.find(name)
        assert said in str(caught.value)


def test_names_of_repositories_are_those_of_pull() -> None:
    catalog = (TESTS.parent / "src/store/model_catalog.cc").read_text()
    found = dict(re.findall(r'\{"([^"]+)",\s*"([^"]+)",\s*"",\s*"main"', catalog))
    assert found == base._REPOSITORIES


def test_the_default_models_adapter_is_read() -> None:
    pytest.importorskip("numpy")
    tensors = adapter_files.read(base._DEFAULT_ADAPTER)
    name = "model.layers.0.self_attn.k_proj."
    assert tensors[name + "lora_A.weight"].shape == (5, 576)
    assert tensors[name + "lora_B.weight"].shape == (192, 5)
    assert abs(tensors["model.norm.weight"]).max() > 0.1


@needs_packages
def test_an_adapter_is_trained_further(tmp_path: pathlib.Path) -> None:
    torch = pytest.importorskip("torch")
    from llma.tune import trainer

    tensors = tensors_of_tiny()
    adapter_files.write(tmp_path, tensors, adapter_files.config(
        tensors, scale=4, base="tiny", architecture="LlamaForCausalLM"))
    first = adapter_files.read(tmp_path)
    b = first["model.layers.0.mlp.gate_proj.lora_B.weight"]
    assert b.shape == (192, 3) and abs(b - 4 * 0.25).max() == 0
    loaded = base.load(TINY)
    before = loaded.model.get_submodule(
        "model.layers.0.mlp.gate_proj").weight.detach().clone()
    settings = trainer.Settings(rank=2)
    adapted = trainer.Adapted(loaded.model, settings, loaded.start_token,
                              loaded.excluded, first=first)
    layer = adapted.linears["model.layers.0.mlp.gate_proj"]
    assert layer.a.shape == (5, 128) and layer.b.shape == (192, 5)
    # The same matrix, however it is made, and new ranks that do nothing yet.
    update = adapted.scale * layer.b.detach() @ layer.a.detach()
    assert torch.allclose(update, torch.full_like(update, 3 * 0.5 * 1.0),
                          rtol=1e-5)
    assert torch.equal(layer.weight, before)
    assert not layer.b[:, 3:].any()
    assert torch.equal(adapted.norms["model.norm.weight"].detach(),
                       torch.full((128,), 1.5))
    other = base.load(TINY)
    with pytest.raises(ValueError, match="is not one of this model"):
        trainer.Adapted(other.model, settings, other.start_token, [],
                        first={"model.layers.9.mlp.up_proj.lora_A.weight":
                               first["model.norm.weight"]})


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
import types
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


@pytest.mark.parametrize("fields, tensors, said", [
    ({"llama.rope.scaling.type": "linear"}, [], "scaled positions"),
    ({"llama.rope.scale_linear": 4.0}, [], "scaled positions"),
    ({"qwen2.rope.scaling.factor": 4.0}, [], "scaled positions"),
    ({}, ["rope_freqs.weight"], "scaled positions"),
    ({}, ["blk.0.attn_q.bias"], "biases of attention"),
    ({"llama.rope.scaling.type": "none", "llama.rope.scaling.factor": 1.0,
      "llama.rope.freq_base": 10000.0}, ["blk.0.attn_q.weight"], None),
    ({"general.architecture": "qwen2"}, ["blk.0.attn_q.bias"], None)])
def test_what_transformers_leaves_out(fields: dict[str, object],
                                      tensors: list[str],
                                      said: str | None) -> None:
    def field(value: object) -> types.SimpleNamespace:
        return types.SimpleNamespace(contents=lambda: value)

    reader = types.SimpleNamespace(
        fields={name: field(value) for name, value in
                {"general.architecture": "llama", **fields}.items()},
        tensors=[types.SimpleNamespace(name=name) for name in tensors])
    if said is None:
        base._check_is_read_whole(TINY, reader)
    else:
        with pytest.raises(base.BaseError, match=said):
            base._check_is_read_whole(TINY, reader)
