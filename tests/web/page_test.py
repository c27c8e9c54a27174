#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of web/ in Chromium, on the tiny model.

    page_test.py WEB_FOLDER LLMA SOURCE_FOLDER [TEST...]
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

from browser import Page, PeakMemory, Server

WEB, LLMA, SOURCE = (pathlib.Path(p).resolve() for p in sys.argv[1:4])
DATA = SOURCE / "tests" / "data"
FILES = SOURCE / "tests" / "files"
TINY = DATA / "tiny.llmm"
ISOLATED = (("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Embedder-Policy", "require-corp"),
            ("Cross-Origin-Resource-Policy", "same-origin"))
DEFAULT = (pathlib.Path(os.environ.get("XDG_DATA_HOME") or
                        pathlib.Path.home() / ".local" / "share") /
           "llma" / "smollm2-135m-text.llmm")
TEXT = ("Everyone was working there, as they belonged to it. " * 3 +
        "\u00c4pfel, \u4eba\u81ea\u7531 and \U0001f600.\n" +
        "".join(f"Line {i} of {i * i % 97} lines.\n" for i in range(60)))


def native(content, *options):
    """What the program makes of a content from a pipe."""
    return subprocess.run([LLMA, "-q", "-c", *options], input=content,
                          capture_output=True, check=True).stdout


def fingerprint():
    """Of the tiny model, as the program says it."""
    listed = subprocess.run([LLMA, "model", "info", TINY], check=True,
                            capture_output=True, text=True).stdout
    return re.search(r"\b[0-9a-f]{64}\b", listed)[0]


class PageCase(unittest.TestCase):
    """A server, and a page with a profile of its own for each test."""
    headers = ()

    def setUp(self):
        self.server = Server(WEB, self.headers)
        self.addCleanup(self.server.close)
        self.page = Page()
        self.addCleanup(self.page.close)
        self.text = self.page.folder / "text.txt"
        self.text.write_text(TEXT)
        self.open()

    def open(self):
        self.page.open(self.server.url)

    def file(self, name, content):
        path = self.page.folder / name
        path.write_bytes(content)
        return path

    def end_in_order(self):
        self.assertEqual(self.page.logs(), [])


