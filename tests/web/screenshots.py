#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pictures of the page in README.md: light, and dark on a phone.

    screenshots.py WEB_FOLDER MODEL TEXT TARGET_FOLDER
"""

import base64
import pathlib
import sys

from browser import Page, Server

WEB, MODEL, TEXT, TARGET = (pathlib.Path(p).resolve() for p in sys.argv[1:5])
SKIPPED, BYTES = 700, 700


def picture(page, name, width, height, dark):
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1,
        "mobile": width < 500})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    page.js("scrollTo(0, 0)")
    taken = page.driver.execute_cdp_cmd("Page.captureScreenshot",
                                        {"format": "png"})
    (TARGET / name).write_bytes(base64.b64decode(taken["data"]))


def main():
    server = Server(WEB)
    page = Page()
    try:
        page.open(server.url)
        page.choose_model(MODEL, 600)
        text = page.folder / "alice.txt"
        text.write_bytes(TEXT.read_bytes()[SKIPPED:SKIPPED + BYTES])
        page.work(text, 600)
        page.js("document.activeElement.blur()")
        picture(page, "web-light.png", 780, 1250, dark=False)
        picture(page, "web-dark.png", 390, 1300, dark=True)
    finally:
        page.close()
        server.close()


if __name__ == "__main__":
    main()
