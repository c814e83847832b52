"""Exercise 8 of chapter 8: a loss that is too good.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number

Losses = Sequence[float]


def _below(losses: Losses, floor: float, width: int, least: int = 0) -> int:
    """The first step whose window of at least `least` has a mean below."""
    for n in range(least or width, len(losses) + 1):
        window = losses[max(0, n - width) : n]
        if sum(window) / len(window) < floor:
            return n
    return 0


def _single(losses: Losses, floor: float, width: int) -> int:
    return _below(losses, floor, 1)


def _early(losses: Losses, floor: float, width: int) -> int:
    return _below(losses, floor, width, 1)


def _from_zero(losses: Losses, floor: float, width: int) -> int:
    found = _below(losses, floor, width)
    return found - 1 if found else 0


def _start(losses: Losses, floor: float, width: int) -> int:
    found = _below(losses, floor, width)
    return found - width + 1 if found else 0


def _start_from_zero(losses: Losses, floor: float, width: int) -> int:
    found = _below(losses, floor, width)
    return found - width if found else 0


def _touches(losses: Losses, floor: float, width: int) -> int:
    return _below(losses, floor + 1e-12, width)


def _so_far(losses: Losses, floor: float, width: int) -> int:
    for n in range(1, len(losses) + 1):
        if sum(losses[:n]) / n < floor:
            return n
    return 0


def _wide_so_far(losses: Losses, floor: float, width: int) -> int:
    for n in range(width, len(losses) + 1):
        if sum(losses[:n]) / n < floor:
            return n
    return 0


def _all_of_them(losses: Losses, floor: float, width: int) -> int:
    for n in range(width, len(losses) + 1):
        if max(losses[n - width : n]) < floor:
            return n
    return 0


def _any_of_them(losses: Losses, floor: float, width: int) -> int:
    for n in range(width, len(losses) + 1):
        if min(losses[n - width : n]) < floor:
            return n
    return 0


def _blocks(losses: Losses, floor: float, width: int) -> int:
    for n in range(width, len(losses) + 1, width):
        if sum(losses[n - width : n]) / width < floor:
            return n
    return 0


def _last(losses: Losses, floor: float, width: int) -> int:
    steps = range(width, len(losses) + 1)
    means = [sum(losses[n - width : n]) / width for n in steps]
    return max(
        [n for n, m in zip(steps, means, strict=True) if m < floor] or [0]
    )


def _last_missed(losses: Losses, floor: float, width: int) -> int:
    return _below(losses[:-1], floor, width)


def _never_is_minus_one(losses: Losses, floor: float, width: int) -> int:
    return _below(losses, floor, width) or -1


def _crossing(losses: Losses, floor: float, width: int) -> int:
    for n, (a, b) in enumerate(pairwise(losses), 2):
        if a >= floor > b:
            return n
    return 0


below_floor = Exercise(
    name="below_floor",
    asks="write below_floor(losses, floor, width), a number of steps",
    reference=_below,
    cases=[
        ([3.0, 2.0, 1.0], 1.5, 1),
        ([3.0, 2.0, 2.0], 1.0, 1),
        ([3.0, 1.0, 2.0, 1.5, 1.0], 1.75, 2),
        ([0.5, 3.0, 2.0, 1.5, 1.0, 1.0], 1.25, 2),
        ([4.0, 1.5, 1.0, 3.0, 1.0, 1.0, 0.5, 0.5], 1.5, 3),
        ([2.0, 1.0, 1.5, 1.0, 3.0], 1.25, 2),
        ([2.0, 2.0, 0.5], 1.5, 3),
        ([2.0, 2.0, 0.25], 1.5, 3),
        ([1.0], 2.0, 2),
    ],
    form=number,
    show=lambda x: f"{x:g}" if isinstance(x, (int, float)) else ascii(x),
    mistakes=[
        Mistake(
            "You compare single losses. One easy batch lies below the floor "
            "by luck: take the mean of the last `width`.",
            _single,
        ),
        Mistake(
            "At the start your windows hold fewer than `width` losses. Wait "
            "until there are that many.",
            _early,
        ),
        Mistake(
            "Your steps count from 0. Asked for is how many losses had been "
            "seen: one more than the index of the last.",
            _from_zero,
        ),
        Mistake(
            "You return where the window begins. It is known only when its "
            "last loss is there.",
            _start,
        ),
        Mistake(
            "You return where the window begins, counted from 0. It is known "
            "only when its last loss is there, and the first step is 1.",
            _start_from_zero,
        ),
        Mistake(
            "You count a mean that is on the floor. A perfect model gets "
            "there; below is what should not be.",
            _touches,
        ),
        Mistake(
            "You take the mean of all losses so far. The high ones of the "
            "beginning stay in it for ever: only the last `width` count.",
            _so_far,
        ),
        Mistake(
            "You take the mean of all losses so far, once there are enough. "
            "The high ones of the beginning stay in it for ever: only the "
            "last `width` count.",
            _wide_so_far,
        ),
        Mistake(
            "You ask that each of the last `width` losses be below. Their "
            "mean is asked for.",
            _all_of_them,
        ),
        Mistake(
            "One loss below the floor is enough for you. The mean of the "
            "window has to be below.",
            _any_of_them,
        ),
        Mistake(
            "Your windows stand side by side. Let one begin at every step.",
            _blocks,
        ),
        Mistake("That is the last such step, not the first.", _last),
        Mistake(
            "You stop one window early: the last one ends with the last loss.",
            _last_missed,
        ),
        Mistake(
            "Where the mean never falls below the floor the answer is 0.",
            _never_is_minus_one,
        ),
        Mistake(
            "You look for a loss that crosses the floor. The mean of the "
            "last `width` is asked for.",
            _crossing,
        ),
    ],
    praise="A floor that is known turns a loss that looks good into one that "
    "cannot be.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: the second run never sees a text twice, so "
        "there is nothing that it could know by heart. And what is known by "
        "heart does not help with new texts.",
        "B": "B cannot be it: a model that sees the answer sees it in new "
        "texts, too. The first run is far above the floor there.",
        "D": "D cannot be it: the sound run comes near the floor from above, "
        "and the others miss it in opposite ways on new texts.",
    },
    "A training loss below the floor says that something is wrong; new text "
    "says what.",
)
