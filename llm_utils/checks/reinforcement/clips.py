"""Exercise 4 of chapter 16: a clipped loss with three lines wrong.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show


def _loss(
    now: Tensor,
    old: Tensor,
    mask: Tensor,
    A: Tensor,
    eps: float = 0.2,
    turned: bool = False,
    larger: bool = False,
    average: str = "response",
    sign: int = -1,
    detached: bool = False,
) -> float:
    """The mean over answers of each one's mean, the mistakes as knobs."""
    ratio = (old - now if turned else now - old).exp()
    if detached:
        ratio = torch.ones_like(ratio)
    gain = A[:, None]
    inside = ratio.clamp(1 - eps, 1 + eps) * gain
    choose = torch.maximum if larger else torch.minimum
    loss = sign * choose(ratio * gain, inside)
    if average == "all":
        return float(loss.mean())
    if average == "token":
        return float(loss[mask].mean())
    if average == "sum":
        return float((loss * mask).sum(1).mean())
    return float(((loss * mask).sum(1) / mask.sum(1)).mean())


def _case(
    lengths: list[int], gains: list[float], seed: int
) -> tuple[object, ...]:
    rng = torch.Generator().manual_seed(seed)
    B, T = len(lengths), max(lengths) + 1
    now, old = -1 + 0.5 * torch.randn(
        2, B, T, generator=rng, dtype=torch.float64
    )
    mask = torch.arange(T) < torch.tensor(lengths)[:, None]
    return now, old, mask, torch.tensor(gains).double()


clip_loss = Exercise(
    name="clip_loss",
    asks="write clip_loss(now, old, mask, A): broken_loss, with its three "
    "lines repaired",
    reference=_loss,
    cases=[
        _case([2], [1.0], 0),
        _case([1, 3], [1.0, -1.0], 1),
        _case([5, 2, 4], [2.0, -0.5, -1.0], 2),
        _case([1, 6, 2, 3], [1.0, 0.5, -1.5, -1.0], 3),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-5,
    show=show,
    mistakes=[
        Mistake(
            "All three lines are still as they were.",
            partial(_loss, turned=True, larger=True, average="all"),
        ),
        Mistake(
            "The ratio is upside down: what is likelier now than it was has a "
            "ratio over 1.",
            partial(_loss, turned=True),
        ),
        Mistake(
            "That clips the wrong side: it stops what has gone astray, and "
            "lets what has gained enough go on. Take the minimum.",
            partial(_loss, larger=True),
        ),
        Mistake(
            "The mask is not used: places behind the end of an answer count.",
            partial(_loss, average="all"),
        ),
        Mistake(
            "That is the mean over tokens, in which long answers count more. "
            "Here each answer is to count the same: first its own mean.",
            partial(_loss, average="token"),
        ),
        Mistake(
            "That is the sum over the tokens of an answer. Divide by how many "
            "the mask has.",
            partial(_loss, average="sum"),
        ),
        Mistake(
            "The sign is turned: that is what should go up, not a loss.",
            partial(_loss, sign=1),
        ),
        Mistake(
            "The ratio is 1 everywhere. `old` is what was recorded when the "
            "answers were drawn, and not a detached copy of `now`.",
            partial(_loss, detached=True),
        ),
        Mistake(
            "The ratio is still upside down, and the mask is not used.",
            partial(_loss, turned=True, average="all"),
        ),
        Mistake(
            "The mask is not used, and the wrong side is clipped.",
            partial(_loss, larger=True, average="all"),
        ),
        Mistake(
            "The ratio is still upside down, and the wrong side is clipped.",
            partial(_loss, turned=True, larger=True),
        ),
    ],
    praise="Without the mask such a loss still falls; only its length is "
    "learned from padding.",
)
