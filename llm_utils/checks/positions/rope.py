"""Exercise 4 of chapter 4: RoPE, on all pairs of a head.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor
from llm_utils.model.positions import Rotary

# -- rope(x, start, base) -> x, turned


def _rope(x: Tensor, start: int, base: float) -> Tensor:
    return Rotary(x.shape[-1], base)(x, x, start)[0]


def _table(
    x: Tensor, start: int, base: float, exponent: float = 2.0
) -> tuple[Tensor, Tensor]:
    """cos and sin, (T, D / 2) each."""
    T, D = x.shape[-2:]
    t = torch.arange(start, start + T, dtype=x.dtype)
    i = torch.arange(D // 2, dtype=x.dtype)
    angles = torch.outer(t, base ** (-exponent * i / D))
    return angles.cos(), angles.sin()


def _halves(x: Tensor, cos: Tensor, sin: Tensor, sign: float = 1.0) -> Tensor:
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - sign * b * sin, a * sin + b * cos), -1)


def _neighbors(x: Tensor, start: int, base: float) -> Tensor:
    cos, sin = _table(x, start, base)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def _mixed(x: Tensor, start: int, base: float) -> Tensor:
    cos, sin = (y.repeat_interleave(2, -1) for y in _table(x, start, base))
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


def _clockwise(x: Tensor, start: int, base: float) -> Tensor:
    cos, sin = _table(x, start, base)
    return _halves(x, cos, -sin)


def _stacked(x: Tensor, start: int, base: float) -> Tensor:
    a, b = _rope(x, start, base).chunk(2, -1)
    return torch.stack((a, b), -1).flatten(-2)


def _parted(x: Tensor, start: int, base: float) -> Tensor:
    turned = _neighbors(x, start, base)
    return torch.cat((turned[..., 0::2], turned[..., 1::2]), -1)


def _alike(x: Tensor, start: int, base: float) -> Tensor:
    cos, sin = _table(x, start, base)
    return _halves(x, cos[:, :1], sin[:, :1])


def _front_axis(axis: int) -> Callable[[Tensor, int, float], Tensor]:
    def rope(x: Tensor, start: int, base: float) -> Tensor:
        rows = torch.empty(x.shape[axis], x.shape[-1], dtype=x.dtype)
        return _halves(x, *_table(rows, start, base))

    return rope


def _only_index(x: Tensor, start: int, base: float) -> Tensor:
    return _halves(x, *_table(x[..., :1, :], 1, base))


X = torch.tensor([[3.0, 1.0, 2.0, -1.0], [0.5, 1.0, -2.0, 4.0]])
LONG = torch.arange(36.0).sin().view(1, 2, 3, 6) * 3

FROM_THE_FRONT = (
    "T is the last axis but one, x.shape[-2]. You count from the front, and "
    "there may be any number of axes before it."
)

rope = Exercise(
    name="rope",
    asks="write rope(x, start, base): x (..., T, D) with its pairs turned",
    reference=_rope,
    cases=[
        (X[:1], 0, 10_000.0),
        (X[:1, :2], 1, 10_000.0),
        (X[:1], 1, 10_000.0),
        (X, 0, 100.0),
        (X, 3, 100.0),
        (X[None, :, :2], 1, 10_000.0),
        (LONG, 5, 10_000.0),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You turn neighbors, columns 0 and 1, 2 and 3, and so on. That "
            "is a rotary embedding too, of models whose weights were trained "
            "for it. The form asked for pairs column i with column i + D/2.",
            _neighbors,
        ),
        Mistake(
            "You mix two forms: the numbers are paired by halves, but the "
            "angles are laid out for neighbors (0 0 1 1 ...). By halves they "
            "go 0 1 ... 0 1 ...: torch.cat((angles, angles), -1).",
            _mixed,
        ),
        Mistake(
            "The pairs are the right ones, by halves, but you put them back "
            "as neighbors. The first members are the first half again, as "
            "they came: torch.cat, not torch.stack.",
            _stacked,
        ),
        Mistake(
            "You turn neighbors, columns 0 and 1, 2 and 3, and put the "
            "results into halves. Number i and its partner i + D/2 stay "
            "where they are.",
            _parted,
        ),
        Mistake(
            "All your pairs turn at the same speed. Pair i has the frequency "
            "base ** (-2i / D).",
            _alike,
        ),
        Mistake(FROM_THE_FRONT, _front_axis(0)),
        Mistake(FROM_THE_FRONT, _front_axis(1)),
        Mistake(
            "You turn clockwise. The minus belongs to the first half: "
            "a cos - b sin, then a sin + b cos.",
            _clockwise,
        ),
        Mistake(
            "Your rows always begin at position 0. With a cache the first "
            "row stands at `start`.",
            lambda x, start, base: _rope(x, 0, base),
        ),
        Mistake(
            "Your angle does not depend on the position: every row is turned "
            "alike. It is the row's position times the pair's frequency.",
            _only_index,
        ),
        Mistake(
            "The frequencies are base ** (-2i / D) for the D/2 pairs. Yours "
            "have i / D, and fall half as fast.",
            lambda x, start, base: _halves(x, *_table(x, start, base, 1.0)),
        ),
        Mistake(
            "You do not use `base`: models choose it, 10,000 or 500,000.",
            lambda x, start, base: _rope(x, start, 10_000.0),
        ),
        Mistake(
            "A sign is missing, and what you have is no rotation: it changes "
            "the length of vectors.",
            lambda x, start, base: _halves(x, *_table(x, start, base), -1.0),
        ),
        Mistake(
            "Your first row stands at start + 1. Positions are counted from "
            "`start` itself.",
            lambda x, start, base: _rope(x, start + 1, base),
        ),
        other_shape(_rope),
    ],
    praise="This is what Llama, Mistral and Qwen do to queries and keys.",
)
