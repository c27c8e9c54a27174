#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mixed with context models, no kind of text costs more than what the language
model alone would spend on the same tokens.

    mixing_test.py LLMA MODEL

Kinds: a novel, tables, logs, JSON, C and records of tests/regression/inputs.py;
documents, a manual page, Python and shell scripts of this repository; HTML, XML,
German and Chinese made here.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/regression"))
import inputs  # noqa: E402

MAX_BYTES = 1500
LEVELS = (6, 9)
SLACK_BITS = 12  # before the context models have learned anything; up to 9 seen

GERMAN = """Im Herbst werden die Tage kürzer, und wer morgens mit dem Rad zur Arbeit
fährt, braucht wieder Licht. Die meisten Lampen laden sich heute während der Fahrt
auf. Trotzdem lohnt es sich, vor dem ersten Nebel die Kabel zu prüfen: Ein lockerer
Stecker fällt im Sommer niemandem auf. Auch die Bremsen verdienen einen Blick. Nasses
Laub auf der Straße verlängert den Weg bis zum Stillstand, und abgefahrene Beläge
verlängern ihn noch einmal. Wer unsicher ist, fragt in der Werkstatt nach; dort dauert
die Durchsicht selten länger als eine halbe Stunde.
"""
CHINESE = """秋天到了，白天越来越短。早上骑车上班的人又需要开灯了。现在的车灯大多
可以在骑行时充电，不过在第一场大雾之前，最好还是检查一下电线。夏天的时候，松动的插头
没有人会注意到。刹车也值得看一看：路上的湿树叶会让停车的距离变长，磨损的刹车片会让它
更长。如果不放心，可以到修车店去问一问，检查一次很少超过半个小时。
"""


def pages(kind):
    generator = random.Random(7)
    lines = ["<html><body>" if kind == "html" else '<?xml version="1.0"?><parts>']
    for i in range(60):
        name = generator.choice(["bolt", "chain", "frame", "lamp", "pump"])
        price = f"{generator.randrange(90)}.{generator.randrange(100):02}"
        lines.append(
            f'<li class="part"><a href="/parts/{i}">{name} {i}</a> costs '
            f"<b>{price}</b></li>" if kind == "html" else
            f'  <part id="{i}"><name>{name}</name><price currency="EUR">{price}'
            "</price></part>")
    return "\n".join(lines).encode()


def kinds():
    texts = {name: content for name, content in inputs.all_inputs().items()
             if name not in ("noise", "zeros", "one_byte", "empty")}
    for path in ("README.md", "docs/man/llma.1", "bench/ratio.py", "test.sh"):
        texts[path] = (ROOT / path).read_bytes()
    return {**texts, "page.html": pages("html"), "parts.xml": pages("xml"),
            "german.txt": GERMAN.encode(), "chinese.txt": CHINESE.encode()}


def main():
    llma, model = sys.argv[1:]
    failed = passed = 0
    with tempfile.TemporaryDirectory() as name:
        path, out = pathlib.Path(name) / "text", pathlib.Path(name) / "costs"
        for kind, content in kinds().items():
            path.write_bytes(content[:MAX_BYTES])
            for level in LEVELS:
                subprocess.run(
                    [llma, "inspect", "-f", "--json", f"-{level}", "--model", model,
                     "-o", out, path], check=True)
                pieces = [p for p in json.loads(out.read_bytes())["pieces"]
                          if "model_bits" in p]
                mixed = sum(p["bits"] for p in pieces)
                alone = sum(p["model_bits"] for p in pieces)
                # Without pieces the language model was not used at all.
                is_good = mixed <= alone + SLACK_BITS
                share = f"{100 * (mixed / alone - 1):+.1f} %" if alone else ""
                print(f"-{level} {kind}: {alone / 8:.0f} bytes alone, "
                      f"{mixed / 8:.0f} mixed {share}{'' if is_good else ' MORE'}")
                passed += is_good
                failed += not is_good
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
