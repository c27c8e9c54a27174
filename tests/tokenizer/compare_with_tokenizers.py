#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares llma's tokenizer with Hugging Face's, built from the same GGUF file,
on mixed text made by a seeded generator. Exits with 77 (skipped) if a package
or the model is missing.

    compare_with_tokenizers.py IMPORT_MODEL DUMP_TOKENS MODEL.gguf [TEXT...]

MODEL.gguf may be '-' for the file that $LLMA_MODEL_GGUF names. Texts are
compared too, if they are UTF-8.
"""
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

NUM_CHARACTERS = 250_000
SKIPPED = 77

SENTENCES = """\
The ferry leaves at noon, if the weather allows; it's the last one today.
"You'll see," she said, "they've never been on time, and we're no better."
I'd rather not—but don't let that stop you... He'll come, won't he?
DON'T SHOUT: IT'S 3 O'CLOCK! 'Tis nothing, 'twas nothing.
Überall lagen Äpfel, größere und kleinere; der Müller zählte nur die süßen.
L'été dernier, à Besançon, nous n'avons mangé que des crêpes, hélas.
El niño preguntó: ¿cuándo volverá mi tío de Logroño? ¡Mañana!
Zażółć gęślą jaźń, a potem idź spać.
Поезд пришёл вовремя, но никто из него не вышел.
Το πλοίο έφυγε πριν από μία ώρα.
הרכבת יצאה בזמן אבל איש לא עלה עליה.
غادر القطار في موعده ولم يصعد إليه أحد.
昨天下午，我们在河边的小店里喝了两杯茶，然后慢慢走回家。
他说：“这本书有三百二十页，价格是４５元。”
きのうは雨だったので、カメラを持って出かけなかった。
기차는 제시간에 떠났지만 아무도 타지 않았다.
สวัสดีตอนเช้า วันนี้อากาศดีมาก
बारिश के बाद सड़क पर कोई नहीं था।
Party 🎉🎉 tonight 👩‍👩‍👧‍👦 bring 🍕 and 🇳🇴 flags 👍🏽!!!
e\u0301 is not \u00e9; a\u030a is not \u00e5; x\u0302\u0303\u0304 stacks.
½ cup, ⅔ full, x² + y³ = z⁴, Ⅷ volumes, ①②③, ٤٥٦, १२३
Prices: $1,299.99, €45, £7.50, ¥1200; 12345678901234567890 items.
if (a[i] != b[j] && !(c ^ d)) { return a->next; } // TODO(#123): fix
def f(x, *args, **kw): return {k: v for k, v in zip(args, kw) if v >= x}
SELECT name, COUNT(*) FROM t WHERE id <> 0x1F GROUP BY name; -- done
<div class="x-1" id='main'>&nbsp;<a href="https://example.org/?q=1&r=%20">
{"id": 1045, "ok": true, "tags": ["a", "b"], "price": -1.5e-07, "n": null}
2024-02-29T23:59:60Z host-7 kernel: [12.345678] eth0: link up, 1000Mbps
|  a |  b |\tc\t\t|  d  |
#define MAX(a,b) ((a)>(b)?(a):(b))
\u3000全角\u3000スペース\u00a0nbsp\u2003em\u2009thin\u200bzero\u2028line\u2029par
'''''' ''' 's 't 'S '\u017f
""".split("\n")[:-1]

SPACES = [" ", " ", "  ", "   ", "\n", "\n\n", "\n    ", "\t", " \n", "\r\n",
          " " * 17, "\n\n\n\n", "\u00a0", "\u3000", " \t \n  ", ""]


def generate_text(seed):
    """Sentences, cut, repeated, mixed with numbers and random characters."""
    rng = random.Random(seed)
    out, size = [], 0
    alphabets = [(0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF),
                 (0x400, 0x4FF), (0x5D0, 0x5EA), (0x600, 0x6FF),
                 (0x900, 0x97F), (0x2000, 0x206F), (0x2190, 0x2BFF),
                 (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
                 (0xFF00, 0xFFEF), (0x1F300, 0x1F6FF), (0x1D400, 0x1D7FF)]
    while size < NUM_CHARACTERS:
        kind = rng.randrange(10)
        if kind < 6:
            part = rng.choice(SENTENCES)
        elif kind == 6:
            sentence = rng.choice(SENTENCES)
            part = sentence[rng.randrange(len(sentence)):]
        elif kind == 7:
            part = str(rng.randrange(10 ** rng.randrange(1, 20)))
        elif kind == 8:
            low, high = rng.choice(alphabets)
            part = "".join(chr(rng.randint(low, high))
                           for _ in range(rng.randrange(1, 30)))
        else:
            part = rng.choice("ab \n=-_*.é中🙂") * rng.randrange(1, 120)
        part += rng.choice(SPACES)
        out.append(part)
        size += len(part)
    return "".join(out)


def missing(what):
    print("skipped:", what)
    sys.exit(SKIPPED)


def make_reference(gguf_path):
    """Hugging Face's tokenizer with the vocabulary of a GGUF file."""
    try:
        from gguf import GGUFReader
        from tokenizers import Tokenizer, models, pre_tokenizers
    except ImportError as error:
        missing(f"{error.name} is not installed")
    reader = GGUFReader(gguf_path)

    def value(key):
        return reader.fields["tokenizer.ggml." + key].contents()

    if value("pre") != "smollm":
        missing("this test knows the pre-tokenizer smollm only")
    vocabulary = {token: i for i, token in enumerate(value("tokens"))}
    merges = [tuple(merge.split(" ", 1)) for merge in value("merges")]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    return tokenizer


def compare(name, reference, dump_tokens, llmm, text):
    # A token is written with a character a byte.
    expected = [len(token) for token in reference.encode(text).tokens]
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        output = subprocess.run([dump_tokens, llmm, file.name], check=True,
                                stdout=subprocess.PIPE).stdout
    actual = list(map(int, output.split()))
    data, pos = text.encode(), 0
    for i, (a, b) in enumerate(zip(expected, actual)):
        if a != b:
            around = data[max(0, pos - 20):pos + 20]
            sys.exit(f"{name}: token {i} at byte {pos} is {b} bytes long, "
                     f"should be {a}: {around}")
        pos += a
    if len(expected) != len(actual) or pos != len(data):
        sys.exit(f"{name}: {len(actual)} tokens instead of {len(expected)}")
    print(f"{name}: {len(data)} bytes, {len(actual)} tokens agree")


def main():
    import_model, dump_tokens, gguf, *texts = sys.argv[1:]
    if gguf == "-":
        gguf = os.environ.get("LLMA_MODEL_GGUF", "")
        if not os.path.exists(gguf):
            missing("LLMA_MODEL_GGUF names no file")
    reference = make_reference(gguf)
    with tempfile.TemporaryDirectory() as folder:
        llmm = folder + "/model.llmm"
        subprocess.run([import_model, gguf, llmm], check=True)
        for seed in range(2):
            compare(f"seed {seed}", reference, dump_tokens, llmm,
                    generate_text(seed))
        for path in texts:
            compare(path, reference, dump_tokens, llmm,
                    Path(path).read_bytes().decode())


if __name__ == "__main__":
    main()
