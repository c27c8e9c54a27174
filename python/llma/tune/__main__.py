# SPDX-License-Identifier: Apache-2.0
# Where PyTorch is not installed, its names have no types.
# mypy: disable-error-code="import-not-found, unused-ignore"
"""llma tune: an adapter for a kind of text.

    python -m llma.tune --base MODEL.gguf --out ADAPTER TEXT...

The model is then made with `llma model import MODEL.gguf --adapter ADAPTER`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, NoReturn

import llma

from . import adapter_files, base, texts

if TYPE_CHECKING:
    from . import trainer

_NEEDED = {"torch": "torch", "transformers": "transformers",
           "accelerate": "accelerate", "numpy": "numpy",
           "tokenizers": "tokenizers", "gguf": "gguf"}
_CHECKPOINT = "training.pt"
_MEASURED_SHARE = 10  # times that held-out text is measured
_MAX_PASSES_WITHOUT_GAIN = 2
# There is little text: more steps get more out of it than larger ones.
_BATCH_CHUNKS = 2


def _fail(what: str, hint: str = "") -> NoReturn:
    print(f"llma tune: {what}" + (f"\n  {hint}" if hint else ""),
          file=sys.stderr)
    sys.exit(1)


def _parse(arguments: list[str]) -> argparse.Namespace:
    def positive(text: str) -> float:
        value = float(text)
        if not value > 0:
            raise ValueError
        return value

    def count(text: str) -> int:
        value = int(text)
        if value <= 0:
            raise ValueError
        return value

    parser = argparse.ArgumentParser(
        prog="llma tune", allow_abbrev=False,
        description="Make an adapter: what a model lacks for texts of one kind. "
        "'llma model import BASE --adapter ADAPTER' then makes the model.")
    parser.add_argument("--base", required=True, metavar="MODEL",
                        help="GGUF file, Hugging Face folder, name of a model, "
                        "or hf:OWNER/NAME in the cache of the hub's programs")
    parser.add_argument("--out", required=True, type=pathlib.Path,
                        metavar="ADAPTER",
                        help="folder to make, in the format of PEFT; where an "
                        "interrupted run left one, it goes on")
    parser.add_argument("texts", nargs="+", type=pathlib.Path, metavar="TEXT",
                        help="files in UTF-8; the last tenth of each is used "
                        "to measure only")
    parser.add_argument("-f", "--force", action="store_true",
                        help="replace an adapter that is there")
    parser.add_argument("--rank", type=count, default=16,
                        help="of the matrices that are trained (%(default)s)")
    parser.add_argument("--passes", type=positive, default=4.0,
                        help="over the texts (%(default)g)")
    parser.add_argument("--minutes", type=positive, default=math.inf,
                        help="end after this time")
    parser.add_argument("--learning-rate", type=positive, default=1e-3,
                        metavar="RATE", help="(%(default)g)")
    parser.add_argument("--seed", type=int, default=0,
                        help="of what is random (%(default)s)")
    parser.add_argument("-T", "--threads", type=count, default=None,
                        metavar="N", help="processors to use")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"),
                        default="auto", help="where to compute (%(default)s)")
    parser.add_argument("-q", "--quiet", action="store_true",
                        help="no progress")
    return parser.parse_args(arguments)


def _check_packages() -> None:
    missing = [package for module, package in _NEEDED.items()
               if importlib.util.find_spec(module) is None]
    if missing:
        _fail("this Python lacks " + ", ".join(missing),
              "pip install 'llma[tune]' installs what tuning needs; "
              f"this is {sys.executable}")


def _available_bytes() -> float:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024.0
    except OSError:
        pass
    return math.inf


def _num_threads(asked: int | None, config: object, chunk_tokens: int) -> int:
    """As many chunks at once as half of the memory that is left allows."""
    def field(name: str) -> int:
        return int(getattr(config, name))

    of_layer = 20 * field("hidden_size") + 12 * field("intermediate_size")
    chunk_bytes = 4.0 * chunk_tokens * of_layer * field("num_hidden_layers")
    fitting = int(min(1024, _available_bytes() / 2 / chunk_bytes))
    return max(1, min(asked or len(os.sched_getaffinity(0)), fitting))


class _Report:
    """Lines of progress; on a terminal one that is written over."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._last = 0.0
        self._open = False

    def say(self, line: str) -> None:
        if not self._quiet:
            start = "\r\x1b[K" if self._open else ""
            print(start + line, file=sys.stderr, flush=True)
            self._open = False

    def progress(self, done: float, seconds: float, bits: float) -> None:
        now = time.monotonic()
        if self._quiet or now - self._last < (0.5 if self._terminal else 60):
            return
        self._last = now
        left = seconds * (1 - done) / max(done, 1e-6)
        line = (f"{100 * done:3.0f} %, {int(left) // 60}:{int(left) % 60:02d} "
                f"left, {bits:.3f} bits a token")
        if self._terminal:
            print("\r\x1b[K" + line, end="", file=sys.stderr, flush=True)
            self._open = True
        else:
            print(line, file=sys.stderr, flush=True)


