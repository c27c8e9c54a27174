#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collects the texts that the default model's adapter is trained on.

    collect_texts.py CACHE OUT.jsonl

The packages that docs/adapter_texts.tsv lists are fetched into CACHE with apt-get
(of Debian bookworm; sources too), unless they are there, and compared with their
SHA-256. From each the files of SELECTION become texts; of every kind some are drawn,
with a fixed seed, until there are enough. OUT gets a line for each:
{"kind", "source", "held_out", "text"}. A few of each kind are held out.

    collect_texts.py --pin CACHE    writes the list anew from what is in CACHE
"""

import argparse
import fnmatch
import gettext
import gzip
import hashlib
import html.parser
import io
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "adapter_texts.tsv"
SEED = 20261129
PIECE_BYTES = 24_000
MIN_BYTES = 600
HELD_OUT_PIECES = 2

# Texts that compressors are measured with, or what comes near them.
FORBIDDEN = re.compile(
    r"shakespeare|lewis carroll|jabberwock|white rabbit|cheshire cat|"
    r"as you like it|paradise lost|milton|electronic text|plrabn|lcet10|enwik|"
    r"world factbook|data compression explained|\bpep[ -]?\d|loghub|highway|"
    r"zstd|zstandard|seaborn|iso[-_]codes|iso-?(639|3166)|shared-mime-info",
    re.IGNORECASE,
)

# Bytes of each kind in all.
KINDS = {
    "prose": 1_000_000,
    "essay": 450_000,
    "manual": 900_000,
    "changes": 300_000,
    "mail": 120_000,
    "de": 280_000,
    "fr": 160_000,
    "es": 160_000,
    "it": 110_000,
    "pt": 110_000,
    "nl": 80_000,
    "sv": 60_000,
    "pl": 90_000,
    "cs": 70_000,
    "hu": 45_000,
    "fi": 45_000,
    "ro": 40_000,
    "tr": 40_000,
    "vi": 40_000,
    "id": 30_000,
    "ru": 200_000,
    "uk": 70_000,
    "el": 60_000,
    "ja": 150_000,
    "zh": 200_000,
    "ko": 80_000,
    "fa": 60_000,
    "c": 220_000,
    "c++": 200_000,
    "python": 220_000,
    "rust": 110_000,
    "go": 100_000,
    "javascript": 110_000,
    "java": 90_000,
    "shell": 80_000,
    "html": 120_000,
    "markdown": 60_000,
    "json": 220_000,
    "xml": 120_000,
    "tables": 110_000,
    "logs": 200_000,
}

DOC = "usr/share/doc/"
WESNOTH = "wesnoth-1.16-httt", "wesnoth-1.16-l", "wesnoth-1.16-did", \
    "wesnoth-1.16-ei", "wesnoth-1.16-sota"
MO = "usr/share/games/wesnoth/1.16/locale/%s/LC_MESSAGES/*.mo"
HANDBOOK = DOC + "debian-handbook/html/%s/*.html"
HELP = "usr/share/help/%s/*.page"
MAN = "usr/share/man/%s/man*/*.gz"
SOURCE = "source:"

# Kind, package, pattern of paths, what the files are, and up to how many bytes
# of texts are taken from them.
SELECTION = [
    ("prose", "r-cran-janeaustenr", "*/data/Rdata.rdb", "rdb", 420_000),
    *(("prose", p, MO % "de", "mo-id", 90_000) for p in WESNOTH),
    ("prose", "fortunes", "usr/share/games/fortunes/*", "fortunes", 200_000),
    ("prose", "dict-devil", "*.dict.dz", "gz", 100_000),
    ("essay", "anarchism", DOC + "anarchism/html/*.html", "html", 200_000),
    ("essay", "jargon-text", "*/jargon.txt.gz", "gz", 130_000),
    ("essay", "debian-handbook", HANDBOOK % "en-US", "html", 120_000),
    ("manual", "manpages", "usr/share/man/man*/*.gz", "man", 90_000),
    ("manual", "manpages-dev", "usr/share/man/man*/*.gz", "man", 110_000),
    ("manual", "postgresql-doc-15", "*.html", "html", 100_000),
    ("manual", "linux-doc-6.1", "*.html", "html", 120_000),
    ("manual", "git-doc", "*.html", "html", 60_000),
    ("manual", "debian-reference-en", "*.html", "html", 50_000),
    ("manual", "developers-reference", "*/*.html", "html", 50_000),
    ("manual", "debian-policy", "*.html", "html", 40_000),
    ("manual", "python3.11-doc", "*/library/*.html", "html", 80_000),
    ("manual", "apache2-doc", "*.en.html", "html", 60_000),
    ("manual", "bind9-doc", "*.html", "html", 50_000),
    ("manual", "octave-doc", "*.html", "html", 50_000),
    ("manual", "sqlite3-doc", "*.html", "html", 80_000),
    ("manual", "gimp-help-en", "*.html", "html", 50_000),
    ("manual", "gnome-user-docs", HELP % "C", "xml-text", 60_000),
    ("changes", "git-doc", "*/RelNotes*", "text", 70_000),
    ("changes", "*", DOC + "*/changelog*.gz", "gz", 170_000),
    ("changes", "*", DOC + "*/NEWS*.gz", "gz", 90_000),
    ("mail", SOURCE + "notmuch", "*/test/corpora/*", "mail", 150_000),
    ("de", "manpages-de", MAN % "de", "man", 80_000),
    ("de", "debian-reference-de", "*.html", "html", 40_000),
    ("de", "debian-faq-de", "*.html", "html", 30_000),
    ("de", "debian-handbook", HANDBOOK % "de-DE", "html", 40_000),
    ("de", "libreoffice-help-de", "*/text/*.html", "html", 30_000),
    ("de", "gimp-help-de", "*.html", "html", 25_000),
    ("de", "fortunes-de", "usr/share/games/fortunes/*", "fortunes", 40_000),
    ("fr", "manpages-fr", MAN % "fr", "man", 60_000),
    ("fr", "debian-handbook", HANDBOOK % "fr-FR", "html", 60_000),
    ("fr", "gimp-help-fr", "*.html", "html", 20_000),
    ("es", "manpages-es", MAN % "es", "man", 50_000),
    ("es", "debian-handbook", HANDBOOK % "es-ES", "html", 60_000),
    ("es", "fortunes-es", "usr/share/games/fortunes/*", "fortunes", 30_000),
    ("it", "manpages-it", MAN % "it", "man", 30_000),
    ("it", "debian-handbook", HANDBOOK % "it-IT", "html", 40_000),
    ("it", "fortunes-it", "usr/share/games/fortunes/*", "fortunes", 20_000),
    ("pt", "manpages-pt-br", MAN % "pt_BR", "man", 40_000),
    ("pt", "debian-handbook", HANDBOOK % "pt-BR", "html", 40_000),
    ("nl", "manpages-nl", MAN % "nl", "man", 30_000),
    ("nl", "debian-handbook", HANDBOOK % "nl-NL", "html", 30_000),
    ("sv", "gimp-help-sv", "*.html", "html", 30_000),
    ("sv", "gnome-user-docs", HELP % "sv", "xml-text", 30_000),
    ("pl", "manpages-pl", MAN % "pl", "man", 30_000),
    ("pl", "debian-handbook", HANDBOOK % "pl-PL", "html", 30_000),
    ("cs", "manpages-cs", MAN % "cs", "man", 30_000),
    ("cs", "gnome-user-docs", HELP % "cs", "xml-text", 20_000),
    ("hu", "gnome-user-docs", HELP % "hu", "xml-text", 25_000),
    ("fi", "manpages-fi", MAN % "fi", "man", 30_000),
    ("ro", "manpages-ro", MAN % "ro", "man", 25_000),
    ("ro", "gnome-user-docs", HELP % "ro", "xml-text", 15_000),
    ("tr", "manpages-tr", MAN % "tr", "man", 40_000),
    ("vi", "manpages-vi", MAN % "vi", "man", 25_000),
    ("vi", "gnome-user-docs", HELP % "vi", "xml-text", 25_000),
    ("id", "debian-handbook", HANDBOOK % "id-ID", "html", 30_000),
    ("ru", "manpages-ru", MAN % "ru", "man", 60_000),
    ("ru", "debian-handbook", HANDBOOK % "ru-RU", "html", 50_000),
    ("ru", "gimp-help-ru", "*.html", "html", 30_000),
    ("uk", "manpages-uk", MAN % "uk", "man", 40_000),
    ("el", "gimp-help-el", "*.html", "html", 40_000),
    ("ja", "manpages-ja", MAN % "ja", "man", 50_000),
    ("ja", "debian-handbook", HANDBOOK % "ja-JP", "html", 50_000),
    ("zh", "debian-handbook", HANDBOOK % "zh-CN", "html", 50_000),
    ("zh", "debian-reference-zh-cn", "*.html", "html", 50_000),
    ("zh", "gimp-help-zh-cn", "*.html", "html", 40_000),
    ("zh", "gnome-user-docs", HELP % "zh_CN", "xml-text", 30_000),
    ("ko", "gimp-help-ko", "*.html", "html", 40_000),
    ("ko", "gnome-user-docs", HELP % "ko", "xml-text", 30_000),
    ("fa", "gimp-help-fa", "*.html", "html", 60_000),
    *((kind, p, MO % language, "mo", 60_000)
      for kind, language in (("de", "de"), ("fr", "fr"), ("es", "es"),
                             ("it", "it"), ("pt", "pt_BR"), ("nl", "nl"),
                             ("pl", "pl"), ("cs", "cs"), ("hu", "hu"),
                             ("fi", "fi"), ("tr", "tr"), ("ru", "ru"),
                             ("uk", "uk"), ("el", "el"), ("ja", "ja"),
                             ("zh", "zh_CN"), ("ko", "ko"), ("sv", "sv"))
      for p in WESNOTH),
    *(("c", SOURCE + p, "*.[ch]", "text", 70_000)
      for p in ("tmux", "nano", "lua5.4", "jq", "notmuch")),
    *(("c++", SOURCE + p, pattern, "text", 60_000)
      for p in ("fmtlib", "leveldb", "re2", "pugixml")
      for pattern in ("*.cc", "*.cpp", "*.h", "*.hpp")),
    *(("python", p, "*/dist-packages/*.py", "text", 60_000)
      for p in ("python3-django", "python3-flask", "python3-networkx",
                "python3-attr", "python3-rich", "python3-botocore")),
    *(("rust", p, "*.rs", "text", 40_000)
      for p in ("librust-regex-dev", "librust-clap-3-dev", "librust-serde-dev",
                "librust-tokio-dev", "librust-hashbrown-dev")),
    *(("go", p, "*.go", "text", 50_000)
      for p in ("golang-github-gin-gonic-gin-dev",
                "golang-github-spf13-cobra-dev",
                "golang-github-stretchr-testify-dev")),
    *(("javascript", p, "*.js", "text", 40_000)
      for p in ("node-express", "node-lodash", "node-react", "node-vue")),
    ("java", SOURCE + "libcommons-lang3-java", "*.java", "text", 90_000),
    ("shell", "debootstrap", "*", "script", 30_000),
    ("shell", "devscripts", "*", "script", 50_000),
    ("shell", "bash-completion", "*/completions/*", "text", 40_000),
    ("html", "sqlite3-doc", "*.html", "text", 40_000),
    ("html", "python3-django", "*.html", "text", 40_000),
    ("html", "apache2-doc", "*.en.html", "text", 30_000),
    ("html", "r-doc-html", "*.html", "text", 30_000),
    ("markdown", "*", "*.md", "text", 40_000),
    ("markdown", "*", "*.md.gz", "gz", 20_000),
    ("markdown", SOURCE + "leveldb", "*.md", "text", 20_000),
    ("markdown", SOURCE + "crowdsec", "*.md", "text", 20_000),
    ("json", "python3-botocore", "*.json", "text", 100_000),
    ("json", "node-mdn-browser-compat-data", "*.json", "text", 60_000),
    ("json", "*", "*/package.json", "text", 30_000),
    ("json", SOURCE + "crowdsec", "*.json", "text", 60_000),
    ("json", SOURCE + "lua5.4", "*.json", "text", 10_000),
    ("xml", "unicode-cldr-core", "*.xml", "text", 70_000),
    ("xml", "gnome-user-docs", HELP % "C", "text", 30_000),
    ("xml", SOURCE + "pugixml", "*.xml", "text", 20_000),
    ("xml", SOURCE + "libcommons-lang3-java", "*.xml", "text", 20_000),
    ("tables", "unicode-data", "*Data.txt", "text", 30_000),
    ("tables", "ieee-data", "*.csv", "text", 40_000),
    ("tables", "hwdata", "*.ids", "text", 10_000),
    ("tables", "*", "*.csv", "text", 40_000),
    ("logs", SOURCE + "crowdsec", "*/.tests/*.log", "text", 180_000),
    ("logs", SOURCE + "pgbadger", "*/fixtures/light*.bz2", "bz2", 20_000),
    ("logs", SOURCE + "pgbadger", "*/fixtures/cloudsql*.gz", "gz", 20_000),
]


# The least share of characters beyond ASCII: the rest was not translated.
MIN_FOREIGN = {
    "zh": 0.2, "ja": 0.2, "ko": 0.2, "fa": 0.25, "ru": 0.25, "uk": 0.25,
    "el": 0.25, "vi": 0.05, "cs": 0.03, "pl": 0.02, "hu": 0.03, "tr": 0.02,
    "ro": 0.015, "fi": 0.01, "sv": 0.01, "fr": 0.01, "pt": 0.01, "es": 0.008,
    "de": 0.005,
}


class TextOfHtml(html.parser.HTMLParser):
    """What a page says, with line ends where blocks end."""

    BLOCKS = {"p", "br", "li", "h1", "h2", "h3", "h4", "tr", "div", "pre",
              "dt", "dd", "title", "ul", "ol", "table", "section"}
    UNREAD = {"script", "style", "nav", "footer"}

    def __init__(self):
        super().__init__()
        self.parts = []
        self.unread = 0
        self.literal = 0

    def handle_starttag(self, tag, attributes):
        self.unread += tag in self.UNREAD
        self.literal += tag == "pre"
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        if tag in self.UNREAD:
            self.unread = max(0, self.unread - 1)
        if tag == "pre":
            self.literal = max(0, self.literal - 1)
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data):
        if not self.unread:
            self.parts.append(data if self.literal
                              else re.sub(r"\s+", " ", data))


def tidy(text):
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n ([^ ])", r"\n\1", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def from_html(data):
    parser = TextOfHtml()
    parser.feed(data.decode("utf-8", "ignore"))
    return tidy("".join(parser.parts))


def from_xml(data):
    text = re.sub(r"<(info|!--).*?(/info|--)>", "", data.decode("utf-8"),
                  flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "", text)
    text = "\n".join(line.strip() for line in text.split("\n"))
    return tidy(html.unescape(text))


def from_man(data):
    """Every third page as it is, of the others what is read on a terminal."""
    raw = gzip.decompress(data).decode("utf-8", "ignore")
    if zlib.crc32(data) % 3 == 0:
        return raw
    lines = []
    for line in raw.split("\n"):
        if line.startswith((".", "'")):
            name, _, rest = line[1:].strip().partition(" ")
            if name in ("SH", "SS", "TP", "PP", "P", "IP", "LP"):
                lines.append("")
            if name in ("SH", "SS", "B", "I", "BR", "IR", "RB", "RI", "BI",
                        "IB", "SM"):
                lines.append(rest.replace('"', ""))
            continue
        lines.append(line)
    text = "\n".join(lines)
    text = re.sub(r"\\f(\[[^]]*\]|\(..|.)", "", text)
    text = re.sub(r"\\\((aq|cq|oq)", "'", text)
    text = text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
    return tidy(re.sub(r"\\[(*]..|\\s[-+]?\d|\\[|^ :]", "", text))


def from_rdb(data):
    """The strings of a database of R's lazy loading."""
    texts = []
    while data:
        record = zlib.decompressobj()
        content = record.decompress(data[4:])
        data = record.unused_data
        lines, at = [], 0
        # CHARSXP in UTF-8, ASCII or native encoding, and its length
        pattern = re.compile(rb"\x00[\x00-\x0f][\x00-\x09\x40]\x09")
        while match := pattern.search(content, at):
            at = match.end() + 4
            size = struct.unpack(">i", content[match.end() : at])[0]
            if not 0 <= size < 500:
                at = match.end()
                continue
            lines.append(content[at : at + size].decode("utf-8", "ignore"))
            at += size
        texts.append("\n".join(lines))
    return texts


