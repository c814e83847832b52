"""Exercise 10 of chapter 9: all-reduce, as one rank of the ring sees it.

Each `Mistake` is a small wrong program, or is known by what the ring came to.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.scaling.numbers import all_close, show
from llm_utils.checks.scaling.play import Played, Program, ring_of


def _rank(
    rank: int,
    n: int,
    mine: list[float],
    way: int = -1,
    first: str = "add",
    second: str = "take",
    ahead: int = 1,
    halves: tuple[int, int] = (0, 0),
    divide: int = 1,
) -> Program:
    """One rank's program, with the mistakes as knobs.

    halves: turns more or fewer in each half; divide: how often by n.
    """
    size = len(mine) // n
    pieces = [mine[i * size : (i + 1) * size] for i in range(n)]
    for half, (kind, start) in enumerate(((first, 0), (second, ahead))):
        for turn in range(max(0, n - 1 + halves[half]) if n > 1 else 0):
            out = (rank + start + way * turn) % n
            got = yield pieces[out]
            at = (rank - 1 + start + way * turn) % n
            old = pieces[at]
            added = [a + b for a, b in zip(old, got, strict=True)]
            pieces[at] = added if kind == "add" else list(got)
    return [x / n**divide for piece in pieces for x in piece]


def _whole(rank: int, n: int, mine: list[float]) -> Program:
    """Everybody's whole gradient goes round: right, and n / 2 times as much."""
    total, message = list(mine), mine
    for _ in range(n - 1):
        message = yield message
        total = [a + b for a, b in zip(total, message, strict=True)]
    return [x / n for x in total]


def _same(a: Played, b: Played) -> bool:
    if a.stuck or b.stuck or a[1:] != b[1:] or len(a.held) != len(b.held):
        return a == b
    return all(
        len(x) == len(y) and all_close(x, y)
        for x, y in zip(a.held, b.held, strict=True)
    )


def _right(args: tuple[Any, ...], value: Played) -> bool:
    """Whether all ranks hold the mean."""
    want = ring_of(_rank)(*args)
    return not value.stuck and _same(want._replace(held=value.held), want)


def _hangs(args: tuple[Any, ...], value: Played) -> bool:
    alone = len(args[0]) == 1  # cannot hang
    return alone or (bool(value.stuck) and "never end" not in value.stuck)


def _show(x: Any) -> str:
    if not isinstance(x, Played):
        return show(x)
    if x.stuck:
        return f"stuck: {x.stuck}"
    return f"the ranks hold {show(list(x.held))}; each sent {show(x.sent[0])}"


def _grads(n: int, size: int) -> list[list[float]]:
    """Gradients of n ranks with n pieces of so many numbers."""
    return [
        [float((r + 1) * 10**r + i) for i in range(n * size)] for r in range(n)
    ]


all_reduce = Exercise(
    name="all_reduce",
    asks="write the generator all_reduce(rank, n, mine), one rank's program",
    reference=_rank,
    cases=[
        (_grads(2, 1),),
        (_grads(3, 1),),
        (_grads(3, 2),),
        (_grads(4, 3),),
        (_grads(1, 2),),
    ],
    adapt=ring_of,
    same=_same,
    show=_show,
    mistakes=[
        Mistake(
            "With one rank there is nothing to pass: the program returns "
            "what it has.",
            when=lambda args, value: len(args[0]) == 1,
        ),
        Mistake(
            "The ring hangs: some ranks have returned while others still "
            "wait. All must yield equally often, whatever their rank is.",
            when=_hangs,
        ),
        Mistake(
            "The messages never end. Each half takes n - 1 turns.",
            when=lambda args, value: "never end" in value.stuck,
        ),
        Mistake(
            "All ranks hold the mean, but each sends whole gradients round. "
            "Pass pieces of an n-th: n - 1 turns to add, n - 1 to take over.",
            _whole,
        ),
        Mistake(
            "All ranks hold the sum. The mean is asked for: divide by n, "
            "once, at either end.",
            partial(_rank, divide=0),
        ),
        Mistake(
            "You divide by n twice, for instance before and after.",
            partial(_rank, divide=2),
        ),
        Mistake(
            "You stop after the first half. Each rank has one finished "
            "piece then; another n - 1 turns pass them on.",
            lambda rank, n, mine: _rank(rank, n, mine, halves=(0, 1 - n)),
        ),
        Mistake(
            "You add in the second half as well. What comes then is "
            "finished: let it replace what you have.",
            partial(_rank, second="add"),
        ),
        Mistake(
            "In the first half you pass pieces on in rising order. What a "
            "rank sends must be what it has just added to: it received piece "
            "rank - 1, so that is what goes out next.",
            partial(_rank, way=1),
        ),
        Mistake(
            "Nothing is added up: at the end piece k is what rank k alone "
            "had. Does the first half add, and does the second begin with "
            "the piece that is finished, r + 1 on rank r?",
            partial(_rank, ahead=0),
        ),
        Mistake(
            "The first half has one turn too few: n - 1 turns until each "
            "piece has met all ranks.",
            partial(_rank, halves=(-1, 0)),
        ),
        Mistake(
            "The second half has one turn too few: n - 1 turns until each "
            "finished piece has come to all ranks.",
            partial(_rank, halves=(0, -1)),
        ),
        Mistake(
            "The first half has one turn too many: after n - 1 turns each "
            "piece has met all ranks, and would meet one of them again.",
            partial(_rank, halves=(1, 0)),
        ),
        Mistake(
            "All ranks hold the mean, but more is sent than need be. Each "
            "half takes n - 1 turns, and a message is an n-th.",
            when=lambda args, value: (
                _right(args, value) and value.sent > ring_of(_rank)(*args).sent
            ),
        ),
        Mistake(
            "All ranks hold the mean and no number too many is sent, but in "
            "more than 2 (n - 1) turns. A turn costs time even if its message "
            "is empty.",
            when=lambda args, value: (
                _right(args, value)
                and value.turns > ring_of(_rank)(*args).turns
            ),
        ),
    ],
    praise="Each rank has sent 2 (n - 1) / n times its gradient, and nobody "
    "was in charge. torchrun would start this very program n times.",
)
