"""Exercises 2 and 3 of chapter 13: batches that are filled once, or again.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number, sequence
from llm_utils.checks.watch import WrongForm
from llm_utils.infer.schedule import continuous, static


def _four(x: Any) -> list[float]:
    values = [number(value) for value in sequence(x)]
    if len(values) != 4:
        raise WrongForm(f"{len(values)} values; four numbers are asked for")
    return values


steps = Exercise(
    name="steps",
    asks="write down the four numbers of steps",
    reference=lambda: [12.0, 8.0, 11.0, 6.0],
    form=_four,
    mistakes=[
        Mistake(
            "The order is static, refilled for two places, then static, "
            "refilled for three. Yours has the refilled ones first.",
            lambda: [8.0, 12.0, 6.0, 11.0],
        ),
        Mistake(
            "You divide the sum by the places. A reply cannot be cut and "
            "written in two places at once.",
            when=lambda args, x: x[1] == 7.5 or x[3] == 5,
        ),
        Mistake(
            "You add up all lengths, as if there were one place.",
            lambda: [15.0, 15.0, 15.0, 15.0],
        ),
        Mistake(
            "Your numbers for static batching are those of the refilled one. "
            "The next batch begins when the longest of this one is done.",
            lambda: [8.0, 8.0, 6.0, 6.0],
        ),
        Mistake(
            "Your numbers for the refilled batch are those of the static "
            "one. A place is given away at the very next step.",
            lambda: [12.0, 12.0, 11.0, 11.0],
        ),
        Mistake(
            "With three places you count as with two. The first batch is "
            "then 6, 1, 1, and the second 1, 5, 1.",
            lambda: [12.0, 8.0, 12.0, 8.0],
        ),
    ],
    praise="With three places the longest reply alone decides: a fourth "
    "place would be of no use to anybody.",
)


def _refill(lengths: Sequence[int], places: int) -> list[int]:
    return [turn.start for turn in continuous(lengths, places)]


def _dealt(lengths: Sequence[int], places: int) -> list[int]:
    free, found = [0] * places, []
    for i, n in enumerate(lengths):
        found.append(free[i % places])
        free[i % places] += n
    return found


starts = Exercise(
    name="starts",
    asks="write starts(lengths, places), the step at which each begins",
    reference=_refill,
    cases=[
        ([3], 1),
        ([3, 2], 1),
        ([3, 2], 2),
        ([4, 2, 3], 2),
        ([1, 5, 1, 1, 1], 2),
        ([2, 2, 2, 2, 2], 3),
        ([6, 1, 1, 1, 5, 1], 3),
    ],
    form=sequence,
    mistakes=[
        Mistake(
            "That is static batching: nobody begins before the whole batch "
            "is done. Here a place is given away at once.",
            lambda lengths, places: [t.start for t in static(lengths, places)],
        ),
        Mistake(
            "Those are the ends. Give the step at which each begins.",
            lambda lengths, places: [
                t.stop for t in continuous(lengths, places)
            ],
        ),
        Mistake(
            "You use one place only: everybody waits for all before.",
            lambda lengths, places: [
                sum(lengths[:i]) for i in range(len(lengths))
            ],
        ),
        Mistake(
            "All begin at 0 in yours. Only so many do as there are places.",
            lambda lengths, places: [0] * len(lengths),
        ),
        Mistake(
            "You deal the readers to the places in turn, whatever their "
            "lengths. Who is next takes the place that is free first.",
            _dealt,
        ),
        Mistake(
            "You begin to count at 1. The first step is step 0.",
            lambda lengths, places: [x + 1 for x in _refill(lengths, places)],
        ),
    ],
    praise="A heap makes it fast; the idea is one line, min(free).",
)
