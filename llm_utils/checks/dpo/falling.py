"""Exercise 7 of chapter 15: why both answers become unlikelier.

The letters stand for the explanations that the task offers.
"""

from __future__ import annotations

from llm_utils.checks.choice import choice

explanation = choice(
    "C",
    {
        "A": "A cannot be it. The accuracy on the same pairs is high, so the "
        "order of the two is right: the margins grow.",
        "B": "B would be seen in the reference's numbers, and those were "
        "taken once, before the first step.",
        "D": "D is not so. The loss knows nothing of the length, and the "
        "chosen answers fall while their length stays what it was.",
    },
    "A loss of differences says nothing about the level. Watch the chosen "
    "log-ratio as well as the margin.",
)
