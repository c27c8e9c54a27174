# SPDX-License-Identifier: Apache-2.0
"""Lossless compression whose predictor is a language model.

    data = llma.compress(b"some text")
    assert llma.decompress(data) == b"some text"
    with llma.open("notes.txt.llma", "rt") as file:
        print(file.read())
"""

from ._codec import (
    DEFAULT_LEVEL,
    Alternative,
    LlmaCompressor,
    LlmaDecompressor,
    Piece,
    bits_per_token,
    compress,
    compress_short,
    decompress,
)
from ._errors import (
    CancelledError,
    DamagedError,
    LimitError,
    LlmaError,
    ModelError,
    UsageError,
)
from ._file import LlmaFile, open
from ._llma import Model, __version__
from ._models import InstalledModel, fetch_model, list_models

__all__ = [
    "Alternative",
    "CancelledError",
    "DEFAULT_LEVEL",
    "DamagedError",
    "InstalledModel",
    "LimitError",
    "LlmaCompressor",
    "LlmaDecompressor",
    "LlmaError",
    "LlmaFile",
    "Model",
    "ModelError",
    "Piece",
    "UsageError",
    "__version__",
    "bits_per_token",
    "compress",
    "compress_short",
    "decompress",
    "fetch_model",
    "list_models",
    "open",
]
