# SPDX-License-Identifier: Apache-2.0
"""What tests have that fetch from a host on this machine with the program that
is the first argument of the script.
"""

import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import unittest

from model_host import ModelHost

LLMA = pathlib.Path(sys.argv[1]).resolve()


def tls_context(key, *names):
    """Of a host with these names, subjectAltName's; makes `key` and `key`.crt."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-subj", "/CN=host", "-addext", "subjectAltName=" + ",".join(names),
         "-days", "2", "-keyout", key, "-out", key.with_suffix(".crt")],
        capture_output=True)
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key.with_suffix(".crt"), key)
    return context


class HostTest(unittest.TestCase):
    CONTENT = b""  # of the host's file

    @classmethod
    def setUpClass(cls):
        cls.host = ModelHost(cls.CONTENT)

    @classmethod
    def tearDownClass(cls):
        cls.host.close()

    def setUp(self):
        self.host.forget()
        self.host.linked = True
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.models = pathlib.Path(self.folder.name) / "llma"
        self.token = ""
        self.variables = {}
        self.endpoint = f"http://127.0.0.1:{self.host.port}"

    def run_llma(self, *arguments, preexec_fn=None):
        return self.run_program(LLMA, "model", *arguments,
                                preexec_fn=preexec_fn)

    def environment(self):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("LLMA_", "HF_", "SSL_", "CURL_",
                                            "REQUESTS_", "PIP_")) and
                       not k.lower().endswith("_proxy")}
        environment.update(
            LC_ALL="C", PIP_INDEX_URL=self.endpoint + "/404",
            XDG_DATA_HOME=self.folder.name, HF_ENDPOINT=self.endpoint, HF_TOKEN=self.token,
            HF_HOME=self.folder.name + "/hub")
        environment.update(self.variables)
        return environment

    def run_program(self, *command, preexec_fn=None):
        return subprocess.run(command, env=self.environment(),
                              capture_output=True, text=True, timeout=300,
                              preexec_fn=preexec_fn)

    def files(self):
        return sorted(p.name for p in self.models.iterdir())

    def expect_pulled(self, done, files=("tiny.llmm",)):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.files(), sorted(files))
        verified = self.run_llma("verify", "tiny")
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def expect_error(self, done, *words, files=()):
        self.assertEqual(done.returncode, 1, done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.files(), sorted(files))