def messages(data, which):
    catalog = gettext.GNUTranslations(io.BytesIO(data))._catalog
    out = []
    for key, value in catalog.items():
        text = key if which == "id" else value
        if not isinstance(text, str) or not isinstance(value, str):
            continue
        text = text.split("^", 1)[-1]
        if len(value) > 60 and "Project-Id" not in value:
            out.append(text.strip())
    return "\n\n".join(out)


def convert(data, what):
    """The texts of a file: a list of strings."""
    if what == "gz":
        data, what = gzip.decompress(data), "text"
    if what == "bz2":
        import bz2
        data, what = bz2.decompress(data), "text"
    if what == "html":
        return [from_html(data)]
    if what == "xml-text":
        return [from_xml(data)]
    if what == "man":
        return [from_man(data)]
    if what == "rdb":
        return from_rdb(data)
    if what in ("mo", "mo-id"):
        return [messages(data, what[3:])]
    if what == "script" and not data.startswith(b"#!/bin/"):
        return []
    if what == "fortunes" and b"\n%\n" not in data:
        return []
    if what == "mail" and b"\nSubject:" not in data:
        return []
    if b"\0" in data[:4096]:
        return []
    text = data.decode("utf-8")
    if what == "fortunes":
        text = text.replace("\n%\n", "\n\n")
    return [text]


