"""The exhibits of appendix D as exercises: one name each, from a curve."""

from __future__ import annotations

from typing import Any

from llm_utils.appendix.bug_museum import numbered
from llm_utils.appendix.bugs import EXHIBITS
from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.bug_museum.marks import CONFUSED, LOOK, PRAISE, SHOWS
from llm_utils.checks.watch import WrongForm

NUMBERED = numbered(list(EXHIBITS))


def _name(x: Any) -> str:
    """The name of a bug, however it is spelled."""
    if not isinstance(x, str):
        raise WrongForm(f"a {type(x).__name__}; a name is asked for")
    return x.strip().lower().replace(" ", "_").replace("-", "_")


def _says(bug: str, guess: str) -> str:
    """What tells the guess apart from the bug, without naming the bug."""
    if (bug, guess) in CONFUSED:
        return CONFUSED[bug, guess]
    return f"{guess} would show {SHOWS[guess]}. In this one, {LOOK[bug]}."


def exhibit(number: int) -> Exercise:
    """The exercise of an exhibit: which bug made this curve?"""
    bug = NUMBERED[number]
    wrong = [
        Mistake(_says(bug, guess), lambda guess=guess: guess)
        for guess in EXHIBITS
        if guess != bug
    ]
    unknown = Mistake(
        "That is no name on the list. Copy one from the table.",
        when=lambda args, value: value not in EXHIBITS,
    )
    return Exercise(
        name=f"exhibit_{number}",
        asks=f"write a name from the table for exhibit {number}",
        reference=lambda: bug,
        form=_name,
        mistakes=[*wrong, unknown],
        praise=PRAISE[bug],
    )
