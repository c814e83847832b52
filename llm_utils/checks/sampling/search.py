"""Exercise 8 of chapter 10: a beam search of your own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.tensors import show

Beams = list[tuple[float, list[int]]]


def _beam(
    start: Tensor,
    table: Tensor,
    n: int,
    width: int,
    total: Callable[[float, float], float] = lambda a, b: a + b,
    cut: Callable[[Beams, int], Beams] | None = None,
) -> list[int]:
    beams: Beams = [(float(p), [i]) for i, p in enumerate(start)]
    beams = sorted(beams, key=lambda x: -x[0])[:width]
    for _ in range(n - 1):
        longer = [
            (total(score, float(p)), [*ids, j])
            for score, ids in beams
            for j, p in enumerate(table[ids[-1]])
        ]
        if cut is not None:
            beams = cut(longer, width)
        else:
            beams = sorted(longer, key=lambda x: -x[0])[:width]
    return max(beams, key=lambda x: x[0])[1]


def _each_its_own(longer: Beams, width: int) -> Beams:
    """Keeps the best child of each beam, not the best of all children."""
    best: dict[tuple[int, ...], tuple[float, list[int]]] = {}
    for score, ids in longer:
        key = tuple(ids[:-1])
        if key not in best or score > best[key][0]:
            best[key] = score, ids
    return list(best.values())


def _tables(seed: int, V: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    start = (2 * torch.randn(V, generator=rng)).log_softmax(-1)
    return start, (2 * torch.randn(V, V, generator=rng)).log_softmax(-1)


_START = torch.tensor([0.6, 0.4]).log()
_TABLE = torch.tensor([[0.55, 0.45], [0.05, 0.95]]).log()


def _ids(x: Any) -> list[int]:
    return [int(i) for i in sequence(x)]


beam = Exercise(
    name="beam",
    asks="write beam(start, table, n, width), a list of n ids",
    reference=_beam,
    cases=[
        (_START, _TABLE, 2, 1),
        (_START, _TABLE, 2, 2),
        (_START, _TABLE, 1, 2),
        *[
            (*_tables(seed, V), n, width)
            for seed in range(8)
            for V, n, width in [(3, 4, 2), (5, 5, 3)]
        ],
    ],
    form=_ids,
    show=show,
    mistakes=[
        Mistake(
            "That is greedy: only one beginning is kept at a time.",
            lambda start, table, n, width: _beam(start, table, n, 1),
        ),
        Mistake(
            "You rank by the last token alone. What counts is the whole "
            "text: add its log-probability to that of the beginning.",
            lambda s, t, n, w: _beam(s, t, n, w, total=lambda a, b: b),
        ),
        Mistake(
            "You keep the best continuation of each beam. Rank all "
            "continuations together: two of the best may share a beginning.",
            lambda s, t, n, w: _beam(s, t, n, w, cut=_each_its_own),
        ),
        Mistake(
            "You multiply log-probabilities. Two negative numbers give a "
            "positive one: logarithms are added.",
            lambda s, t, n, w: _beam(s, t, n, w, total=lambda a, b: a * b),
        ),
        Mistake(
            "The text has the wrong length: n ids, and the first of them "
            "comes from start.",
            when=lambda args, value: len(value) != args[2],
        ),
    ],
    praise="Keep the best few, extend them all, rank them all: no more is it.",
)
