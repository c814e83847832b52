"""Exercise 1 of chapter 5: LayerNorm.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor

EPS = 1e-5

# -- layer_norm(x, weight, bias, eps) -> x, normalized


def _layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return F.layer_norm(x, weight.shape, weight, bias, eps)


def _square(x: Tensor) -> Tensor:
    return x.square().mean(-1, keepdim=True)


def _unbiased(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    variance = x.var(-1, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (variance + eps).sqrt() * (
        weight
    ) + bias


def _eps_outside(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    deviation = x.var(-1, keepdim=True, correction=0).sqrt()
    return (x - x.mean(-1, keepdim=True)) / (deviation + eps) * weight + bias


def _no_eps(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    deviation = x.var(-1, keepdim=True, correction=0).sqrt()
    return (x - x.mean(-1, keepdim=True)) / deviation * weight + bias


def _no_root(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    variance = x.var(-1, keepdim=True, correction=0)
    return (x - x.mean(-1, keepdim=True)) / (variance + eps) * weight + bias


def _over(x: Tensor, dims: list[int], eps: float) -> Tensor:
    variance = x.var(dims, keepdim=True, correction=0)
    return (x - x.mean(dims, keepdim=True)) / (variance + eps).sqrt()


def _columns(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return _over(x, [-2], eps) * weight + bias


def _all(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return _over(x, list(range(x.dim())), eps) * weight + bias


def _no_mean(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    variance = x.var(-1, keepdim=True, correction=0)
    return x / (variance + eps).sqrt() * weight + bias


def _no_weight(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return F.layer_norm(x, weight.shape, None, bias, eps)


def _no_bias(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return F.layer_norm(x, weight.shape, weight, None, eps)


def _bias_first(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return (F.layer_norm(x, weight.shape, None, None, eps) + bias) * weight


ONE, ZERO = torch.ones(4), torch.zeros(4)
WEIGHT = torch.tensor([1.0, 2.0, -1.0, 0.5])
BIAS = torch.tensor([0.0, 1.0, 2.0, -1.0])
X = torch.tensor([[1.0, 3.0, 5.0, 7.0]])
ROWS = torch.tensor([[2.0, -1.0, 0.5, 4.0], [10.0, 11.0, 9.0, 14.0]])
EVEN = torch.full((1, 4), 3.0)
SMALL = torch.tensor([[0.001, -0.002, 0.003, -0.002]])
DEEP = torch.arange(24.0).sin().view(2, 3, 4) * 5 + 1

EPS_FIXED = "You do not use `eps`: models differ in it, and it is handed over."
KEEPDIM = (
    "The means have lost their axis, so they line up with the wrong one of "
    "x. Keep it, with length 1: x.mean(-1, keepdim=True)."
)

layer_norm = Exercise(
    name="layer_norm",
    asks="write layer_norm(x, weight, bias, eps): (..., C) -> (..., C)",
    reference=_layer_norm,
    cases=[
        (X, ONE, ZERO, EPS),
        (X, WEIGHT, BIAS, EPS),
        (ROWS, ONE, ZERO, EPS),
        (EVEN, WEIGHT, BIAS, EPS),
        (SMALL, ONE, ZERO, EPS),
        (X, ONE, ZERO, 1.0),
        (DEEP, WEIGHT, BIAS, EPS),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You divide the squares by C - 1. LayerNorm describes these C "
            "numbers, it estimates nothing, so it divides by C: "
            "x.var(-1, correction=0).",
            _unbiased,
        ),
        Mistake(
            "Two slips in one: x.std(-1) divides by C - 1 where LayerNorm "
            "divides by C, and eps stands after the root, not under it.",
            lambda x, weight, bias, eps: (
                (x - x.mean(-1, keepdim=True))
                / (x.std(-1, keepdim=True) + eps)
                * weight
                + bias
            ),
        ),
        Mistake(
            "You take the mean of the squares of x itself. The variance is "
            "that of the distances from the mean.",
            lambda x, weight, bias, eps: (
                (x - x.mean(-1, keepdim=True))
                / (_square(x) + eps).sqrt()
                * weight
                + bias
            ),
        ),
        Mistake(
            "You add the squares up. The variance is their mean.",
            lambda x, weight, bias, eps: _layer_norm(
                x, weight / x.shape[-1] ** 0.5, bias, eps / x.shape[-1]
            ),
        ),
        Mistake(
            "Only the mean is divided: x - mean needs parentheses.",
            lambda x, weight, bias, eps: (
                x
                - x.mean(-1, keepdim=True)
                / (x.var(-1, keepdim=True, correction=0) + eps).sqrt()
                * weight
                + bias
            ),
        ),
        Mistake(EPS_FIXED, lambda x, w, b, eps: _layer_norm(x, w, b, EPS)),
        Mistake(
            KEEPDIM,
            lambda x, weight, bias, eps: (
                (x - x.mean(-1))
                / ((x - x.mean(-1)).square().mean(-1) + eps).sqrt()
                * weight
                + bias
            ),
        ),
        Mistake(
            "You add eps to the standard deviation. It belongs under the "
            "root: sqrt(variance + eps). On small vectors that is a large "
            "difference.",
            _eps_outside,
        ),
        Mistake(
            "eps is missing: a vector of equal numbers has variance 0, and "
            "yours divides 0 by 0.",
            _no_eps,
        ),
        Mistake("You divide by the variance; its root is asked for.", _no_root),
        Mistake(
            "You normalize each column over the positions. A position is "
            "normalized by itself, over the last axis: nothing of the future "
            "may leak in.",
            _columns,
        ),
        Mistake(
            "You normalize along the first axis, over different texts. A "
            "position is normalized by itself, over the last axis.",
            lambda x, w, b, eps: _over(x, [0], eps) * w + b,
        ),
        Mistake(
            "You take one mean and one variance of the whole tensor. Each "
            "position has its own: dim=-1, keepdim=True.",
            _all,
        ),
        Mistake("The mean is not subtracted.", _no_mean),
        Mistake("The weight is missing.", _no_weight),
        Mistake("The bias is missing.", _no_bias),
        Mistake(
            "The bias comes after the weight: normalized * weight + bias.",
            _bias_first,
        ),
        other_shape(_layer_norm),
    ],
    praise="Mean 0, variance 1, then a scale and a shift that are learned.",
)
