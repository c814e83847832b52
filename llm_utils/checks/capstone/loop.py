"""Exercise 4 of chapter 17: a loop that overruns its budget.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number

Stop = Callable[[float, Sequence[float], float], bool]


def _loop(stop: Stop, before: bool = False) -> Callable[..., int]:
    """The number of steps of a loop with this reason to stop."""

    def steps(durations: Sequence[float], budget: float) -> int:
        used = 0.0
        for i, d in enumerate(durations):
            if before and stop(used, durations[:i], budget):
                return i
            used += d
            if not before and stop(used, durations[: i + 1], budget):
                return i + 1
        return len(durations)

    return steps


def _longest(used: float, took: Sequence[float], budget: float) -> bool:
    return used + max(took[-3:]) > budget


def _broken(durations: Sequence[float], budget: float) -> int:
    used = steps = 0
    while used < budget and steps < len(durations):
        used += durations[steps]  # type: ignore[assignment]
        steps += 1
    return steps


def _case(*durations: float, budget: float) -> tuple[Any, ...]:
    return list(durations), budget


steps_taken = Exercise(
    name="steps_taken",
    asks="repair steps_taken(durations, budget): how many steps are taken "
    "when none is begun that may end late",
    reference=_loop(_longest),
    cases=[
        _case(2.0, 2.0, 2.0, budget=3.0),
        _case(1.0, 1.0, 1.0, 1.0, budget=3.0),
        _case(1.0, 3.0, 1.0, 1.0, 1.0, 1.0, budget=8.0),
        _case(1.0, 1.0, 3.0, 1.0, 1.0, budget=7.5),
        _case(3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, budget=9.5),
        _case(1.0, 1.0, budget=9.0),
    ],
    form=number,
    mistakes=[
        Mistake(
            "It asks whether the time is up, and so the last step ends after "
            "the budget. Ask before a step whether it would still fit.",
            _broken,
        ),
        Mistake(
            "One step too few: a step that ends exactly with the clock is in "
            "time. Stop only where the sum is larger than the budget.",
            _loop(lambda u, took, b: u + max(took[-3:]) >= b),
        ),
        Mistake(
            "The last step alone is a poor guess: take the longest of the "
            "last three.",
            _loop(lambda u, took, b: u + took[-1] > b),
        ),
        Mistake(
            "One hiccup at the start must not count for ever: only the last "
            "three steps do.",
            _loop(lambda u, took, b: u + max(took) > b),
        ),
        Mistake(
            "The mean of the last steps is too small for half of the next "
            "ones: take the longest.",
            _loop(lambda u, took, b: u + sum(took[-3:]) / len(took[-3:]) > b),
        ),
    ],
    praise="Obeying a clock means asking before, not after.",
)
