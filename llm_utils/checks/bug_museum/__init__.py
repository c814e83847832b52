"""Checks of appendix D: `check.diagnose(3, "same_batch")`, for each exhibit.

Each name in `__all__` is an `Exercise`, whose answer is the name of a bug.
"""

from typing import Any

from llm_utils.checks import Result
from llm_utils.checks.bug_museum.exhibits import exhibit

(
    exhibit_1, exhibit_2, exhibit_3, exhibit_4, exhibit_5, exhibit_6,
    exhibit_7, exhibit_8, exhibit_9, exhibit_10, exhibit_11, exhibit_12,
) = map(exhibit, range(1, 13))  # fmt: skip


def diagnose(number: int, guess: Any) -> Result:
    """What is to be said of this guess about the exhibit of that number."""
    if number not in range(1, 13):
        return Result(False, f"There is no exhibit {number!r}: 1 to 12.")
    checked: Result = globals()[f"exhibit_{number}"](guess)
    return checked


__all__ = [
    "exhibit_1",
    "exhibit_2",
    "exhibit_3",
    "exhibit_4",
    "exhibit_5",
    "exhibit_6",
    "exhibit_7",
    "exhibit_8",
    "exhibit_9",
    "exhibit_10",
    "exhibit_11",
    "exhibit_12",
]
