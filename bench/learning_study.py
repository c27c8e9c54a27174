#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a language model gains that learns from what it has read, in floats.

    pip install '.[tune]'
    cmake --build --preset release --target logits_study
    learning_study.py --model MODEL.llmm [OPTION...] TEXT...

A low-rank update of each matrix, and the norms, take a step of AdamW or of SGD
after each STEP tokens. Keys and values are those that were computed when the
model read them, as a decoder would keep them: the first four and the last
CONTEXT. Prints a Markdown row for each text: its tokens, and the bytes that
`logits_study` says for the language model alone, with the light and with the
full context models. --rate 0 is the model as it is, in the same context.
"""

import argparse
import contextlib
import math
import pathlib
import subprocess
import tempfile
import time

import gguf
import torch
import transformers

from llma.tune import adapter_files, base, trainer

ROOT = pathlib.Path(__file__).resolve().parent.parent
SINKS = 4


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    parser.add_argument("--model", required=True, help="default, imported")
    parser.add_argument("--study", default=ROOT / "build/release/bench/logits_study")
    parser.add_argument("--what", default="all",
                        help="all, norms, or N: of the last N layers")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--optimizer", default="adam",
                        choices=("adam", "momentum", "sgd"))
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--step", type=int, default=256)
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--decay", type=float, default=0.0,
                        help="towards the start, of AdamW")
    parser.add_argument("--max-bytes", type=int, default=60_000)
    return parser.parse_args()


def spellings_of_gguf(path):
    """[token]: in hex; of a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    byte_of = {chr(byte): byte for byte in plain}
    byte_of |= {chr(256 + i): byte for i, byte in enumerate(others)}
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    kinds = fields["tokenizer.ggml.token_type"].contents()
    return [bytes(byte_of[c] for c in token).hex() if kind == 1 else ""
            for token, kind in zip(tokens, kinds, strict=True)]


class RoundedProduct(torch.autograd.Function):
    """With a matrix as import stores it; as `llma tune` trains."""

    @staticmethod
    def forward(ctx, x, matrix):
        ctx.matrix, ctx.shape = matrix, x.shape
        return matrix.forward(x).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.reshape(-1, gradient.shape[-1])
        return ctx.matrix.backward(gradient).view(ctx.shape), None


class Linear(torch.nn.Module):
    """A frozen matrix, and an update that learns."""

    def __init__(self, layer, rank):
        super().__init__()
        self.matrix = layer.merged
        rows, columns = layer.weight.shape
        self.first = (torch.randn(rank, columns,
                                  generator=torch.Generator().manual_seed(1))
                      / math.sqrt(columns))
        self.a = torch.nn.Parameter(self.first.clone())
        self.b = torch.nn.Parameter(torch.zeros(rows, rank))

    def forward(self, x):
        product = torch.nn.functional.linear
        return (RoundedProduct.apply(x, self.matrix)
                + 2 * product(product(x, self.a), self.b))


