"""An exercise whose answer is several numbers in a row, predicted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llm_utils.checks.exercise import Exercise, Mistake
from llm_utils.checks.forms import number, sequence

When = Callable[[Any, Any], bool]
COUNTS = {3: "three", 4: "four", 5: "five", 6: "six"}


def _listed(x: Any) -> Any:
    """The numbers of a dictionary {"A": number}, in its order."""
    return list(x.values()) if isinstance(x, dict) else x


class Foretold:
    """The right numbers, A, B, C ..., and what may stand in a wrong answer.

    rel_tol, abs_tol: how near is right. form reads one number.
    """

    def __init__(
        self,
        right: Sequence[float],
        *,
        rel_tol: float = 0.0,
        abs_tol: float = 0.0,
        form: Callable[[Any], float] = number,
    ) -> None:
        self.right, self.form = tuple(right), form
        self.tolerance = {"rel_tol": rel_tol, "abs_tol": abs_tol}

    def near(self, a: float, b: float) -> bool:
        return math.isclose(a, b, **self.tolerance)

    def has(self, place: int, *numbers: float) -> When:
        """Whether one of these numbers stands there."""
        return lambda args, value: any(
            self.near(there, n)
            for there in value[place : place + 1]
            for n in numbers
        )

    def wrong_at(self, place: int) -> When:
        """Whether another number than the right one stands there."""
        return lambda args, value: (
            not self.has(place, self.right[place])(args, value)
        )

    def exercise(
        self,
        name: str,
        what: str,
        mistakes: Sequence[Mistake],
        praise: str,
        note: str = "",
    ) -> Exercise:
        """what: "numbers"; note: said where there are too many or too few."""
        n = len(self.right)
        letters = f"A to {chr(ord('A') + n - 1)}"
        count = Mistake(
            f"Write down exactly {COUNTS[n]} numbers, {letters}{note}.",
            when=lambda args, value: len(value) != n,
        )
        return Exercise(
            name=name,
            asks=f"write down {COUNTS[n]} {what}, {letters}",
            reference=lambda: list(self.right),
            form=lambda x: [self.form(v) for v in sequence(_listed(x))],
            same=lambda a, b: len(a) == len(b) and all(map(self.near, a, b)),
            mistakes=[count, *mistakes],
            praise=praise,
        )
