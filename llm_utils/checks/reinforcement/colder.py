"""Exercise 7 of chapter 16: why colder draws teach less.

The letters stand for the explanations that the task offers.
"""

from __future__ import annotations

from llm_utils.checks.choice import choice

explanation = choice(
    "B",
    {
        "A": "A cannot be it. The rewards of colder draws are not lower, and "
        "a mean reward is no advantage: the baseline takes it off.",
        "C": "C is not so. The log-probabilities are recorded at the "
        "temperature that the answers were drawn with, and so is the loss.",
        "D": "D mixes things up: the clip looks at how far a ratio has moved "
        "since, and right after drawing every ratio is 1.",
    },
    "What counts is not how often the model is right, but how often it is "
    "right in one draw and wrong in another.",
)
