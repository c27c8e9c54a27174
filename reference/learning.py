# SPDX-License-Identifier: Apache-2.0
"""docs/NUMERICS.md, section 9: a model that learns while it reads."""

import numpy as np

from language_model import (
    B0, B1, LOG2E, ONE, F, exp2n, gated, hex32, matmul, quantise, rms_norm)

RANK = 8
MAX_ROWS = 256  # of a step
LN2 = hex32("0x1.62e43p-1")
FIRST_SHARE, SECOND_SHARE = hex32("0x1.99999ap-4"), hex32("0x1.47ae14p-6")
EPSILON = hex32("0x1.5798eep-27")
RATE_A, RATE_B, RATE_NORM = (hex32(text) for text in (
    "0x1.0624dep-11", "0x1.0624dep-7", "0x1.3a92a3p-12"))
LARGEST = F(2.0 ** 20)


class Random:
    """SplitMix64."""

    def __init__(self, seed=1):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state = self.state + 0x9e3779b97f4a7c15 & mask
        z = self.state
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & mask
        z = (z ^ z >> 27) * 0x94d049bb133111eb & mask
        return z ^ z >> 31


def tree_sum(partial):
    """[16, ...]"""
    for h in 8, 4, 2, 1:
        partial = partial[:h] + partial[h:2 * h]
    return partial[0]


def interleaved_sum(x):
    """Of the last dimension, in 16 partial sums."""
    rows = x.reshape(*x.shape[:-1], -1, 16)
    partial = np.zeros((*x.shape[:-1], 16), F)
    for i in range(rows.shape[-2]):
        partial = partial + rows[..., i, :]
    return tree_sum(np.moveaxis(partial, -1, 0))


def expand(x):
    """A row as a product with a quantised matrix takes it."""
    values, scales = quantise(x)
    return (values.astype(F) * scales[:, None]).reshape(-1)


class Moved:
    """Weights with their moments."""

    def __init__(self, weights, rate, largest):
        self.weights = weights
        self.rate, self.largest = rate, F(largest)
        self.first = np.zeros_like(weights)
        self.second = np.zeros_like(weights)

    def move(self, step, gradient):
        g = np.clip(gradient, F(-2.0 ** 40), F(2.0 ** 40))
        self.first = self.first + FIRST_SHARE * (g - self.first)
        self.second = self.second + SECOND_SHARE * (g * g - self.second)
        divisor = np.sqrt(self.second * step.second_scale) + EPSILON
        rate = step.rate * self.rate
        self.weights = np.clip(self.weights - (rate * self.first) / divisor,
                               -self.largest, self.largest)


class Update:
    """b^T a, what is learnt of a matrix."""

    def __init__(self, matrix, random):
        rows, groups = matrix.scales.shape
        cols = groups * 64
        self.matrix = matrix
        self.transposed = Transposed(matrix)
        limit = np.sqrt(F(3) / F(cols))
        numbers = np.array([(random.next() >> 40) - (1 << 23)
                            for _ in range(RANK * cols)], np.int64)
        a = (numbers.astype(F) * F(2.0 ** -23)) * limit
        self.a = Moved(a.reshape(RANK, cols), RATE_A, 16)
        self.b = Moved(np.zeros((RANK, rows), F), RATE_B, 16)

    def multiply(self, x):
        """The product, x as it was multiplied, and a x."""
        x_taken = expand(x)
        u = interleaved_sum(self.a.weights * x_taken)
        y = matmul(self.matrix, x) + ranked_sum(u, self.b.weights)
        return y, x_taken, u

    def back(self, dy):
        """The gradient of x, and b dy."""
        e = interleaved_sum(self.b.weights * dy)
        return (self.transposed.multiply(dy) + ranked_sum(e, self.a.weights),
                e)

    def move(self, step, records):
        """records: x, a x, dy, b dy of each token."""
        a = np.zeros_like(self.a.weights)
        b = np.zeros_like(self.b.weights)
        for x, u, dy, e in records:
            a = a + e[:, None] * x
            b = b + u[:, None] * dy
        self.a.move(step, a)
        self.b.move(step, b)


def ranked_sum(u, b):
    total = u[0] * b[0]
    for k in range(1, RANK):
        total = total + u[k] * b[k]
    return total


def pad(x):
    """With zeros, to whole groups."""
    return np.concatenate([x, np.zeros(-len(x) % 64, F)])


class Transposed:
    """W^T, each row of W with its largest scale."""

    def __init__(self, matrix):
        self.largest = matrix.scales.max(axis=1)
        divisor = np.where(self.largest > 0, self.largest, ONE)
        factors = matrix.scales / divisor[:, None]
        values = matrix.values.reshape(*matrix.scales.shape, 64).astype(F)
        values = np.rint(values * factors[:, :, None])
        self.values = values.reshape(len(values), -1).astype(np.float64)

    def multiply(self, dy, inverse=ONE):
        """W^T dy, the scales of what is quantised times inverse."""
        values, scales = quantise(pad(dy * self.largest))
        y = np.zeros(self.values.shape[1], F)
        for block, (integers, scale) in enumerate(zip(values, scales)):
            rows = self.values[64 * block:64 * block + 64]
            dot = rows.T @ integers[:len(rows)].astype(np.float64)
            y = y + dot.astype(F) * (scale * inverse)
        return y


