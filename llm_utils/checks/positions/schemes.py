"""Ways to tell a vector its position, for exercise 10 of chapter 4.

Some make scores depend on the distance only, and some only seem to.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from llm_utils.model.positions import rope_frequencies, rotate, sinusoidal

Turn = Callable[[Tensor, int], Tensor]  # (4,), position -> (4,)


def by_angle(x: Tensor, angle: Tensor | float) -> Tensor:
    """Columns i and i + 2 of four, turned."""
    angles = torch.as_tensor(angle, dtype=torch.float64).expand(2)
    cos, sin = angles.cos(), angles.sin()
    return rotate(x.double(), torch.cat((cos, cos)), torch.cat((-sin, sin)))


FREQUENCIES = rope_frequencies(4, 100.0).double()


def unchanged(x: Tensor, position: int) -> Tensor:
    return x.double()


def by_halves(x: Tensor, position: int) -> Tensor:
    return by_angle(x, position * FREQUENCIES)


def by_neighbors(x: Tensor, position: int) -> Tensor:
    order = [0, 2, 1, 3]  # its own inverse
    return by_angle(x[order], position * FREQUENCIES)[order]


def clockwise_from_seven(x: Tensor, position: int) -> Tensor:
    return by_angle(x, -(position + 7) * FREQUENCIES)


def waves_added(x: Tensor, position: int) -> Tensor:
    return x.double() + sinusoidal(position + 1, 4)[-1]


def longer_and_longer(x: Tensor, position: int) -> Tensor:
    return x.double() * (1 + position / 10)


def by_square(x: Tensor, position: int) -> Tensor:
    return by_angle(x, position**2 * FREQUENCIES)


def stops_at_sixteen(x: Tensor, position: int) -> Tensor:
    return by_angle(x, min(position, 16) * FREQUENCIES)


def every_other(x: Tensor, position: int) -> Tensor:
    return by_angle(x, position % 2 * 2 * math.pi / 3)


def odd_are_longer(x: Tensor, position: int) -> Tensor:
    return x.double() * (1 + position % 2)


def sign_flips(x: Tensor, position: int) -> Tensor:
    return x.double() * (-1) ** position


def doubled(x: Tensor, position: int) -> Tensor:
    return x.double() * 2


SCHEMES = (
    unchanged,
    sign_flips,
    doubled,
    by_halves,
    waves_added,
    longer_and_longer,
    by_square,
    stops_at_sixteen,
    every_other,
    odd_are_longer,
    by_neighbors,
    clockwise_from_seven,
)
