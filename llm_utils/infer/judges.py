"""Judges that compare two answers, and the biases that they bring along.

Chapter 12 derives it. A judge is any function of two texts that says how sure
it is that the first is better; `Biased` is one whose faults can be dialed, so
that every remedy can be checked against the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Judge = Callable[[str, str], float]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Biased:
    """A judge with faults: p = sigmoid(skill * (quality a - quality b) + ...).

    quality: text -> a number, the truth. first: what it adds for being shown
    first. longer: what it adds for each doubling of the length. Both in
    nats of odds. Chapter 12; Zheng et al. (2023) measured both in real ones.
    """

    quality: Callable[[str], float]
    skill: float = 4.0
    first: float = 0.0
    longer: float = 0.0

    def __call__(self, a: str, b: str) -> float:
        """Two texts, in the order shown -> p that the first is better."""
        gain = self.skill * (self.quality(a) - self.quality(b))
        return sigmoid(gain + self.first + self.longer * doublings(a, b))


def sigmoid(x: float) -> float:
    """Log-odds in nats -> a probability; no overflow on either side."""
    small = math.exp(-abs(x))
    return (1.0 if x >= 0 else small) / (1 + small)


def doublings(a: str, b: str) -> float:
    """How many times longer a is than b, in powers of two."""
    if not a or not b:
        raise ValueError("an empty text has no length to compare")
    return math.log2(len(a.encode()) / len(b.encode()))


def both_orders(judge: Judge) -> Judge:
    """A judge that asks twice, with the texts swapped, and takes the mean.

    What it says of (a, b) and of (b, a) adds up to 1, whatever the judge.
    Chapter 12; Zheng et al. (2023), section 3.4.
    """

    def ask(a: str, b: str) -> float:
        return (judge(a, b) + 1 - judge(b, a)) / 2

    return ask


def win_rate(judge: Judge, pairs: Sequence[Pair]) -> float:
    """The share of pairs whose first text wins; an even one counts half."""
    if not pairs:
        raise ValueError("no pairs to judge")
    return sum(win(judge(a, b)) for a, b in pairs) / len(pairs)


def win(p: float) -> float:
    """1.0, 0.5 or 0.0: p above, at or below one half."""
    return 0.5 if math.isclose(p, 0.5) else float(p > 0.5)


def consistency(judge: Judge, pairs: Sequence[Pair]) -> float:
    """The share of pairs with the same winner in both orders.

    A judge that looks at the place only has 0. Chapter 12.
    """
    if not pairs:
        raise ValueError("no pairs to judge")
    same = [win(judge(a, b)) == 1 - win(judge(b, a)) for a, b in pairs]
    return sum(same) / len(same)


@dataclass(frozen=True)
class AtEqualLength:
    """A win rate with the effect of the length taken out."""

    win_rate: float
    longer: float  # nats of odds for each doubling of the length


def at_equal_length(
    judge: Judge, pairs: Sequence[Pair], steps: int = 50
) -> AtEqualLength:
    """Fit p = sigmoid(gain + longer * doublings); the gain is what is wanted.

    Logistic regression by Newton's method on the judge's own probabilities,
    with a little shrinkage, so that it ends where texts are all of a length.
    Chapter 12; after Dubois et al. (2024).
    """
    if len(pairs) < 3:
        raise ValueError(f"{len(pairs)} pairs: a line needs 3 or more")
    y = torch.tensor([judge(a, b) for a, b in pairs], dtype=torch.float64)
    size = torch.tensor([doublings(a, b) for a, b in pairs]).double()
    x = torch.stack([torch.ones_like(size), size], 1)  # (n, 2)
    w = logistic(x, y, steps)
    return AtEqualLength(float(torch.sigmoid(w[0])), float(w[1]))


def logistic(
    x: Tensor, y: Tensor, steps: int = 50, shrink: float = 1e-6
) -> Tensor:
    """x (n, k), y (n,) in 0..1 -> w (k,): the likeliest sigmoid(x @ w)."""
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(steps):
        p = torch.sigmoid(x @ w)
        slope = x.T @ (y - p) - shrink * w
        bend = (x * (p * (1 - p))[:, None]).T @ x
        bend += shrink * torch.eye(len(w), dtype=x.dtype)
        step = torch.linalg.solve(bend, slope)
        w += step.clamp(-4, 4)
        if float(step.abs().max()) < 1e-10:
            break
    return w
