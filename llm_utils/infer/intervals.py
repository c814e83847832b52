"""How sure a score is: standard errors, intervals, and how many items to ask.

Chapter 12 derives them. Scores are one number an item; `groups` says which
items belong together (questions about one story), since those err together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from statistics import NormalDist

import torch
from torch import Tensor

Scores = Sequence[float]
Groups = Sequence[Hashable]


def as_scores(scores: Scores) -> Tensor:
    """(n,) float64; ValueError for fewer than two."""
    x = torch.as_tensor(scores, dtype=torch.float64)
    if x.dim() != 1 or len(x) < 2:
        raise ValueError(
            f"scores of shape {tuple(x.shape)}: an interval needs a list of "
            "two or more"
        )
    return x


def group_sums(x: Tensor, groups: Groups | None) -> tuple[Tensor, Tensor]:
    """(n,) -> sums (G,) and sizes (G,), one group for each item if None."""
    if groups is None:
        return x, torch.ones_like(x)
    if len(groups) != len(x):
        raise ValueError(f"{len(groups)} groups for {len(x)} scores")
    number = {g: i for i, g in enumerate(dict.fromkeys(groups))}
    if len(number) < 2:
        raise ValueError("all scores are in one group: nothing to compare")
    place = torch.tensor([number[g] for g in groups])
    zeros = torch.zeros(len(number), dtype=torch.float64)
    return zeros.index_add(0, place, x), zeros.index_add(
        0, place, torch.ones_like(x)
    )


def standard_error(scores: Scores, groups: Groups | None = None) -> float:
    """Of the mean of the scores; with groups, the clustered one.

    sqrt(sum over groups of (sum of deviations)^2) / n, times sqrt(G / (G - 1))
    so that G = n gives s / sqrt(n). Chapter 12; Miller (2024), section 2.2.
    """
    x = as_scores(scores)
    sums, _ = group_sums(x - x.mean(), groups)
    G = len(sums)
    return math.sqrt(float((sums**2).sum()) * G / (G - 1)) / len(x)


def z_of(level: float) -> float:
    """0.95 -> 1.96: how many standard errors an interval reaches."""
    if not 0 < level < 1:
        raise ValueError(f"level={level} must be between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of a share, good for few items and for 0 or n right.

    All p for which the share is not surprising, given p. Chapter 12; Wilson
    (1927).
    """
    if not 0 <= right <= n or n < 1:
        raise ValueError(
            f"right={right} of n={n}: needs 0 <= right <= n, n > 0"
        )
    z, p = z_of(level), right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    half *= z / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def resample(G: int, times: int, rng: torch.Generator) -> Tensor:
    """-> (times, G), int64: how often each of G things is drawn, of G draws."""
    if times < 1:
        raise ValueError(f"times={times} must be 1 or more")
    drawn = torch.randint(G, (times, G), generator=rng)
    counts = torch.zeros(times, G, dtype=torch.int64)
    return counts.scatter_add_(1, drawn, torch.ones_like(drawn))


def percentiles(values: Tensor, level: float) -> tuple[float, float]:
    """The middle `level` of values."""
    z_of(level)
    tail = (1 - level) / 2
    low, high = values.quantile(
        torch.tensor([tail, 1 - tail], dtype=values.dtype)
    ).tolist()
    return low, high


def bootstrap_ci(
    scores: Scores,
    rng: torch.Generator,
    groups: Groups | None = None,
    statistic: Callable[[Tensor], float] | None = None,
    level: float = 0.95,
    times: int = 2000,
) -> tuple[float, float]:
    """The middle of what the statistic is, on items drawn with replacement.

    statistic: scores (n,) -> a number; None is the mean. With groups whole
    groups are drawn (of a mean only). Percentiles, as in Efron (1979).
    Chapter 12.
    """
    x = as_scores(scores)
    if statistic is None:
        sums, sizes = group_sums(x, groups)
        counts = resample(len(sums), times, rng).double()
        return percentiles(counts @ sums / (counts @ sizes), level)
    if groups is not None:
        raise ValueError("groups go with the mean only: statistic=None")
    drawn = torch.randint(len(x), (times, len(x)), generator=rng)
    values = [float(statistic(x[row])) for row in drawn]
    return percentiles(torch.tensor(values, dtype=torch.float64), level)


def items_needed(
    gain: float, spread: float, power: float = 0.8, level: float = 0.95
) -> int:
    """How many items show a gain of this size.

    spread: the standard deviation of one item's score, or of the difference
    of two models' on it. power: how often the gain is then found. Chapter 12;
    Card et al. (2020), Miller (2024), section 5.
    """
    if not gain > 0 or spread < 0 or not 0.5 <= power < 1:
        raise ValueError(
            f"gain={gain}, spread={spread}, power={power}: needs a positive "
            "gain, a spread, and a power from 0.5 to 1"
        )
    reach = z_of(level) + NormalDist().inv_cdf(power)
    return max(2, math.ceil((reach * spread / gain) ** 2))


def power(gain: float, spread: float, n: int, level: float = 0.95) -> float:
    """How often a gain is found with n items: the inverse of items_needed.

    Chapter 12; Card et al. (2020).
    """
    if n < 1 or spread < 0:
        raise ValueError(f"n={n}, spread={spread}: needs items and a spread")
    if spread == 0:
        return float(gain != 0)
    z, bell = abs(gain) * math.sqrt(n) / spread, NormalDist()
    return bell.cdf(z - z_of(level)) + bell.cdf(-z - z_of(level))


def spread_of(a: float, b: float, shared: float) -> float:
    """The spread of an item's difference for two accuracies.

    shared: 0 if the models err independently, 1 if every item that the better
    one gets wrong the other one gets wrong too. Chapter 12.
    """
    if not all(0 <= x <= 1 for x in (a, b, shared)):
        raise ValueError(f"a={a}, b={b}, shared={shared}: needs shares, 0 to 1")
    both = (1 - shared) * (1 - a) * (1 - b) + shared * min(1 - a, 1 - b)
    differ = (1 - a) + (1 - b) - 2 * both
    return math.sqrt(max(0.0, differ - (a - b) ** 2))
