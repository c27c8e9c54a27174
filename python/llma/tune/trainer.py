# SPDX-License-Identifier: Apache-2.0
# Where PyTorch is not installed, its names have no types.
# mypy: disable-error-code="import-not-found, no-any-return, misc, unused-ignore"
# mypy: disallow-untyped-calls=False, disallow-untyped-decorators=False
"""Trains an adapter: low-rank updates of a model's matrices, and its norms.

The model is one of transformers' classes. Texts are tokens already; they are cut
into chunks, each predicted after the model's start token, as llma does it.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
import pathlib
import time
from typing import Any, Iterator

import numpy
import torch
from torch import nn

from .layers import AdaptedLinear, Head, integers_are_fast

Array = Any  # of numpy

_MATRICES = (
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
)


@dataclasses.dataclass
class Settings:
    """How to train. Tokens are counted with repetitions."""

    rank: int = 8
    learning_rate: float = 1e-3
    chunk_tokens: int = 512
    batch_chunks: int = 4
    warmup_steps: int = 20
    seed: int = 0
    max_tokens: int = 1 << 20
    #: Training ends, with a rate that fell to its end, when they have passed.
    max_seconds: float = math.inf


class Adapted:
    """A model with an adapter, the parameters of which are to be trained."""

    def __init__(self, model: Any, settings: Settings, start_token: int,
                 excluded: list[int], device: str = "cpu",
                 first: dict[str, Array] | None = None) -> None:
        """`first`: an adapter (adapter_files.read()) that is trained further,
        with `settings.rank` more ranks."""
        self.model = model.to(device).eval()
        self.device = device
        self.start_token = start_token
        self.scale = 2.0
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        generator = torch.Generator().manual_seed(settings.seed)
        use_integers = device == "cpu" and integers_are_fast()
        first = first or {}
        # all of one rank, as most programs expect
        first_rank = max((len(values) for name, values in first.items()
                          if name.endswith(".lora_A.weight")), default=0)
        self.linears: dict[str, AdaptedLinear] = {}
        for name, module in list(model.named_modules()):
            parent, _, last = name.rpartition(".")
            if last in _MATRICES and isinstance(module, nn.Linear):
                layer = AdaptedLinear(module, settings.rank + first_rank,
                                      self.scale, generator, use_integers)
                setattr(model.get_submodule(parent), last, layer)
                self.linears[name] = layer
        self.norms: dict[str, nn.Parameter] = {}
        for name, parameter in model.named_parameters():
            if name.endswith("norm.weight"):
                parameter.data = parameter.data.float()
                self.norms[name] = parameter.requires_grad_()
        if not self.linears or not self.norms:
            raise ValueError("the model has no layers that can be tuned")
        soft_cap = getattr(model.config, "final_logit_softcapping", None) or 0.0
        self.head = Head(
            model.get_output_embeddings().weight,
            torch.tensor(excluded, dtype=torch.long, device=device),
            soft_cap,
        )
        self.use_integers = use_integers
        self._go_on_from(first)

    @torch.no_grad()
    def _go_on_from(self, first: dict[str, Array]) -> None:
        left = {name: torch.from_numpy(values.copy()).to(self.device)
                for name, values in first.items()}
        for name, layer in self.linears.items():
            a = left.pop(name + ".lora_A.weight", None)
            b = left.pop(name + ".lora_B.weight", None)
            if a is None or b is None:
                continue
            # Rows as long as those that are new, so that they learn alike.
            length = a.norm(dim=1).clamp_(min=1e-12)
            layer.a[: len(a)] = a / length[:, None]
            layer.b[:, : len(a)] = b * (length / self.scale)
        for name, parameter in self.norms.items():
            if name in left:
                parameter.copy_(left.pop(name))
        if left:
            raise ValueError("the first adapter is not one of this model")
        self.merge()

    def groups(self) -> list[dict[str, Any]]:
        low_rank = [p for layer in self.linears.values()
                    for p in (layer.a, layer.b)]
        return [{"params": low_rank, "share": 1.0},
                {"params": list(self.norms.values()), "share": 0.3}]

    def merge(self) -> None:
        for layer in self.linears.values():
            layer.merge()

    def bits(self, chunks: Array) -> torch.Tensor:
        """The bits of chunks of one length, each after the start token."""
        tokens = torch.from_numpy(chunks.astype(numpy.int64)).to(self.device)
        start = torch.full_like(tokens[:, :1], self.start_token)
        inputs = torch.cat((start, tokens[:, :-1]), 1)
        hidden = self.model.get_decoder()(
            input_ids=inputs, use_cache=False
        ).last_hidden_state
        return self.head.loss(hidden.reshape(-1, hidden.shape[-1]),
                              tokens.reshape(-1))

    def state(self) -> dict[str, torch.Tensor]:
        out = {}
        for name, layer in self.linears.items():
            out[name + ".lora_A.weight"] = layer.a.detach()
            out[name + ".lora_B.weight"] = layer.b.detach()
        for name, parameter in self.norms.items():
            out[name] = parameter.detach()
        return out

    @torch.no_grad()
    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        own = self.state()
        if own.keys() != state.keys():
            raise ValueError("the adapter is not one of this model")
        for name, values in own.items():
            values.copy_(state[name])
        self.merge()


@torch.no_grad()
def measure(adapted: Adapted, tokens: Array, chunk_tokens: int) -> float:
    """The bits of a text, in chunks."""
    total = 0.0
    for at in range(0, len(tokens), chunk_tokens):
        total += float(adapted.bits(tokens[None, at : at + chunk_tokens]))
    return total


def _chunks(texts: list[Array], chunk_tokens: int,
            random: numpy.random.Generator) -> Array:
    """All tokens once, in chunks: the texts one after the other, in any order,
    from any place on. [chunk, token]"""
    order = random.permutation(len(texts))
    tokens = numpy.concatenate([texts[i] for i in order])
    if len(tokens) < chunk_tokens:
        return tokens[None]
    tokens = tokens[random.integers(0, min(chunk_tokens,
                                           len(tokens) - chunk_tokens + 1)):]
    num_chunks = len(tokens) // chunk_tokens
    chunks = tokens[: num_chunks * chunk_tokens].reshape(num_chunks, -1)
    return chunks[random.permutation(num_chunks)]


def _batches(texts: list[Array],
             settings: Settings) -> Iterator[Array]:
    """Without end; the same ones for the same seed."""
    random = numpy.random.default_rng(settings.seed)
    while True:
        chunks = _chunks(texts, settings.chunk_tokens, random)
        for at in range(0, len(chunks), settings.batch_chunks):
            yield chunks[at : at + settings.batch_chunks]


@dataclasses.dataclass
class Progress:
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    #: Bits of a token lately.
    bits: float = 0.0

    def done(self, settings: Settings) -> float:
        """How much of the training is behind us, from 0 to 1."""
        return min(1.0, max(self.tokens / settings.max_tokens,
                            self.seconds / settings.max_seconds))


class Trainer:
    """Runs the training, one step at a call."""

    def __init__(self, adapted: Adapted, texts: list[Array],
                 settings: Settings, num_threads: int = 1) -> None:
        self.adapted = adapted
        self.settings = settings
        self.progress = Progress()
        self._batches = _batches(texts, settings)
        # One thread a chunk, unless there are more threads than chunks.
        self._workers = concurrent.futures.ThreadPoolExecutor(
            num_threads, initializer=torch.set_num_threads,
            initargs=(max(1, num_threads // settings.batch_chunks),)
        )
        self._optimizer = torch.optim.AdamW(
            adapted.groups(), lr=settings.learning_rate, betas=(0.9, 0.98),
            weight_decay=0.0,
        )

    def _rate(self) -> float:
        settings = self.settings
        warm = min(1.0, (self.progress.step + 1) / settings.warmup_steps)
        done = self.progress.done(settings)
        return (settings.learning_rate * warm *
                (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))))

    def _compute_gradients(self, batch: Array) -> float:
        """Sets them; returns the bits of a token."""
        parameters = [p for group in self._optimizer.param_groups
                      for p in group["params"]]

        def of_chunk(chunk: Array) -> tuple[float, Any]:
            loss = self.adapted.bits(chunk[None]) / batch.size
            return float(loss.detach()), torch.autograd.grad(loss, parameters)

        # On a busy machine threads that share an operation wait for each other
        # most of the time.
        bits = 0.0
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        for loss, gradients in self._workers.map(of_chunk, batch):
            bits += loss
            for parameter, gradient in zip(parameters, gradients):
                parameter.grad.add_(gradient)
        return bits

    def step(self) -> bool:
        """False where there is nothing left to do."""
        progress = self.progress
        if progress.done(self.settings) >= 1:
            return False
        start = time.monotonic()
        rate = self._rate()
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["share"]
        batch = next(self._batches)
        bits = self._compute_gradients(batch)
        for group in self._optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], 1.0)
        self._optimizer.step()
        # All matrices anew take a sixth of a step where one thread makes them.
        for _ in self._workers.map(AdaptedLinear.merge,
                                   self.adapted.linears.values()):
            pass
        progress.step += 1
        progress.tokens += batch.size
        progress.seconds += time.monotonic() - start
        share = max(0.05, 1 / progress.step)
        progress.bits += share * (bits - progress.bits)
        return True

    def save(self, path: pathlib.Path) -> None:
        """All that is needed to go on; replaces the file as a whole."""
        partial = path.with_name(path.name + ".partial")
        torch.save({
            "settings": dataclasses.asdict(self.settings),
            "progress": dataclasses.asdict(self.progress),
            "adapter": self.adapted.state(),
            "optimizer": self._optimizer.state_dict(),
        }, partial)
        partial.replace(path)

    def resume(self, path: pathlib.Path) -> None:
        saved = torch.load(path, weights_only=True)
        mine = dataclasses.asdict(self.settings)
        differing = [name for name, value in saved["settings"].items()
                     if name != "max_seconds" and mine[name] != value]
        if differing:
            raise ValueError("was made with another " + ", ".join(differing))
        self.adapted.load_state(saved["adapter"])
        self._optimizer.load_state_dict(saved["optimizer"])
        self.progress = Progress(**saved["progress"])
        for _ in range(self.progress.step):
            next(self._batches)
