# SPDX-License-Identifier: Apache-2.0
"""The Python lines of README.md, run as they are."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent


def test_readme(tmp_path: pathlib.Path,
                monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text()
    snippets = re.findall(r"^```python\n(.*?)^```$", readme, re.M | re.S)
    assert len(snippets) == 1
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMA_MODEL_PATH", str(ROOT / "tests/data"))
    exec(compile(snippets[0], "README.md", "exec"), {})
    assert (tmp_path / "notes.llma").stat().st_size > 0