def pieces_of(text):
    """Whole lines, up to PIECE_BYTES each."""
    piece, size = [], 0
    for line in text.splitlines(keepends=True):
        piece.append(line)
        size += len(line.encode())
        if size >= PIECE_BYTES:
            yield "".join(piece)
            piece, size = [], 0
    if size >= MIN_BYTES:
        yield "".join(piece)


def clean(text):
    """Without the paragraphs that name what must not be in it."""
    if not FORBIDDEN.search(text):
        return text
    return "\n\n".join(part for part in text.split("\n\n")
                       if not FORBIDDEN.search(part))


def is_good(kind, piece):
    foreign = sum(char > "\x7f" for char in piece) / len(piece)
    return (max(map(len, piece.split("\n"))) < 20_000
            and "\ufffd" not in piece
            and foreign >= MIN_FOREIGN.get(kind, 0))


# --- Packages -----------------------------------------------------------------

def apt_options(folder):
    """Lets apt-get know the sources of bookworm, whatever the machine's list."""
    listed = folder / "sources.list"
    listed.write_text("deb-src http://deb.debian.org/debian bookworm main\n")
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    return ["-o", f"Dir::Etc::SourceList={listed}",
            "-o", "Dir::Etc::SourceParts=/dev/null",
            "-o", f"Dir::State::Lists={folder / 'lists'}",
            "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]


def read_list():
    rows = []
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            name, version, file, size, digest = line.split("\t")[:5]
            rows.append((name, version, file, int(size), digest))
    return rows


def fetch(cache):
    """Sees to it that CACHE has every file of the list."""
    missing = [row for row in read_list() if not (cache / row[2]).exists()]
    binary = sorted({f"{name}={version}" for name, version, *_ in missing
                     if not name.startswith(SOURCE)})
    source = sorted({f"{name[len(SOURCE):]}={version}"
                     for name, version, *_ in missing
                     if name.startswith(SOURCE)})
    if binary:
        subprocess.run(["apt-get", "download", "-q", *binary], cwd=cache,
                       check=True)
    if source:
        with tempfile.TemporaryDirectory() as folder:
            options = apt_options(pathlib.Path(folder))
            subprocess.run(["apt-get", *options, "update", "-q"], check=True)
            subprocess.run(["apt-get", *options, "source", "-q",
                            "--download-only", *source], cwd=cache, check=True)
    for name, version, file, size, digest in read_list():
        data = (cache / file).read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            sys.exit(f"{file} of {name} {version} is not the one that is listed")


def pin(cache):
    lines = ["# Packages of Debian bookworm that the texts for the default "
             "model's adapter come from.",
             "# name\tversion\tfile\tbytes\tSHA-256"]
    for path in sorted(cache.iterdir()):
        data = path.read_bytes()
        if path.suffix == ".deb":
            fields = subprocess.run(
                ["dpkg-deb", "-f", path, "Package", "Version"], check=True,
                capture_output=True, text=True).stdout.split("\n")
            name, version = (field.split(": ")[1] for field in fields[:2])
        elif ".orig" in path.name and path.name.endswith(("gz", "xz", "bz2")):
            name = SOURCE + path.name.split("_")[0]
            dsc = next(cache.glob(path.name.split("_")[0] + "_*.dsc"))
            version = re.search(r"^Version: (.*)$", dsc.read_text(),
                                re.MULTILINE).group(1)
        else:
            continue
        lines.append(f"{name}\t{version}\t{path.name}\t{len(data)}\t"
                     f"{hashlib.sha256(data).hexdigest()}")
    LIST.write_text("\n".join(lines) + "\n")


def unpack(cache, folder):
    """Folders of the packages' files, by the packages' names."""
    out = {}
    for name, _, file, _, _ in read_list():
        into = folder / name.replace(":", "_")
        into.mkdir(exist_ok=True)
        if file.endswith(".deb"):
            subprocess.run(["dpkg-deb", "-x", cache / file, into], check=True)
        else:
            subprocess.run(["tar", "-C", into, "-xf", cache / file], check=True)
        out[name] = into
    return out


def files_of(folders, package, pattern):
    """(name, file) of what fits, in a fixed order."""
    for name in sorted(folders):
        if package not in (name, "*"):
            continue
        root = folders[name]
        for path in sorted(root.rglob("*")):
            place = path.relative_to(root).as_posix()
            if (fnmatch.fnmatch(place, pattern) and "/off/" not in place
                    and not path.is_symlink() and path.is_file()
                    and path.stat().st_size < 8_000_000):
                yield f"{name}/{place}", path


def pieces_in(path, what):
    try:
        texts = convert(path.read_bytes(), what)
    except (UnicodeDecodeError, OSError, EOFError, zlib.error):
        return []
    return [piece for text in texts for piece in pieces_of(clean(text))]


def collect(folders, out):
    random_order = random.Random(SEED)
    by_kind = {kind: [] for kind in KINDS}
    seen = set()
    for kind, package, pattern, what, most in SELECTION:
        files = list(files_of(folders, package, pattern))
        random_order.shuffle(files)
        size = 0
        # not all of one file, where there are others
        of_each = max(2, 20 // max(1, len(files)))
        if what in ("rdb", "gz", "mo", "mo-id"):
            of_each = 1000
        for source, path in files:
            if size >= most:
                break
            found = pieces_in(path, what)
            random_order.shuffle(found)
            for piece in found[:of_each]:
                data = piece.encode()
                digest = hashlib.sha256(data[:400]).digest()
                if size >= most or digest in seen or not is_good(kind, piece):
                    continue
                # of many short texts more than of one long one
                data = data[: max(MIN_BYTES, most // 4)]
                seen.add(digest)
                size += len(data)
                by_kind[kind].append((source, data.decode("utf-8", "ignore")))
        print(f"{kind:12} {package:30} {what:9} {len(files):6} {size:8}",
              flush=True)
    lines = []
    for kind, found in by_kind.items():
        random_order.shuffle(found)
        size = 0
        for number, (source, text) in enumerate(found):
            if size >= KINDS[kind]:
                break
            size += len(text.encode())
            lines.append({"kind": kind, "source": source,
                          "held_out": number < HELD_OUT_PIECES, "text": text})
        print(f"{kind:12} {size:8} of {KINDS[kind]}")
    random_order.shuffle(lines)
    with open(out, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"{sum(len(line['text'].encode()) for line in lines)} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pin", action="store_true")
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, nargs="?")
    arguments = parser.parse_args()
    if arguments.pin:
        pin(arguments.cache)
        return
    if arguments.out is None:
        parser.error("OUT is missing")
    arguments.cache.mkdir(exist_ok=True)
    fetch(arguments.cache)
    with tempfile.TemporaryDirectory() as folder:
        collect(unpack(arguments.cache, pathlib.Path(folder)), arguments.out)


if __name__ == "__main__":
    main()
