#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetching repositories of models over HTTPS, from a host on this machine that
answers as the hub does and has large files on another host.

    repository_test.py LLMA MAKE_TINY_FOLDER TINY_GGUF
"""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from host_case import LLMA, HostTest, tls_context
from model_host import ModelHost, Repository

MAKE_TINY_FOLDER, TINY = sys.argv[2:4]
SOURCE = "hf:Owner/Tiny"
FIRST = "model-00001-of-00002.safetensors"
SECOND = "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
NEEDED = ["config.json", FIRST, SECOND, INDEX, "tokenizer.json"]


def made_of_folder(files):
    """What `llma model import` makes of a folder with these files."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "source"
        source.mkdir()
        for name, content in files.items():
            (source / name).write_bytes(content)
        made = pathlib.Path(folder) / "made.llmm"
        subprocess.run([LLMA, "model", "import", "-q", "--name", "tiny", "-o",
                        made, source], check=True)
        return made.read_bytes()


def adapter(scale):
    """Files of an adapter of the tiny model's norms."""
    values = b"\0\0\x80\x3f" * 128
    name = "base_model.model.model.norm.weight"
    header = json.dumps({name: {"dtype": "F32", "shape": [128],
                                "data_offsets": [0, len(values)]}}).encode()
    return {
        "adapter_config.json": json.dumps(
            {"peft_type": "LORA", "r": 8, "lora_alpha": scale,
             "target_modules": ["q_proj"],
             "modules_to_save": ["norm"]}).encode(),
        "adapter_model.safetensors":
            len(header).to_bytes(8, "little") + header + values}


