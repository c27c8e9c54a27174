# SPDX-License-Identifier: Apache-2.0
# Where PyTorch is not installed, its names have no types.
# mypy: disable-error-code="import-not-found, no-any-return, misc, unused-ignore"
# mypy: disallow-untyped-calls=False, disallow-untyped-decorators=False
"""Layers of a model that is being tuned, in PyTorch.

A frozen matrix W and a low-rank update make one matrix, W + scale B A, which is used
rounded to 8 bits, as import would store it. Its products are those of integers where
the processor multiplies these faster; a row of activations is then a sum of two rows
of 8 bits, so that it has 15 bits. Gradients go to A and B as if nothing were rounded.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import torch
from torch import Tensor as _Tensor
from torch import nn


def _scale_of(rows: _Tensor) -> _Tensor:
    """Of each row, so that integers of 8 bits hold it."""
    return rows.abs().amax(1, keepdim=True).div_(127).clamp_(min=1e-30)


def _split(rows: _Tensor) -> tuple[_Tensor, _Tensor, _Tensor]:
    """(high, low, scale) with rows = scale (high + low / 254), nearly."""
    scale = _scale_of(rows)
    rows = rows / scale
    high = rows.round()
    low = rows.sub_(high).mul_(254).round_()
    return high.to(torch.int8), low.to(torch.int8), scale


class _LastSplit(threading.local):
    """Queries, keys and values have one input, and so have gate and up."""

    rows: _Tensor | None = None
    parts: tuple[_Tensor, _Tensor, _Tensor]

    def of(self, rows: _Tensor) -> tuple[_Tensor, _Tensor, _Tensor]:
        if self.rows is not rows:
            self.parts = _split(rows.reshape(-1, rows.shape[-1]))
            self.rows = rows
        return self.parts


_last_split = _LastSplit()


def _integer_product(rows: _Tensor, matrix: _Tensor) -> _Tensor:
    """rows @ matrix, for floats and integers of 8 bits. [.., column]"""
    high, low, scale = _last_split.of(rows)
    out = torch._int_mm(low, matrix).float().mul_(1 / 254)
    return out.add_(torch._int_mm(high, matrix)).mul_(scale)


def integers_are_fast() -> bool:
    """Whether products of 8-bit integers are worth their conversions here."""
    rows, matrix = torch.randn(512, 512), torch.randn(512, 512)
    small = torch.ones(512, 512, dtype=torch.int8)

    def seconds(product: Any, *factors: _Tensor) -> float:
        best = math.inf
        for _ in range(20):
            start = time.perf_counter()
            product(*factors)
            best = min(best, time.perf_counter() - start)
        return best

    try:
        return 2 * seconds(torch._int_mm, small, small) < seconds(
            torch.matmul, rows, matrix
        )
    except (AttributeError, RuntimeError):
        return False


class _RoundedMatrix:
    """A matrix of 8-bit integers and a scale for each row, to multiply with."""

    def __init__(self, values: _Tensor, use_integers: bool) -> None:
        scales = _scale_of(values)
        integers = (values / scales).round_()
        self.use_integers = use_integers
        if use_integers:
            self.matrix = integers.to(torch.int8)
            self.row_scales = scales.view(1, -1)
        else:
            self.floats = integers.mul_(scales)

    def forward(self, rows: _Tensor) -> _Tensor:
        if self.use_integers:
            return _integer_product(rows, self.matrix.t()).mul_(self.row_scales)
        return rows.reshape(-1, rows.shape[-1]) @ self.floats.t()

    def backward(self, gradients: _Tensor) -> _Tensor:
        if not self.use_integers:
            return gradients @ self.floats
        # Of gradients 8 bits are enough: theirs differ by 0.1 % then.
        gradients = gradients * self.row_scales
        scale = _scale_of(gradients)
        integers = gradients.div_(scale).round_().to(torch.int8)
        return torch._int_mm(integers, self.matrix).float().mul_(scale)


class _AdaptedProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: _Tensor, a: _Tensor, b: _Tensor,
                layer: AdaptedLinear) -> _Tensor:
        ctx.save_for_backward(rows.reshape(-1, rows.shape[-1]), a, b)
        ctx.layer, ctx.shape = layer, rows.shape
        out = layer.merged.forward(rows)
        return out.view(*rows.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: _Tensor) -> tuple[Any, ...]:
        rows, a, b = ctx.saved_tensors
        layer = ctx.layer
        gradient = gradients[0].reshape(-1, gradients[0].shape[-1])
        rows_gradient = None
        if ctx.needs_input_grad[0]:
            rows_gradient = layer.merged.backward(gradient).view(ctx.shape)
        a_gradient = (gradient @ b).mul_(layer.scale).t() @ rows
        b_gradient = (a @ rows.t()).mul_(layer.scale) @ gradient
        return rows_gradient, a_gradient, b_gradient.t(), None


class AdaptedLinear(nn.Module):
    """A linear layer whose matrix is frozen but for an update of low rank."""

    def __init__(self, base: nn.Linear, rank: int, scale: float,
                 generator: torch.Generator, use_integers: bool) -> None:
        super().__init__()
        device = base.weight.device
        self.weight = base.weight.detach()
        self.bias = base.bias
        self.scale = scale
        self.use_integers = use_integers
        num_rows, num_columns = self.weight.shape
        start = torch.randn(rank, num_columns, generator=generator)
        self.a = nn.Parameter((start / math.sqrt(num_columns)).to(device))
        self.b = nn.Parameter(torch.zeros(num_rows, rank, device=device))
        self.merge()

    @torch.no_grad()
    def merge(self) -> None:
        """Takes the update into the matrix; after each change of A and B."""
        self.merged = _RoundedMatrix(
            self.weight.float().addmm(self.b, self.a, alpha=self.scale),
            self.use_integers,
        )

    def forward(self, rows: _Tensor) -> _Tensor:
        out: _Tensor = _AdaptedProduct.apply(rows, self.a, self.b, self)
        return out if self.bias is None else out + self.bias


class _HeadLoss(torch.autograd.Function):
    # A few rows at once, as vocabularies are large.
    ROWS = 128

    @staticmethod
    def forward(ctx: Any, hidden: _Tensor, targets: _Tensor,
                head: Head) -> _Tensor:
        total = torch.zeros((), dtype=torch.float64, device=hidden.device)
        gradient = torch.empty_like(hidden)
        for at in range(0, len(hidden), _HeadLoss.ROWS):
            part = slice(at, at + _HeadLoss.ROWS)
            loss, gradient[part] = head.loss_of(hidden[part], targets[part])
            total += loss
        ctx.save_for_backward(gradient)
        return total.float() / math.log(2)

    @staticmethod
    def backward(ctx: Any, *gradients: _Tensor) -> tuple[Any, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * (gradients[0] / math.log(2)), None, None


class Head:
    """The frozen matrix that makes hidden states the weights of tokens.

    `excluded`: tokens that never come, control tokens for example.
    """

    def __init__(self, weight: _Tensor, excluded: _Tensor,
                 soft_cap: float) -> None:
        self.weight = weight.detach().float()
        self.excluded = excluded
        self.soft_cap = soft_cap

    def loss(self, hidden: _Tensor, targets: _Tensor) -> _Tensor:
        """The bits of all targets."""
        loss: _Tensor = _HeadLoss.apply(hidden, targets, self)
        return loss

    def loss_of(self, hidden: _Tensor,
                targets: _Tensor) -> tuple[_Tensor, _Tensor]:
        """The loss in nats, and its gradient by the hidden states."""
        logits = hidden @ self.weight.t()
        if self.soft_cap:
            capped = logits.div_(self.soft_cap).tanh_()
            slope = 1 - capped * capped
            logits = capped * self.soft_cap
        logits.index_fill_(1, self.excluded, -1e9)
        top = logits.amax(1, keepdim=True)
        at_target = logits.gather(1, targets[:, None])
        weights = logits.sub_(top).exp_()
        sums = weights.sum(1, keepdim=True)
        loss = (sums.log() + top - at_target).double().sum()
        # by the logits: their probabilities, less 1 at the target
        weights.div_(sums)
        weights.scatter_add_(
            1, targets[:, None], torch.full_like(at_target, -1.0)
        )
        if self.soft_cap:
            weights.mul_(slope)
        return loss, weights @ self.weight
