# SPDX-License-Identifier: Apache-2.0
"""The models that are installed, and how others come."""

from __future__ import annotations

import builtins
from typing import Callable, NamedTuple

from . import _llma
from ._errors import LlmaError
from ._llma import Model

_DEFAULT_MODEL = "smollm2-135m-text"


class InstalledModel(NamedTuple):
    """A model file that is found by its name."""

    name: str
    path: str
    bytes: int
    fingerprint: builtins.bytes
    #: The one that is used where none is named.
    is_default: bool


def list_models() -> list[InstalledModel]:
    """The installed models; of several with one name the first is meant."""
    return [InstalledModel(*fields) for fields in _llma.list_models()]


def fetch_model(
    name: str = "default",
    *,
    progress: Callable[[int, int], object] | None = None,
) -> Model:
    """The model of that name, fetched and installed if it is not here.

    `name`: one that `llma model pull` knows, "default" for the default model; the
    https address of a GGUF file or "hf:OWNER/NAME", which are always fetched. A wheel
    that has no libcurl fetches "default", some others, and addresses. `progress` gets the
    bytes so far, and in all (0: not known); what it raises ends the work. What an
    interrupted call has fetched is kept, and the next one goes on there.
    """
    if "\0" in name:
        raise ValueError("embedded null byte")
    if "://" not in name and not name.startswith("hf:"):
        try:
            return Model(_DEFAULT_MODEL if name == "default" else name)
        except LlmaError as error:
            if error.status != "LLMA_ERROR_MODEL_MISSING":
                raise
    if not _llma.HAS_HTTP:
        from ._fetch import fetch

        return Model(fetch(name, progress))
    return Model(_llma.pull_model(name, progress))
