#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the default model's adapter on what collect_texts.py collected.

    train.py MODEL.gguf TEXTS.jsonl OUT [--tokens N] [--minutes N]

Every few minutes OUT gets an adapter, what is needed to go on (the same call does),
and OUT/log.txt a line with the bits a byte of what is held out, of each kind. It needs
PyTorch, transformers, tokenizers and gguf from PyPI.
"""

import argparse
import json
import pathlib
import sys
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
# llma.tune alone: the package's native part need not be built
package = types.ModuleType("llma")
package.__path__ = [str(ROOT / "python" / "llma")]
sys.modules.setdefault("llma", package)

import gguf  # noqa: E402
import numpy  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from llma.tune import tokens, trainer  # noqa: E402

MEASURED_BYTES = 1_200


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--rank", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-minutes", type=float, default=8)
    arguments = parser.parse_args()

    arguments.out.mkdir(exist_ok=True)
    log = open(arguments.out / "log.txt", "a", encoding="utf-8")

    def say(line):
        for file in (sys.stdout, log):
            print(line, file=file, flush=True)

    torch.set_num_threads(1)
    reader = gguf.GGUFReader(arguments.model)
    tokenizer = tokens.of_gguf(reader)
    (newline,) = tokenizer.encode("\n")
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    excluded = [i for i, kind in enumerate(kinds) if kind != 1]
    texts, held_out = [], {}
    for line in arguments.texts.read_text(encoding="utf-8").splitlines():
        text = json.loads(line)
        if text["held_out"]:
            held_out.setdefault(text["kind"], []).append(text["text"])
        else:
            texts.append(tokenizer.encode(text["text"]))
    say(f"{sum(map(len, texts))} tokens")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        str(arguments.model.parent), gguf_file=arguments.model.name,
        dtype=torch.float32)
    settings = trainer.Settings(
        rank=arguments.rank, learning_rate=arguments.learning_rate,
        max_tokens=arguments.tokens, max_seconds=60 * arguments.minutes)
    adapted = trainer.Adapted(model, settings, int(newline), excluded)
    run = trainer.Trainer(adapted, texts, settings, arguments.threads)

    def measure():
        out = {}
        for kind, parts in sorted(held_out.items()):
            text = "".join(part[: MEASURED_BYTES // 2] for part in parts)
            bits = trainer.measure(adapted, tokenizer.encode(text), 1024)
            out[kind] = bits / len(text.encode())
        return out

    checkpoint = arguments.out / "checkpoint"
    before_file = arguments.out / "before.json"
    if checkpoint.exists():
        run.resume(checkpoint)
        before = json.loads(before_file.read_text())
    else:
        before = measure()
        before_file.write_text(json.dumps(before))
    say(f"integers: {adapted.use_integers}; before: " + " ".join(
        f"{kind} {bits:.4f}" for kind, bits in before.items()))

    def report():
        run.save(checkpoint)
        after = measure()
        gains = {kind: 100 * (after[kind] / before[kind] - 1)
                 for kind in after}
        mean = sum(gains.values()) / len(gains)
        say(f"step {run.progress.step}, {run.progress.tokens} tokens: "
            f"{mean:+.2f} % " + " ".join(f"{kind} {gain:+.2f}"
                                         for kind, gain in gains.items()))

    last = time.monotonic()
    while run.step():
        if run.progress.step % 10 == 0:
            say(f"step {run.progress.step} {run.progress.tokens} tokens "
                f"{run.progress.bits:.4f} bits "
                f"{run.progress.tokens / run.progress.seconds:.0f}/s "
                f"{100 * run.progress.done(settings):.1f} %")
        if time.monotonic() - last > 60 * arguments.save_minutes:
            report()
            last = time.monotonic()
    report()


if __name__ == "__main__":
    main()
