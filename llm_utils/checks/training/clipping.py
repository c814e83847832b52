"""Exercise 5 of chapter 8: gradients clipped by their common norm.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.checks.watch import WrongForm

Grads = list[Tensor]


def _numbers(grads: Grads) -> Tensor:
    return torch.cat([g.flatten() for g in grads])


def _scaled(
    size: Callable[[Grads], float], up: bool = False, to: float | None = None
) -> Callable[[Grads, float], Grads]:
    """Clipping with another norm; up: small gradients are stretched."""

    def clip(grads: Grads, most: float) -> Grads:
        norm = size(grads)
        if norm <= most and not (up and norm):
            return [g.clone() for g in grads]
        return [g * ((to or most) / norm) for g in grads]

    return clip


def _norm(grads: Grads) -> float:
    return float(_numbers(grads).norm())


_clip = _scaled(_norm)


def _each(grads: Grads, most: float) -> Grads:
    return [_clip([g], most)[0] for g in grads]


def _values(grads: Grads, most: float) -> Grads:
    return [g.clamp(-most, most) for g in grads]


def _above(grads: Grads, most: float) -> Grads:
    return [g.clamp(max=most) for g in grads]


def _divided(grads: Grads, most: float) -> Grads:
    norm = _norm(grads)
    return [g / norm if norm > most else g for g in grads]


def _times(grads: Grads, most: float) -> Grads:
    norm = _norm(grads)
    return [g * most if norm > most else g for g in grads]


def _no_zero(grads: Grads, most: float) -> Grads:
    scale = min(1.0, most / float(_norm(grads))) if _norm(grads) else math.nan
    return [g * scale for g in grads]


def _dropped(grads: Grads, most: float) -> Grads:
    return [g * (_norm(grads) <= most) for g in grads]


def _tensors(x: Any) -> Grads:
    if not isinstance(x, (list, tuple)):
        raise WrongForm(f"a {type(x).__name__}; a list of tensors is asked for")
    return [tensor(g) for g in x]


def _same(a: Grads, b: Grads) -> bool:
    return len(a) == len(b) and all(map(close, a, b))


def _show(x: Any) -> str:
    if isinstance(x, list):
        return f"[{', '.join(map(_show, x))}]"
    return show(x)


clip = Exercise(
    name="clip",
    asks="write clip(grads, most), a list of new gradients",
    reference=_clip,
    cases=[
        ([torch.tensor([3.0, 4.0])], 1.0),
        ([torch.tensor([3.0, -4.0])], 2.5),
        ([torch.tensor([0.3, 0.4])], 1.0),
        ([torch.tensor([3.0, 0.0]), torch.tensor([[0.0], [4.0]])], 1.0),
        ([torch.tensor([-0.6, 0.0]), torch.tensor([0.7])], 1.0),
        ([torch.tensor([5.0]), torch.tensor([0.1, -0.1])], 1.0),
        ([torch.zeros(2)], 1.0),
    ],
    form=_tensors,
    same=_same,
    show=_show,
    mistakes=[
        Mistake(
            "Each tensor is clipped by itself, so that large ones shrink and "
            "small ones stay, and the direction of the whole changes. Take "
            "one norm over all numbers of all tensors.",
            _each,
        ),
        Mistake(
            "Each number is cut off by itself, which turns the direction of "
            "the gradient. Multiply all of them by one factor.",
            _values,
        ),
        Mistake(
            "You cut off what is above `most`, also by sign: a large negative "
            "number stays. Multiply all of them by one factor.",
            _above,
        ),
        Mistake(
            "Small gradients are stretched to `most`. What is within the "
            "limit stays as it is: the factor is never above 1.",
            _scaled(_norm, up=True),
        ),
        Mistake(
            "The root is missing: that is the square of the norm.",
            _scaled(lambda grads: _norm(grads) ** 2),
        ),
        Mistake(
            "You add up the norms of the tensors. It is their squares that "
            "add up: one root over the sum of all squares.",
            _scaled(lambda grads: sum(_norm([g]) for g in grads)),
        ),
        Mistake(
            "You add up absolute values. The norm is the root of the sum of "
            "the squares.",
            _scaled(lambda grads: float(_numbers(grads).abs().sum())),
        ),
        Mistake(
            "You go by the largest number. The norm is the root of the sum "
            "of all squares.",
            _scaled(lambda grads: float(_numbers(grads).abs().max())),
        ),
        Mistake(
            "You go by the largest norm of a tensor. The norm goes over all "
            "tensors together.",
            _scaled(lambda grads: max(_norm([g]) for g in grads)),
        ),
        Mistake(
            "You take a mean of squares. The norm is the root of their sum; "
            "a mean would make the limit depend on the model's size.",
            _scaled(
                lambda grads: _norm(grads) / _numbers(grads).numel() ** 0.5
            ),
        ),
        Mistake(
            "You shrink to a norm of 1, whatever `most` is.",
            _divided,
        ),
        Mistake(
            "You multiply by `most` and forget to divide by the norm.", _times
        ),
        Mistake(
            "A gradient that is too large is thrown away. It says where to "
            "go, only too loudly: scale it down to `most`.",
            _dropped,
        ),
        Mistake(
            "A norm of 0 is divided by. What is within the limit stays as it "
            "is, and 0 is.",
            _no_zero,
        ),
    ],
    praise="One factor for all: the step gets shorter and keeps its direction.",
)
