"""Is one model better than another, on the same items?

Chapter 12 derives it: three tests of the same question, from the crudest.
Scores are one number an item, in the same order for both models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from llm_utils.infer.intervals import (
    Groups,
    Scores,
    as_scores,
    group_sums,
    percentiles,
    resample,
)


@dataclass(frozen=True)
class Comparison:
    """mean(a) - mean(b), its interval, and how likely chance alone does it."""

    gain: float
    interval: tuple[float, float]
    p: float


def differences(a: Scores, b: Scores) -> Tensor:
    """(n,), (n,) -> a - b; ValueError unless they are of the same items."""
    x, y = as_scores(a), as_scores(b)
    if len(x) != len(y):
        raise ValueError(
            f"{len(x)} scores against {len(y)}: a pair is one item, scored "
            "for both models"
        )
    return x - y


def paired_bootstrap(
    a: Scores,
    b: Scores,
    rng: torch.Generator,
    groups: Groups | None = None,
    level: float = 0.95,
    times: int = 2000,
) -> Comparison:
    """Draw items (or groups) with replacement, both models' scores together.

    p is two-sided: twice the share of draws on the far side of zero, a draw
    of exactly zero counted half, and never below 1 / times. Chapter 12;
    Efron and Tibshirani (1993), Koehn (2004).
    """
    d = differences(a, b)
    sums, sizes = group_sums(d, groups)
    counts = resample(len(sums), times, rng).double()
    means = counts @ sums / (counts @ sizes)
    below = float(
        (means < 0).double().mean() + (means == 0).double().mean() / 2
    )
    p = min(1.0, max(2 * min(below, 1 - below), 1 / times))
    return Comparison(float(d.mean()), percentiles(means, level), p)


def permutation_test(
    a: Scores,
    b: Scores,
    rng: torch.Generator,
    groups: Groups | None = None,
    times: int = 10_000,
) -> float:
    """p that chance alone gives so large a difference, two-sided.

    If the models were equal, each item (or group) could as well have its
    scores swapped: flip signs at random, and count. (hits + 1) / (times + 1).
    Chapter 12; Fisher (1935), Noreen (1989).
    """
    sums, _ = group_sums(differences(a, b), groups)
    seen = float(sums.sum().abs())
    hits, done = 0, 0
    while done < times:
        rows = min(1000, times - done)
        coins = torch.randint(2, (rows, len(sums)), generator=rng)
        flipped = (2.0 * coins.double() - 1) @ sums
        hits += int((flipped.abs() >= seen - 1e-9).sum())
        done += rows
    return (hits + 1) / (times + 1)


class Split(NamedTuple):
    """What McNemar's test looks at, and its p."""

    only_a: int
    only_b: int
    p: float


def mcnemar(a: Scores, b: Scores) -> Split:
    """Right or wrong only: who is right where the other one is not?

    Items that both get right, or both wrong, say nothing. If the models are
    equal, each of the others is a fair coin: the exact, two-sided p of that.
    Chapter 12; McNemar (1947), Dietterich (1998).
    """
    d = differences(a, b)
    if not torch.isin(torch.as_tensor([*a, *b]), torch.tensor([0, 1])).all():
        raise ValueError(
            "scores must be 0 or 1: use permutation_test for others"
        )
    only_a, only_b = int((d > 0).sum()), int((d < 0).sum())
    n, low = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, i) for i in range(low + 1))
    return Split(only_a, only_b, min(1.0, 2 * tail / 2**n))