def clip(x):
    return np.clip(x, -LARGEST, LARGEST)


def gates_back(g, u, dy, is_gelu):
    if is_gelu:
        a = np.minimum(np.abs(g), F(16))
        part = B1 * (a * a)
        e = exp2n(-(a * (B0 + part)))
        slope = (B0 + F(3) * part) * LN2
    else:
        e = exp2n(-(np.abs(g) * LOG2E))
        slope = ONE
    r = ONE / (ONE + e)
    s = np.where(g >= 0, r, e * r)
    n = g * s
    return np.concatenate([
        clip((dy * u) * (s + (n * (ONE - s)) * slope)), clip(dy * n)])


def norm_back(x, weights, dy, eps, dx):
    """dx with the gradient of x added, and that of the weights."""
    inverse = ONE / np.sqrt(interleaved_sum(x * x) / F(len(x)) + eps)
    n = x * inverse
    along = interleaved_sum((dy * weights) * n) / F(len(x))
    return clip(dx + (dy * weights - n * along) * inverse), dy * n


def back_through(post_norm, a, d, eps):
    """The gradient of what a sublayer gave, before its norm."""
    if post_norm is None:
        return d
    return norm_back(a, post_norm, d, eps, np.zeros_like(d))[0]


class Step:
    def __init__(self, number, first_decay, second_decay):
        rate = (min(ONE, F(number) * F(0.25))
                / np.sqrt(ONE + F(number) * F(0.5)))
        self.rate = rate / (ONE - first_decay)
        self.second_scale = ONE / (ONE - second_decay)


class Record:
    """What is kept of a token that was fed: [layer] the residual stream
    between the layer's parts, what attention gave; the stream's end; and the
    gradient, once the next token is known."""

    def __init__(self):
        self.middles, self.heads = [], []
        self.end = self.gradient = None


class LearntLayer:
    def __init__(self, layer, random):
        self.layer = layer
        self.out = Update(layer.out, random)
        self.gate_up = Update(layer.gate_up, random)
        self.down = Update(layer.down, random)
        self.norm = Moved(layer.ffn_norm, RATE_NORM, 2.0 ** 16)


class Learner:
    def __init__(self, model):
        self.model = model
        self.head = Transposed(model.head)
        random = Random()
        self.layers = [LearntLayer(layer, random) for layer in model.layers]
        self.output_norm = Moved(model.output_norm, RATE_NORM, 2.0 ** 16)
        self.num_steps = 0
        self.first_decay = self.second_decay = ONE

    def new_record(self):
        return Record()

    def output_gradient(self, weights, token):
        head = self.model.head
        row = head.values[token].astype(F) * head.scales[token][:, None]
        return self.head.multiply(
            weights.astype(F), ONE / F(int(weights.sum()))) - row.reshape(-1)

    def step(self, records):
        if not records:
            return
        self.num_steps += 1
        self.first_decay = self.first_decay * (ONE - FIRST_SHARE)
        self.second_decay = self.second_decay * (ONE - SECOND_SHARE)
        step = Step(self.num_steps, self.first_decay, self.second_decay)
        eps = self.model.norm_eps
        share = ONE / F(len(records))
        streams, sums = [], np.zeros(self.model.dim, F)
        for record in records:
            d, weight_gradient = norm_back(
                record.end, self.output_norm.weights,
                clip(record.gradient * share), eps,
                np.zeros(self.model.dim, F))
            streams.append(d)
            sums = sums + weight_gradient
        self.output_norm.move(step, sums)
        for i in range(len(self.layers) - 1, -1, -1):
            self.step_layer(step, i, records, streams)

    def step_layer(self, step, i, records, streams):
        learnt = self.layers[i]
        layer, eps = learnt.layer, self.model.norm_eps
        kept = {learnt.out: [], learnt.gate_up: [], learnt.down: []}
        sums = np.zeros(self.model.dim, F)

        for t, record in enumerate(records):
            d = streams[t]
            middle = record.middles[i]
            both, h, u = learnt.gate_up.multiply(
                rms_norm(middle, learnt.norm.weights, eps))
            g, up = np.split(both, 2)
            a, y, down_u = learnt.down.multiply(
                gated(g, up, self.model.is_gelu))
            dy = back_through(layer.post_ffn, a, d, eps)
            dgated, e = learnt.down.back(dy)
            kept[learnt.down].append((y, down_u, dy, e))
            dboth = gates_back(g, up, dgated, self.model.is_gelu)
            dh, e = learnt.gate_up.back(dboth)
            kept[learnt.gate_up].append((h, u, dboth, e))
            d, weight_gradient = norm_back(
                middle, learnt.norm.weights, dh, eps, d)
            sums = sums + weight_gradient
            streams[t] = d
            a, o, u = learnt.out.multiply(record.heads[i])
            dy = back_through(layer.post_attention, a, d, eps)
            e = interleaved_sum(learnt.out.b.weights * dy)
            kept[learnt.out].append((o, u, dy, e))
        for update, rows in kept.items():
            update.move(step, rows)
        learnt.norm.move(step, sums)
