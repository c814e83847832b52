"""Exercise 4 of chapter 2: a bigram that falls back on how common a token is.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor


def _parts(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(V, V) counts -> p(b | a), NaN where a never came; p(b); unseen rows."""
    n = counts.double()
    rows = n.sum(1, keepdim=True)
    return n / rows, n.sum(0) / n.sum(), rows == 0


def _mixed(counts: Tensor, lam: float) -> Tensor:
    pairs, alone, unseen = _parts(counts)
    return lam * torch.where(unseen, alone, pairs) + (1 - lam) * alone


def _with_alone(counts: Tensor, lam: float, alone: Tensor) -> Tensor:
    pairs, _, unseen = _parts(counts)
    return lam * torch.where(unseen, alone, pairs) + (1 - lam) * alone


def _uniform(counts: Tensor) -> Tensor:
    return torch.full((len(counts),), 1 / len(counts), dtype=torch.float64)


def _nan(counts: Tensor, lam: float) -> Tensor:
    pairs, alone, _ = _parts(counts)
    return lam * pairs + (1 - lam) * alone


def _nothing(counts: Tensor, lam: float) -> Tensor:
    pairs, alone, _ = _parts(counts)
    return lam * pairs.nan_to_num() + (1 - lam) * alone


def _unseen_uniform(counts: Tensor, lam: float) -> Tensor:
    pairs, alone, unseen = _parts(counts)
    pairs = torch.where(unseen, _uniform(counts), pairs)
    return lam * pairs + (1 - lam) * alone


def _columns(counts: Tensor, lam: float) -> Tensor:
    n = counts.double()
    alone = n.sum(0) / n.sum()
    return lam * (n / n.sum(0)).nan_to_num() + (1 - lam) * alone


def _first(counts: Tensor, lam: float) -> Tensor:
    n = counts.double()
    return _with_alone(counts, lam, n.sum(1) / n.sum())


def _of_all(counts: Tensor, lam: float) -> Tensor:
    """n(ab) / N: how common the pair is, whatever came first."""
    n = counts.double()
    return lam * n / n.sum() + (1 - lam) * n.sum(0) / n.sum()


def _lam_twice(counts: Tensor, lam: float) -> Tensor:
    return lam * (_mixed(counts, 1.0) + _mixed(counts, 0.0))


def _whole(args: tuple[Any, ...], value: Tensor) -> bool:
    """The right shape, but nothing behind any decimal point."""
    return value.shape == args[0].shape and torch.equal(value, value.round())


def _counts(*rows: list[int]) -> Tensor:
    return torch.tensor(rows)


def _not_one(args: tuple[Any, ...], value: Tensor) -> bool:
    """The right shape, and some row that does not sum to 1."""
    fits = value.shape == args[0].shape
    return fits and not torch.allclose(
        value.sum(-1), torch.ones(len(value)).double(), atol=1e-4
    )


mixed = Exercise(
    name="mixed",
    asks="write mixed(counts, lam), a table of probabilities",
    reference=_mixed,
    cases=[
        (_counts([3, 1], [0, 4]), 0.5),
        (_counts([3, 1], [0, 4]), 1.0),
        (_counts([3, 1], [0, 4]), 0.0),
        (_counts([2, 2], [0, 0]), 0.25),
        (_counts([0, 3, 1], [2, 0, 0], [0, 0, 0]), 0.75),
        (_counts([5, 1, 0, 2], [0, 0, 7, 1], [1, 1, 1, 1], [0, 2, 0, 0]), 0.9),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "lam and 1 - lam are swapped: lam is the weight of the pairs.",
            lambda counts, lam: _mixed(counts, 1 - lam),
        ),
        Mistake(
            "A row of zeros gives 0 / 0, which is NaN. Of a token that was "
            "never followed by anything we know only how common the others "
            "are: there p(b) alone is the answer.",
            _nan,
        ),
        Mistake(
            "The row of a token that was never followed by anything sums to "
            "1 - lam only. Of such a token we know nothing but p(b): it gets "
            "the whole weight there.",
            _nothing,
        ),
        Mistake(
            "Where a token was never followed by anything, you take all "
            "tokens for equally likely. We know more: how common each is, "
            "p(b).",
            _unseen_uniform,
        ),
        Mistake(
            "You mix with 1 / V, as if all tokens were equally common. p(b) "
            "is how often b came next, out of all pairs.",
            lambda counts, lam: _with_alone(counts, lam, _uniform(counts)),
        ),
        Mistake(
            "Your p(b) counts how often b comes first in a pair. We predict "
            "what comes second: sum over the rows, counts.sum(0).",
            _first,
        ),
        Mistake(
            "You divide each column by its own sum. Row a holds what came "
            "after a, and each row has to sum to 1: "
            "counts.sum(1, keepdim=True).",
            _columns,
        ),
        Mistake(
            "Your mixture is built from counts. Turn both into probabilities "
            "before you mix them.",
            lambda counts, lam: (
                lam * counts.double() + (1 - lam) * counts.double().sum(0)
            ),
        ),
        Mistake(
            "You divide by the number of all pairs. That is how common the "
            "pair ab is; given a, divide row a by n(a), its own sum.",
            _of_all,
        ),
        Mistake(
            "Both parts have the weight lam. What the pairs leave, 1 - lam, "
            "belongs to p(b).",
            _lam_twice,
        ),
        Mistake(
            "Your probabilities are whole numbers. The counts are integers, "
            "and so is what zeros_like(counts) makes or // divides: what "
            "stands behind the point is cut off. Use torch.zeros, and /.",
            when=_whole,
        ),
        Mistake(
            "Each row must be a distribution: not all of yours sum to 1.",
            when=_not_one,
        ),
    ],
    praise="This is Jelinek and Mercer's smoothing: trust the pair as far as "
    "lam says, and the token alone for the rest.",
)
