"""Exercise 10 of chapter 4: is it the distance that counts?

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.positions.schemes import SCHEMES, Turn
from llm_utils.checks.tensors import show
from llm_utils.checks.watch import WrongForm

# -- is_relative(turn) -> bool


def _truth(x: Any) -> bool:
    value = x.item() if getattr(x, "shape", None) == () else x
    if not isinstance(value, bool):
        raise WrongForm(f"a {type(x).__name__}; True or False is asked for")
    return value


VECTORS = torch.arange(1.0, 9.0).sin().double().view(2, 4)
NEAR, FAR = [(0, 0), (1, 0), (3, 2), (4, 1)], [(40, 2), (17, 17), (9, 30)]


def _test(
    turn: Turn,
    pairs: list[tuple[int, int]],
    shifts: tuple[int, ...] = (1, 2, 5, 20),
    q: Tensor = VECTORS[0],
    k: Tensor = VECTORS[1],
) -> bool:
    """Do the scores stay when both positions move?"""
    return all(
        torch.allclose(turn(q, m) @ turn(k, n), turn(q, m + s) @ turn(k, n + s))
        for m, n in pairs
        for s in shifts
    )


def _exactly(turn: Turn) -> bool:
    q, k = VECTORS
    return all(
        bool(turn(q, m) @ turn(k, n) == turn(q, m + s) @ turn(k, n + s))
        for m, n in NEAR + FAR
        for s in (1, 2, 5, 20)
    )


def _same_vectors(turn: Turn) -> bool:
    return all(torch.allclose(turn(v, 0), turn(v, 7)) for v in VECTORS)


def _same_length(turn: Turn) -> bool:
    v = VECTORS[0]
    return all(torch.isclose(turn(v, n).norm(), v.norm()) for n in range(64))


def _both_ways(turn: Turn) -> bool:
    q, k = VECTORS
    return torch.allclose(turn(q, 9) @ turn(k, 4), turn(q, 4) @ turn(k, 9))


is_relative = Exercise(
    name="is_relative",
    asks="write is_relative(turn): True if q . k depends on the distance only",
    reference=lambda turn: _test(turn, NEAR + FAR),
    cases=[(turn,) for turn in SCHEMES],
    form=_truth,
    show=show,
    mistakes=[
        Mistake(
            "You compare with ==. Two ways to one score differ in their last "
            "digit, so even a rotation fails: use torch.allclose.",
            _exactly,
        ),
        Mistake(
            "You look near the start only, and a scheme that goes wrong from "
            "position 16 on gets through. Try positions up to 63.",
            lambda turn: _test(turn, NEAR, (1, 2, 3)),
        ),
        Mistake(
            "You use one vector as query and as key. A scheme can be right "
            "for equal vectors and wrong for others: take two.",
            lambda turn: _test(turn, NEAR + FAR, k=VECTORS[0]),
        ),
        Mistake(
            "You try query and key at one position only. The distance is 0 "
            "there, and any rotation passes: move them apart.",
            lambda turn: _test(turn, [(0, 0), (9, 9)]),
        ),
        Mistake(
            "You only move both by an even number of places, and a scheme "
            "that alternates gets through.",
            lambda turn: _test(turn, NEAR + FAR, (2, 4, 20)),
        ),
        Mistake(
            "You ask whether the vectors stay the same when they move. They "
            "may change; it is the score of two that must not.",
            _same_vectors,
        ),
        Mistake(
            "You ask whether the length stays. It must, but that is not "
            "enough: turning by the square of the position keeps it too.",
            _same_length,
        ),
        Mistake(
            "You swap the two positions. That turns the distance round, and "
            "a score may well know before from after: move both by the same "
            "number of places instead.",
            _both_ways,
        ),
        Mistake(
            "Not every scheme is relative, and yours says so of all. Does it "
            "return at the first places that agree? True may come only when "
            "all of them have.",
            lambda turn: True,
        ),
        Mistake("Some of the schemes are relative.", lambda turn: False),
    ],
    praise="A property, tested with random places, judges any scheme, the "
    "ones not yet invented included.",
)
