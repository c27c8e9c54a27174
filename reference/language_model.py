# SPDX-License-Identifier: Apache-2.0
"""docs/NUMERICS.md: the weights of the next token. Floats are binary32, each
operation rounded by itself; numpy does that."""

import copy
from functools import lru_cache

import numpy as np

F = np.float32


def hex32(text):
    return F(float.fromhex(text))


C1, C2, C3, C4 = (hex32(text) for text in (
    "0x1.62e12cp-1", "0x1.ec0378p-3", "0x1.c9fc4p-5", "0x1.3a02a8p-7"))
LOG2E = hex32("0x1.715476p+0")
B0, B1 = hex32("0x1.26aec2p+1"), hex32("0x1.a5a7dp-4")
TURN = (1686629713, 693598668, 85569306, 5026995, 172272, 3864, 61)
ONE = F(1)


# ------------------------------------------- 3. Elementary functions

def exp2n(t):
    t = np.asarray(t, F)
    inside = np.maximum(t, F(-126))
    n = np.rint(inside)
    f = inside - n
    p = (((C4 * f + C3) * f + C2) * f + C1) * f + ONE
    bits = p.view(np.int32)
    n = n.astype(np.int32)
    is_zero = (t < F(-126)) | ((bits >> 23) + n <= 0)
    return np.where(is_zero, F(0), (bits + (n << 23)).view(F))


def _sine(z):
    z2 = z * z >> 30
    s = 0
    for a in reversed(TURN):
        s = a - (s * z2 >> 30)
    return min(s * z + (1 << 29) >> 30, 1 << 30)


def sin_cos(angle):
    z = angle >> 32 & (1 << 30) - 1
    s, c = _sine(z), _sine((1 << 30) - z)
    s, c = ((s, c), (c, -s), (-s, -c), (-c, s))[angle >> 62]
    return F(s) * F(2.0 ** -30), F(c) * F(2.0 ** -30)


# ------------------------------------------------------ 4. Operations

def quantise(x, group=64, most=127):
    """Integers, and a scale for each group."""
    x = x.reshape(-1, group)
    m = np.abs(x).max(axis=1)
    is_small = m < F(2.0 ** -60)
    m = np.where(is_small, ONE, m)
    values = np.rint(x * (F(most) / m)[:, None]).astype(np.int64)
    values[is_small] = 0
    return values, np.where(is_small, F(0), m / F(most))


def matmul(matrix, x):
    values, scales = quantise(x)
    y = np.zeros(len(matrix.scales), F)
    for g, (group, scale) in enumerate(zip(values, scales)):
        dot = (matrix.exact[:, g] @ group.astype(np.float64)).astype(F)
        y = y + (dot * matrix.scales[:, g]) * scale
    return y


def rms_norm(x, weights, eps):
    squares = (x * x).reshape(-1, 16)
    s = np.zeros(16, F)
    for row in squares:
        s = s + row
    for h in 8, 4, 2, 1:
        s = s[:h] + s[h:]
    inverse = ONE / np.sqrt(s[0] / F(len(x)) + eps)
    return x * inverse * weights


def soft_cap(x, cap):
    e = exp2n(-(np.abs(x) * (F(2) * LOG2E / cap)))
    return np.copysign(cap * ((ONE - e) / (ONE + e)), x)


def gated(g, u, is_gelu):
    if is_gelu:
        a = np.minimum(np.abs(g), F(16))
        e = exp2n(-(a * (B0 + B1 * (a * a))))
    else:
        e = exp2n(-(np.abs(g) * LOG2E))
    n = np.where(g >= 0, g, g * e)
    return np.clip(n / (ONE + e) * u, F(-2.0 ** 20), F(2.0 ** 20))


class Keys:
    """What one key/value head of a layer remembers of each position."""

    def __init__(self):
        self.keys, self.key_scales = [], []
        self.values, self.value_scales = [], []

    def copy(self):
        other = Keys()
        other.keys, other.key_scales = self.keys[:], self.key_scales[:]
        other.values, other.value_scales = self.values[:], self.value_scales[:]
        return other