class RepositoryTest(HostTest):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.place.cleanup)
        place = pathlib.Path(cls.place.name)
        subprocess.run([MAKE_TINY_FOLDER, TINY, place / "tiny"], check=True)
        cls.files_of_tiny = {p.name: p.read_bytes()
                             for p in (place / "tiny").iterdir()}
        cls.made = made_of_folder(cls.files_of_tiny)
        cls.key = place / "key.pem"
        cls.host = ModelHost(b"", tls_context(cls.key, "IP:127.0.0.1",
                                              "DNS:localhost"))

    def setUp(self):
        super().setUp()
        self.endpoint = f"https://127.0.0.1:{self.host.port}"
        self.variables["SSL_CERT_FILE"] = str(self.key.with_suffix(".crt"))
        self.host.cuts.clear()
        self.host.is_slow = False
        self.repository = Repository(
            {**self.files_of_tiny, ".gitattributes": b"x",
             "README.md": b"# Tiny", "tokenizer_config.json": b"{}",
             "consolidated.safetensors": b"not wanted",
             "onnx/model.safetensors": b"nor this", "modeling.py": b"nor this"},
            large=(FIRST, SECOND))
        self.host.repositories = {"Owner/Tiny": self.repository}

    def pull(self, *arguments, source=SOURCE, **how):
        return self.run_llma("pull", source, *arguments, **how)

    def part(self):
        folder = self.models / "tiny.hf.part"
        return {p.name: p.stat().st_size for p in folder.iterdir()}

    def expect_tiny(self, done, files=("tiny.llmm",)):
        self.expect_pulled(done, files)
        self.assertEqual((self.models / "tiny.llmm").read_bytes(), self.made)

    def fetched(self):
        """Names of files that were asked for, in order."""
        return [r.path.rpartition("/")[2] for r in self.host.requests
                if "/resolve/" in r.path]

    def test_whole(self):
        done = self.pull()
        self.expect_tiny(done)
        self.assertIn(f"from {self.endpoint}/Owner/Tiny, commit "
                      + self.repository.commit, done.stdout)
        self.assertIn("license: apache-2.0", done.stdout)
        total = sum(len(self.files_of_tiny[name]) for name in NEEDED)
        self.assertIn(f"5 files, {total} bytes", done.stdout)
        self.assertEqual(self.host.requests[0].path,
                         "/api/models/Owner/Tiny/revision/main?blobs=true")
        # Of the commit that the hub said, nothing else, weights last.
        self.assertEqual(
            [r.path for r in self.host.requests if "/resolve/" in r.path],
            [f"/Owner/Tiny/resolve/{self.repository.commit}/{name}" for name in
             ("config.json", INDEX, "tokenizer.json", FIRST, SECOND)])

    def test_base_models_by_name(self):
        for name, path in (
                ("smollm2-135m", "HuggingFaceTB/SmolLM2-135M"),
                ("smollm2-360m", "HuggingFaceTB/SmolLM2-360M"),
                ("qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B"),
                ("qwen3-0.6b-base", "Qwen/Qwen3-0.6B-Base"),
                ("gemma-3-270m", "google/gemma-3-270m")):
            self.host.repositories = {path: self.repository}
            done = self.pull("--name", "tiny", "-f", source=name)
            self.expect_tiny(done)
            self.assertIn(f"from {self.endpoint}/{path}, commit "
                          + self.repository.commit, done.stdout)
            self.assertRegex(done.stdout, r"fingerprint [0-9a-f]{64}")
        # Under its own name, too.
        self.expect_pulled(self.pull(source="gemma-3-270m"),
                           ["gemma-3-270m.llmm", "tiny.llmm"])

    def test_one_file_of_weights(self):
        """As small repositories have them, without an index."""
        self.repository.files["model.safetensors"] = (
            self.files_of_tiny[FIRST])
        for name in (INDEX, FIRST, SECOND):
            del self.repository.files[name]
        self.expect_error(self.pull(), "is missing", "tiny.hf.part is kept",
                          files=["tiny.hf.part"])
        self.assertEqual(sorted(self.part()),
                         ["config.json", "model.safetensors", "tokenizer.json"])

    def test_the_token_and_its_host(self):
        self.token = "secret"
        self.repository.token = "secret"
        self.expect_tiny(self.pull())
        for request in self.host.requests:
            self.assertEqual(
                request.token,
                "Bearer secret" if request.host == "127.0.0.1" else None)
        self.assertEqual(
            sum(r.host == "localhost" for r in self.host.requests), 2)

    def test_the_token_of_login(self):
        self.repository.token = "secret"
        home = pathlib.Path(self.folder.name) / "hub"
        home.mkdir()
        (home / "token").write_text("secret\n")
        self.expect_tiny(self.pull())

    def test_terms(self):
        self.repository.token = "secret"
        self.repository.gated = "manual"
        self.repository.status = 401
        done = self.pull()
        self.expect_error(done, "the host says 401",
                          f"terms at {self.endpoint}/Owner/Tiny",
                          "hf auth login")
        self.assertIn("must have been accepted at "
                      f"{self.endpoint}/Owner/Tiny", done.stdout)
        self.token = "other"
        self.repository.status = 403
        self.expect_error(self.pull(), "the host says 403",
                          "the token of HF_TOKEN is not of somebody",
                          f"terms at {self.endpoint}/Owner/Tiny")
        # Nothing is left of it, and nobody else was asked.
        self.assertEqual({r.host for r in self.host.requests}, {"127.0.0.1"})

    def test_what_is_not_there(self):
        self.expect_error(self.pull(source="hf:Owner/Other"),
                          "no such repository, or it is private",
                          "hf auth login")
        self.token = "secret"
        self.expect_error(self.pull(source="hf:Owner/Other"),
                          "private and not for the token of HF_TOKEN")
        self.expect_error(self.pull(source=SOURCE + "@v9"), "404",
                          "no such revision")
        del self.repository.files[SECOND]
        self.expect_error(self.pull(), f"{SECOND} is not in the repository",
                          files=["tiny.hf.part"])

    def test_a_commit(self):
        commit = self.repository.commit
        self.expect_tiny(self.pull(source=f"{SOURCE}@{commit}"))
        # A hub that answers of another one.
        self.repository.commit = "d1" * 20
        self.host.pages = {
            f"/api/models/Owner/Tiny/revision/{commit}?blobs=true":
            ("application/json", json.dumps(self.repository.answer()))}
        self.addCleanup(self.host.pages.clear)
        self.expect_error(self.pull("-f", source=f"{SOURCE}@{commit}"),
                          "answers of d1d1d1", files=["tiny.llmm"])

    def test_the_address_of_its_page(self):
        self.expect_tiny(self.pull(source=self.endpoint + "/Owner/Tiny"))
        self.expect_tiny(self.pull(
            "-f", source=self.endpoint + "/Owner/Tiny/tree/main"))

    def test_too_many_requests(self):
        self.repository.answers = [(429, {"Retry-After": "1"}),
                                   (429, {"RateLimit": '"api";r=0;t=0'}),
                                   (503, {})]
        start = time.monotonic()
        self.expect_tiny(self.pull())
        self.assertGreaterEqual(time.monotonic() - start, 2)
        self.repository.answers = [(429, {"Retry-After": "4000"})]
        self.expect_error(self.pull("-f"), "too many requests",
                          "after 4000 seconds", files=["tiny.llmm"])

    def test_too_many_requests_of_files(self):
        self.expect_tiny(self.pull())
        (self.models / "tiny.llmm").unlink()
        self.host.pages = {
            "/api/models/Owner/Tiny/revision/main?blobs=true":
            ("application/json", json.dumps(self.repository.answer()))}
        self.addCleanup(self.host.pages.clear)
        self.repository.answers = [(429, {"Retry-After": "1"})]
        start = time.monotonic()
        self.expect_tiny(self.pull())
        self.assertGreaterEqual(time.monotonic() - start, 1)

    def test_cuts_are_resumed(self):
        self.host.cuts = [10, 20, 1 << 30, 30, 1 << 30, 1000, 1 << 30]
        self.expect_tiny(self.pull())
        self.assertEqual(
            [r.range for r in self.host.requests
             if r.range and "/stored/" in r.path],
            ["bytes=10-", "bytes=30-", "bytes=30-", "bytes=1000-"])

    def test_a_killed_run_is_gone_on_with(self):
        self.host.is_slow = True
        process = subprocess.Popen([LLMA, "model", "pull", "-q", SOURCE],
                                   env=self.environment())
        begun = self.models / "tiny.hf.part" / (SECOND + ".part")
        deadline = time.monotonic() + 60
        while not (begun.exists() and begun.stat().st_size > 0):
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertIn(FIRST, self.part())
        self.host.forget()
        self.host.is_slow = False
        self.expect_tiny(self.pull())
        # Only the one that is not whole, from where it ended.
        self.assertEqual(self.fetched(), [SECOND])
        self.assertRegex(self.host.requests[-1].range, r"^bytes=\d+-$")

    def cut_off(self):
        """Ends in mid-download; how many bytes of the last file are there."""
        limit = len(self.files_of_tiny[SECOND]) // 2

        def allow_little():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.expect_error(self.pull(preexec_fn=allow_little), "make room",
                          files=["tiny.hf.part"])
        name, size = max(self.part().items(),
                         key=lambda item: item[0].endswith(".part"))
        self.assertEqual(size, limit)
        self.host.forget()
        return name.removesuffix(".part"), limit

    def test_the_same_file_of_another_commit_is_gone_on_with(self):
        name, size = self.cut_off()
        self.repository.commit = "d1" * 20
        self.repository.files["README.md"] = b"# Tiny, more of it"
        self.expect_tiny(self.pull())
        ranges = [r.range for r in self.host.requests if r.range]
        self.assertEqual(set(ranges), {f"bytes={size}-"})
        self.assertEqual(self.fetched()[0], name)

    def test_a_file_that_changed_between_two_tries_starts_anew(self):
        name, _ = self.cut_off()
        changed = bytearray(self.files_of_tiny[name])
        changed[-1] ^= 1
        self.repository.files[name] = bytes(changed)
        self.repository.commit = "d1" * 20
        self.expect_pulled(self.pull())
        self.assertEqual([r.range for r in self.host.requests if r.range], [])
        self.assertEqual(
            (self.models / "tiny.llmm").read_bytes(),
            made_of_folder({**self.files_of_tiny, name: bytes(changed)}))

    def test_another_etag_starts_anew(self):
        name, size = self.cut_off()
        note = self.models / "tiny.hf.part" / (name + ".part.from")
        lines = note.read_text().splitlines()
        lines[1] = '"another"'
        note.write_text("\n".join(lines) + "\n")
        part = note.with_suffix("")
        part.write_bytes(bytes(size))  # of another file
        self.expect_tiny(self.pull())
        asked = [r for r in self.host.requests if r.range]
        self.assertEqual({(r.range, r.if_range) for r in asked},
                         {(f"bytes={size}-", '"another"')})

    def test_a_damaged_part_starts_anew(self):
        name, size = self.cut_off()
        part = self.models / "tiny.hf.part" / (name + ".part")
        part.write_bytes(bytes(size))
        self.expect_tiny(self.pull())
        self.assertEqual([r.range for r in self.host.requests
                          if r.path.startswith("/stored/")][:2],
                         [f"bytes={size}-", None])

    def test_small_files_without_a_checksum(self):
        """Not all hosts that answer as the hub does have it."""
        answer = self.repository.answer()
        for entry in answer["siblings"]:
            if "lfs" not in entry:
                del entry["blobId"]
        self.host.pages = {
            "/api/models/Owner/Tiny/revision/main?blobs=true":
            ("application/json", json.dumps(answer))}
        self.addCleanup(self.host.pages.clear)
        self.expect_tiny(self.pull())

    def test_files_of_another_commit_are_not_taken(self):
        self.cut_off()
        stale = self.models / "tiny.hf.part" / "old.safetensors"
        stale.write_bytes(b"of another commit")
        self.expect_tiny(self.pull())

    def test_damage_on_the_way(self):
        for name, what in ((SECOND, "SHA-256"), ("tokenizer.json", "in git")):
            wrong = bytearray(self.files_of_tiny[name])
            wrong[-1] ^= 1
            answer = self.repository.answer()
            self.host.pages = {
                "/api/models/Owner/Tiny/revision/main?blobs=true":
                ("application/json", json.dumps(answer))}
            self.addCleanup(self.host.pages.clear)
            self.repository.files[name] = bytes(wrong)
            self.repository.large = ()  # or the hub says it at once
            self.expect_error(self.pull(), f"{name}: what came is not the file",
                              what, "it was removed", files=["tiny.hf.part"])
            self.repository.files[name] = self.files_of_tiny[name]
            self.repository.large = {FIRST, SECOND}
            shutil.rmtree(self.models / "tiny.hf.part")

    def test_kept_and_used_again(self):
        done = self.pull("--keep-source")
        self.expect_tiny(done, ("tiny", "tiny.llmm"))
        self.assertIn(f"{self.models}/tiny is kept", done.stdout)
        # With what other programs want.
        self.assertEqual(
            sorted(p.name for p in (self.models / "tiny").iterdir()),
            sorted([*NEEDED, "README.md", "tokenizer_config.json"]))
        self.host.forget()
        self.expect_tiny(self.pull("-f"), ("tiny", "tiny.llmm"))
        self.assertEqual(self.fetched(), [])
        # Others stay as they are.
        (self.models / "tiny" / "config.json").write_text("{}")
        self.expect_error(self.pull("-f", "--keep-source"),
                          "has other files", "--name",
                          files=("tiny", "tiny.llmm"))
        self.expect_tiny(self.pull("-f"), ("tiny", "tiny.llmm"))
        self.assertEqual((self.models / "tiny" / "config.json").read_text(),
                         "{}")

    def test_what_is_no_model(self):
        self.repository.files["config.json"] = json.dumps(
            {"architectures": ["MambaForCausalLM"], "model_type": "mamba"}
        ).encode()
        self.expect_error(self.pull(), "config.json", "mamba",
                          files=["tiny.hf.part"])
        self.assertNotIn(FIRST, self.fetched())
        self.repository.files = {"x-Q8_0.gguf": b"", "config.json": b"{}"}
        self.expect_error(
            self.pull(), "has no .safetensors files", "/resolve/",
            "x-Q8_0.gguf", files=["tiny.hf.part"])
        self.repository.files = {"pytorch_model.bin": b"x"}
        self.expect_error(self.pull(), "has no .safetensors files",
                          files=["tiny.hf.part"])
        self.repository.files = {"model.safetensors": b"x",
                                 "config.json": b"{}"}
        self.expect_error(self.pull(), "has no tokenizer.json",
                          files=["tiny.hf.part"])

    def test_no_room(self):
        answer = self.repository.answer()
        for entry in answer["siblings"]:
            if entry["rfilename"] == SECOND:
                entry["size"] = entry["lfs"]["size"] = 1 << 35
        self.host.pages = {
            "/api/models/Owner/Tiny/revision/main?blobs=true":
            ("application/json", json.dumps(answer))}
        self.addCleanup(self.host.pages.clear)

        def is_small(folder):
            info = os.statvfs(folder)
            return info.f_bavail * info.f_frsize < 1 << 36

        if not is_small(self.folder.name):
            self.skipTest("there is much room")
        self.expect_error(self.pull(), "MB free", "make room",
                          files=["tiny.hf.part"])
        self.assertNotIn(FIRST, self.fetched())

    def test_names_that_are_none(self):
        for source in ("hf:", "hf:Tiny", "hf:../Tiny", "hf:Owner/..",
                       "hf:Owner/Tiny/config.json", "hf:Owner/Tiny@",
                       "hf:Owner/Tiny@../../x", "hf:Owner/Tiny?x"):
            done = self.pull(source=source)
            self.assertEqual(done.returncode, 1)
            self.assertIn("expected hf:OWNER/NAME", done.stderr)
        self.assertIn("is of a single file",
                      self.pull("--sha256=" + "0" * 64).stderr)
        self.assertEqual(self.host.requests, [])

    def test_adapters_are_merged(self):
        folder = pathlib.Path(self.folder.name) / "adapter"
        folder.mkdir()
        for name, content in adapter(8).items():
            (folder / name).write_bytes(content)
        self.expect_pulled(self.pull("--adapter", str(folder)))
        self.assertNotEqual((self.models / "tiny.llmm").read_bytes(), self.made)
        info = json.loads(self.run_llma("info", "tiny", "--json").stdout)
        self.assertEqual(info["adapter"], "adapter")
        # What is none ends the work before it begins.
        self.host.forget()
        self.expect_error(self.pull("-f", "--adapter", "/nonexistent"),
                          "/nonexistent", files=["tiny.llmm"])
        self.assertEqual(self.host.requests, [])

    def test_two_at_once(self):
        self.host.is_slow = True
        first = subprocess.Popen([LLMA, "model", "pull", "-q", SOURCE],
                                 env=self.environment())
        deadline = time.monotonic() + 60
        while not (self.models / "tiny.hf.part" / INDEX).exists():
            self.assertLess(time.monotonic(), deadline)
        done = self.pull()
        if first.poll() is not None:
            self.skipTest("it was faster")
        self.assertEqual(done.returncode, 1)
        self.assertIn("another process is fetching it", done.stderr)
        self.assertEqual(first.wait(), 0)
        self.assertEqual((self.models / "tiny.llmm").read_bytes(), self.made)

    def test_answers_that_make_no_sense(self):
        for text, words in (("<html>", "no JSON"), ("{}", "names no commit"),
                            ("[" * 100000, "no JSON"),
                            (" " * (17 << 20), "too long")):
            self.host.pages = {
                "/api/models/Owner/Tiny/revision/main?blobs=true":
                ("application/json", text)}
            self.addCleanup(self.host.pages.clear)
            self.expect_error(self.pull(), words)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
