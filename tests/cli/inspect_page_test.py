#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `llma inspect`: its sums, and what a browser makes of it.

    inspect_page_test.py LLMA TEXT MODEL

The browser is Chromium without a window; where there is none, only the sums
are tested.
"""

import html
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

MAX_SECONDS = 2
PHONE_WIDTH = 360
# Behind the page's own script: lays out, and notes the milliseconds since the
# browser turned to the page.
PROBE = """<script>
document.getElementById('text').lastElementChild.getBoundingClientRect();
document.documentElement.dataset.width = document.documentElement.scrollWidth;
document.documentElement.dataset.ms = performance.now();
</script></body>"""
# Shows pages on the screen of a phone, side by side, and notes what they are.
PHONES = """<!DOCTYPE html><body>%s<pre id="result"></pre><script>
function look(frame) {
  const doc = frame.contentDocument, view = frame.contentWindow;
  const all = query => [...doc.querySelectorAll(query)];
  const texts = query => all(query).map(e => e.textContent);
  const text = doc.getElementById('text');
  const fill = e => view.getComputedStyle(e).backgroundColor;
  const press = key => {
    text.dispatchEvent(new view.KeyboardEvent('keydown',
        {key: key, bubbles: true, cancelable: true}));
    const tip = doc.getElementById('tip');
    return tip.style.display === 'block' ? tip.textContent : '';
  };
  return {
    width: doc.documentElement.scrollWidth,
    text: text.textContent,
    blanks: all('#text [class^=b]').map(e => e.textContent)
        .filter(s => /^\\s{2,}$/.test(s)).length,
    foreign: all('#text :not(div, span, i)').length,
    counts: texts('#classes tbody td:nth-child(2)'),
    shares: texts('#classes tbody td.wide'),
    total: texts('#classes tfoot td').join(' '),
    keys: all('#classes tbody th span').map(fill),
    bars: all('#classes tbody td.wide span').map(fill),
    axes: texts('.plot .y span').concat(texts('.plot .x span')),
    course: all('#course svg')[0].getAttribute('aria-label'),
    passages: texts('#passages a'),
    totals: texts('#totals div'),
    first: press('ArrowRight'), last: press('End'), gone: press('Escape'),
    current: texts('.current'),
  };
}
onload = () => {
  const seen = [...document.querySelectorAll('iframe')].map(look);
  document.getElementById('result').textContent = JSON.stringify(seen);
};
</script></body>"""


def run(*command):
    return subprocess.run([str(word) for word in command], check=True,
                          stdout=subprocess.PIPE).stdout


def check_sums(llma, text, options, folder):
    """Returns the page's path and its number of pieces."""
    page = folder / "page.html"
    run(llma, "inspect", "-qf", "-o", page, *options, text)
    found = re.search(r'id="data">(.*?)</script>', page.read_text(), re.S)
    shown = json.loads(found[1])
    told = json.loads(run(llma, "inspect", "--json", *options, text))
    file_bytes = len(run(llma, "-z", "--stdout", *options, text))
    if not shown["fileBytes"] == told["file_bytes"] == file_bytes:
        sys.exit(f"{options}: a file of {file_bytes} bytes is said to have "
                 f"{shown['fileBytes']} and {told['file_bytes']}")
    payload = told["payload_bytes"]
    if not min(1, text.stat().st_size) <= payload < file_bytes:
        sys.exit(f"{options}: {payload} of {file_bytes} bytes are codes")
    for name, bits in (("JSON", sum(p["bits"] for p in told["pieces"])),
                       ("page", sum(shown["pieceBits"]) / 100),
                       ("total", shown["bits"])):
        if abs(bits / 8 - payload) > max(0.01 * payload, 2):
            sys.exit(f"{options}: the bits of the {name} make {bits / 8} "
                     f"bytes; the payload has {payload}")
    if sum(shown["sizes"]) != text.stat().st_size:
        sys.exit(f"{options}: the pieces do not cover the text")
    return page, len(shown["texts"])


def show(browser, page, folder, width=1200):
    """The document as it is drawn."""
    return subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu",
         "--allow-file-access-from-files",  # by a page in another one
         f"--window-size={width},800", f"--user-data-dir={folder / 'browser'}",
         "--dump-dom", page.as_uri()],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, timeout=300).stdout


def open_page(browser, page, folder, width):
    """The document as it is drawn, and the seconds that it took: of the clock,
    or of the processor where others have it too."""
    copy = folder / "probed.html"
    text = page.read_text()
    end = text.rindex("</body>")
    copy.write_text(text[:end] + PROBE + text[end + len("</body>"):])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    drawn = show(browser, copy, folder, width)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = float(re.search(r'data-ms="([0-9.]+)"', drawn)[1]) / 1000
    processor = (after.ru_utime + after.ru_stime - before.ru_utime
                 - before.ru_stime)
    return drawn, min(clock, processor)


