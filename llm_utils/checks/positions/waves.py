"""Exercise 1 of chapter 4: a table of waves.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor
from llm_utils.model.positions import sinusoidal

# -- wave_table(T, C) -> (T, C)


def _angles(T: int, C: int, first: int = 0) -> Tensor:
    """(T, C / 2): position times frequency."""
    t = torch.arange(first, first + T, dtype=torch.float64)
    i = torch.arange(C // 2, dtype=torch.float64)
    return torch.outer(t, 10_000.0 ** (-2 * i / C))


def _waves(angles: Tensor) -> Tensor:
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(-2)


def _swapped(T: int, C: int) -> Tensor:
    angles = _angles(T, C)
    return torch.stack((angles.cos(), angles.sin()), -1).flatten(-2)


def _halves(T: int, C: int) -> Tensor:
    angles = _angles(T, C)
    return torch.cat((angles.sin(), angles.cos()), -1)


def _by_column(T: int, C: int, sign: int = -1) -> Tensor:
    """Each column has a frequency of its own."""
    t = torch.arange(T, dtype=torch.float64)
    column = torch.arange(C)
    angles = torch.outer(t, 10_000.0 ** (sign * column / C))
    return torch.where(column % 2 == 0, angles.sin(), angles.cos())


def _half_range(T: int, C: int) -> Tensor:
    t = torch.arange(T, dtype=torch.float64)
    return _waves(torch.outer(t, 10_000.0 ** (-torch.arange(C // 2) / C)))


def _multiplied(T: int, C: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """The large angles differ by precision: a reader may use either."""
    t, i = torch.arange(T, dtype=dtype), torch.arange(C // 2, dtype=dtype)
    return _waves(torch.outer(t, 10_000.0 ** (2 * i / C)))


GROWING = (
    "The frequencies grow with i, and they should fall: divide the position "
    "by 10,000 ** (2i / C)."
)


wave_table = Exercise(
    name="wave_table",
    asks="write wave_table(T, C), a tensor (T, C) of sines and cosines",
    reference=sinusoidal,
    cases=[(1, 2), (2, 2), (2, 4), (3, 6), (4, 8)],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Sine and cosine have changed places: the sine stands in the "
            "even columns, 0, 2, 4 and so on.",
            _swapped,
        ),
        Mistake(
            "All sines stand first and all cosines behind them. Here they "
            "alternate: the sine and the cosine of one frequency are "
            "neighbors.",
            _halves,
        ),
        Mistake(
            "Every column has a frequency of its own. Two neighbors, a sine "
            "and a cosine, share one: count pairs, not columns.",
            _by_column,
        ),
        Mistake(
            "The exponent is i / C where it should be 2i / C, so only half "
            "of the wavelengths are there: the slowest ends near "
            "2 pi times 100.",
            _half_range,
        ),
        Mistake(GROWING, _multiplied),
        Mistake(GROWING, lambda T, C: _multiplied(T, C, torch.float32)),
        Mistake(
            "Both columns of a pair hold the sine. The second one is for the "
            "cosine.",
            lambda T, C: _angles(T, C).sin().repeat_interleave(2, -1),
        ),
        Mistake(
            "Rows and columns have changed places: a position is a row.",
            lambda T, C: _waves(_angles(T, C)).T,
        ),
        Mistake(
            "Your angles are in degrees. t * frequency is in radians, and so "
            "are sin and cos.",
            lambda T, C: _waves(torch.deg2rad(_angles(T, C))),
        ),
        Mistake(
            "Positions are counted from 0. Yours begin at 1.",
            lambda T, C: _waves(_angles(T, C, first=1)),
        ),
        Mistake(
            "The angle is t * frequency, in radians; yours is larger by 2 pi.",
            lambda T, C: _waves(2 * torch.pi * _angles(T, C)),
        ),
        other_shape(sinusoidal),
    ],
    praise="Each pair of columns is a hand of a clock; the next one is slower.",
)