class Stream:
    """Section 5: the model of one lane, with a window of so many positions."""

    def __init__(self, model, window, learner=None):
        """learner: section 9, if the model learns."""
        self.model, self.window = model, window
        self.learner = learner
        self.position = 0
        self.trace = lambda layer, step, values: None
        self.heads = [Keys() for _ in model.shares]
        self.windows = []
        for share in model.shares:
            size = window * share // 16
            if share > 16:
                size = min(size, max(model.context_length, window))
            self.windows.append(size)
        divisor = model.score_divisor or np.sqrt(F(model.head_dim))
        self.factor = LOG2E / divisor

        @lru_cache(None)
        def turns(position, is_local):
            steps = model.local_rope if is_local else model.rope
            pairs = [sin_cos(step * position & (1 << 64) - 1)
                     for step in steps]
            return np.array(pairs, F).T
        self.turns = turns

    def copy(self):
        """One that has read the same."""
        other = copy.copy(self)
        other.heads = [head.copy() for head in self.heads]
        return other

    def rotate(self, x, position, is_local):
        sin, cos = self.turns(position, is_local)
        a, b = np.split(x, 2)
        return np.concatenate([a * cos - b * sin, b * cos + a * sin])

    def attend(self, number, query, is_local):
        """number: of the key/value head, over all layers."""
        model, p = self.model, self.position
        head, window = self.heads[number], self.windows[number]
        num_sinks = 0
        if is_local and self.window >= model.local_positions:
            seen = list(range(max(0, p - model.local_positions + 1), p + 1))
        else:
            num_sinks = min(4, p + 1)
            seen = [*range(num_sinks), *range(max(4, p - window + 1), p + 1)]

        def dots(position, positions):
            values, scale = quantise(
                self.rotate(query, position, is_local), model.head_dim)
            keys = np.array([head.keys[j] for j in positions])
            scales = np.array([head.key_scales[j] for j in positions], F)
            return (keys @ values[0]).astype(F) * scales * (
                scale[0] * self.factor)

        scores = np.concatenate([
            dots(min(p, window + 3), seen[:num_sinks]) if num_sinks
            else np.zeros(0, F),
            dots(p, seen[num_sinks:]) if seen[num_sinks:] else np.zeros(0, F)])
        if model.score_cap:
            scores = soft_cap(scores, model.score_cap * LOG2E)
        below = scores - scores.max()
        weights = np.where(below < F(-32), F(0), exp2n(below) * F(65536))
        total = int(np.rint(weights).astype(np.int64).sum())
        scaled = weights * np.array([head.value_scales[j] for j in seen], F)
        most = scaled.max()
        if most == 0:
            integers = np.zeros(len(seen), np.int64)
        else:
            integers = np.rint(scaled * (F(16383) / most)).astype(np.int64)
        values = np.array([head.values[j] for j in seen])
        high, low = (integers >> 7) @ values, (integers & 127) @ values
        return (high.astype(F) * F(128) + low.astype(F)) * (
            most / F(16383) / F(total))

    def feed(self, row):
        """Feeds a row of the embedding; gives the integer weights of the
        next token."""
        model, learner = self.model, self.learner
        eps = model.norm_eps
        record = learner.new_record() if learner else None
        embedding = model.embedding
        x = (embedding.values[row].astype(F) * embedding.scales[row][:, None]
             ).reshape(-1) * model.embedding_scale
        for i, layer in enumerate(model.layers):
            self.trace(i, "x", x)
            h = rms_norm(x, layer.attention_norm, eps)
            self.trace(i, "attn_norm", h)
            o = self._attention(i, layer, h)
            self.trace(i, "o", o)
            learnt = learner.layers[i] if learner else None
            a = learnt.out.multiply(o)[0] if learnt else matmul(layer.out, o)
            if layer.post_attention is not None:
                a = rms_norm(a, layer.post_attention, eps)
            self.trace(i, "attention", a)
            x = x + a
            if learnt:
                record.middles.append(x)
                record.heads.append(o)
            h = rms_norm(x, learnt.norm.weights if learnt
                         else layer.ffn_norm, eps)
            self.trace(i, "ffn_norm", h)
            both = (learnt.gate_up.multiply(h)[0] if learnt
                    else matmul(layer.gate_up, h))
            self.trace(i, "gate_up", both)
            y = gated(*np.split(both, 2), model.is_gelu)
            self.trace(i, "gated", y)
            a = learnt.down.multiply(y)[0] if learnt else matmul(layer.down, y)
            if layer.post_ffn is not None:
                a = rms_norm(a, layer.post_ffn, eps)
            self.trace(i, "feed_forward", a)
            x = x + a
        self.position += 1
        self.trace(model.num_layers, "x", x)
        h = rms_norm(x, learner.output_norm.weights if learner
                     else model.output_norm, eps)
        if record:
            record.end = x
        self.record = record
        self.trace(model.num_layers, "output_norm", h)
        logits = matmul(model.head, h)
        if model.logit_cap:
            logits = soft_cap(logits, model.logit_cap)
        self.trace(model.num_layers, "logits", logits)
        return token_weights(logits)

    def _attention(self, i, layer, h):
        model = self.model
        qkv = matmul(layer.qkv, h)
        if layer.biases is not None:
            qkv = qkv + layer.biases
        self.trace(i, "qkv", qkv)
        rows = qkv.reshape(-1, model.head_dim)
        queries = rows[:model.num_heads]
        keys = rows[model.num_heads:model.num_heads + model.num_kv_heads]
        values = rows[model.num_heads + model.num_kv_heads:]
        if layer.query_norm is not None:
            queries = [rms_norm(q, layer.query_norm, model.norm_eps)
                       for q in queries]
            keys = [rms_norm(k, layer.key_norm, model.norm_eps) for k in keys]
        is_local = model.is_local[i]
        first = i * model.num_kv_heads
        for j in range(model.num_kv_heads):
            head = self.heads[first + j]
            key, scale = quantise(self.rotate(keys[j], self.position, is_local),
                                  model.head_dim,
                                  16319 if model.has_wide_keys else 127)
            head.keys.append(key[0])
            head.key_scales.append(scale[0])
            value, scale = quantise(values[j], model.head_dim)
            head.values.append(value[0])
            head.value_scales.append(scale[0])
        heads_per_key = model.num_heads // model.num_kv_heads
        return np.concatenate([
            self.attend(first + h // heads_per_key, queries[h], is_local)
            for h in range(model.num_heads)])


# --------------------------------------------------- 6. Token weights

def token_weights(logits):
    below = (logits - logits.max()) * LOG2E
    return 1 + np.trunc(exp2n(below) * F(2.0 ** 30)).astype(np.int64)
