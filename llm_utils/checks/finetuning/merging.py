"""Exercise 5 of chapter 14: a merge with three lines wrong.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _merge(
    W: Tensor,
    A: Tensor,
    B: Tensor,
    alpha: float,
    rank: str = "r",
    times: bool = False,
    scaled: bool = True,
    sign: int = 1,
    alone: bool = False,
) -> Tensor:
    """W + alpha / r * B A, with the mistakes as knobs."""
    r = {"r": A.shape[0], "out": B.shape[0], "in": A.shape[1]}[rank]
    scale = alpha * r if times else alpha / r
    change = sign * (scale if scaled else 1.0) * (B @ A)
    return change if alone else W + change


def _case(n_out: int, n_in: int, r: int, alpha: float) -> tuple[object, ...]:
    rng = torch.Generator().manual_seed(10 * n_out + n_in)
    return (
        *(
            torch.randint(-3, 4, shape, generator=rng).double()
            for shape in ((n_out, n_in), (r, n_in), (n_out, r))
        ),
        alpha,
    )


merge = Exercise(
    name="merge",
    asks="write merge(W, A, B, alpha): broken_merge, with its three lines "
    "repaired",
    reference=_merge,
    cases=[
        _case(2, 3, 1, 2.0),
        _case(3, 4, 2, 3.0),
        _case(5, 3, 2, 8.0),
        _case(4, 6, 3, 1.5),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The rank and the scale are still as they were.",
            partial(_merge, rank="out", times=True),
        ),
        Mistake(
            "The rank is not the number of rows of B. That is what W has, "
            "too; the rank is the side that A and B share.",
            partial(_merge, rank="out"),
        ),
        Mistake(
            "The rank is not the number of columns of A. That is what W has, "
            "too; the rank is the side that A and B share.",
            partial(_merge, rank="in"),
        ),
        Mistake(
            "You multiply by the rank: the scale is alpha / rank.",
            partial(_merge, times=True),
        ),
        Mistake(
            "The scale is missing: the model was trained with alpha / rank "
            "times B A.",
            partial(_merge, scaled=False),
        ),
        Mistake(
            "The correction is taken away. It is to be added.",
            partial(_merge, sign=-1),
        ),
        Mistake(
            "That is the correction alone: add it to W.",
            partial(_merge, alone=True),
        ),
        other_shape(_merge),
    ],
    praise="And W is as it was, so that another adapter can be merged into "
    "it tomorrow.",
)
