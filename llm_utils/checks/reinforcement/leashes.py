"""Exercise 5 of chapter 16: the KL to the reference, from what was drawn.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show


def _kl(
    now: Tensor,
    ref: Tensor,
    mask: Tensor,
    turned: bool = False,
    form: str = "k3",
    masked: str = "token",
) -> float:
    """The mean of k3 over tokens, the mistakes as knobs."""
    gap = now - ref if turned else ref - now
    k = {
        "k3": gap.exp() - gap - 1,
        "k2": gap**2 / 2,
        "k1": -gap,
        "no log": gap.exp() - 1,
    }[form]
    if masked == "none":
        return float(k.mean())
    if masked == "sum":
        return float((k * mask).sum(1).mean())
    if masked == "response":
        return float(((k * mask).sum(1) / mask.sum(1)).mean())
    return float(k[mask].mean())


def _case(lengths: list[int], seed: int) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    B, T = len(lengths), max(lengths) + 1
    now, ref = -2 + 0.8 * torch.randn(
        2, B, T, generator=rng, dtype=torch.float64
    )
    return now, ref, torch.arange(T) < torch.tensor(lengths)[:, None]


kl_per_token = Exercise(
    name="kl_per_token",
    asks="write kl_per_token(now, ref, mask): the mean of k3 over the tokens "
    "of all answers",
    reference=_kl,
    cases=[_case([1], 5), _case([1, 3], 6), _case([4, 2, 5], 7)],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-6,
    show=show,
    mistakes=[
        Mistake(
            "The direction is turned. What was drawn from the model wants "
            "delta = log ref - log now; the other one belongs to draws of the "
            "reference.",
            partial(_kl, turned=True),
        ),
        Mistake(
            "That is the plain estimate, log now - log ref. It has the right "
            "mean, but it scatters and may be negative.",
            partial(_kl, form="k1"),
        ),
        Mistake(
            "That is half the square of the log-ratio: never negative, but "
            "its mean is not the KL.",
            partial(_kl, form="k2"),
        ),
        Mistake(
            "The term - delta is missing; without it the mean is zero.",
            partial(_kl, form="no log"),
        ),
        Mistake(
            "The mask is not used: places behind the end of an answer count.",
            partial(_kl, masked="none"),
        ),
        Mistake(
            "That is the mean over answers of each one's mean. Per token, all "
            "tokens count the same.",
            partial(_kl, masked="response"),
        ),
        Mistake(
            "That is per answer. Divide by the number of tokens, not by that "
            "of the answers.",
            partial(_kl, masked="sum"),
        ),
    ],
    praise="Never negative for any token, and the KL in the mean.",
)
