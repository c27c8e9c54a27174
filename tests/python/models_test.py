# SPDX-License-Identifier: Apache-2.0
"""Which models are installed, and fetching one from a host of this machine."""

import importlib
import os
import pathlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Callable

import llma
import pytest

TESTS = pathlib.Path(__file__).parent.parent
TINY = TESTS / "data" / "tiny.gguf"


def install(name: str) -> None:
    subprocess.run([sys.executable, "-m", "llma", "model", "import", "-q",
                    str(TINY), "--name", name], check=True)


@pytest.fixture
def models(tmp_path: pathlib.Path,
           monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.delenv("LLMA_MODEL_PATH", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "llma").mkdir()
    return tmp_path / "llma"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(TESTS / "store"))
    served = importlib.import_module("model_host").ModelHost(
        TINY.read_bytes())
    for name in list(os.environ):
        if name.startswith("HF_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{served.port}")
    monkeypatch.setenv("HF_TOKEN", "secret")
    yield served
    served.close()


def test_list_models(models: pathlib.Path) -> None:
    assert not [m for m in llma.list_models() if m.path.startswith(str(models))]
    install("smollm2-135m-text")
    install("other")
    found = {m.name: m for m in llma.list_models()
             if m.path.startswith(str(models))}
    assert sorted(found) == ["other", "smollm2-135m-text"]
    assert found["smollm2-135m-text"].is_default
    other = found["other"]
    assert not other.is_default
    assert other.path == str(models / "other.llmm")
    assert other.bytes == (models / "other.llmm").stat().st_size
    assert other.fingerprint == llma.Model("other").fingerprint


def test_fetch_model(models: pathlib.Path, host: Any) -> None:
    told: list[tuple[int, int]] = []
    model = llma.fetch_model(
        "gemma-3-270m-q8_0", progress=lambda done, total: told.append((done, total)))
    assert model.path == str(models / "gemma-3-270m-q8_0.llmm")
    assert told and all(done <= total or total == 0 for done, total in told)
    assert [p.name for p in models.iterdir()] == ["gemma-3-270m-q8_0.llmm"]
    # It is here now, and nobody is asked.
    host.forget()
    again = llma.fetch_model("gemma-3-270m-q8_0")
    assert again.fingerprint == model.fingerprint
    assert host.requests == []


def test_fetch_the_default_model(models: pathlib.Path, host: Any) -> None:
    # Also where the only model is another one, which then is the default.
    install("other")
    if "smollm2-135m-text" not in [m.name for m in llma.list_models()]:
        # The host has another file: its sum is not the known one.
        with pytest.raises(llma.LlmaError, match="is another file"):
            llma.fetch_model()
    host.forget()
    install("smollm2-135m-text")
    assert llma.fetch_model().path.startswith(str(models))
    assert host.requests == []


def test_progress_ends_the_work(models: pathlib.Path, host: Any) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        llma.fetch_model("gemma-3-270m-q8_0", progress=stop)
    assert not list(models.glob("*.llmm"))
    assert llma.fetch_model("gemma-3-270m-q8_0").num_tokens > 0


def test_a_repository_is_asked_for(models: pathlib.Path, host: Any) -> None:
    with pytest.raises(llma.LlmaError, match="there is no such repository"):
        llma.fetch_model("hf:Owner/Name@v1")
    assert [request.path for request in host.requests] == [
        "/api/models/Owner/Name/revision/v1?blobs=true"]
    assert host.requests[0].token == "Bearer secret"


def test_an_unknown_name(models: pathlib.Path, host: Any) -> None:
    with pytest.raises(llma.LlmaError, match="known are smollm2") as caught:
        llma.fetch_model("nemo")
    assert caught.value.status == "LLMA_ERROR_USAGE"
    assert host.requests == []


def test_errors_say_how_to_fetch() -> None:
    for name, call in (("default", "llma.fetch_model()"),
                       ("qwen3-0.6b", 'llma.fetch_model("qwen3-0.6b")')):
        text = f"needs a model: run `llma model pull {name}`"
        error = llma.LlmaError(text, "LLMA_ERROR_MODEL_MISSING")
        assert str(error) == f"{text}; in Python: {call}"
        copy = pickle.loads(pickle.dumps(error))
        assert str(copy) == str(error)
    assert str(llma.LlmaError("other", "LLMA_ERROR_MODEL_MISSING")) == "other"


def test_a_missing_model(models: pathlib.Path) -> None:
    with pytest.raises(llma.LlmaError, match="llma.fetch_model") as caught:
        llma.Model("qwen3-0.6b")
    assert caught.value.status == "LLMA_ERROR_MODEL_MISSING"


def test_names_of_any_bytes(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.fsencode(tmp_path) + b"/m\xff\xe4.llmm"
    text = os.fsdecode(path)
    try:
        pathlib.Path(text).write_bytes((TESTS / "data" / "tiny.llmm").read_bytes())
    except OSError:
        pytest.skip("this file system takes only names that are text")
    for one in text, path, pathlib.Path(text):
        model = llma.Model(one)
        assert model.path == text
        assert pickle.loads(pickle.dumps(model)).path == text
        packed = llma.compress(b"the file", model=one)
        assert llma.decompress(packed, model=one) == b"the file"
    monkeypatch.setenv("LLMA_MODEL_PATH", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (found,) = llma.list_models()
    assert llma.Model(found.path).path == found.path == text
    assert llma.Model(found.name).path == text


@pytest.mark.parametrize("name", ["tiny\0", "https://localhost/\0.gguf", "\0"])
def test_no_name_has_a_nul(name: str) -> None:
    calls: list[Callable[[str], object]] = [
        llma.Model,
        llma.fetch_model,
        lambda model: llma.compress(b"x", model=model),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="null"):
            call(name)
