"""Exercise 9 of chapter 3: an induction head, with weights set by hand.

`two_heads` runs what the reader returns; here it is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.attention.two_heads import BLUNT, Run, asked, run_of


def _induction(V: int, T: int) -> tuple[Tensor, ...]:
    token, place, before = torch.eye(2 * V + T).split([V, T, V], dim=1)
    step = torch.diag(torch.ones(T - 1), -1)  # row t -> column t - 1
    return 60 * place @ step, place, token, 60 * token, before, token


def _right_first(ids: list[int]) -> list[int]:
    return list(range(len(ids) - 1))


def _first_is(run: Run, ids: list[int], step: int) -> bool:
    return run.first == [t + step for t in range(1, len(ids))]


def _wants_next(args: tuple[Any, ...], run: Run) -> bool:
    last = len(args[0]) - 1
    return run.ahead[: last - 1] == list(range(2, last + 1))


def _first_done(args: tuple[Any, ...], run: Run) -> bool:
    return run.first == _right_first(args[0])


def _both_look(args: tuple[Any, ...], run: Run) -> bool:
    return run.second == [[place] for place in asked(args[0]).values()]


def _second_has(
    fits: Callable[[list[int], int, int], bool],
) -> Callable[..., bool]:
    """Whether fits(ids, t, place) for all that the second head looks at."""

    def when(args: tuple[Any, ...], run: Run) -> bool:
        ids, queries = args[0], zip(asked(args[0]), run.second, strict=True)
        return run.wrote and all(
            fits(ids, t, place) for t, places in queries for place in places
        )

    return when


def _one_back(args: tuple[Any, ...], run: Run) -> bool:
    """By place: where the token one back stands twice, only there."""
    return run.second == [[t - 1] for t in asked(args[0])]


def _show(x: Any) -> str:
    if isinstance(x, Run):
        there = ", ".join("none" if n == BLUNT else f"{n}" for n in x.next)
        return f"next: {there}"
    return f"V={max(x) + 1}, T={len(x)}; on the tokens {x}"


induction = Exercise(
    name="induction",
    asks="write induction(V, T), which returns q1, k1, v1, q2, k2, v2",
    reference=_induction,
    cases=[
        ([0, 1, 2, 1],),
        ([0, 2, 1, 3, 2],),
        ([0, 1, 2, 3, 1, 2, 3],),
        ([0, 1, 2, 3, 1, 3],),
        ([0, 3, 1, 4, 2, 3, 1, 4, 2],),
        ([0, 2, 1, 1],),
    ],
    adapt=run_of,
    same=lambda a, b: a.next == b.next,
    show=_show,
    mistakes=[
        Mistake(
            "Head 1 looks at its own position. It should look at the one "
            "before: the query of position t must be the key of t - 1.",
            when=lambda args, run: _first_is(run, args[0], 0),
        ),
        Mistake(
            "Head 1 is turned round: position t asks for t + 1, which the "
            "mask hides. The query of position t must be the key of t - 1.",
            when=_wants_next,
        ),
        Mistake(
            "Head 1 does not settle on one position. Either its query is not "
            "the key of the position before, or its scores are small: they "
            "are divided by sqrt(d), so set q1 or k1 large, 50 or so.",
            when=lambda args, run: BLUNT in run.first,
        ),
        Mistake(
            "Head 1 looks at the position before, as it should, but does "
            "not write which token stands there: v1 takes the first V of x.",
            when=lambda args, run: _first_done(args, run) and not run.wrote,
        ),
        Mistake(
            "Both heads look where they should, but head 2 copies the token "
            "before from there, which is the one just read. v2 takes the "
            "first V of x, the token itself.",
            when=lambda args, run: (
                _both_look(args, run)
                and run.next == [args[0][t] for t in asked(args[0])]
            ),
        ),
        Mistake(
            "Both heads look where they should, but what head 2 writes "
            "names no token: v2 takes the first V of x.",
            when=_both_look,
        ),
        Mistake(
            "Head 2 does what head 1 did: it looks one step back. It has to "
            "find a place by what stands there: ask with the token, k2 takes "
            "the token before.",
            when=_one_back,
        ),
        Mistake(
            "Head 2 finds the token that was just read, again. It should "
            "find the place after that one: its key is not the token but the "
            "token before, which head 1 wrote.",
            when=_second_has(lambda ids, t, place: ids[place] == ids[t]),
        ),
        Mistake(
            "Query and key of head 2 are swapped: it asks with the token "
            "before and finds it, one step back. Ask with the token, for "
            "places whose token before is the same.",
            when=_second_has(lambda ids, t, place: ids[place] == ids[t - 1]),
        ),
        Mistake(
            "Head 2 compares the token before with the token before. Its key "
            "is right; ask with the token itself.",
            when=_second_has(
                lambda ids, t, place: place > 0 and ids[place - 1] == ids[t - 1]
            ),
        ),
        Mistake(
            "Head 1 works. Head 2 does not settle on one place: its query is "
            "the token, its key the token before, and its scores must be "
            "large, 50 or so, as they are divided by sqrt(d).",
            when=lambda args, run: (
                run.wrote and any(len(places) > 1 for places in run.second)
            ),
        ),
    ],
    praise="Find where this token came before, and say what followed: in "
    "two heads, with nothing learned.",
)
