"""Exercises 4 and 6 of appendix B: heads, and einsum.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _heads(x: Tensor, n: int) -> Tensor:
    return x.reshape(len(x), n, -1).transpose(0, 1)


def _count(*shape: int) -> Tensor:
    return torch.arange(prod(shape)).view(shape).double()


heads = Exercise(
    name="heads",
    asks="write heads(x, n): (T, C) to (n, T, C / n)",
    reference=_heads,
    cases=[
        (_count(1, 2), 1),
        (_count(1, 4), 2),
        (_count(2, 2), 2),
        (_count(3, 4), 2),
        (_count(2, 6), 3),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The shape is right and the numbers are not: a view to (n, T, D) "
            "reads memory on in order, so it mixes positions. First view to "
            "(T, n, D), then transpose.",
            lambda x, n: x.reshape(n, len(x), -1),
        ),
        Mistake(
            "The transpose is missing: that is (T, n, D), and heads come "
            "first.",
            lambda x, n: x.reshape(len(x), n, -1),
        ),
        Mistake(
            "Your heads take every n-th number of a position. A head is a run "
            "of neighbors: view to (T, n, D), not to (T, D, n).",
            lambda x, n: x.reshape(len(x), -1, n).permute(2, 0, 1),
        ),
        Mistake(
            "The last two axes are the wrong way round: T, then D.",
            lambda x, n: _heads(x, n).transpose(1, 2),
        ),
        other_shape(_heads),
    ],
    praise="View splits an axis, transpose moves one, and only a view that "
    "splits keeps neighbors together.",
)


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return torch.einsum("bthd,bshd->bhts", q, k)


def _draw(*shape: int, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(-3, 4, shape, generator=rng).double()


scores = Exercise(
    name="scores",
    asks="write scores(q, k): (B, T, H, D) and (B, S, H, D) to (B, H, T, S)",
    reference=_scores,
    cases=[
        (_draw(1, 1, 1, 2), _draw(1, 1, 1, 2, seed=1)),
        (_draw(1, 2, 1, 2), _draw(1, 3, 1, 2, seed=1)),
        (_draw(1, 2, 2, 2), _draw(1, 2, 2, 2, seed=1)),
        (_draw(2, 3, 2, 4), _draw(2, 5, 2, 4, seed=1)),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Queries and keys are swapped: the result is (B, H, S, T). The "
            "letters after the arrow say the order.",
            lambda q, k: _scores(q, k).mT,
        ),
        Mistake(
            "The heads are summed over: h stands before the arrow and must "
            "stand behind it too.",
            lambda q, k: torch.einsum("bthd,bshd->bts", q, k)[:, None]
            .expand(-1, q.shape[2], -1, -1),
        ),
        Mistake(
            "The heads stand last. Put h in second place behind the arrow.",
            lambda q, k: torch.einsum("bthd,bshd->btsh", q, k),
        ),
        Mistake(
            "Divided by the root of D: right in attention, and not asked for "
            "here. The plain dot products.",
            lambda q, k: _scores(q, k) / q.shape[-1] ** 0.5,
        ),
        Mistake(
            "The batch is summed over: b must stand behind the arrow, too.",
            lambda q, k: torch.einsum("bthd,bshd->hts", q, k),
        ),
        other_shape(_scores),
    ],
    praise="A letter that is missing behind the arrow is summed over; all "
    "others are axes, in the order you write.",
)  # fmt: skip
