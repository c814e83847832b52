"""Exercise 4 of chapter 12: the chance that all of k tries are right.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from math import comb

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.scaling.numbers import show


def _close(a: float, b: float) -> bool:
    return abs(a - b) < 1e-6


pass_all = Exercise(
    name="pass_all",
    asks="write pass_all(n, c, k): the share of all groups of k samples, of "
    "n with c right ones, in which every sample is right",
    reference=lambda n, c, k: comb(c, k) / comb(n, k),
    cases=[
        (2, 1, 1),
        (3, 2, 2),
        (4, 4, 3),
        (5, 1, 2),
        (6, 0, 2),
        (10, 7, 3),
        (400, 390, 20),
    ],
    form=number,
    same=_close,
    show=show,
    mistakes=[
        Mistake(
            "That is pass@k: one right sample is enough for it. Here all of "
            "them must be right.",
            lambda n, c, k: 1 - comb(n - c, k) / comb(n, k),
        ),
        Mistake(
            "That is the chance that all are wrong.",
            lambda n, c, k: comb(n - c, k) / comb(n, k),
        ),
        Mistake(
            "You draw with replacement: (c / n) to the power k. A group "
            "holds each sample at most once, and so is right less often.",
            lambda n, c, k: (c / n) ** k,
        ),
        Mistake(
            "That is the share of right samples, whatever k is.",
            lambda n, c, k: c / n,
        ),
        Mistake(
            "That is upside down: right groups, divided by all groups.",
            lambda n, c, k: comb(n, k) / comb(c, k) if c >= k else 0.0,
        ),
        Mistake(
            "That is how many groups are right. Divide by all groups.",
            lambda n, c, k: comb(c, k),
        ),
    ],
    praise="pass@k asks whether a model can, this one whether you can rely "
    "on it.",
)
