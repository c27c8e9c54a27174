#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `llma inspect`: its sums, and that a browser opens it soon.

    inspect_page_test.py LLMA TEXT MODEL

The browser is Chromium without a window; where there is none, only the sums
are tested.
"""

import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

MAX_SECONDS = 2
# Behind the page's own script: lays out, and notes the milliseconds since the
# browser turned to the page.
PROBE = """<script>
document.getElementById('text').lastElementChild.getBoundingClientRect();
document.documentElement.dataset.width = document.documentElement.scrollWidth;
document.documentElement.dataset.ms = performance.now();
</script></body>"""


def run(*command):
    return subprocess.run([str(word) for word in command], check=True,
                          stdout=subprocess.PIPE).stdout


def check_sums(llma, text, options, folder):
    """Returns the page's path and its number of pieces."""
    page = folder / "page.html"
    run(llma, "inspect", "-f", "-o", page, *options, text)
    found = re.search(r'id="data">(.*?)</script>', page.read_text(), re.S)
    shown = json.loads(found[1])
    told = json.loads(run(llma, "inspect", "--json", *options, text))
    file_bytes = len(run(llma, "-z", "--stdout", *options, text))
    if not shown["fileBytes"] == told["file_bytes"] == file_bytes:
        sys.exit(f"{options}: a file of {file_bytes} bytes is said to have "
                 f"{shown['fileBytes']} and {told['file_bytes']}")
    payload = told["payload_bytes"]
    if not 0 < payload < file_bytes:
        sys.exit(f"{options}: {payload} of {file_bytes} bytes are codes")
    for name, bits in (("JSON", sum(p["bits"] for p in told["pieces"])),
                       ("page", sum(shown["pieceBits"]) / 100),
                       ("total", shown["bits"])):
        if abs(bits / 8 - payload) > 0.01 * payload:
            sys.exit(f"{options}: the bits of the {name} make {bits / 8} "
                     f"bytes; the payload has {payload}")
    if sum(shown["sizes"]) != text.stat().st_size:
        sys.exit(f"{options}: the pieces do not cover the text")
    return page, len(shown["texts"])


def open_page(browser, page, folder, width):
    """The document as it is drawn, and the seconds that it took: of the clock,
    or of the processor where others have it too."""
    copy = folder / "probed.html"
    text = page.read_text()
    end = text.rindex("</body>")
    copy.write_text(text[:end] + PROBE + text[end + len("</body>"):])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    drawn = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu",
         f"--window-size={width},800", f"--user-data-dir={folder / 'browser'}",
         "--dump-dom", copy.as_uri()],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, timeout=300).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = float(re.search(r'data-ms="([0-9.]+)"', drawn)[1]) / 1000
    processor = (after.ru_utime + after.ru_stime - before.ru_utime
                 - before.ru_stime)
    return drawn, min(clock, processor)


def main():
    llma, text, model = (pathlib.Path(name) for name in sys.argv[1:])
    browser = (shutil.which("chromium") or shutil.which("chromium-browser")
               or shutil.which("google-chrome"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        content = text.read_bytes()
        small, large = folder / "small.txt", folder / "large.txt"
        small.write_bytes(content[:3000])
        large.write_bytes((content * (100_000 // len(content) + 1))[:100_000])
        check_sums(llma, small, ["-6", "--model", model], folder)
        # A piece for each byte: more than any model would make.
        page, num_pieces = check_sums(llma, large, ["-1"], folder)
        if not browser:
            print("the sums are right; there is no Chromium to show the page")
            return
        taken = []
        for width in (1200, 500, 1200):
            drawn, seconds = open_page(browser, page, folder, width)
            if len(re.findall(r'<span data-i="\d', drawn)) != num_pieces:
                sys.exit("the page does not show every piece")
            if int(re.search(r'data-width="(\d+)"', drawn)[1]) > width:
                sys.exit(f"the page is wider than {width} pixels")
            taken.append(seconds)
        if min(taken) > MAX_SECONDS:
            sys.exit(f"100 KB take {min(taken):.2f} s to open")
    print(f"the sums are right; 100 KB open in {min(taken):.2f} s")


if __name__ == "__main__":
    main()
