# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, and a server for the page."""

import functools
import http.server
import pathlib
import shutil
import tempfile
import threading
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.chrome.service import Service

CLIENT_SECONDS = 120


class _Handler(http.server.SimpleHTTPRequestHandler):
    requested = None
    headers_of_page = ()

    def end_headers(self):
        for name, value in self.headers_of_page:
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_):
        self.requested.append(self.path)


class Server:
    """Any static server: it says nothing of isolation unless it is asked to."""

    def __init__(self, folder, headers=()):
        self.requested = []
        handler = type("Handler", (_Handler,), {
            "requested": self.requested, "headers_of_page": tuple(headers)})
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(handler, directory=folder))
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever,
                         daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class PeakMemory:
    """The most that the process of a page had, in bytes, while this was on: what
    Linux remembers, which browsers reset now and then."""

    def __init__(self, page):
        self._page = page
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _look(self):
        for process in self._page.processes():
            try:
                status = (process / "status").read_text()
            except OSError:
                continue
            if "VmHWM:" in status:
                kilobytes = status.split("VmHWM:")[1].split()[0]
                self._peak = max(self._peak, int(kilobytes) * 1024)

    def _watch(self):
        while not self._stop.wait(0.2):
            self._look()

    def end(self):
        self._stop.set()
        self._thread.join()
        self._look()
        return self._peak


class Page:
    """One browser with a profile of its own, and the page in it."""

    def __init__(self, width=1100, height=900):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="llma_web_"))
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu",
                         "--disable-dev-shm-usage", "--no-first-run",
                         "--disable-extensions", "--disable-background-networking",
                         f"--window-size={width},{height}",
                         f"--user-data-dir={self.folder / 'profile'}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(CLIENT_SECONDS)
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
            "behavior": "allow", "downloadPath": str(self.folder)})

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self):
        """The folders in /proc of the processes that run the page."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if (b"--type=renderer" in command and
                    str(self.folder).encode() in command):
                yield folder

    def open(self, url):
        self.driver.get(url)
        self.wait(lambda: self.js("return document.body && "
                                  "document.body.dataset.ready === '1'"),
                  "the page to start")
        self.wait_idle()

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def at(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.at(name).text

    def is_shown(self, name):
        return not self.js("return document.getElementById(arguments[0]).hidden",
                           name)

    def wait(self, condition, what, seconds=CLIENT_SECONDS):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(
                    f"waited in vain for {what}: " +
                    self.text("model-status") + self.text("error") +
                    str(self.logs()))
            time.sleep(0.05)

    def wait_idle(self, seconds=CLIENT_SECONDS):
        self.wait(lambda: not self.js("return isBusy"), "the end of the work",
                  seconds)

    def choose(self, name, path):
        """A file in an input, as if it was picked."""
        self.at(name).send_keys(str(path))

    def choose_model(self, path, seconds=CLIENT_SECONDS):
        self.js("document.getElementById('model-status').dataset.model = '';"
                "document.getElementById('error').hidden = true")
        self.choose("model-file", path)
        self.wait(lambda: self.js(
            "return !isBusy && (!document.getElementById('error').hidden ||"
            "document.getElementById('model-status').dataset.model !== '')"),
            "the model", seconds)

    def work(self, path, seconds=CLIENT_SECONDS):
        """Chooses a file; returns when its work has ended."""
        self.js("for (const id of ['error', 'result'])"
                "document.getElementById(id).hidden = true")
        self.choose("work-file", path)
        self.wait(lambda: not self.js("return isBusy") and
                  (self.is_shown("error") or self.is_shown("result")),
                  "the end of the work", seconds)

    def error(self):
        return self.js("const e = document.getElementById('error');"
                       "return e.hidden ? null : e.dataset.status")

    def saved(self):
        """The bytes behind the button that saves."""
        link = self.at("save")
        target = self.folder / link.get_attribute("download")
        target.unlink(missing_ok=True)
        self.js("arguments[0].click()", link)
        self.wait(target.exists, "the download")
        time.sleep(0.2)
        return target.read_bytes()

    def drop(self, path):
        """Drags a file from outside onto the page."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        box = self.js("const b = document.getElementById('drop')"
                      ".getBoundingClientRect();"
                      "return [b.x + b.width / 2, b.y + 10]")
        for kind in ("dragEnter", "dragOver", "drop"):
            self.driver.execute_cdp_cmd("Input.dispatchDragEvent", {
                "type": kind, "x": box[0], "y": box[1], "data": data})

    def logs(self):
        """What the console has of errors: violations of the policy, too."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]