class Flow(PageCase):
    """What a reader does, in one thread or several."""
    threads = 2

    def test_missing_model(self):
        self.page.work(self.text)
        self.assertEqual(self.page.error(), "LLMA_ERROR_MODEL_MISSING")
        self.assertIn("llma model pull default", self.page.text("error"))
        self.assertTrue(self.page.at("default-link").is_displayed())
        self.assertIn("huggingface.co",
                      self.page.at("default-link").get_attribute("href"))
        self.end_in_order()

    def test_there_and_back(self):
        page = self.page
        page.choose_model(TINY)
        self.assertEqual(page.js("return engine.model.fingerprint"),
                         fingerprint())
        self.assertEqual(page.js("return engine.threads > 1"),
                         self.threads > 1)
        page.work(self.text)
        self.assertIsNone(page.error(), page.text("error"))
        packed = page.saved()
        self.assertEqual(packed, native(TEXT.encode(), "--model", TINY))
        # The map has all of the text, each piece with its bits.
        self.assertEqual(page.js("map.draw(); return at('map').textContent"),
                         TEXT)
        self.assertGreater(page.js(
            "return document.querySelectorAll('#map [title]').length"), 100)
        self.assertEqual(page.js(
            "return document.querySelectorAll('#map .unread').length"), 0)
        self.assertIn("gzip", page.text("totals"))
        # As llma inspect shows it.
        page.at("details").click()
        page.wait(lambda: page.is_shown("inspection"), "the inspection")
        page.driver.switch_to.frame(page.at("inspection"))
        page.wait(lambda: "token" in page.text("hint"), "its script")
        self.assertEqual(page.text("name"), "text.txt")
        page.driver.switch_to.default_content()
        # And back.
        page.work(self.file("text.txt.llma", packed))
        self.assertIsNone(page.error(), page.text("error"))
        self.assertEqual(page.saved(), TEXT.encode())
        self.assertIn("Everyone", page.text("restored-text"))
        self.end_in_order()

    def test_dropped_files(self):
        page = self.page
        page.drop(TINY)
        page.wait(lambda: page.js("return engine.model !== null && !isBusy"),
                  "the model")
        page.drop(self.text)
        page.wait(lambda: page.is_shown("result"), "the result")
        self.assertEqual(page.saved(), native(TEXT.encode(), "--model", TINY))
        self.end_in_order()

    def test_without_a_model(self):
        for level in ("1", "2"):
            self.page.js("at('level').value = arguments[0]", level)
            self.page.work(self.text)
            self.assertIsNone(self.page.error())
            self.assertEqual(self.page.saved(),
                             native(TEXT.encode(), "-" + level))
        self.page.js("at('text').value = 'a text, written here'")
        self.page.at("compress-text").click()
        self.page.wait(lambda: self.page.is_shown("result"), "the result")
        self.end_in_order()

    def test_what_is_wrong(self):
        page = self.page
        page.choose_model(TINY)
        # A file of another model.
        page.work(FILES / "unsupported-model.llma")
        self.assertIn(page.error(), ("LLMA_ERROR_MODEL_MISSING",
                                     "LLMA_ERROR_MODEL_MISMATCH"))
        self.assertRegex(page.text("error"), "[0-9a-f]{16}")
        # Damage of all kinds.
        whole = bytearray(native(TEXT.encode(), "--model", TINY))
        cases = {"LLMA_ERROR_TRUNCATED": whole[:-5],
                 "LLMA_ERROR_FORMAT": b"not a file of this kind"}
        whole[len(whole) // 2] ^= 8
        for status, content in (*cases.items(), (None, whole)):
            page.work(self.file("damaged.llma", bytes(content)))
            found = page.error()
            if status is None:
                self.assertIn(found, ("LLMA_ERROR_CHECKSUM",
                                      "LLMA_ERROR_CORRUPT",
                                      "LLMA_ERROR_TRUNCATED"))
            else:
                self.assertEqual(found, status)
            self.assertFalse(page.is_shown("result"))
        # A damaged model, and what is none.
        damaged = bytearray(TINY.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        for content in (damaged, b"GGUF", b"what is no model"):
            page.choose_model(self.file("damaged.llmm", bytes(content)))
            self.assertIsNotNone(page.error())
        # And all is well again.
        page.choose_model(TINY)
        page.work(FILES / "level-6.llma")
        self.assertIsNone(page.error(), page.text("error"))
        self.end_in_order()

    def test_cancelling(self):
        page = self.page
        page.choose_model(TINY)
        # Words that do not repeat in the same order.
        words = TEXT.split()
        large = self.file("large.txt", " ".join(
            words[i * i % 997 % len(words)] + str(i * 7919 % 1009)
            for i in range(60000)).encode())
        page.choose("work-file", large)
        page.wait(lambda: "became" in page.text("progress-text"),
                  "the first progress")
        page.at("cancel").click()
        page.wait_idle()
        self.assertEqual(page.error(), "LLMA_ERROR_CANCELLED")
        page.work(self.text)
        self.assertIsNone(page.error(), page.text("error"))
        self.assertEqual(page.saved(), native(TEXT.encode(), "--model", TINY))
        self.end_in_order()

    def test_imports(self):
        page = self.page
        page.choose_model(DATA / "tiny.gguf")
        self.assertIsNone(page.error(), page.text("error"))
        self.assertEqual(page.js("return engine.model.name"), "tiny")
        page.work(self.text)
        self.assertIsNone(page.error(), page.text("error"))
        self.end_in_order()


class Isolated(Flow):
    """From a server that isolates the page: in threads."""
    headers = ISOLATED


class FromDisk(Flow):
    """index.html opened as a file: in one thread."""
    threads = 1

    def open(self):
        self.page.open((WEB / "index.html").resolve().as_uri())


class AnyServer(PageCase):
    """From a server that says nothing: the service worker isolates the page."""

    def test_threads_and_kept_models(self):
        page = self.page
        self.assertTrue(page.js("return crossOriginIsolated"))
        self.assertGreater(page.js("return engine.threads"), 1)
        page.choose_model(TINY)
        self.assertIn("kept in this browser", page.text("model-status"))
        page.driver.refresh()
        page.wait(lambda: page.js("return document.body.dataset.ready === '1'"
                                  "&& engine.model !== null && !isBusy"),
                  "the kept model")
        page.work(self.text)
        self.assertIsNone(page.error(), page.text("error"))
        remove = page.js("return [...document.querySelectorAll("
                         "'#kept-models button')].find("
                         "b => b.textContent === 'Remove')")
        remove.click()
        page.wait(lambda: page.js("return document.querySelectorAll("
                                  "'#kept-models li').length === 0"),
                  "the removal")
        self.end_in_order()

    def test_a_model_by_its_address(self):
        models = Server(DATA, (("Access-Control-Allow-Origin", "*"),
                               ("Cross-Origin-Resource-Policy",
                                "cross-origin")))
        self.addCleanup(models.close)
        page = self.page
        page.js("at('address').value = arguments[0]",
                models.url + "tiny.llmm")
        page.js("at('address-form').requestSubmit()")
        page.wait(lambda: page.js("return engine.model !== null && !isBusy"),
                  "the model")
        # What came from the page: the model was read, nothing was sent.
        self.assertEqual([p for p in models.requested if "tiny" not in p], [])
        page.js("at('address').value = arguments[0]",
                models.url + "missing.llmm")
        page.js("at('address-form').requestSubmit()")
        page.wait(lambda: page.is_shown("error"), "the error")
        self.assertIn("404", page.text("error"))

    @unittest.skipUnless(DEFAULT.exists(), "the default model is not installed")
    def test_memory_with_the_default_model(self):
        page = self.page
        peak = PeakMemory(page)
        page.choose_model(DEFAULT)
        self.assertIsNone(page.error(), page.text("error"))
        page.work(self.file("text.txt", TEXT.encode()[:400]))
        self.assertIsNone(page.error(), page.text("error"))
        packed = page.saved()
        # As it is opened the next time; a reload may find what was there before.
        page.driver.get("about:blank")
        page.open(self.server.url)
        page.wait(lambda: page.js("return document.body.dataset.ready === '1'"
                                  "&& engine.model !== null && !isBusy"),
                  "the kept model")
        page.work(self.file("text.txt.llma", packed))
        self.assertIsNone(page.error(), page.text("error"))
        self.assertEqual(page.saved(), TEXT.encode()[:400])
        self.assertLess(peak.end(), 400e6)

    def test_names_keyboard_and_phones(self):
        page = self.page
        tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
        unnamed = [node["role"]["value"] for node in tree["nodes"]
                   if not node.get("ignored") and
                   node["role"]["value"] in ("button", "link", "textbox",
                                             "combobox", "progressbar") and
                   not node.get("name", {}).get("value")]
        self.assertEqual(unnamed, [])
        reached = set()
        for _ in range(20):
            page.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {
                "type": "keyDown", "key": "Tab", "code": "Tab",
                "windowsVirtualKeyCode": 9})
            reached.add(page.js("return document.activeElement.id"))
        self.assertLessEqual({"model-file", "address", "work-file", "text",
                              "level", "compress-text"}, reached)
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": 360, "height": 740, "deviceScaleFactor": 2,
            "mobile": True})
        page.js("at('level').value = 2")
        page.work(self.text)
        self.assertLessEqual(page.js(
            "return document.documentElement.scrollWidth"), 360)


del Flow

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
