"""Chapter 16's explorer: what a group of answers, right or wrong, teaches."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import traitlets

from llm_utils.align.rl import group_advantages

from .base import Explorer

MOST = 8  # answers of a group, at most


class Lesson(NamedTuple):
    """Of k = 0 to MOST right answers: chances and advantages of a right one.

    silent: the chance that all are right or all wrong. pull: the mean
    advantage that right answers are given, over all answers.
    """

    chances: list[float]
    gains: list[float]
    silent: float
    pull: float


def lesson(p: float, G: int, scale: bool = True) -> Lesson:
    """G answers, each right with the chance p, rewarded by 1 or 0."""
    chances, gains = [0.0] * (MOST + 1), [0.0] * (MOST + 1)
    for k in range(G + 1):
        chances[k] = math.comb(G, k) * p**k * (1 - p) ** (G - k)
        rewards = torch.tensor([[1.0] * k + [0.0] * (G - k)]).double()
        if k:
            gains[k] = float(group_advantages(rewards, scale)[0, 0])
    pull = sum(chances[k] * gains[k] * k / G for k in range(G + 1))
    return Lesson(chances, gains, chances[0] + chances[G], pull)


class Grouping(Explorer):
    """What `group_explorer` returns; `setting` can be set."""

    module, title = "grouping", "What does a group of answers teach?"
    setting = traitlets.Dict().tag(sync=True)


def group_explorer(p: float = 0.3, G: int = 8, scale: bool = True) -> Grouping:
    """Play with how hard a question is, and with how often it is answered.

    ValueError unless 0 < p < 1 and 2 <= G <= 8. Chapter 16.
    """
    if not (0 < p < 1 and 2 <= G <= MOST):
        raise ValueError(
            f"p={p}, G={G}: give a chance between 0 and 1, and 2 to {MOST} "
            "answers"
        )
    return Grouping(setting={"p": p, "G": G, "scale": int(scale)})
