#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the page takes with a real model, in Chromium: the figures of docs/WEB.md,
and whether its files are those of the program.

    measure.py WEB_FOLDER LLMA MODEL TEXT [BYTES]
"""

import os
import pathlib
import subprocess
import sys
import time

from browser import Page, PeakMemory, Server

WEB, LLMA, MODEL, TEXT = (pathlib.Path(p).resolve() for p in sys.argv[1:5])
CONTENT = TEXT.read_bytes()[:int(sys.argv[5]) if len(sys.argv) > 5 else 4096]


def processor_seconds(page):
    """What a busy machine does not change much."""
    ticks = 0
    for process in page.processes():
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def work(page, path):
    """Seconds on the clock and of processors."""
    before = processor_seconds(page)
    page.work(path, 900)
    if page.error():
        sys.exit(page.text("error"))
    return (float(page.at("result").get_attribute("data-seconds")),
            processor_seconds(page) - before)


def measure(name, url, expected):
    page = Page()
    try:
        peak = PeakMemory(page)
        page.open(url)
        start = time.monotonic()
        page.choose_model(MODEL, 600)
        loading = time.monotonic() - start
        if page.error():
            sys.exit(page.text("error"))
        text = page.folder / "text.txt"
        text.write_bytes(CONTENT)
        there, there_cpu = work(page, text)
        first = int(page.at("map").get_attribute("data-first-bits")) / 1000
        packed = page.saved()
        same = "the same file as" if packed == expected else "NOT THE FILE OF"
        file = page.folder / "text.txt.llma"
        file.write_bytes(packed)
        back, back_cpu = work(page, file)
        if page.saved() != CONTENT:
            sys.exit("something else was restored")
        size = len(CONTENT)
        module = page.js("return engine.memoryBytes")
        print(f"{name}: {page.js('return engine.threads')} threads, model open "
              f"after {loading:.1f} s, first bits after {first:.1f} s, "
              f"{size} bytes became {len(packed)} ({same} the program); "
              f"bytes a second {size / there:.0f} there, {size / back:.0f} "
              f"back, by seconds of a processor {size / there_cpu:.0f} and "
              f"{size / back_cpu:.0f}; memory of the module "
              f"{module / 1e6:.0f} MB, of the process "
              f"{peak.end() / 1e6:.0f} MB", flush=True)
        if same != "the same file as":
            sys.exit(1)
    finally:
        page.close()


def main():
    expected = subprocess.run([LLMA, "-q", "-c", "--model", MODEL],
                              input=CONTENT, capture_output=True,
                              check=True).stdout
    server = Server(WEB)
    measure("from a server", server.url, expected)
    server.close()
    measure("from the disk", (WEB / "index.html").resolve().as_uri(), expected)


if __name__ == "__main__":
    main()