class Learner:
    def __init__(self, arguments):
        self.arguments = arguments
        source = base.find("default")
        loaded = base.load(source.path)
        adapted = trainer.Adapted(loaded.model, trainer.Settings(rank=1),
                                  loaded.start_token, loaded.excluded,
                                  first=adapter_files.read(source.adapter))
        self.model = adapted.model.requires_grad_(False)
        self.start_token = loaded.start_token
        self.excluded = torch.tensor(loaded.excluded)
        self.head = adapted.head.weight
        self.linears = {}
        for name, layer in adapted.linears.items():
            parent, _, last = name.rpartition(".")
            self.linears[name] = Linear(layer, arguments.rank)
            setattr(self.model.get_submodule(parent), last, self.linears[name])
        self.norms = adapted.norms
        self.first_norms = {name: values.detach().clone()
                            for name, values in self.norms.items()}
        # [row of the imported model]: the token's number in the source
        ids = {spelling: i for i, spelling
               in reversed(list(enumerate(spellings_of_gguf(source.path))))}
        self.row_ids = torch.tensor([ids[spelling] for spelling in self._study()])

    def _command(self, *more):
        return [self.arguments.study, self.arguments.model, *more]

    def _study(self, *more):
        return subprocess.run(self._command(*more), check=True,
                              capture_output=True, text=True).stdout.split()

    @contextlib.contextmanager
    def _reader_of_logits(self, path):
        with subprocess.Popen(self._command(path, "/dev/stdin"),
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            yield process

    def _learns(self, name):
        what = self.arguments.what
        if what in ("all", "norms"):
            return True
        if "layers." not in name:
            return True  # the norm after the last layer
        layer = int(name.split("layers.")[1].split(".")[0])
        return layer >= self.model.config.num_hidden_layers - int(what)

    @torch.no_grad()
    def restart(self):
        for layer in self.linears.values():
            layer.a.copy_(layer.first)
            layer.b.zero_()
        for name, values in self.norms.items():
            values.copy_(self.first_norms[name])
        low_rank = [] if self.arguments.what == "norms" else [
            parameter for name, layer in self.linears.items()
            if self._learns(name) for parameter in (layer.a, layer.b)]
        norms = [values for name, values in self.norms.items()
                 if self._learns(name)]
        self.parameters = low_rank + norms
        self.model.requires_grad_(False)
        rate = self.arguments.rate
        if rate == 0:
            return
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        groups = [{"params": low_rank, "rate": rate},
                  {"params": norms, "rate": 0.3 * rate}]
        if self.arguments.optimizer == "adam":
            self.optimizer = torch.optim.AdamW(
                groups, betas=(0.9, 0.98), weight_decay=self.arguments.decay)
        else:
            self.optimizer = torch.optim.SGD(
                groups, momentum=0.9 * (self.arguments.optimizer == "momentum"))

    @torch.no_grad()
    def _forget(self, layer):
        """Keeps the first four and the last positions; the first ones stay at
        their distance from those that are read, so their keys turn."""
        layer.keys, layer.values = layer.keys.detach(), layer.values.detach()
        excess = layer.keys.shape[2] - SINKS - self.arguments.context
        if excess <= 0:
            return
        angles = excess * self.model.get_decoder().rotary_emb.inv_freq.repeat(2)
        sinks = layer.keys[:, :, :SINKS]
        first, second = sinks.chunk(2, dim=-1)
        sinks = (sinks * angles.cos()
                 + torch.cat((-second, first), -1) * angles.sin())
        last = slice(SINKS + excess, None)
        layer.keys = torch.cat((sinks, layer.keys[:, :, last]), 2)
        layer.values = torch.cat((layer.values[:, :, :SINKS],
                                  layer.values[:, :, last]), 2)

    def _head(self, hidden, targets, logits_file):
        """The gradient by `hidden` of the mean of the tokens' costs."""
        gradient = torch.empty_like(hidden)
        for at in range(0, len(hidden), 128):
            part = slice(at, at + 128)
            logits = hidden[part] @ self.head.t()
            logits_file.write(
                logits[:, self.row_ids].contiguous().numpy().tobytes())
            logits.index_fill_(1, self.excluded, -1e9)
            weights = torch.softmax(logits, 1)
            weights[torch.arange(len(weights)), targets[part]] -= 1
            gradient[part] = weights @ self.head
        return gradient / len(hidden)

    def _learn(self, hidden, gradient, num_steps):
        for parameter in self.parameters:
            parameter.grad = None
        hidden.backward(gradient)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * min(1, num_steps / 4)
        self.optimizer.step()

    def read(self, path):
        """The number of the text's tokens, and what they would cost."""
        self.restart()
        rows = [int(row) for row in self._study(path)]
        tokens = torch.cat((torch.tensor([self.start_token]),
                            self.row_ids[torch.tensor(rows)]))
        cache = transformers.DynamicCache()
        step = self.arguments.step
        with self._reader_of_logits(path) as study:
            for begin in range(0, len(rows), step):
                end = min(begin + step, len(rows))
                with torch.set_grad_enabled(self.arguments.rate > 0):
                    hidden = self.model.get_decoder()(
                        input_ids=tokens[None, begin:end], past_key_values=cache,
                        position_ids=torch.arange(begin, end)[None],
                        use_cache=True).last_hidden_state[0]
                with torch.no_grad():
                    gradient = self._head(hidden, tokens[begin + 1:end + 1],
                                          study.stdin)
                if self.arguments.rate > 0:
                    self._learn(hidden, gradient, begin // step + 1)
                for layer in cache.layers:
                    self._forget(layer)
            costs, _ = study.communicate()
        return len(rows), costs.decode().split()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    learner = Learner(arguments)
    print("| text | tokens | alone | light | full | seconds of processor |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for path in map(pathlib.Path, arguments.texts):
            text = pathlib.Path(folder) / path.name
            # A character that the cut splits becomes single bytes.
            text.write_bytes(path.read_bytes()[:arguments.max_bytes])
            start = time.process_time()
            tokens, costs = learner.read(text)
            seconds = time.process_time() - start
            print(f"| {path.name} | {tokens} | {' | '.join(costs)} | "
                  f"{seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
