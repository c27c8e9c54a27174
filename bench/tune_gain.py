#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `llma tune` gains on German technical documentation.

    pip install '.[tune]'
    tune_gain.py FOLDER [--adapter ADAPTER] [TUNE_OPTION...]

Fetches three packages of Debian bookworm into FOLDER with apt-get (none of them is
in docs/adapter_texts.tsv), and makes texts of them: two manuals to train on, less
some chapters of one, and a third manual by other people. Then runs `llma tune
--base default TUNE_OPTION...` on the former, unless ADAPTER is there already, and
prints the bytes of what was held out, and of the files that --also names, at -6,
with the default model and with the tuned one.
"""

import argparse
import gzip
import hashlib
import html.parser
import pathlib
import random
import re
import subprocess
import sys

PACKAGES = {
    "installation-guide-amd64=20230508+deb12u1":
        "812c43e1dc906daf671e3efe953dc023205c238e5bd5a3021ce4ca142793573a",
    "debian-edu-doc-de=2.12.23~deb12u1":
        "8bf494be7b24baf3b84cf080421357a01938e0f643971d6fb58834612882f2bc",
    "maint-guide-de=1.2.53":
        "821afc6b85ffe9cbc9b7acbcdd5876ccbb855c3876ee5524d21602fd41d979c1",
}
TRAINING_BYTES = 230_000  # of the first manual, at least
HELD_OUT_BYTES = 100_000  # of each, at most
MIN_CHAPTER_CHARACTERS = 1500


class PlainText(html.parser.HTMLParser):
    BLOCKS = set("p div li h1 h2 h3 h4 h5 h6 pre tr dt dd br table ul ol "
                 "blockquote section".split())
    LINES = {"li", "tr", "br", "dd"}  # others stand apart
    HIDDEN = {"script", "style", "head"}

    def __init__(self):
        super().__init__()
        self.parts, self.hidden, self.verbatim = [], 0, 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in self.HIDDEN
        self.verbatim += tag == "pre"
        if tag in self.BLOCKS:
            self.parts.append("\n" if tag in self.LINES else "\n\n")
        if tag == "li":
            self.parts.append("- ")

    def handle_endtag(self, tag):
        if tag in self.HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        if tag == "pre":
            self.verbatim = max(0, self.verbatim - 1)
        if tag in self.BLOCKS - {"li", "br"}:
            self.parts.append("\n")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data if self.verbatim
                              else re.sub(r"\s+", " ", data))


def text_of(path):
    parser = PlainText()
    parser.feed(path.read_text(encoding="utf-8", errors="replace"))
    text = "".join(parser.parts).replace("\xa0", " ")
    lines = (line.rstrip() if line.startswith("    ") else line.strip()
             for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def first_bytes(text, size):
    return text.encode()[:size].decode(errors="ignore")


def fetch(folder):
    for package, digest in PACKAGES.items():
        name, version = package.split("=")
        found = list(folder.glob(f"{name}_*.deb"))
        if not found:
            subprocess.run(["apt-get", "download", "-q", package], cwd=folder,
                           check=True, stdout=subprocess.DEVNULL)
            found = list(folder.glob(f"{name}_*.deb"))
        if hashlib.sha256(found[0].read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{found[0]} is not version {version}")
        subprocess.run(["dpkg-deb", "-x", found[0], folder / "files"], check=True)
    return folder / "files" / "usr/share/doc"


def make_texts(folder):
    """What to train on and what is held out: {name: text} twice."""
    doc = fetch(folder)
    pages = sorted((doc / "installation-guide-amd64/de").rglob("*.html"))
    chapters = [text for text in map(text_of, pages)
                if len(text) > MIN_CHAPTER_CHARACTERS]
    random.Random(0).shuffle(chapters)
    training, held_out, size = [], [], 0
    for chapter in chapters:
        (training if size < TRAINING_BYTES else held_out).append(chapter)
        if size < TRAINING_BYTES:
            size += len(chapter.encode())
    edu = text_of(doc / "debian-edu-doc-de/debian-edu-bookworm-manual.html")
    with gzip.open(doc / "maint-guide-de/maint-guide.de.txt.gz", "rt",
                   encoding="utf-8") as file:
        maint = file.read()
    maint = maint[maint.index("Kapitel 1", 2000):]  # after the contents
    return ({"installation-guide": "".join(training), "debian-edu": edu},
            {"other chapters": first_bytes("".join(held_out), HELD_OUT_BYTES),
             "another manual": first_bytes(maint, HELD_OUT_BYTES)})


def llma(*arguments, **how):
    return subprocess.run([sys.executable, "-m", "llma", *map(str, arguments)],
                          check=True, **how)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--adapter", type=pathlib.Path)
    parser.add_argument("--also", type=pathlib.Path, nargs="*", default=[],
                        metavar="FILE")
    arguments, tune_options = parser.parse_known_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    training, held_out = make_texts(folder)
    files = []
    for name, text in training.items():
        files.append(folder / f"train-{name}.txt")
        files[-1].write_text(text, encoding="utf-8")
    contents = {name: text.encode() for name, text in held_out.items()}
    contents |= {path.name: path.read_bytes() for path in arguments.also}

    adapter = arguments.adapter or folder / "adapter"
    if not adapter.exists():
        subprocess.run([sys.executable, "-m", "llma.tune", "--base", "default",
                        "--out", adapter, *tune_options, *files], check=True)
    from llma.tune import base
    tuned = folder / "tuned.llmm"
    llma("model", "import", "-q", "-f", "-o", tuned, base.find("default").path,
         "--adapter", adapter)
    print("| text | bytes | default model | tuned | |\n"
          "| --- | ---: | ---: | ---: | ---: |")
    for name, content in contents.items():
        before, after = (
            len(llma("-6", "-c", "--model", model, input=content,
                     stdout=subprocess.PIPE).stdout)
            for model in ("smollm2-135m-text", tuned))
        gain = f"{100 * (after / before - 1):+.1f} %".replace("-", "−")
        print(f"| {name} | {len(content):,} | {before:,} | {after:,} | {gain} |")


if __name__ == "__main__":
    main()