def hard_texts(text):
    """Contents of all kinds, by name."""
    alice = text.read_bytes()
    assert b"\r\n" in alice
    return {
        "crlf": alice[2000:4000],
        "cr": b"one line\rand one\r\rand one" * 5,
        "tabs": b"".join(b"item%d\t%d\t\t\tx\n" % (i, i * i)
                         for i in range(30)),
        "blanks": (b"if (a) {\n" + b" " * 80 + b"return;\n\n\n\n" + b" " * 200
                   + b"\n}\n" + b"   \t  \t x\n" * 20),
        "html": b"<script>alert(1)</script> &amp; <img src=x> \"'</style>\n" * 9,
        "chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性。"
                   .encode() * 3,
        "rtl": "כל בני האדם נולדו בני חורין. abc\n\u202eturned\u202c\n"
               .encode() * 4,
        "binary": bytes(i * i % 251 for i in range(1000)),
        "zeros": bytes(300_000),  # one repetition
        "one": b"a",
        "empty": b"",
    }


def check_phone(name, content, page, seen):
    """What a page of `content` shows on a phone."""
    def fail(why):
        sys.exit(f"the page of {name}: {why}")

    if seen["width"] > PHONE_WIDTH:
        fail(f"it is {seen['width']} pixels wide")
    if not content:
        if seen["text"] or len(seen["totals"]) != 2:
            fail("it is not that of an empty file")
        return
    counts = [int(c.replace(",", "")) for c in seen["counts"]]
    if sum(counts) != len(page["texts"]):
        fail(f"the legend counts {sum(counts)} of {len(page['texts'])} tokens")
    shares = [float(re.search(r"([0-9.]+)\u202f%", s)[1])
              for s in seen["shares"]]
    if not 99 < sum(shares) < 101:
        fail(f"the shares of all bits make {sum(shares)} %")
    if f"{round(page['bits']):,} bits" not in seen["total"]:
        fail(f"{page['bits']} bits, and the legend says {seen['total']}")
    if seen["bars"] != seen["keys"] or len(set(seen["keys"])) != 8:
        fail("bars do not have the colours of their classes")
    if f"{len(content):,}" not in seen["axes"] or "0" not in seen["axes"]:
        fail(f"its axes say {seen['axes']}")
    if "on average" not in seen["course"]:
        fail("the bars over the file have no description")
    if seen["blanks"]:
        fail("a run of blanks is coloured")
    if seen["foreign"]:
        fail("the text became elements")
    if "bits" not in seen["first"] or "bits" not in seen["last"]:
        fail("the arrow keys do not lead to what is known of a token")
    if seen["gone"] or len(seen["current"]) != 1:
        fail("Escape does not leave one token chosen")
    if name not in ("binary", "zeros", "rtl"):
        lines = content.decode().replace("\r\n", "\n").replace("\r", "\n")
        if seen["text"] != lines:
            fail(f"it shows {seen['text']!r}")
    if name == "rtl" and ("\u202e" in seen["text"]
                          or "\\u202Eturned" not in seen["text"]):
        fail("a control character turns the text around")
    if name == "zeros" and max(map(len, seen["passages"])) > 500:
        fail("a passage is shown at any length")
    if name == "crlf":
        words = set(re.findall(r"[\w'-]+", content.decode()))
        for passage in seen["passages"]:
            cut = set(re.findall(r"[\w'-]+", passage)) - words
            if cut:
                fail(f"a passage ends within a word: {cut}")


def check_hard_texts(llma, text, model, browser, folder):
    pages, frames = {}, ""
    texts = hard_texts(text)
    for name, content in texts.items():
        path = folder / name
        path.write_bytes(content)
        page, _ = check_sums(llma, path, ["-6", "--model", model], folder)
        path = page.rename(folder / f"{name}.html")
        pages[name] = json.loads(
            re.search(r'id="data">(.*?)</script>', path.read_text(), re.S)[1])
        frames += (f'<iframe src="{path.name}" style="border: 0; '
                   f'width: {PHONE_WIDTH}px; height: 800px"></iframe>')
    if not browser:
        return
    phones = folder / "phones.html"
    phones.write_text(PHONES % frames)
    drawn = show(browser, phones, folder)
    found = re.search(r'<pre id="result">(.+?)</pre>', drawn, re.S)
    if not found:
        sys.exit("the pages could not be looked at")
    seen = json.loads(html.unescape(found[1]))
    for (name, content), one in zip(texts.items(), seen, strict=True):
        check_phone(name, content, pages[name], one)


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
        check_hard_texts(llma, text, model, browser, folder)
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
