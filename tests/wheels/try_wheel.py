# SPDX-License-Identifier: Apache-2.0
"""Run by a Python that has nothing but the wheel. $LLMA_TEST_DATA: tests/data."""

import os
import pathlib
import subprocess
import sys
import tempfile

import llma

data = pathlib.Path(os.environ["LLMA_TEST_DATA"])
with tempfile.TemporaryDirectory() as folder:
    os.environ["XDG_DATA_HOME"] = os.environ["LLMA_MODEL_PATH"] = folder
    text = b"This is a text that is compressed where it was not built. " * 40

    def program(*arguments):
        return subprocess.run([sys.executable, "-m", "llma", *arguments],
                              capture_output=True, input=text)

    # Without a model: the one call, or command, that gets it.
    try:
        llma.compress(text)
        raise SystemExit("a model came from nowhere")
    except llma.ModelError as error:
        assert "llma.fetch_model()" in str(error), error
    said = program("-c").stderr.decode()
    assert "llma model pull default" in said, said
    # That command asks a host: here one that does not answer.
    os.environ.update(HF_ENDPOINT="http://127.0.0.1:9",
                      PIP_INDEX_URL="http://127.0.0.1:9")
    pulled = program("model", "pull", "default")
    assert pulled.returncode == 1 and b"refused" in pulled.stderr, pulled

    assert llma.decompress(llma.compress(text, level=2)) == text
    imported = program("model", "import", "-q", str(data / "tiny.gguf"),
                       "--name", "tiny")
    assert imported.returncode == 0, imported
    model = llma.Model("tiny")
    assert model.fingerprint == llma.Model(str(data / "tiny.llmm")).fingerprint
    packed = llma.compress(text, model=model)
    assert len(packed) < len(text) // 4
    assert llma.decompress(packed) == text
    by_program = program("-c", "--model", "tiny")
    assert by_program.returncode == 0, by_program
    assert llma.decompress(by_program.stdout) == text
print(f"Python {sys.version.split()[0]}: llma {llma.__version__} compresses and "
      f"restores ({pathlib.Path(llma._llma.__file__).name})")
