"""Exercise 8 of chapter 15: Bradley and Terry's strengths from a table.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import other_shape, show, tensor


def _fit(wins: Tensor, steps: int = 3000) -> Tensor:
    """Zermelo's iteration: strength = wins / sum of games / (both)."""
    games, p = wins + wins.T, torch.ones(len(wins)).double()
    for _ in range(steps):
        p = wins.sum(1) / (games / (p[:, None] + p)).sum(1)
        p = p / p.log().mean().exp()
    return p.log()


def _shares(wins: Tensor) -> Tensor:
    """Log-odds of the share of all games that each one won."""
    share = wins.sum(1) / (wins + wins.T).sum(1)
    logs = (share / (1 - share)).log()
    return logs - logs.mean()


def _case(*rows: tuple[int, ...]) -> tuple[Tensor]:
    return (torch.tensor(rows).double(),)


strengths = Exercise(
    name="strengths",
    asks="write strengths(wins): (n, n) -> the n rewards, of mean 0",
    reference=_fit,
    cases=[
        _case((0, 3), (1, 0)),
        _case((0, 8, 9), (2, 0, 7), (1, 3, 0)),
        _case((0, 6, 0), (4, 0, 18), (0, 2, 0)),
        _case((0, 5, 5, 5), (5, 0, 9, 1), (3, 2, 0, 4), (2, 9, 6, 0)),
    ],
    form=tensor,
    same=lambda a, b: a.shape == b.shape and torch.allclose(a, b, atol=0.02),
    show=show,
    mistakes=[
        Mistake(
            "You count how often each one won, whoever it was against. To "
            "beat a strong one says more: fit all games at once.",
            _shares,
        ),
        Mistake(
            "The order is turned: wins[i, j] says how often i beat j.",
            lambda wins: _fit(wins.T),
        ),
        Mistake(
            "Those are strengths. Their logarithms are asked for, which are "
            "the rewards.",
            lambda wins: _fit(wins).exp(),
        ),
        Mistake(
            "Right but for the zero point: subtract the mean.",
            when=lambda args, value: (
                value.shape == _fit(*args).shape
                and torch.allclose(value - value.mean(), _fit(*args), atol=0.02)
            ),
        ),
        Mistake(
            "The direction is right, and the fit has not come to its end: "
            "take more steps, or larger ones.",
            when=lambda args, value: _short(value, _fit(*args)),
        ),
        other_shape(_fit),
    ],
    praise="The leaderboards that ask people which of two answers is better "
    "are made like this.",
)


def _short(value: Tensor, right: Tensor) -> bool:
    """Whether it points where the right one does, and is too short."""
    if value.shape != right.shape or not bool(value.isfinite().all()):
        return False
    size, aim = float(value.norm()), float(right.norm())
    along = float(value @ right)
    return size < 0.95 * aim and along > 0.7 * size * aim
