"""Exercise 9 of chapter 9: one rank's part of a feed-forward layer.

All ranks are played in turn, and their parts added as an all-reduce would.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.checks.watch import WrongForm

Part = Callable[..., Tensor]
SUM, UNITS = "all ranks, added up", "hidden units of each rank"


def _part(
    x: Tensor,
    up: Tensor,
    b_up: Tensor,
    down: Tensor,
    b_down: Tensor,
    rank: int,
    n: int,
    *,
    bend: Callable[[Tensor], Tensor] = gelu,
    late: bool = False,
    inner: float = 1.0,
    outer: str = "first",
    cut: int | None = None,
) -> Tensor:
    """One rank's part, with the mistakes as knobs; cut: into how many."""
    size = len(down) // (cut or n)
    own = slice(rank * size, (rank + 1) * size) if cut is None else slice(None)
    h = x @ up[:, own] + inner * b_up[own]
    y = (h if late else bend(h)) @ down[own]
    y = bend(y) if late else y
    add = {"first": float(rank == 0), "all": 1.0, "none": 0.0}[outer]
    return y + add * b_down


def _nothing(x: Tensor) -> Tensor:
    return x


def _one_does_all(
    x: Tensor,
    up: Tensor,
    b_up: Tensor,
    down: Tensor,
    b_down: Tensor,
    rank: int,
    n: int,
) -> Tensor:
    whole = _part(x, up, b_up, down, b_down, 0, n, cut=1)
    return whole if rank == 0 else 0 * whole


def _averaged(*args: Any) -> Tensor:
    return _part(*args) / args[-1]


def _all_averaged(*args: Any) -> Tensor:
    return _part(*args, outer="all") / args[-1]


def _share_of_all(*args: Any) -> Tensor:
    return _part(*args, cut=1, outer="all") / args[-1]


def _first_units(*args: Any) -> Tensor:
    x, up, b_up, down, b_down, rank, n = args
    return _part(x, up, b_up, down, b_down, 0, n) - (rank > 0) * b_down


def _misfit(*args: Any) -> Tensor:
    """Shapes that do not fit, as torch says it; one rank has no trouble."""
    if args[-1] > 1:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    return _part(*args)


def together(part: Part) -> Callable[..., Tensor]:
    """The sum over the ranks, or the hidden units that each works on."""

    def run(
        ask: str,
        x: Tensor,
        up: Tensor,
        b_up: Tensor,
        down: Tensor,
        b_down: Tensor,
        n: int,
    ) -> Tensor:
        layer = x, up, b_up, down, b_down
        parts = []
        for rank in range(n):
            given = part(*(t.clone() for t in layer), rank, n)
            if given is None:
                raise WrongForm(
                    "nothing (None) on one of the ranks; `return` is missing"
                )
            parts.append(tensor(given))
        if ask == SUM:
            return torch.stack(parts).sum(0)
        return torch.stack([(p != 0).any(0).sum() for p in parts]).double()

    return run


def _case(ask: str, T: int, C: int, F: int, n: int) -> tuple:
    """down is the identity where the units are counted: each shows itself."""
    wave = torch.sin(torch.arange(400, dtype=torch.float64) * 1.7)
    x, up = wave[: T * C].view(T, C), wave[50 : 50 + C * F].view(C, F)
    b_up, down = wave[7 : 7 + F] + 0.1, wave[200 : 200 + F * C].view(F, C)
    b_down = wave[20 : 20 + C]
    if ask != SUM:
        down, b_down = torch.eye(F).double(), torch.zeros(F).double()
    return ask, x, up, b_up, down, b_down, n


my_part = Exercise(
    name="my_part",
    asks="write my_part(x, up, b_up, down, b_down, rank, n), what one rank "
    "gives to the sum",
    reference=_part,
    cases=[
        _case(SUM, 1, 2, 2, 1),
        _case(SUM, 1, 2, 2, 2),
        _case(SUM, 3, 4, 8, 2),
        _case(SUM, 2, 3, 12, 4),
        _case(UNITS, 2, 3, 8, 2),
        _case(UNITS, 2, 3, 12, 4),
    ],
    form=tensor,
    same=close,
    adapt=together,
    show=show,
    mistakes=[
        Mistake(
            "b_down is added on each rank, so that the sum has it n times. "
            "Let one rank add it, or each an n-th of it.",
            partial(_part, outer="all"),
        ),
        Mistake(
            "b_down never comes in. Exactly one of it must be in the sum.",
            partial(_part, outer="none"),
        ),
        Mistake(
            "b_up never comes in. Each rank adds the part of it that belongs "
            "to its units, before the GELU.",
            partial(_part, inner=0.0),
        ),
        Mistake(
            "Each rank computes the whole layer, so that the sum is n times "
            "too large, and so is the work.",
            partial(_part, cut=1, outer="all"),
        ),
        Mistake(
            "The sum is right, but one rank does all the work and the others "
            "none. Each must take an n-th of the hidden units.",
            _one_does_all,
        ),
        Mistake(
            "The GELU is missing.",
            partial(_part, bend=_nothing),
        ),
        Mistake(
            "The GELU comes last in your function. It belongs between the "
            "two matrices; that it works on each unit alone is why the cut "
            "is possible.",
            partial(_part, late=True),
        ),
        Mistake(
            "You divide by n. Different hidden units are different terms of "
            "one sum, not several opinions on one number: nothing is "
            "averaged.",
            _averaged,
        ),
        Mistake(
            "You divide by n. Only b_down may be divided: different hidden "
            "units are different terms of one sum, and nothing of them is "
            "averaged.",
            _all_averaged,
        ),
        Mistake(
            "The sum is right, but each rank computes the whole layer and "
            "gives an n-th of it. Its work should be an n-th: some of the "
            "hidden units.",
            _share_of_all,
        ),
        Mistake(
            "All ranks take the same hidden units. Rank r begins at unit "
            "r * F / n.",
            _first_units,
        ),
        Mistake(
            "Shapes do not fit. A rank's units are columns of `up`, the same "
            "places of `b_up`, and rows of `down`.",
            _misfit,
        ),
    ],
    praise="One all-reduce for two matrices: the cut lies so that nobody has "
    "to ask a neighbor in between.",
)
