"""Exercise 2 of chapter 5: RMSNorm.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.decoder_block.norms import (
    DEEP,
    EPS,
    EPS_FIXED,
    KEEPDIM,
    ONE,
    ROWS,
    SMALL,
    WEIGHT,
    X,
)
from llm_utils.checks.tensors import close, other_shape, show, tensor

# -- rms_norm(x, weight, eps) -> x, normalized


def _square(x: Tensor) -> Tensor:
    return x.square().mean(-1, keepdim=True)


def _rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return F.rms_norm(x, weight.shape, weight, eps)


rms_norm = Exercise(
    name="rms_norm",
    asks="write rms_norm(x, weight, eps): (..., C) -> (..., C)",
    reference=_rms_norm,
    cases=[
        (X, ONE, EPS),
        (X, WEIGHT, EPS),
        (ROWS, ONE, EPS),
        (torch.zeros(1, 4), ONE, EPS),
        (SMALL, ONE, EPS),
        (X, ONE, 1.0),
        (DEEP, WEIGHT, EPS),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You subtract the mean, as LayerNorm does. RMSNorm leaves it in: "
            "that is the point of it.",
            lambda x, weight, eps: F.layer_norm(
                x, weight.shape, weight, None, eps
            ),
        ),
        Mistake(
            "You divide by the standard deviation, which leaves the mean "
            "out. The root mean square is of the numbers as they are.",
            lambda x, weight, eps: (
                x
                / (x.var(-1, keepdim=True, correction=0) + eps).sqrt()
                * weight
            ),
        ),
        Mistake(
            "You divide by the length of the vector, the root of the sum of "
            "squares. Take the mean of the squares: otherwise the result "
            "shrinks as C grows.",
            lambda x, weight, eps: (
                x / (x.square().sum(-1, keepdim=True) + eps).sqrt() * weight
            ),
        ),
        Mistake(
            "You divide by the length of the vector, the root of the sum of "
            "squares. Take the mean of the squares: otherwise the result "
            "shrinks as C grows.",
            lambda x, weight, eps: (
                x / (x.norm(dim=-1, keepdim=True) + eps) * weight
            ),
        ),
        Mistake(
            "You square the mean. First square, then take the mean, then the "
            "root: the name, read backward.",
            lambda x, weight, eps: (
                x / (x.mean(-1, keepdim=True).square() + eps).sqrt() * weight
            ),
        ),
        Mistake(
            "You multiply by the root mean square. Divide, so that its size "
            "becomes 1.",
            lambda x, weight, eps: x * (_square(x) + eps).sqrt() * weight,
        ),
        Mistake(
            "You normalize each column over the positions. A position is "
            "normalized by itself, over the last axis.",
            lambda x, weight, eps: (
                x / (x.square().mean(-2, keepdim=True) + eps).sqrt() * weight
            ),
        ),
        Mistake(
            "Yours multiplies by 1 + weight. Gemma's norm does that, with "
            "weights that begin at 0; this one has weights that begin at 1.",
            lambda x, weight, eps: _rms_norm(x, 1 + weight, eps),
        ),
        Mistake(EPS_FIXED, lambda x, w, eps: _rms_norm(x, w, EPS)),
        Mistake(
            KEEPDIM,
            lambda x, weight, eps: (
                x / (x.square().mean(-1) + eps).sqrt() * weight
            ),
        ),
        Mistake(
            "You add eps after the root. It belongs under it: "
            "sqrt(mean of squares + eps).",
            lambda x, weight, eps: x / (_square(x).sqrt() + eps) * weight,
        ),
        Mistake(
            "eps is missing: a vector of zeros is divided by zero.",
            lambda x, weight, eps: x / _square(x).sqrt() * weight,
        ),
        Mistake(
            "You divide by the mean of squares; its root is asked for.",
            lambda x, weight, eps: x / (_square(x) + eps) * weight,
        ),
        Mistake(
            "You take one mean over the whole tensor. Each position has its "
            "own: dim=-1, keepdim=True.",
            lambda x, weight, eps: (
                x / (x.square().mean() + eps).sqrt() * weight
            ),
        ),
        Mistake(
            "The weight is missing.",
            lambda x, weight, eps: F.rms_norm(x, weight.shape, None, eps),
        ),
        other_shape(_rms_norm),
    ],
    praise="One mean fewer than LayerNorm, and no bias.",
)
