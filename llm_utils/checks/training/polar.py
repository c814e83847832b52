"""Exercise 11 of chapter 8: all singular values to 1, by products alone.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _frobenius(g: Tensor) -> Tensor:
    return g.norm()


def _spectral(g: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(g, 2)


def _largest(g: Tensor) -> Tensor:
    return g.abs().max()


def _rows(g: Tensor) -> Tensor:
    return g.norm(dim=-1, keepdim=True)


def _cube(x: Tensor) -> Tensor:
    return x @ x.T @ x


def _polar(
    g: Tensor,
    steps: int,
    *,
    size: Callable[[Tensor], Tensor] = _frobenius,
    cube: Callable[[Tensor], Tensor] = _cube,
    a: float = 1.5,
    b: float = -0.5,
    more: int = 0,
    back: bool = False,
    guarded: bool = True,
) -> Tensor:
    """The iteration, with its mistakes as knobs."""
    norm = size(g)
    x = g / (norm.clamp(min=1e-12) if guarded else norm)
    for _ in range(steps + more):
        x = a * x + b * cube(x)
    return x * norm if back else x


def _once(g: Tensor, steps: int) -> Tensor:
    return _polar(g, min(1, steps))


def _exact(g: Tensor, steps: int) -> Tensor:
    u, s, vt = torch.linalg.svd(g, full_matrices=False)
    return u @ torch.diag((s > 1e-9).to(g.dtype)) @ vt


def _quintic(g: Tensor, steps: int) -> Tensor:
    x = g / g.norm().clamp(min=1e-12)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x


def _every_step(g: Tensor, steps: int) -> Tensor:
    x = g
    for _ in range(steps):
        x = x / x.norm().clamp(min=1e-12)
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x if steps else g / g.norm()


def _after_every_step(g: Tensor, steps: int) -> Tensor:
    x = g / g.norm().clamp(min=1e-12)
    for _ in range(steps):
        x = 1.5 * x - 0.5 * x @ x.T @ x
        x = x / x.norm().clamp(min=1e-12)
    return x


cases: list[tuple[Any, ...]] = [
    (torch.tensor([[3.0, 0.0], [0.0, 4.0]]), 0),
    (torch.tensor([[3.0, 0.0], [0.0, 4.0]]), 1),
    (torch.tensor([[0.0, 4.0], [-3.0, 0.0]]), 2),
    (torch.tensor([[3.0, 1.0], [-1.0, 2.0]]), 1),
    (torch.tensor([[3.0, 1.0], [-1.0, 2.0]]), 20),
    (torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), 20),
    (torch.tensor([[0.2, 0.0], [0.0, 0.1], [0.1, 0.1]]), 20),
    (torch.zeros(2, 2), 3),
]

polar = Exercise(
    name="polar",
    asks="write polar(g, steps), a matrix of the shape of g",
    reference=_polar,
    cases=cases,
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "g is not divided by its norm first. The step brings singular "
            "values below sqrt(3) to 1; larger ones fly apart.",
            partial(_polar, size=lambda g: torch.ones(())),
        ),
        Mistake(
            "You divide by the largest singular value. That works, but to "
            "know it one needs the very decomposition that we want to avoid. "
            "Use the root of the sum of all squares, g.norm().",
            partial(_polar, size=_spectral),
        ),
        Mistake(
            "You divide by the largest number. Singular values may be larger "
            "than that: use the root of the sum of all squares, g.norm().",
            partial(_polar, size=_largest),
        ),
        Mistake(
            "You divide each row by its own norm. That changes which matrix "
            "it is: one norm for all, g.norm().",
            partial(_polar, size=_rows),
        ),
        Mistake(
            "You divide by the norm in every step. Once, before the first, "
            "is enough; later it undoes what the steps have done.",
            _every_step,
        ),
        Mistake(
            "You divide by the norm after every step. Once, before the "
            "first, is enough; later it undoes what the steps have done.",
            _after_every_step,
        ),
        Mistake(
            "The product is x.T @ x @ x.T, the cube of the transpose, which "
            "does not even fit for a matrix that is not square: x @ x.T @ x.",
            partial(_polar, cube=lambda x: x.T @ x @ x.T),
        ),
        Mistake(
            "You cube each number by itself. The third power of a matrix is "
            "x @ x.T @ x, which cubes its singular values.",
            partial(_polar, cube=lambda x: x**3),
        ),
        Mistake(
            "You use x @ x @ x. Without the transpose the singular vectors "
            "do not meet their own: x @ x.T @ x.",
            partial(_polar, cube=lambda x: x @ x @ x),
        ),
        Mistake(
            "The product is x.T @ x @ x, which does not even fit for a matrix "
            "that is not square: x @ x.T @ x.",
            partial(_polar, cube=lambda x: x.T @ x @ x),
        ),
        Mistake(
            "You add half of the cube. It is subtracted, so that what is "
            "above 1 comes down.",
            partial(_polar, b=0.5),
        ),
        Mistake(
            "The factors are exchanged: 1.5 for x, and -0.5 for its cube.",
            partial(_polar, a=-0.5, b=1.5),
        ),
        Mistake(
            "The sum of your factors is not 1, so a singular value of 1 does "
            "not stay 1: 1.5 x - 0.5 cube.",
            partial(_polar, a=1.0, b=-0.5),
        ),
        Mistake(
            "Those are Muon's factors, tuned to be fast and to stop near 1. "
            "Here the simple ones are asked for, 1.5 and -0.5.",
            _quintic,
        ),
        Mistake("Only one step is taken, however many are asked for.", _once),
        Mistake("One step too many is taken.", partial(_polar, more=1)),
        Mistake("One step too few is taken.", partial(_polar, more=-1)),
        Mistake(
            "At the end you multiply by the norm again. The singular values "
            "should be near 1, so leave it out.",
            partial(_polar, back=True),
        ),
        Mistake(
            "A matrix of zeros has a norm of 0, and 0 / 0 is nan. Divide by "
            "at least a tiny number.",
            partial(_polar, guarded=False),
        ),
        Mistake(
            "That is where the steps lead, from a singular value "
            "decomposition. Get there by `steps` products.",
            _exact,
        ),
        Mistake(
            "Rows and columns are exchanged: what you return is the transpose.",
            lambda g, steps: _polar(g, steps).T,
        ),
        other_shape(_polar),
    ],
    praise="Four lines of products do what a decomposition does, and on an "
    "accelerator products are what is fast.",
)
