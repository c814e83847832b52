"""Exercise 7 of chapter 9: a step that must not depend on who takes it.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor


def gradient(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Of the mean squared error of x @ w."""
    return 2 * x.T @ (x @ w - y) / len(x)


def _step(
    w: Tensor,
    x: Tensor,
    y: Tensor,
    n: int,
    lr: float,
    clip: float,
    rows: str = "own",
    clipped: str = "after",
    divide: str = "ranks",
) -> Tensor:
    """One step of n ranks, with the bugs as knobs."""
    size, total = len(x) // n, torch.zeros_like(w)
    by = {"ranks": n, "no": 1, "size": size, "rows": len(x), "twice": n * n}
    for rank in range(n):
        start = {"own": rank * size, "overlap": rank, "first": 0}[rows]
        part = slice(start, start + size)
        grad = gradient(w, x[part], y[part])
        total += _clip(grad, clip) if clipped == "before" else grad
    if clipped == "sum":
        total = _clip(total, clip)
    total = total / by[divide]
    if clipped == "after":
        total = _clip(total, clip)
    return w - lr * total


def _clip(grad: Tensor, clip: float) -> Tensor:
    return grad * min(1.0, clip / float(grad.norm()))


def _case(rows: int, C: int, n: int, clip: float) -> tuple:
    """Rows that differ much, so that who has which of them matters."""
    x = torch.sin(torch.arange(rows * C) * 1.3).view(rows, C)
    x = x * torch.arange(1, rows + 1)[:, None] / rows
    y = torch.cos(torch.arange(rows) * 2.1)
    return torch.linspace(-1, 1, C), x, y, n, 0.1, clip


step = Exercise(
    name="step",
    asks="repair step(w, x, y, n, lr, clip), so that it takes the step of "
    "one process, whatever n is",
    reference=_step,
    cases=[
        _case(2, 2, 1, 100.0),
        _case(4, 2, 2, 100.0),
        _case(8, 3, 2, 100.0),
        _case(12, 3, 4, 100.0),
        _case(8, 3, 2, 0.3),
        _case(12, 3, 4, 0.5),
        _case(12, 2, 3, 0.1),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "All three bugs are still there. Print which rows each rank "
            "takes; then what the sum of equal gradients would be.",
            partial(_step, rows="overlap", clipped="before", divide="no"),
        ),
        Mistake(
            "The rows are dealt out right now. Two bugs are left: is the "
            "gradient a mean, and when is it clipped?",
            partial(_step, clipped="before", divide="no"),
        ),
        Mistake(
            "The gradient is a mean now. Two bugs are left: which rows does "
            "each rank take, and when is the gradient clipped?",
            partial(_step, rows="overlap", clipped="before"),
        ),
        Mistake(
            "Clipping is right now. Two bugs are left: which rows does each "
            "rank take, and is the gradient a mean?",
            partial(_step, rows="overlap", divide="no"),
        ),
        Mistake(
            "The ranks' rows overlap. Rank 1 starts where rank 0 ends, at "
            "row `size`, not at row 1.",
            partial(_step, rows="overlap"),
        ),
        Mistake(
            "All ranks take the same rows. Then more of them learn nothing "
            "more.",
            partial(_step, rows="first"),
        ),
        Mistake(
            "The gradients are added up and not averaged: n ranks take a "
            "step n times too long.",
            partial(_step, divide="no"),
        ),
        Mistake(
            "Each rank clips its own gradient. A mean of clipped gradients "
            "is not the clipped mean: average first, then clip.",
            partial(_step, clipped="before"),
        ),
        Mistake(
            "You clip the sum and divide afterwards. The norm that counts is "
            "that of the mean: divide first.",
            partial(_step, clipped="sum"),
        ),
        Mistake(
            "Nothing is clipped any more. Clip the mean, once.",
            partial(_step, clipped="never"),
        ),
        Mistake(
            "You divide by the rows of a rank. Each gradient is a mean over "
            "its rows already: divide by the number of ranks.",
            partial(_step, divide="size"),
        ),
        Mistake(
            "You divide by the rows of the batch. Each gradient is a mean "
            "over its rows already: divide by the number of ranks.",
            partial(_step, divide="rows"),
        ),
        Mistake(
            "You divide by the number of ranks twice.",
            partial(_step, divide="twice"),
        ),
        Mistake(
            "The gradient is right, and then you divide the learning rate by "
            "n. One process would take the whole of it.",
            lambda w, x, y, n, lr, clip: _step(w, x, y, n, lr / n, clip),
        ),
        Mistake(
            "Short gradients are stretched to the length `clip`. What is "
            "within the limit stays: the factor is never above 1.",
            lambda w, x, y, n, lr, clip: (
                w - lr * clip * gradient(w, x, y) / gradient(w, x, y).norm()
            ),
        ),
        Mistake(
            "Each number is cut off by itself, which turns the direction. "
            "Clip the length of the whole gradient.",
            lambda w, x, y, n, lr, clip: (
                w - lr * gradient(w, x, y).clamp(-clip, clip)
            ),
        ),
        Mistake(
            "The step goes uphill: subtract.",
            lambda w, x, y, n, lr, clip: _step(w, x, y, n, -lr, clip),
        ),
    ],
    praise="The same step on one rank and on many is the test to run before "
    "every long run, with plain descent, which hides nothing.",
)
