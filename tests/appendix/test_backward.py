"""Each gradient by hand is autograd's, and a wrong one is noticed."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from agreement import silently
from tiny import ids, randn
from torch import Tensor

from llm_utils.appendix import backward
from llm_utils.model.attention import (
    attention_weights,
    causal_mask,
    repeat_heads,
)
from llm_utils.model.positions import Rotary, rotate
from llm_utils.text.next_token import next_token_loss

SHAPES = [(1, 1), (7,), (2, 3, 5)]


def agree(f, bwd, *xs: Tensor, agrees=silently, what: str = "") -> None:
    """bwd(gy, *xs) gives the gradients that autograd finds, against a probe.

    And a finite difference along a random direction gives their sum.
    """
    leaves = [x.clone().requires_grad_() for x in xs]
    y = f(*leaves)
    gy = randn(*y.shape, seed=99)
    theirs = torch.autograd.grad(y, leaves, gy)
    ours = bwd(gy, *xs)
    ours = (ours,) if isinstance(ours, Tensor) else ours
    assert [g.shape for g in ours] == [x.shape for x in xs]
    what = f"the gradients of {what}"
    agrees("torch", what, ours, theirs, atol=1e-10, rtol=0)
    steps = [1e-6 * randn(*x.shape, seed=7 + i) for i, x in enumerate(xs)]
    up = f(*(x + s for x, s in zip(xs, steps, strict=True)))
    down = f(*(x - s for x, s in zip(xs, steps, strict=True)))
    slope = ((up - down) * gy).sum() / 2
    told = sum((g * s).sum() for g, s in zip(ours, steps, strict=True))
    assert abs(slope - told) < 1e-9 * max(1.0, math.sqrt(gy.numel()))


def noticed(f, bwd, *xs: Tensor) -> None:
    with pytest.raises(AssertionError):
        agree(f, bwd, *xs)


@pytest.mark.parametrize("shape", SHAPES)
def test_linear(agrees, shape) -> None:
    x, w, b = randn(*shape), randn(4, shape[-1], seed=1), randn(4, seed=2)

    def bwd(gy, x, w, b):
        return backward.linear_bwd(gy, x, w)

    agree(F.linear, bwd, x, w, b, agrees=agrees, what="a linear map")

    def mean_bias(gy, x, w, b):  # the bias belongs to all rows: a sum
        gx, gw, gb = backward.linear_bwd(gy, x, w)
        return gx, gw, gb / (gy.numel() / 4) + 1e-6

    noticed(F.linear, mean_bias, x, w, b)


@pytest.mark.parametrize("T", [1, 7])
def test_embedding(agrees, T) -> None:
    tokens = ids(3, T, vocab_size=5)  # fewer entries than uses: repeats
    table = randn(5, 4)
    agree(
        lambda t: t[tokens],
        lambda gy, t: backward.embedding_bwd(gy, tokens, 5),
        table, agrees=agrees, what="an embedding",
    )  # fmt: skip

    def overwrites(gy, t):  # the last use wins
        g = torch.zeros_like(t)
        g[tokens.flatten()] = gy.reshape(-1, 4)
        return g

    noticed(lambda t: t[tokens], overwrites, table)


@pytest.mark.parametrize("shape", [(2,), (3, 1, 6)])
def test_softmax(agrees, shape) -> None:
    s = randn(*shape)
    agree(
        lambda s: s.softmax(-1),
        lambda gp, s: backward.softmax_bwd(gp, s.softmax(-1)),
        s, agrees=agrees, what="softmax",
    )  # fmt: skip

    def diagonal(gp, s):  # as if no entry took from another
        p = s.softmax(-1)
        return gp * p * (1 - p)

    noticed(lambda s: s.softmax(-1), diagonal, s)


@pytest.mark.parametrize("some", [False, True])
def test_softmax_cross_entropy(agrees, some) -> None:
    logits, y = randn(2, 5, 7), ids(2, 5, vocab_size=7)
    if some:
        y[0, :3] = -100

    def bwd(g, z):
        return g * backward.softmax_ce_bwd(z, y)

    agree(
        lambda z: next_token_loss(z, y), bwd, logits,
        agrees=agrees, what="softmax and cross-entropy",
    )  # fmt: skip
    noticed(  # a sum where the loss is a mean
        lambda z: next_token_loss(z, y),
        lambda g, z: bwd(g, z) * (y != -100).sum(),
        logits,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_rms_norm(agrees, shape) -> None:
    x, w = randn(*shape), randn(shape[-1], seed=1)

    def f(x, w):
        return F.rms_norm(x, w.shape, w, 1e-3)

    agree(
        f, lambda g, x, w: backward.rms_norm_bwd(g, x, w, 1e-3), x, w,
        agrees=agrees, what="RMSNorm",
    )  # fmt: skip
    noticed(f, backward.rms_norm_bwd, x, w)  # another epsilon

    def size_is_fixed(g, x, w):  # the size was taken for a constant
        size = (x.square().mean(-1, keepdim=True) + 1e-3).sqrt()
        _, gw = backward.rms_norm_bwd(g, x, w, 1e-3)
        return g * w / size, gw

    noticed(f, size_is_fixed, x, w)


@pytest.mark.parametrize("shape", [(7,), (2, 3, 5)])
def test_layer_norm(agrees, shape) -> None:
    x, w, b = (randn(*s, seed=i) for i, s in enumerate(
        (shape, shape[-1:], shape[-1:])))  # fmt: skip

    def f(x, w, b):
        return F.layer_norm(x, w.shape, w, b, 1e-3)

    def bwd(g, x, w, b):
        return backward.layer_norm_bwd(g, x, w, 1e-3)

    agree(f, bwd, x, w, b, agrees=agrees, what="LayerNorm")

    def no_mean(g, x, w, b):
        gx, gw, gb = bwd(g, x, w, b)
        return gx + (g * w).mean(-1, keepdim=True), gw, gb

    noticed(f, no_mean, x, w, b)


@pytest.mark.parametrize("shape", SHAPES)
def test_bends(agrees, shape) -> None:
    z, up = 2 * randn(*shape), randn(*shape, seed=1)

    def gelu(z):
        return F.gelu(z, approximate="tanh")

    def gated(g, u):
        return F.silu(g) * u

    agree(gelu, backward.gelu_bwd, z, agrees=agrees, what="GELU")
    agree(F.silu, backward.silu_bwd, z, agrees=agrees, what="SiLU")
    agree(gated, backward.swiglu_bwd, z, up, agrees=agrees, what="SwiGLU")
    noticed(F.gelu, backward.gelu_bwd, z)  # the exact form, not tanh
    noticed(F.silu, lambda g, z: g * z.sigmoid(), z)


@pytest.mark.parametrize(("T", "D"), [(1, 2), (5, 6)])
def test_rope(agrees, T, D) -> None:
    cos, sin = Rotary(D).table(T + 1)[:, 1:].double()
    x = randn(2, 3, T, D)
    agree(
        lambda x: rotate(x, cos, sin),
        lambda g, x: backward.rope_bwd(g, cos, sin),
        x, agrees=agrees, what="a rotation",
    )  # fmt: skip
    noticed(  # turned on instead of back
        lambda x: rotate(x, cos, sin), lambda g, x: rotate(g, cos, sin), x
    )


@pytest.mark.parametrize(
    ("H", "K", "T", "S"), [(1, 1, 1, 1), (4, 2, 5, 5), (3, 1, 2, 7)]
)
@pytest.mark.parametrize("window", [None, 2])
def test_attention(agrees, H, K, T, S, window) -> None:
    q = randn(2, H, T, 4)
    k, v = randn(2, K, S, 4, seed=1), randn(2, K, S, 4, seed=2)
    mask = causal_mask(T, S, window)

    def f(q, k, v):
        return attention_weights(q, k, mask) @ repeat_heads(v, H)

    def bwd(go, q, k, v):
        p = attention_weights(q, k, mask)
        return backward.attention_bwd(go, q, k, v, p)

    agree(f, bwd, q, k, v, agrees=agrees, what="attention")
    if S > 1:  # a single key is looked at whatever the score
        noticed(  # the scale was forgotten on the way back
            f, lambda *a: [2 * g if i < 2 else g for i, g in
                           enumerate(bwd(*a))], q, k, v,
        )  # fmt: skip


def test_only_what_is_looked_at_has_a_gradient() -> None:
    q, k, v = (randn(1, 2, 5, 4, seed=i) for i in range(3))
    p = attention_weights(q, k)
    go = torch.zeros(1, 2, 5, 4, dtype=torch.float64)
    go[:, :, 2] = 1.0  # only position 2 is asked
    gq, gk, gv = backward.attention_bwd(go, q, k, v, p)
    assert (gk[:, :, 3:] == 0).all() and (gv[:, :, 3:] == 0).all()
    assert (gq[:, :, [0, 1, 3, 4]] == 0).all()
    assert (gk[:, :, :3] != 0).any() and (gq[:, :, 2] != 0).all(), "vacuous"