def _compressed_bits(model_source: pathlib.Path, adapter: pathlib.Path | None,
                     text: str, folder: pathlib.Path) -> float:
    """Bits a byte of `text` as a file of llma, with the model imported."""
    path = folder / "model.llmm"
    command = [sys.executable, "-m", "llma", "model", "import", "-q", "-f",
               "-o", str(path), str(model_source)]
    if adapter is not None:
        command += ["--adapter", str(adapter)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode == 1:
        _fail("the model could not be imported", done.stderr.strip())
    data = text.encode()
    packed = llma.compress(data, model=llma.Model(str(path)))
    path.unlink()
    return 8.0 * len(packed) / len(data)


def _tensors(adapted: trainer.Adapted) -> dict[str, adapter_files.Tensor]:
    return {name: adapter_files.Tensor(
                "F32", tuple(values.shape),
                values.float().cpu().contiguous().numpy().tobytes())
            for name, values in adapted.state().items()}


def _check_space(folder: pathlib.Path) -> None:
    for place, needed, what in ((folder, 200 << 20, "the adapter"),
                                (pathlib.Path(tempfile.gettempdir()), 1 << 30,
                                 "the models that are compared")):
        free = shutil.disk_usage(place).free
        if free < needed:
            _fail(f"{place} has {free >> 20} MiB free; {what} may need "
                  f"{needed >> 20} MiB",
                  "TMPDIR names another folder for what is temporary"
                  if what != "the adapter" else "")


def _fingerprint(texts_used: texts.Texts, source: base.Source) -> str:
    digest = hashlib.sha256(str(source.path.resolve()).encode())
    if source.adapter is not None:
        digest.update(hashlib.sha256(
            (source.adapter / adapter_files.WEIGHTS_FILE).read_bytes()).digest())
    for text in (*texts_used.training, texts_used.held_out):
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def _train(options: argparse.Namespace, source: base.Source,
           found: texts.Texts, report: _Report) -> None:
    # transformers shows progress bars whatever it is told; tqdm heeds this if it
    # is there when it is imported, which PyTorch does
    os.environ.setdefault("TQDM_DISABLE", "1")
    import torch

    from . import trainer

    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    loaded = base.load(source.path)
    training = [loaded.tokenizer.encode(text) for text in found.training]
    held_out = loaded.tokenizer.encode(found.held_out)
    num_tokens = sum(map(len, training))
    settings = trainer.Settings(
        rank=options.rank, learning_rate=options.learning_rate,
        batch_chunks=_BATCH_CHUNKS, seed=options.seed, max_tokens=max(1, int(options.passes * num_tokens)),
        max_seconds=60 * options.minutes)
    threads = 1
    if device == "cpu":
        threads = _num_threads(options.threads, loaded.model.config,
                               settings.chunk_tokens)
        torch.set_num_threads(1)
    architecture = type(loaded.model).__name__
    first = adapter_files.read(source.adapter) if source.adapter else None
    adapted = trainer.Adapted(loaded.model, settings, loaded.start_token,
                              loaded.excluded, device, first)
    run = trainer.Trainer(adapted, training, settings, threads)

    def measure() -> float:
        bits: float = trainer.measure(adapted, held_out,
                                      2 * settings.chunk_tokens)
        return bits / len(found.held_out.encode())

    def save_adapter() -> None:
        tensors = _tensors(adapted)
        adapter_files.write(options.out, tensors, adapter_files.config(
            tensors, scale=adapted.scale, base=options.base,
            architecture=architecture))

    checkpoint = options.out / _CHECKPOINT
    notes = options.out / (_CHECKPOINT + ".json")
    identity = _fingerprint(found, source)
    if checkpoint.exists() and notes.exists():
        saved = json.loads(notes.read_text())
        if saved["texts"] != identity:
            _fail(f"{options.out} has the training of other texts or another "
                  "model", "-f begins anew")
        try:
            run.resume(checkpoint)
        except ValueError as error:
            _fail(f"{checkpoint} {error}", "-f begins anew")
        report.say(f"Going on at {100 * run.progress.done(settings):.0f} %")
    else:
        saved = {"texts": identity, "best": measure(), "best_step": 0}
    report.say(f"Training on {num_tokens:,} tokens, {options.passes:g} times, on "
               + (device if device != "cpu" else
                  f"{threads} thread" + "s" * (threads > 1))
               + f"; held out: {len(held_out):,}")
    steps = max(1, math.ceil(settings.max_tokens / settings.chunk_tokens
                             / settings.batch_chunks))
    interval = max(1, steps // _MEASURED_SHARE)
    last_saved = time.monotonic()
    worse = 0

    def checkpoint_now() -> None:
        run.save(checkpoint)
        notes.write_text(json.dumps(saved))

    while run.step():
        progress = run.progress
        report.progress(progress.done(settings), progress.seconds, progress.bits)
        is_last = progress.done(settings) >= 1
        if progress.step % interval == 0 or is_last:
            bits = measure()
            report.say(f"{100 * progress.done(settings):3.0f} %: held-out text "
                       f"{bits:.4f} bits a byte")
            if bits < saved["best"]:
                saved["best"], saved["best_step"], worse = bits, progress.step, 0
                save_adapter()
            else:
                worse += 1
            if worse >= _MAX_PASSES_WITHOUT_GAIN and not is_last:
                report.say("It does not get better; training ends early")
                break
            checkpoint_now()
            last_saved = time.monotonic()
        elif time.monotonic() - last_saved > 300:
            checkpoint_now()
            last_saved = time.monotonic()
    if saved["best_step"] == 0:
        _fail("training did not make the model better for the held-out text",
              "more text of one kind may help, or a lower --learning-rate")


def main(arguments: list[str]) -> None:
    options = _parse(arguments)
    report = _Report(options.quiet)
    weights = options.out / adapter_files.WEIGHTS_FILE
    checkpoint = options.out / _CHECKPOINT
    if options.out.exists() and not options.out.is_dir():
        _fail(f"{options.out} is there and is no folder")
    if weights.exists() and not checkpoint.exists() and not options.force:
        _fail(f"{options.out} has an adapter already", "-f replaces it")
    try:
        found = texts.read(options.texts)
        _check_packages()
        source = base.find(options.base)
        options.out.mkdir(parents=True, exist_ok=True)
        _check_space(options.out)
        if options.force:
            checkpoint.unlink(missing_ok=True)
        if found.used_bytes < found.bytes:
            report.say(f"The texts are long: {found.used_bytes >> 20} of "
                       f"{found.bytes >> 20} MiB are used, the start of each")
        _train(options, source, found, report)
        with tempfile.TemporaryDirectory() as folder:
            before, after = (
                _compressed_bits(source.path, adapter, found.held_out,
                                 pathlib.Path(folder))
                for adapter in (source.adapter, options.out))
    except (texts.TextError, base.BaseError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or options.out}: {error.strerror or error}")
    except KeyboardInterrupt:
        _fail("interrupted", f"the same call goes on where {options.out} "
              "was saved last")
    checkpoint.unlink(missing_ok=True)
    (options.out / (_CHECKPOINT + ".json")).unlink(missing_ok=True)
    report.say(f"Held-out text as a file of llma: {before:.4f} bits a byte "
               f"before, {after:.4f} after ({100 * (after / before - 1):+.1f} %)")
    report.say(f"llma model import {source.path} --adapter {options.out} "
               "--name NAME")


if __name__ == "__main__":
    main(sys.argv[1:])
