"""An exercise whose answer is one of a few lettered explanations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_utils.checks.exercise import Exercise, Mistake
from llm_utils.checks.forms import letter


def choice(
    right: str, wrong: Mapping[str, str], praise: str, of: str = "explanations"
) -> Exercise:
    """The exercise `explanation`: the right letter, why the others are wrong.

    right "B", wrong {"A": why not, ...}; praise is said with a right answer.
    """
    letters = sorted([right, *wrong])
    *some, last = map(repr, letters)
    named = f"{', '.join(some)} or {last}"

    def unknown(args: tuple[Any, ...], value: Any) -> bool:
        return value not in letters

    mistakes = [Mistake(why, lambda x=x: x) for x, why in wrong.items()]
    return Exercise(
        name="explanation",
        asks=f"pick one of the {_COUNTS[len(letters)]} {of}, {named}",
        reference=lambda: right,
        form=letter,
        mistakes=[
            *mistakes,
            Mistake(f"The answer is one letter: {named}.", when=unknown),
        ],
        praise=praise,
    )


_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}
